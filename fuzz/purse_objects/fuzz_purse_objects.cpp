// Objects, bundles, fork proofs and blacklists from anywhere. What is read is written back the same; a bundle that
// passes its checks resolves within its lots; a list that is read gives its bytes again; nothing is proven without
// signatures.
#include <array>
#include <vector>

#include <jiaozi/base/assert.hpp>
#include <jiaozi/purse/blacklist.hpp>
#include <jiaozi/purse/bundle.hpp>
#include <jiaozi/purse/proof.hpp>
#include <jiaozi/purse_host/issuer.hpp>
#include <jiaozi/purse_host/memory.hpp>

using namespace jiaozi;

namespace {

struct Nothing final : Clock {
    Timestamp now() const noexcept override { return {}; }
};

const jz_platform& platform() {
    static purse_host::FastCryptography cryptography(1);
    static purse_host::FastSigner signer(1);
    static purse_host::MemoryStorage storage;
    static purse_host::MemoryAnchor anchor;
    static Nothing clock;
    static purse_host::HostPurse purse(cryptography, signer, storage, anchor, clock);
    return purse.platform();
}

template <class Value>
void same_again(const purse::Object& object) {
    Value value;
    if (purse::parse(object, value) != JZ_OK) return;
    std::array<std::uint8_t, purse::max_payload> room{};
    JZ_ASSERT(purse::equal(purse::write_payload(value, room), object.payload));
}

void objects(purse::View input) {
    purse::Object object;
    while (!input.empty() && purse::read_object(input, object) == JZ_OK) {
        same_again<purse::Certificate>(object);
        same_again<purse::Request>(object);
        same_again<purse::Note>(object);
        same_again<purse::Receipt>(object);
        same_again<purse::Void>(object);
        same_again<purse::ListHead>(object);
        same_again<purse::SyncAck>(object);
    }
}

void bundles(purse::View input) {
    static purse::Bundle bundle;
    if (purse::read_bundle(platform(), input, bundle) != JZ_OK || purse::check_complete(bundle) != JZ_OK ||
        purse::check_hops(bundle) != JZ_OK || purse::check_ranges(bundle) != JZ_OK) {
        return;
    }
    purse::Pieces pieces;
    if (purse::resolve(bundle, pieces) != JZ_OK) return;
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < pieces.count; ++i) {
        JZ_ASSERT(pieces.piece[i].from < pieces.piece[i].to && pieces.piece[i].to <= pieces.piece[i].lot->value.amount);
        sum += pieces.piece[i].to - pieces.piece[i].from;
    }
    JZ_ASSERT(sum == bundle.note[0].value.total());
}

void lists(purse::View input) {
    if (input.size() < 4) return;
    const std::uint32_t enrolled = input[0] | static_cast<std::uint32_t>(input[1]) << 8 | 1U;
    const std::uint32_t revoked = input[2] | static_cast<std::uint32_t>(input[3] & 3) << 8;
    purse::ListSource source(input.subspan(4));
    purse::ListReader reader(source, enrolled, revoked);
    std::vector<std::uint32_t> found;
    std::uint32_t ordinal = 0;
    while (reader.next(ordinal)) found.push_back(ordinal);
    if (!reader.valid()) return;
    JZ_ASSERT(found.size() == revoked);
    JZ_ASSERT(purse::equal(purse_host::rice_encode(enrolled, found), input.subspan(4)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const purse::View input(data, size);
    objects(input);
    bundles(input);
    lists(input);
    std::uint32_t guilty = 0;
    JZ_ASSERT(jz_verify_proof(&platform(), nullptr, 0, {data, size}, &guilty) != JZ_OK && guilty == 0);
    return 0;
}
