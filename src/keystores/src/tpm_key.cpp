#include <algorithm>
#include <mutex>

#include <tss2/tss2_mu.h>

#include <jiaozi/codec/cbor.hpp>
#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/crypto/private_file.hpp>
#include <jiaozi/keystores/tpm_key.hpp>

#include "big_endian.hpp"
#include "tpm_device.hpp"

namespace jiaozi::keystores {
namespace {

constexpr TPMA_OBJECT must_have = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN;
constexpr TPMA_OBJECT key_attributes = must_have | TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_SIGN_ENCRYPT;
// TPMA_NV_NO_DA: its authorization is random, nobody guesses it. No TPMA_NV_ORDERLY: such a counter may jump on after a
// power cut.
constexpr TPMA_NV counter_attributes =
    (TPM2_NT_COUNTER << TPMA_NV_TPM2_NT_SHIFT) | TPMA_NV_AUTHREAD | TPMA_NV_AUTHWRITE | TPMA_NV_NO_DA;
constexpr std::size_t counter_auth_size = 32;
constexpr std::size_t machine_pin_size = 16;

TPM2B_PUBLIC key_template(PinOf pin_of) {
    TPM2B_PUBLIC in{};
    TPMT_PUBLIC& area = in.publicArea;
    area.type = TPM2_ALG_ECC;
    area.nameAlg = TPM2_ALG_SHA256;
    area.objectAttributes = key_attributes | (pin_of == PinOf::machine ? TPMA_OBJECT_NODA : 0);
    area.parameters.eccDetail.symmetric.algorithm = TPM2_ALG_NULL;
    area.parameters.eccDetail.scheme.scheme = TPM2_ALG_ECDSA;
    area.parameters.eccDetail.scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
    area.parameters.eccDetail.curveID = TPM2_ECC_NIST_P256;
    area.parameters.eccDetail.kdf.scheme = TPM2_ALG_NULL;
    return in;
}

// A coordinate or half signature, padded in front to 32 bytes.
void copy_scalar(const TPM2B_ECC_PARAMETER& from, ByteSpan to) {
    const std::size_t size = std::min<std::size_t>(from.size, to.size());
    std::copy(from.buffer + (from.size - size), from.buffer + from.size, to.end() - static_cast<std::ptrdiff_t>(size));
}

template <class T, class Unmarshal>
Result<T> unmarshalled(ByteView bytes, Unmarshal unmarshal, std::string_view what) {
    T value{};
    std::size_t offset = 0;
    if (unmarshal(bytes.data(), bytes.size(), &offset, &value) != TSS2_RC_SUCCESS || offset != bytes.size()) {
        return Error(ErrorKind::malformed, std::string(what) + " is not a TPM structure");
    }
    return value;
}

template <class T, class Marshal>
Result<Bytes> marshalled(const T& value, Marshal marshal, std::string_view what) {
    Bytes bytes(sizeof(T) + 16);
    std::size_t offset = 0;
    JZ_CHECK(tpm_check(marshal(&value, bytes.data(), bytes.size(), &offset), what));
    bytes.resize(offset);
    return bytes;
}

Result<std::uint64_t> read_counter(TpmDevice& tpm, ESYS_TR counter) {
    TPM2B_MAX_NV_BUFFER* data = nullptr;
    JZ_TRY(const ESYS_TR session, tpm.session(TPMA_SESSION_ENCRYPT));
    JZ_CHECK(tpm_check(Esys_NV_Read(tpm.esys(), counter, counter, session, ESYS_TR_NONE, ESYS_TR_NONE, 8, 0, &data),
                       "read the TPM's counter"));
    const EsysPointer<TPM2B_MAX_NV_BUFFER> kept(data);
    return big_endian({kept->buffer, kept->size});
}

Result<void> step_counter(TpmDevice& tpm, ESYS_TR counter) {
    JZ_TRY(const ESYS_TR session, tpm.session(0));
    return tpm_check(Esys_NV_Increment(tpm.esys(), counter, counter, session, ESYS_TR_NONE, ESYS_TR_NONE),
                     "step the TPM's counter");
}

// Defines the counter and steps it once: an NV counter has no value before.
Result<void> make_counter(TpmDevice& tpm, TpmKeyFile& file) {
    TPM2B_NV_PUBLIC area{};
    area.nvPublic.nvIndex = file.counter_index;
    area.nvPublic.nameAlg = TPM2_ALG_SHA256;
    area.nvPublic.attributes = counter_attributes;
    area.nvPublic.dataSize = 8;
    file.counter_auth.resize(counter_auth_size);
    crypto::random_bytes(file.counter_auth);
    file.counter_auth.back() |= 1;  // TPMs cut zeros off
    const TPM2B_AUTH auth = plain_auth(crypto::SecretBytes(file.counter_auth));
    ESYS_TR counter = ESYS_TR_NONE;
    JZ_TRY(const ESYS_TR session, tpm.session(TPMA_SESSION_DECRYPT));
    JZ_CHECK(tpm_check(
        Esys_NV_DefineSpace(tpm.esys(), ESYS_TR_RH_OWNER, session, ESYS_TR_NONE, ESYS_TR_NONE, &auth, &area, &counter),
        "make the TPM's counter"));
    JZ_CHECK(tpm_check(Esys_TR_SetAuth(tpm.esys(), counter, &auth), "counter authorization"));
    JZ_CHECK(step_counter(tpm, counter));
    JZ_TRY(file.counter_start, read_counter(tpm, counter));
    // The Name has changed with the "written" attribute: asked for anew.
    JZ_CHECK(tpm_check(Esys_TR_Close(tpm.esys(), &counter), "counter"));
    JZ_TRY(const ESYS_TR written, tpm.nv_index(file.counter_index));
    JZ_TRY(file.counter_name, tpm.name_of(written));
    return {};
}

Result<void> make_key(TpmDevice& tpm, const TPM2B_AUTH& auth, PinOf pin_of, TpmKeyFile& file) {
    TPM2B_SENSITIVE_CREATE sensitive{};
    sensitive.sensitive.userAuth = auth;
    const TPM2B_PUBLIC in = key_template(pin_of);
    const TPM2B_DATA outside{};
    const TPML_PCR_SELECTION pcrs{};
    TPM2B_PRIVATE* wrapped = nullptr;
    TPM2B_PUBLIC* area = nullptr;
    JZ_TRY(const ESYS_TR session, tpm.session(TPMA_SESSION_DECRYPT));
    auto made = tpm_check(Esys_Create(tpm.esys(), tpm.storage_key(), session, ESYS_TR_NONE, ESYS_TR_NONE, &sensitive,
                                      &in, &outside, &pcrs, &wrapped, &area, nullptr, nullptr, nullptr),
                          "make a key in the TPM");
    crypto::wipe({reinterpret_cast<std::uint8_t*>(&sensitive), sizeof sensitive});
    const EsysPointer<TPM2B_PRIVATE> kept_wrapped(wrapped);
    const EsysPointer<TPM2B_PUBLIC> kept_area(area);
    JZ_CHECK(std::move(made));
    JZ_TRY(file.public_area, marshalled(*kept_area, Tss2_MU_TPM2B_PUBLIC_Marshal, "write the public area"));
    JZ_TRY(file.wrapped, marshalled(*kept_wrapped, Tss2_MU_TPM2B_PRIVATE_Marshal, "write the wrapped key"));
    return {};
}

Error corrupt(const std::filesystem::path& path, std::string_view what) {
    return {ErrorKind::corrupt, path.string() + ": " + std::string(what)};
}

Result<Bytes> public_key_of(const std::filesystem::path& path, const TPMT_PUBLIC& area) {
    if (area.type != TPM2_ALG_ECC || area.parameters.eccDetail.curveID != TPM2_ECC_NIST_P256 ||
        (area.objectAttributes & must_have) != must_have) {
        return corrupt(path, "the key was not made inside a TPM, or may leave it; make a new one");
    }
    Bytes point(65, 0);
    point[0] = 0x04;
    copy_scalar(area.unique.ecc.x, ByteSpan(point).subspan(1, 32));
    copy_scalar(area.unique.ecc.y, ByteSpan(point).subspan(33, 32));
    return crypto::canonical_public_key(crypto::Suite::p256, point);
}

class TpmKey final : public PurseKey, private MonotonicCounter {
  public:
    TpmKey(TpmLocation tpm, crypto::SecretBytes pin, std::filesystem::path path, TpmKeyFile file)
        : tpm_(std::move(tpm)), pin_(std::move(pin)), path_(std::move(path)), file_(std::move(file)) {}

    // Reads what the file says and asks the TPM for it. A wrong PIN shows here, by a signature over something random
    // that nobody takes for a message.
    Result<void> open() {
        JZ_TRY(const auto area,
               unmarshalled<TPM2B_PUBLIC>(file_.public_area, Tss2_MU_TPM2B_PUBLIC_Unmarshal, "public"));
        JZ_TRY(public_key_, public_key_of(path_, area.publicArea));
        JZ_CHECK(read());
        Bytes trial = jiaozi::to_bytes(as_bytes("jiaozi tpm pin check"));
        append(trial, crypto::SecretBytes::random(32).view());
        JZ_CHECK(sign(trial));
        return {};
    }

    crypto::Suite suite() const noexcept override { return crypto::Suite::p256; }
    ByteView public_key() const noexcept override { return public_key_; }
    Assurance assurance() const noexcept override { return Assurance::a2; }
    MonotonicCounter* counter() noexcept override { return this; }

    Result<crypto::Signature> sign(ByteView message) const override {
        const std::scoped_lock lock(mutex_);
        auto signature = sign_once(message);
        if (signature.ok() || signature.error().kind() != ErrorKind::unavailable) return signature;
        device_.reset();
        return sign_once(message);
    }

    Result<std::uint64_t> read() override {
        const std::scoped_lock lock(mutex_);
        auto value = read_once();
        if (value.ok() || value.error().kind() != ErrorKind::unavailable) return value;
        device_.reset();
        return read_once();
    }

    // Not tried twice: whether a step was taken before the connection went is not known.
    Result<std::uint64_t> increment() override {
        const std::scoped_lock lock(mutex_);
        if (device_ == nullptr || !read_once().ok()) device_.reset();
        JZ_CHECK(connect());
        auto stepped = step_counter(*device_, counter_);
        if (!stepped.ok()) {
            device_.reset();
            return std::move(stepped).error();
        }
        return read_once();
    }

  private:
    Result<void> connect() const {
        if (device_ != nullptr) return {};
        JZ_TRY(auto device, TpmDevice::connect(tpm_));
        if (device->storage_name() != file_.storage_name) {
            return corrupt(path_, "this is not the TPM that the key was made in, or it was cleared since");
        }
        JZ_TRY(key_, load(*device));
        device->adopt_key(key_);
        device->flush_storage_key();
        auto counter = device->nv_index(file_.counter_index);
        if (!counter.ok()) return std::move(counter).error().in(path_.string());
        counter_ = *counter;
        JZ_TRY(const Bytes name, device->name_of(counter_));
        if (name != file_.counter_name) return corrupt(path_, "the TPM's counter was replaced by something else");
        TPM2B_AUTH auth = tpm_auth(pin_);
        auto set = tpm_check(Esys_TR_SetAuth(device->esys(), key_, &auth), "key authorization");
        crypto::wipe({auth.buffer, sizeof auth.buffer});
        JZ_CHECK(std::move(set));
        const TPM2B_AUTH counter_auth = plain_auth(crypto::SecretBytes(file_.counter_auth));
        JZ_CHECK(tpm_check(Esys_TR_SetAuth(device->esys(), counter_, &counter_auth), "counter authorization"));
        device_ = std::move(device);
        return {};
    }

    Result<ESYS_TR> load(TpmDevice& device) const {
        JZ_TRY(const auto area,
               unmarshalled<TPM2B_PUBLIC>(file_.public_area, Tss2_MU_TPM2B_PUBLIC_Unmarshal, "public"));
        JZ_TRY(const auto wrapped,
               unmarshalled<TPM2B_PRIVATE>(file_.wrapped, Tss2_MU_TPM2B_PRIVATE_Unmarshal, "wrapped key"));
        ESYS_TR key = ESYS_TR_NONE;
        JZ_TRY(const ESYS_TR session, device.session(0));
        JZ_CHECK(tpm_check(
            Esys_Load(device.esys(), device.storage_key(), session, ESYS_TR_NONE, ESYS_TR_NONE, &wrapped, &area, &key),
            "load the key into the TPM"));
        return key;
    }

    Result<crypto::Signature> sign_once(ByteView message) const {
        JZ_CHECK(connect());
        TPM2B_DIGEST digest{};
        digest.size = 32;
        std::ranges::copy(crypto::sha256(message), digest.buffer);
        TPMT_SIG_SCHEME scheme{};
        scheme.scheme = TPM2_ALG_ECDSA;
        scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
        TPMT_TK_HASHCHECK ticket{};
        ticket.tag = TPM2_ST_HASHCHECK;
        ticket.hierarchy = TPM2_RH_NULL;
        TPMT_SIGNATURE* out = nullptr;
        JZ_TRY(const ESYS_TR session, device_->session(TPMA_SESSION_DECRYPT));
        JZ_CHECK(tpm_check(
            Esys_Sign(device_->esys(), key_, session, ESYS_TR_NONE, ESYS_TR_NONE, &digest, &scheme, &ticket, &out),
            "sign in the TPM"));
        const EsysPointer<TPMT_SIGNATURE> kept(out);
        crypto::Signature signature{};
        copy_scalar(kept->signature.ecdsa.signatureR, ByteSpan(signature).first(32));
        copy_scalar(kept->signature.ecdsa.signatureS, ByteSpan(signature).last(32));
        crypto::make_low_s(signature);
        return signature;
    }

    Result<std::uint64_t> read_once() const {
        JZ_CHECK(connect());
        JZ_TRY(const std::uint64_t value, read_counter(*device_, counter_));
        if (value < file_.counter_start) return corrupt(path_, "the TPM's counter was replaced by something else");
        return value - file_.counter_start;
    }

    const TpmLocation tpm_;
    const crypto::SecretBytes pin_;
    const std::filesystem::path path_;
    const TpmKeyFile file_;
    Bytes public_key_;
    mutable std::mutex mutex_;  // the rest
    mutable std::unique_ptr<TpmDevice> device_;
    mutable ESYS_TR key_ = ESYS_TR_NONE;
    mutable ESYS_TR counter_ = ESYS_TR_NONE;
};

constexpr std::string_view magic = "JIAOZI-TPM-KEY-1";

}  // namespace

Bytes encode_tpm_key_file(const TpmKeyFile& file) {
    codec::CborWriter out;
    out.map(7).integer(1).uint(file.counter_index).integer(2).uint(file.counter_start);
    out.integer(3).bytes(file.counter_auth).integer(4).bytes(file.counter_name).integer(5).bytes(file.storage_name);
    out.integer(6).bytes(file.public_area).integer(7).bytes(file.wrapped);
    Bytes bytes = jiaozi::to_bytes(as_bytes(magic));
    append(bytes, out.view());
    return bytes;
}

Result<TpmKeyFile> decode_tpm_key_file(ByteView bytes) {
    if (bytes.size() > max_tpm_key_file) return Error(ErrorKind::too_large, "a TPM key file has up to 4096 bytes");
    if (bytes.size() < magic.size() || as_text(bytes.first(magic.size())) != magic) {
        return Error(ErrorKind::malformed, "this is not a TPM key file");
    }
    codec::CborReader reader(bytes.subspan(magic.size()),
                             {.max_bytes = max_tpm_key_file, .max_depth = 1, .max_items = 16});
    JZ_TRY(auto map, codec::CborMapReader::open(reader));
    TpmKeyFile file;
    JZ_TRY(const std::uint64_t index, map.uint(1, "counter_index"));
    if (index < tpm_counter_first || index > tpm_counter_last) {
        return Error(ErrorKind::malformed, "the counter's NV index is not in the owner's range");
    }
    file.counter_index = static_cast<std::uint32_t>(index);
    JZ_TRY(file.counter_start, map.uint(2, "counter_start"));
    for (const auto& [key, name, target] :
         {std::tuple(3, "counter_auth", &file.counter_auth), std::tuple(4, "counter_name", &file.counter_name),
          std::tuple(5, "storage_name", &file.storage_name), std::tuple(6, "public_area", &file.public_area),
          std::tuple(7, "wrapped", &file.wrapped)}) {
        JZ_TRY(const ByteView value, map.bytes(key, name));
        *target = jiaozi::to_bytes(value);
    }
    JZ_CHECK(map.finish());
    JZ_CHECK(reader.finish());
    if (file.counter_auth.size() != counter_auth_size) return Error(ErrorKind::malformed, "counter_auth has 32 bytes");
    JZ_CHECK(unmarshalled<TPM2B_PUBLIC>(file.public_area, Tss2_MU_TPM2B_PUBLIC_Unmarshal, "public_area"));
    JZ_CHECK(unmarshalled<TPM2B_PRIVATE>(file.wrapped, Tss2_MU_TPM2B_PRIVATE_Unmarshal, "wrapped"));
    return file;
}

Result<void> create_tpm_key(const TpmLocation& tpm, const crypto::SecretBytes& pin,
                            const std::filesystem::path& key_file, std::uint32_t counter_index, PinOf pin_of) {
    if (pin_of == PinOf::machine && pin.size() < machine_pin_size) {
        return Error(ErrorKind::invalid, "a machine's PIN has at least 16 random bytes: wrong ones are not counted")
            .with_param("pin");
    }
    if (pin.empty()) return Error(ErrorKind::invalid, "an empty PIN protects nothing").with_param("pin");
    if (counter_index < tpm_counter_first || counter_index > tpm_counter_last) {
        return Error(ErrorKind::invalid, "the counter's NV index must be from 0x01800000 to 0x01BFFFFF")
            .with_param("counter_index");
    }
    if (std::filesystem::exists(key_file)) {
        return Error(ErrorKind::conflict, key_file.string() + " exists already; move it away first");
    }
    JZ_TRY(const auto device, TpmDevice::connect(tpm));
    TPM2B_AUTH auth = tpm_auth(pin);
    TpmKeyFile file;
    file.counter_index = counter_index;
    file.storage_name = device->storage_name();
    auto made = make_key(*device, auth, pin_of, file);
    crypto::wipe({auth.buffer, sizeof auth.buffer});
    JZ_CHECK(std::move(made));
    JZ_CHECK(make_counter(*device, file));
    return crypto::write_private_file(key_file, encode_tpm_key_file(file), crypto::Existing::refuse);
}

Result<std::unique_ptr<PurseKey>> open_tpm_key(TpmLocation tpm, crypto::SecretBytes pin,
                                               const std::filesystem::path& key_file) {
    JZ_TRY(const crypto::SecretBytes bytes, crypto::read_private_file(key_file, max_tpm_key_file));
    auto file = decode_tpm_key_file(bytes.view());
    if (!file.ok()) return corrupt(key_file, file.error().message());
    auto key = std::make_unique<TpmKey>(std::move(tpm), std::move(pin), key_file, std::move(file).value());
    JZ_CHECK(key->open());
    return std::unique_ptr<PurseKey>(std::move(key));
}

Result<void> remove_tpm_counter(const TpmLocation& tpm, std::uint32_t counter_index) {
    JZ_TRY(const auto device, TpmDevice::connect(tpm));
    JZ_TRY(const ESYS_TR counter, device->nv_index(counter_index));
    JZ_TRY(const ESYS_TR session, device->session(0));
    return tpm_check(
        Esys_NV_UndefineSpace(device->esys(), ESYS_TR_RH_OWNER, counter, session, ESYS_TR_NONE, ESYS_TR_NONE),
        "remove the TPM's counter");
}

Result<TpmTries> tpm_tries(const TpmLocation& tpm) {
    JZ_TRY(const auto device, TpmDevice::connect(tpm));
    TPMS_CAPABILITY_DATA* data = nullptr;
    TPMI_YES_NO more = 0;
    JZ_CHECK(tpm_check(Esys_GetCapability(device->esys(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                          TPM2_CAP_TPM_PROPERTIES, TPM2_PT_LOCKOUT_COUNTER, 3, &more, &data),
                       "ask the TPM for the tries left"));
    const EsysPointer<TPMS_CAPABILITY_DATA> kept(data);
    TpmTries tries;
    const TPML_TAGGED_TPM_PROPERTY& list = kept->data.tpmProperties;
    for (UINT32 i = 0; i < list.count; ++i) {
        const TPMS_TAGGED_PROPERTY& property = list.tpmProperty[i];
        if (property.property == TPM2_PT_LOCKOUT_COUNTER) tries.failed = property.value;
        if (property.property == TPM2_PT_MAX_AUTH_FAIL) tries.allowed = property.value;
        if (property.property == TPM2_PT_LOCKOUT_INTERVAL) tries.recovery_s = property.value;
    }
    return tries;
}

Result<void> reset_tpm_lockout(const TpmLocation& tpm, const crypto::SecretBytes& lockout_auth) {
    JZ_TRY(const auto device, TpmDevice::connect(tpm));
    const TPM2B_AUTH auth = plain_auth(lockout_auth);
    JZ_CHECK(tpm_check(Esys_TR_SetAuth(device->esys(), ESYS_TR_RH_LOCKOUT, &auth), "lockout authorization"));
    JZ_TRY(const ESYS_TR session, device->session(0));
    return tpm_check(
        Esys_DictionaryAttackLockReset(device->esys(), ESYS_TR_RH_LOCKOUT, session, ESYS_TR_NONE, ESYS_TR_NONE),
        "reset the TPM's lockout");
}

}  // namespace jiaozi::keystores
