#include <jiaozi/purse/cbor.hpp>
#include <jiaozi/purse/cose.hpp>

namespace jiaozi::purse {
namespace {

constexpr Fixed<3> header_ed25519{0xA1, 0x01, 0x27};
constexpr Fixed<3> header_p256{0xA1, 0x01, 0x26};
constexpr Fixed<7> header_sm2{0xA1, 0x01, 0x3A, 0x00, 0x01, 0x00, 0x40};
constexpr Fixed<10> context{'S', 'i', 'g', 'n', 'a', 't', 'u', 'r', 'e', '1'};
constexpr Fixed<14> external_aad{'j', 'i', 'a', 'o', 'z', 'i', '/', 'p', 'u', 'r', 's', 'e', '/', '1'};

}  // namespace

View header_of(Suite suite) noexcept {
    switch (suite) {
        case Suite::ed25519:
            return header_ed25519;
        case Suite::p256:
            return header_p256;
        case Suite::sm2:
            return header_sm2;
    }
    return {};
}

bool suite_of_header(View header, Suite& suite) noexcept {
    for (const Suite candidate : {Suite::ed25519, Suite::p256, Suite::sm2}) {
        if (equal(header, header_of(candidate))) {
            suite = candidate;
            return true;
        }
    }
    return false;
}

int hash_of(Suite suite) noexcept {
    return suite == Suite::sm2 ? JZ_SM3 : JZ_SHA256;
}

jz_status id_of(const jz_platform& platform, const Object& object, Id& id) noexcept {
    const std::array<jz_view, 2> parts{c_view(object.header), c_view(object.payload)};
    return platform.hash(platform.context, hash_of(object.suite), parts.data(), parts.size(), id.data()) == 0
               ? JZ_OK
               : JZ_CRYPTO_FAILED;
}

View sig_structure(View header, View payload, Span out) noexcept {
    CborWriter writer(out);
    writer.array(4).text(context).bytes(header).bytes(external_aad).bytes(payload);
    return writer.ok() ? writer.written() : View{};
}

jz_status verify(const jz_platform& platform, const Object& object, Suite suite, const PublicKey& key) noexcept {
    if (object.suite != suite) return JZ_WRONG_SUITE;
    std::array<std::uint8_t, max_payload + 48> buffer;
    const View message = sig_structure(object.header, object.payload, buffer);
    if (message.empty()) return JZ_TOO_LARGE;
    const int result = platform.verify(platform.context, static_cast<int>(suite), c_view(key.view()), c_view(message),
                                       object.signature.data());
    return result == 0 ? JZ_OK : JZ_BAD_SIGNATURE;
}

jz_status sign(const jz_platform& platform, Suite suite, View payload, Span out, Object& object) noexcept {
    std::array<std::uint8_t, max_payload + 48> buffer;
    const View header = header_of(suite);
    const View message = sig_structure(header, payload, buffer);
    if (payload.empty() || message.empty()) return JZ_BUFFER_TOO_SMALL;
    Fixed<signature_size> signature{};
    if (platform.sign(platform.context, c_view(message), signature.data()) != 0) return JZ_SIGNER_REFUSED;
    CborWriter writer(out);
    writer.array(4).bytes(header).map(0).bytes(payload).bytes(signature);
    View written = writer.written();
    if (!writer.ok()) return JZ_BUFFER_TOO_SMALL;
    return read_object(written, object);
}

}  // namespace jiaozi::purse
