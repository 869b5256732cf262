#include "tpm_device.hpp"

#include <algorithm>

#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>

#include <jiaozi/crypto/hash.hpp>

namespace jiaozi::keystores {
namespace {

constexpr TSS2_RC layer_of(TSS2_RC code) {
    return code & TSS2_RC_LAYER_MASK;
}

// Codes with a parameter, handle or session number in them (TPM 2.0 part 2, 6.6.2), without that number.
constexpr TSS2_RC plain_code(TSS2_RC code) {
    return (code & TPM2_RC_FMT1) != 0 ? code & 0x0BFU : code & 0xFFFU;
}

constexpr bool gone_after_restart(TSS2_RC code) {
    return (code >= TPM2_RC_REFERENCE_H0 && code <= TPM2_RC_REFERENCE_S6) || code == TPM2_RC_HANDLE ||
           code == TPM2_RC_INITIALIZE;
}

// What a person does about it; empty where there is only the TPM's own text.
std::pair<ErrorKind, std::string_view> meaning_of(TSS2_RC code) {
    switch (code) {
        case TPM2_RC_AUTH_FAIL:
            return {ErrorKind::unauthenticated, "wrong PIN; each wrong one counts, see the tries left"};
        case TPM2_RC_BAD_AUTH:
            return {ErrorKind::unauthenticated, "the TPM wants another authorization for this (owner or lockout)"};
        case TPM2_RC_LOCKOUT:
            return {ErrorKind::forbidden,
                    "the TPM is locked after too many wrong PINs; wait for its recovery time or reset its lockout"};
        case TPM2_RC_NV_DEFINED:
            return {ErrorKind::conflict, "that NV index is in use; choose another for the counter"};
        case TPM2_RC_INTEGRITY:
            return {ErrorKind::corrupt, "the key file was changed or belongs to another TPM"};
        case TPM2_RC_NV_RATE:
        case TPM2_RC_RETRY:
        case TPM2_RC_YIELDED:
        case TPM2_RC_TESTING:
        case TPM2_RC_NV_UNAVAILABLE:
            return {ErrorKind::unavailable, "the TPM is busy; try again"};
        case TPM2_RC_OBJECT_MEMORY:
        case TPM2_RC_SESSION_MEMORY:
        case TPM2_RC_SESSION_HANDLES:
            return {ErrorKind::unavailable,
                    "the TPM's slots are taken; use the resource manager (device:/dev/tpmrm0) or end other programs"};
        default:
            return {ErrorKind::io, {}};
    }
}

TPM2B_PUBLIC storage_template() {
    TPM2B_PUBLIC in{};
    TPMT_PUBLIC& area = in.publicArea;
    area.type = TPM2_ALG_ECC;
    area.nameAlg = TPM2_ALG_SHA256;
    area.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN |
                            TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;
    area.parameters.eccDetail.symmetric.algorithm = TPM2_ALG_AES;
    area.parameters.eccDetail.symmetric.keyBits.aes = 128;
    area.parameters.eccDetail.symmetric.mode.aes = TPM2_ALG_CFB;
    area.parameters.eccDetail.scheme.scheme = TPM2_ALG_NULL;
    area.parameters.eccDetail.curveID = TPM2_ECC_NIST_P256;
    area.parameters.eccDetail.kdf.scheme = TPM2_ALG_NULL;
    return in;
}

}  // namespace

Result<void> tpm_check(TSS2_RC code, std::string_view doing) {
    if (code == TSS2_RC_SUCCESS) return {};
    const TSS2_RC layer = layer_of(code);
    const std::string text = std::string(doing) + ": ";
    const char* const own_words = Tss2_RC_Decode(code);
    if (layer == TSS2_TPM_RC_LAYER || layer == TSS2_RESMGR_TPM_RC_LAYER || layer == TSS2_RESMGR_RC_LAYER) {
        const TSS2_RC plain = plain_code(code);
        if (gone_after_restart(plain)) {
            return Error(ErrorKind::unavailable, text + "the TPM was restarted meanwhile; try again");
        }
        const auto [kind, words] = meaning_of(plain);
        Error error(kind, text + (words.empty() ? std::string(own_words) : std::string(words)));
        return plain == TPM2_RC_LOCKOUT ? std::move(error).with_code("pin_locked") : std::move(error);
    }
    if (code == TSS2_ESYS_RC_RSP_AUTH_FAILED) {
        return Error(ErrorKind::corrupt, text + "the TPM's answer was changed on its way; look at what sits between");
    }
    if (layer == TSS2_TCTI_RC_LAYER) {
        return Error(ErrorKind::unavailable,
                     text + "no connection to the TPM (" + own_words + "); check the device and who may open it");
    }
    return Error(ErrorKind::io, text + own_words);
}

TPM2B_AUTH tpm_auth(const crypto::SecretBytes& pin) {
    TPM2B_AUTH auth{};
    auth.size = 32;
    const crypto::SecretBytes derived = crypto::hkdf_sha256(pin.view(), {}, as_bytes("jiaozi tpm pin"), 31);
    std::ranges::copy(derived.view(), auth.buffer);
    auth.buffer[31] = 1;
    return auth;
}

TPM2B_AUTH plain_auth(const crypto::SecretBytes& value) {
    TPM2B_AUTH auth{};
    auth.size = static_cast<UINT16>(std::min(value.size(), std::size_t{32}));
    std::ranges::copy(value.view().first(auth.size), auth.buffer);
    return auth;
}

Result<std::unique_ptr<TpmDevice>> TpmDevice::connect(const TpmLocation& tpm) {
    std::unique_ptr<TpmDevice> device(new TpmDevice);
    JZ_CHECK(tpm_check(Tss2_TctiLdr_Initialize(tpm.tcti.c_str(), &device->tcti_), "open the TPM at " + tpm.tcti));
    JZ_CHECK(tpm_check(Esys_Initialize(&device->esys_, device->tcti_, nullptr), "open the TPM at " + tpm.tcti));
    const TPM2B_AUTH owner = plain_auth(tpm.owner_auth);
    JZ_CHECK(tpm_check(Esys_TR_SetAuth(device->esys_, ESYS_TR_RH_OWNER, &owner), "owner authorization"));
    JZ_CHECK(device->make_storage_key());
    JZ_TRY(device->session_, device->start_session(device->storage_key_));
    return device;
}

TpmDevice::~TpmDevice() {
    flush_storage_key();
    if (esys_ != nullptr) {
        if (key_ != ESYS_TR_NONE) Esys_FlushContext(esys_, key_);
        if (session_ != ESYS_TR_NONE) Esys_FlushContext(esys_, session_);
        Esys_Finalize(&esys_);
    }
    if (tcti_ != nullptr) Tss2_TctiLdr_Finalize(&tcti_);
}

void TpmDevice::flush_storage_key() noexcept {
    if (esys_ == nullptr || storage_key_ == ESYS_TR_NONE) return;
    Esys_FlushContext(esys_, storage_key_);
    storage_key_ = ESYS_TR_NONE;
}

Result<ESYS_TR> TpmDevice::start_session(ESYS_TR salt_key) {
    TPMT_SYM_DEF symmetric{};
    symmetric.algorithm = TPM2_ALG_AES;
    symmetric.keyBits.aes = 128;
    symmetric.mode.aes = TPM2_ALG_CFB;
    ESYS_TR session = ESYS_TR_NONE;
    JZ_CHECK(tpm_check(Esys_StartAuthSession(esys_, salt_key, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                             nullptr, TPM2_SE_HMAC, &symmetric, TPM2_ALG_SHA256, &session),
                       "start a TPM session"));
    return session;
}

// Under an unsalted session: the owner's authorization, mostly empty, is at least not sent as it is.
Result<void> TpmDevice::make_storage_key() {
    JZ_TRY(const ESYS_TR session, start_session(ESYS_TR_NONE));
    const TPM2B_PUBLIC in = storage_template();
    const TPM2B_SENSITIVE_CREATE sensitive{};
    const TPM2B_DATA outside{};
    const TPML_PCR_SELECTION pcrs{};
    TPM2B_PUBLIC* out = nullptr;
    auto made = tpm_check(Esys_CreatePrimary(esys_, ESYS_TR_RH_OWNER, session, ESYS_TR_NONE, ESYS_TR_NONE, &sensitive,
                                             &in, &outside, &pcrs, &storage_key_, &out, nullptr, nullptr, nullptr),
                          "make the TPM's storage key");
    const EsysPointer<TPM2B_PUBLIC> kept(out);
    Esys_FlushContext(esys_, session);
    JZ_CHECK(std::move(made));
    JZ_TRY(storage_name_, name_of(storage_key_));
    return {};
}

Result<ESYS_TR> TpmDevice::session(TPMA_SESSION encryption) {
    JZ_CHECK(tpm_check(Esys_TRSess_SetAttributes(esys_, session_, encryption | TPMA_SESSION_CONTINUESESSION, 0xFF),
                       "set up the TPM session"));
    return session_;
}

Result<ESYS_TR> TpmDevice::nv_index(std::uint32_t index) {
    ESYS_TR object = ESYS_TR_NONE;
    const TSS2_RC code = Esys_TR_FromTPMPublic(esys_, index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &object);
    if (layer_of(code) == TSS2_TPM_RC_LAYER && plain_code(code) == TPM2_RC_HANDLE) {
        return Error(ErrorKind::not_found, "the TPM has no counter at that NV index; it was removed");
    }
    JZ_CHECK(tpm_check(code, "find the TPM's counter"));
    return object;
}

Result<Bytes> TpmDevice::name_of(ESYS_TR object) {
    TPM2B_NAME* name = nullptr;
    JZ_CHECK(tpm_check(Esys_TR_GetName(esys_, object, &name), "read a TPM name"));
    const EsysPointer<TPM2B_NAME> kept(name);
    return to_bytes(*kept);
}

}  // namespace jiaozi::keystores
