// One connection to a TPM through tpm2-tss's ESYS: the context, the storage key, a salted session, and what failed in
// words. Not thread-safe; TpmKey holds a lock around it.
#pragma once

#include <memory>
#include <string>

#include <tss2/tss2_esys.h>

#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/keystores/tpm_key.hpp>

namespace jiaozi::keystores {

// Memory that ESYS hands out.
struct EsysDelete {
    void operator()(void* memory) const noexcept { Esys_Free(memory); }
};
template <class T>
using EsysPointer = std::unique_ptr<T, EsysDelete>;

// Nothing when the response code is success; otherwise the Error for it.
Result<void> tpm_check(TSS2_RC code, std::string_view doing);

// An authorization value made of a PIN: 32 bytes, never ending in zero, because TPMs cut zeros off.
TPM2B_AUTH tpm_auth(const crypto::SecretBytes& pin);
TPM2B_AUTH plain_auth(const crypto::SecretBytes& value);

inline Bytes to_bytes(const TPM2B_NAME& name) {
    return {name.name, name.name + name.size};
}

class TpmDevice {
  public:
    static Result<std::unique_ptr<TpmDevice>> connect(const TpmLocation& tpm);
    ~TpmDevice();
    TpmDevice(const TpmDevice&) = delete;
    TpmDevice& operator=(const TpmDevice&) = delete;

    ESYS_CONTEXT* esys() const noexcept { return esys_; }
    // The storage key of the owner hierarchy (ECC P-256, the same each time), and its Name.
    ESYS_TR storage_key() const noexcept { return storage_key_; }
    const Bytes& storage_name() const noexcept { return storage_name_; }

    // The salted session, with the parameter encryption that the next command can have: of its first parameter
    // (decrypt), of the answer's first (encrypt).
    Result<ESYS_TR> session(TPMA_SESSION encryption);
    // The storage key takes one of three slots; it is not needed once a key is loaded.
    void flush_storage_key() noexcept;
    // To be flushed when the connection ends.
    void adopt_key(ESYS_TR key) noexcept { key_ = key; }
    // The NV index as an ESYS object; not_found when there is none.
    Result<ESYS_TR> nv_index(std::uint32_t index);
    Result<Bytes> name_of(ESYS_TR object);

  private:
    TpmDevice() = default;
    Result<void> make_storage_key();
    Result<ESYS_TR> start_session(ESYS_TR salt_key);

    TSS2_TCTI_CONTEXT* tcti_ = nullptr;
    ESYS_CONTEXT* esys_ = nullptr;
    ESYS_TR storage_key_ = ESYS_TR_NONE;
    ESYS_TR session_ = ESYS_TR_NONE;
    ESYS_TR key_ = ESYS_TR_NONE;
    Bytes storage_name_;
};

}  // namespace jiaozi::keystores
