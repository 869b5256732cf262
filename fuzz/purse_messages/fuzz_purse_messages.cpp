// Whatever a peer, an issuer or a damaged medium may hand to a purse: messages to payer and payee, certificates,
// acknowledgements, lists, proofs, journals. The purse neither signs nor credits for bytes that nobody sealed, and
// opens any journal without harm. The first byte chooses who gets the rest.
#include <algorithm>

#include <jiaozi/base/assert.hpp>
#include <jiaozi/purse/seal.hpp>
#include <jiaozi/purse_host/issuer.hpp>
#include <jiaozi/purse_host/memory.hpp>

using namespace jiaozi;
using namespace jiaozi::purse_host;

namespace {

constexpr std::uint32_t now_s = 1'700'000'000;

struct Fixture {
    FastCryptography cryptography{1};
    FastSigner issuer_signer{9};
    Issuer issuer{cryptography, issuer_signer};
    FastSigner signer{1};
    MemoryStorage storage;
    MemoryAnchor anchor;
    TestClock clock{timestamp_s(now_s)};
    HostPurse purse{cryptography, signer, storage, anchor, clock};
    std::uint8_t nonce[16] = {};
    Bytes request;
    MemoryStorage::Content content;

    Fixture() {
        JZ_ASSERT(purse.create(1, 0) == JZ_OK);
        ready();
        purse::Certificate lot;
        lot.serial = lot.purse = 1;
        lot.key = public_key_of(signer.public_key());
        lot.asset = asset_of("CNY");
        lot.amount = lot.per_payment = lot.without_cvm = lot.receive_cap = 1'000;
        lot.not_before = now_s - 10;
        lot.expires = now_s + 100'000;
        lot.settle_by = now_s + 200'000;
        lot.count = 10;
        lot.hops = 5;
        JZ_ASSERT(jz_purse_load(purse.get(), c_view(issuer.certificate(lot))) == JZ_OK);
        const std::uint32_t revoked = 7;
        const auto list = issuer.blacklist(1, now_s - 5, 1'000, {&revoked, 1});
        JZ_ASSERT(jz_purse_install_list(purse.get(), c_view(list.head), c_view(list.body)) == JZ_OK);
        request = purse.request(10, true, nonce).bytes;
        content = storage.content();
    }
    void ready() {
        const jz_issuer_key key = issuer.key();
        JZ_ASSERT(jz_purse_trust(purse.get(), &key, 1) == JZ_OK);
    }
    void reset() {
        storage.content() = content;
        anchor.counter = 0;
        JZ_ASSERT(purse.open() == JZ_OK);
        ready();
    }
};

// GOSSIP's body, sealed as a payer would: the parser behind the seal.
void gossip(Fixture& f, ByteView body) {
    purse::Object object;
    purse::Request request;
    purse::View sequence = ByteView(f.request).subspan(1);
    JZ_ASSERT(purse::read_object(sequence, object) == JZ_OK && purse::parse(object, request) == JZ_OK);
    const purse::Id id = object_id(f.cryptography, object.bytes);
    purse::Fixed<32> secret{};
    purse::Fixed<32> enc{};
    purse::SealKeys keys;
    const jz_platform& platform = f.purse.platform();
    JZ_ASSERT(purse::new_ephemeral(platform, secret, enc) == JZ_OK);
    JZ_ASSERT(purse::derive_keys(platform, secret, request.ephemeral, enc, request.ephemeral, id, purse::Verb::gossip,
                                 keys) == JZ_OK);
    Bytes sealed = to_bytes(body);
    sealed.resize(body.size() + purse::tag_size);
    JZ_ASSERT(purse::seal(platform, keys.payer, purse::Verb::gossip, id, sealed, body.size()) == JZ_OK);
    Bytes message{static_cast<std::uint8_t>(purse::Verb::gossip)};
    append(message, request.nonce);
    append(message, enc);
    append(message, sealed);
    f.purse.receive(message);
}

void journal(Fixture& f, ByteView input) {
    f.storage.content().journal.clear();
    for (std::size_t at = 0; at < input.size(); at += JZ_RECORD_BYTES) {
        MemoryStorage::Record record{};
        std::ranges::copy(input.subspan(at, std::min<std::size_t>(JZ_RECORD_BYTES, input.size() - at)), record.begin());
        f.storage.content().journal.push_back(record);
    }
    f.purse.open();
    f.reset();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static Fixture f;
    if (size == 0) return 0;
    const ByteView input(data + 1, size - 1);
    const jz_info before = f.purse.info();
    jz_offer offer{};
    switch (data[0] % 9) {
        case 0:
            f.purse.receive(input);
            break;
        case 1:
            f.purse.pay(input, true);
            break;
        case 2:
            jz_purse_look(f.purse.get(), c_view(input), &offer);
            break;
        case 3:
            jz_purse_load(f.purse.get(), c_view(input));
            break;
        case 4:
            jz_purse_sync(f.purse.get(), c_view(input));
            break;
        case 5:
            jz_purse_update_list(f.purse.get(), c_view(input));
            break;
        case 6:
            jz_purse_learn_proof(f.purse.get(), c_view(input));
            break;
        case 8:
            gossip(f, input);
            break;
        default:
            journal(f, input);
            return 0;
    }
    const jz_info after = f.purse.info();
    JZ_ASSERT(after.notes_held == before.notes_held && after.state == JZ_ACTIVE);
    // CANCEL with the right nonce is the one thing that a stranger may say to effect.
    const bool cancelled = after.requests_open < before.requests_open;
    JZ_ASSERT(cancelled || after.seq == before.seq);
    if (f.purse.trust_info().carried == 16) JZ_ASSERT(jz_purse_unload(f.purse.get()) == JZ_OK);
    if (f.storage.content().journal.size() != f.content.journal.size()) f.reset();
    return 0;
}
