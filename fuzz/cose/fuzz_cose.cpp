// COSE messages and keys from anywhere. What the strict decoder accepts, the tolerant one accepts with the same
// meaning; what is decoded never verifies under a key that nobody signed with; a COSE_Key that decodes is written back
// as it came, unless its point was compressed.
#include <cstddef>
#include <cstdint>

#include <jiaozi/crypto/cose.hpp>
#include <jiaozi/crypto/cose_key.hpp>

using namespace jiaozi;
using namespace jiaozi::crypto;

namespace {

const HmacKey& mac_key() {
    static const HmacKey key(Bytes(32, 0xA5));
    return key;
}

const Verifier& verifier() {
    static const Verifier instance = make_verifier(Suite::ed25519, generate_key(Suite::ed25519).public_key).value();
    return instance;
}

void check_key(ByteView input) {
    const auto key = decode_cose_key(input);
    if (!key.ok()) return;
    std::optional<ByteView> kid;
    if (key->kid) kid = *key->kid;
    Bytes encoded;
    if (key->suite) {
        encoded = encode_cose_key(*key->suite, key->public_key, kid).value();
    } else {
        X25519PublicKey point{};
        std::copy(key->public_key.begin(), key->public_key.end(), point.begin());
        encoded = encode_cose_key(point, kid);
    }
    const auto again = decode_cose_key(encoded);
    JZ_ASSERT(again.ok() && again->public_key == key->public_key && again->suite == key->suite);
    JZ_ASSERT(equal(encoded, input) || encoded.size() > input.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView input(data, size);
    check_key(input);
    const auto strict = decode_cose(input);
    const auto tolerant = decode_cose(input, CoseOptions{.deterministic = false});
    if (strict.ok()) {
        JZ_ASSERT(tolerant.ok());
        JZ_ASSERT(equal(strict->payload(), tolerant->payload()) && equal(strict->proof(), tolerant->proof()));
        JZ_ASSERT(equal(strict->protected_header(), tolerant->protected_header()));
        JZ_ASSERT(strict->algorithm() == tolerant->algorithm() &&
                  strict->kid().has_value() == tolerant->kid().has_value());
        JZ_ASSERT(!strict->kid() || equal(*strict->kid(), *tolerant->kid()));
    }
    if (!tolerant.ok()) return 0;
    JZ_ASSERT(!verify_cose(*tolerant, mac_key()).ok());
    JZ_ASSERT(!verify_cose(*tolerant, verifier()).ok());
    return 0;
}
