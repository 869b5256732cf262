// A PKCS#11 library of somebody else's: loaded, initialised, its return values in words. And one session with a token.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <p11-kit/pkcs11.h>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/secret.hpp>

namespace jiaozi::keystores {

// True for what a new session with the token may mend.
bool session_is_lost(CK_RV code) noexcept;

// Nothing for CKR_OK; otherwise the Error for it.
Result<void> pkcs11_check(CK_RV code, std::string_view doing);

// What the token says about the PIN: "the last try before the token locks", …; empty when it says nothing.
std::string_view pin_warning(CK_FLAGS token_flags) noexcept;

// Loads the library once in this process and initialises it, also after somebody finalised it. Never unloaded: threads
// of the vendor's may still run in it.
Result<CK_FUNCTION_LIST*> load_pkcs11(const std::filesystem::path& module);

// An attribute list whose values live in this object.
class Attributes {
  public:
    Attributes& flag(CK_ATTRIBUTE_TYPE type, bool value);
    Attributes& number(CK_ATTRIBUTE_TYPE type, CK_ULONG value);
    Attributes& bytes(CK_ATTRIBUTE_TYPE type, ByteView value);
    std::vector<CK_ATTRIBUTE> list();

  private:
    std::vector<std::pair<CK_ATTRIBUTE_TYPE, Bytes>> values_;
};

class Pkcs11Session {
  public:
    // Finds the token by its label and logs in.
    static Result<std::unique_ptr<Pkcs11Session>> open(const std::filesystem::path& module, const std::string& token,
                                                       const crypto::SecretBytes& pin);
    ~Pkcs11Session();
    Pkcs11Session(const Pkcs11Session&) = delete;
    Pkcs11Session& operator=(const Pkcs11Session&) = delete;

    CK_FUNCTION_LIST& api() const noexcept { return *api_; }
    CK_SESSION_HANDLE handle() const noexcept { return handle_; }
    bool offers(CK_MECHANISM_TYPE mechanism) const;
    Result<std::vector<CK_OBJECT_HANDLE>> find(Attributes attributes) const;
    // Empty when the object has no such attribute.
    Result<Bytes> value(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const;
    Result<bool> flag(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const;

  private:
    Pkcs11Session() = default;
    Result<void> find_token(const std::string& label);
    Result<void> log_in(const crypto::SecretBytes& pin) const;

    CK_FUNCTION_LIST* api_ = nullptr;
    CK_SLOT_ID slot_ = 0;
    CK_SESSION_HANDLE handle_ = 0;
};

}  // namespace jiaozi::keystores
