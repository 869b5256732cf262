// The files of keystores, and what an issuer sends a card, from anywhere. What is read is written back as it came,
// where there is one form; what nobody signed or sealed is refused.
#include <cstddef>
#include <cstdint>

#include <jiaozi/base/assert.hpp>
#include <jiaozi/keystores/counted_file.hpp>
#include <jiaozi/keystores/tpm_key.hpp>

#include "card_state.hpp"

using namespace jiaozi;
using namespace jiaozi::keystores;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView input(data, size);
    static const crypto::SecretBytes secret = crypto::SecretBytes::random(32);
    static const crypto::Verifier issuer =
        crypto::make_verifier(crypto::Suite::ed25519, crypto::generate_key(crypto::Suite::ed25519).public_key).value();

    JZ_ASSERT(!decode_counted(secret, input).ok());
    if (const auto file = decode_tpm_key_file(input); file.ok()) JZ_ASSERT(equal(encode_tpm_key_file(*file), input));
    if (const auto card = decode_card_state(input); card.ok()) {
        // A public key may be stored uncompressed by somebody; ours is written back compressed.
        const auto again = decode_card_state(encode_card_state(*card).view());
        JZ_ASSERT(again.ok() && equal(encode_card_state(*again).view(), encode_card_state(*card).view()));
    }
    JZ_ASSERT(!read_certificate(issuer, input).ok());
    JZ_ASSERT(!read_sync(issuer, input).ok());
    for (const auto suite : {crypto::Suite::ed25519, crypto::Suite::p256, crypto::Suite::sm2}) {
        const auto request = read_card_request(suite, input);
        if (request.ok()) JZ_ASSERT(request->purse != 0 && request->amount <= max_amount);
    }
    return 0;
}
