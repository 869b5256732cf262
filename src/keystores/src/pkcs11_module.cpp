#include "pkcs11_module.hpp"

#include <algorithm>
#include <map>
#include <mutex>

#include <dlfcn.h>

namespace jiaozi::keystores {
namespace {

constexpr std::size_t max_slots = 256;
constexpr std::size_t max_found = 64;
constexpr std::size_t max_attribute = 4096;

Error pkcs11_error(ErrorKind kind, std::string_view doing, std::string_view what) {
    return {kind, std::string(doing) + ": " + std::string(what)};
}

std::string hexadecimal(CK_RV code) {
    Bytes bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<std::uint8_t>((code >> shift) & 0xFF));
    return "0x" + to_hex(bytes);
}

// Labels are padded with blanks to 32 characters and have no end mark.
bool label_is(const CK_TOKEN_INFO& info, const std::string& label) {
    std::string_view padded(reinterpret_cast<const char*>(info.label), sizeof info.label);
    const std::size_t end = padded.find_last_not_of(' ');
    return padded.substr(0, end == std::string_view::npos ? 0 : end + 1) == label;
}

}  // namespace

bool session_is_lost(CK_RV code) noexcept {
    switch (code) {
        case CKR_SESSION_HANDLE_INVALID:
        case CKR_SESSION_CLOSED:
        case CKR_USER_NOT_LOGGED_IN:
        case CKR_KEY_HANDLE_INVALID:
        case CKR_OBJECT_HANDLE_INVALID:
        case CKR_DEVICE_REMOVED:
        case CKR_TOKEN_NOT_PRESENT:
        case CKR_CRYPTOKI_NOT_INITIALIZED:
            return true;
        default:
            return false;
    }
}

Result<void> pkcs11_check(CK_RV code, std::string_view doing) {
    if (code == CKR_OK) return {};
    if (session_is_lost(code)) {
        return pkcs11_error(ErrorKind::unavailable, doing,
                            "the token was removed or its session ended; put it in and try again");
    }
    switch (code) {
        case CKR_PIN_INCORRECT:
        case CKR_PIN_INVALID:
        case CKR_PIN_LEN_RANGE:
            return pkcs11_error(ErrorKind::unauthenticated, doing, "wrong PIN");
        case CKR_PIN_LOCKED:
            return pkcs11_error(ErrorKind::forbidden, doing,
                                "the token is locked after too many wrong PINs; its security officer can unlock it")
                .with_code("pin_locked");
        case CKR_PIN_EXPIRED:
            return pkcs11_error(ErrorKind::forbidden, doing,
                                "the PIN has expired; set a new one with the vendor's tool");
        case CKR_USER_PIN_NOT_INITIALIZED:
            return pkcs11_error(ErrorKind::forbidden, doing,
                                "the token has no user PIN yet; set one with the vendor's tool");
        case CKR_DEVICE_MEMORY:
            return pkcs11_error(ErrorKind::unavailable, doing, "the token is full");
        case CKR_MECHANISM_INVALID:
        case CKR_ATTRIBUTE_VALUE_INVALID:
        case CKR_CURVE_NOT_SUPPORTED:
        case CKR_DOMAIN_PARAMS_INVALID:
            return pkcs11_error(ErrorKind::invalid, doing, "the token does not offer this kind of key");
        case CKR_TOKEN_WRITE_PROTECTED:
        case CKR_SESSION_READ_ONLY:
            return pkcs11_error(ErrorKind::forbidden, doing, "the token is write-protected");
        default:
            return pkcs11_error(ErrorKind::io, doing,
                                "the token answered " + hexadecimal(code) + " (CKR_…, see pkcs11.h)");
    }
}

std::string_view pin_warning(CK_FLAGS token_flags) noexcept {
    if ((token_flags & CKF_USER_PIN_LOCKED) != 0) return "the token is locked; its security officer can unlock it";
    if ((token_flags & CKF_USER_PIN_FINAL_TRY) != 0) return "one try is left before the token locks";
    if ((token_flags & CKF_USER_PIN_COUNT_LOW) != 0) return "few tries are left before the token locks";
    return {};
}

Result<CK_FUNCTION_LIST*> load_pkcs11(const std::filesystem::path& module) {
    static std::mutex mutex;
    static std::map<std::string, CK_FUNCTION_LIST*> loaded;  // under mutex
    const std::scoped_lock lock(mutex);
    CK_FUNCTION_LIST*& api = loaded[module.string()];
    if (api == nullptr) {
        if (!module.is_absolute()) {
            return Error(ErrorKind::invalid, "the PKCS#11 module must be named with its whole path");
        }
        void* const library = ::dlopen(module.c_str(), RTLD_NOW | RTLD_LOCAL);
        if (library == nullptr) {
            const char* const reason = ::dlerror();
            return Error(ErrorKind::not_found,
                         "load the PKCS#11 module: " + std::string(reason == nullptr ? "" : reason));
        }
        const auto get = reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library, "C_GetFunctionList"));
        if (get == nullptr || get(&api) != CKR_OK || api == nullptr) {
            ::dlclose(library);
            api = nullptr;
            return Error(ErrorKind::invalid, module.string() + " is not a PKCS#11 module");
        }
    }
    CK_C_INITIALIZE_ARGS arguments{};
    arguments.flags = CKF_OS_LOCKING_OK;
    const CK_RV code = api->C_Initialize(&arguments);
    if (code != CKR_CRYPTOKI_ALREADY_INITIALIZED) JZ_CHECK(pkcs11_check(code, "start " + module.string()));
    return api;
}

Attributes& Attributes::flag(CK_ATTRIBUTE_TYPE type, bool value) {
    values_.emplace_back(type, Bytes{value ? std::uint8_t{CK_TRUE} : std::uint8_t{CK_FALSE}});
    return *this;
}

Attributes& Attributes::number(CK_ATTRIBUTE_TYPE type, CK_ULONG value) {
    const auto* const first = reinterpret_cast<const std::uint8_t*>(&value);
    values_.emplace_back(type, Bytes(first, first + sizeof value));
    return *this;
}

Attributes& Attributes::bytes(CK_ATTRIBUTE_TYPE type, ByteView value) {
    values_.emplace_back(type, to_bytes(value));
    return *this;
}

std::vector<CK_ATTRIBUTE> Attributes::list() {
    std::vector<CK_ATTRIBUTE> list;
    list.reserve(values_.size());
    for (auto& [type, value] : values_) list.push_back({type, value.data(), value.size()});
    return list;
}

Result<std::unique_ptr<Pkcs11Session>> Pkcs11Session::open(const std::filesystem::path& module,
                                                           const std::string& token, const crypto::SecretBytes& pin) {
    std::unique_ptr<Pkcs11Session> session(new Pkcs11Session);
    JZ_TRY(session->api_, load_pkcs11(module));
    JZ_CHECK(session->find_token(token));
    JZ_CHECK(pkcs11_check(session->api_->C_OpenSession(session->slot_, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr,
                                                       nullptr, &session->handle_),
                          "open a session with the token " + token));
    JZ_CHECK(session->log_in(pin));
    return session;
}

Pkcs11Session::~Pkcs11Session() {
    if (handle_ != 0) api_->C_CloseSession(handle_);
}

Result<void> Pkcs11Session::find_token(const std::string& label) {
    std::vector<CK_SLOT_ID> slots(max_slots);
    CK_ULONG count = slots.size();
    JZ_CHECK(pkcs11_check(api_->C_GetSlotList(CK_TRUE, slots.data(), &count), "list the tokens"));
    std::string seen;
    std::size_t matches = 0;
    for (CK_ULONG i = 0; i < count; ++i) {
        CK_TOKEN_INFO info{};
        if (api_->C_GetTokenInfo(slots[i], &info) != CKR_OK || (info.flags & CKF_TOKEN_INITIALIZED) == 0) continue;
        if (!label_is(info, label)) continue;
        slot_ = slots[i];
        ++matches;
    }
    if (matches == 1) return {};
    if (matches == 0) {
        return Error(ErrorKind::not_found,
                     "no token labelled '" + label + "' is here; put it in, or look at its label");
    }
    return Error(ErrorKind::conflict,
                 "several tokens are labelled '" + label + "'; leave one in, or give them other labels");
}

// Another key of this process may have logged in to the token before; then PKCS#11 does not look at the PIN again.
Result<void> Pkcs11Session::log_in(const crypto::SecretBytes& pin) const {
    if (pin.empty()) return Error(ErrorKind::unauthenticated, "log in to the token: a PIN is needed");
    auto* const text = const_cast<std::uint8_t*>(pin.view().data());  // the interface has no const
    const CK_RV code = api_->C_Login(handle_, CKU_USER, text, pin.size());
    if (code == CKR_OK || code == CKR_USER_ALREADY_LOGGED_IN) return {};
    auto failed = pkcs11_check(code, "log in to the token");
    CK_TOKEN_INFO info{};
    if (code != CKR_PIN_INCORRECT || api_->C_GetTokenInfo(slot_, &info) != CKR_OK) return failed;
    const std::string_view warning = pin_warning(info.flags);
    if (warning.empty()) return failed;
    return Error(failed.error().kind(), failed.error().message() + "; " + std::string(warning));
}

bool Pkcs11Session::offers(CK_MECHANISM_TYPE mechanism) const {
    CK_MECHANISM_INFO info{};
    return api_->C_GetMechanismInfo(slot_, mechanism, &info) == CKR_OK && (info.flags & CKF_SIGN) != 0;
}

Result<std::vector<CK_OBJECT_HANDLE>> Pkcs11Session::find(Attributes attributes) const {
    std::vector<CK_ATTRIBUTE> wanted = attributes.list();
    std::vector<CK_OBJECT_HANDLE> found(max_found);
    CK_ULONG count = 0;
    JZ_CHECK(pkcs11_check(api_->C_FindObjectsInit(handle_, wanted.data(), wanted.size()), "search the token"));
    const CK_RV code = api_->C_FindObjects(handle_, found.data(), found.size(), &count);
    api_->C_FindObjectsFinal(handle_);
    JZ_CHECK(pkcs11_check(code, "search the token"));
    found.resize(count);
    return found;
}

Result<Bytes> Pkcs11Session::value(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const {
    Bytes bytes(max_attribute);
    CK_ATTRIBUTE attribute{type, bytes.data(), bytes.size()};
    const CK_RV code = api_->C_GetAttributeValue(handle_, object, &attribute, 1);
    if (code == CKR_ATTRIBUTE_TYPE_INVALID || code == CKR_ATTRIBUTE_SENSITIVE) return Bytes{};
    JZ_CHECK(pkcs11_check(code, "read from the token"));
    bytes.resize(std::min<std::size_t>(attribute.ulValueLen, bytes.size()));
    return bytes;
}

Result<bool> Pkcs11Session::flag(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const {
    JZ_TRY(const Bytes bytes, value(object, type));
    return bytes.size() == 1 && bytes[0] == CK_TRUE;
}

}  // namespace jiaozi::keystores
