#include <jiaozi/base/assert.hpp>
#include <jiaozi/purse_bench/settling.hpp>
#include <jiaozi/purse_host/issuer.hpp>
#include <jiaozi/purse_host/memory.hpp>

namespace jiaozi::purse_bench {
namespace {

using namespace purse_host;

constexpr std::uint32_t now_s = 1'700'000'000;
constexpr std::uint32_t day_s = 86'400;

std::unique_ptr<PurseSigner> fixed_key(crypto::Suite suite, std::uint8_t number) {
    const Bytes secret(32, number);
    return key_signer(crypto::make_signer(crypto::key_from_private(suite, secret).value()).value());
}

struct Holder {
    Holder(std::uint32_t ordinal, crypto::Suite suite, const Issuer& issuer)
        : signer(fixed_key(suite, static_cast<std::uint8_t>(ordinal))) {
        JZ_ASSERT(purse.create(ordinal, 0) == JZ_OK);
        trust(issuer);
        purse::Certificate lot;
        lot.serial = lot.purse = ordinal;
        lot.key = public_key_of(signer->public_key());
        lot.asset = asset_of("CNY");
        lot.amount = 100'000;
        lot.not_before = now_s - day_s;
        lot.expires = now_s + 30 * day_s;
        lot.settle_by = now_s + 60 * day_s;
        lot.per_payment = lot.without_cvm = 50'000;
        lot.receive_cap = 1'000'000;
        lot.count = 1'000;
        lot.hops = purse::max_hops;
        JZ_ASSERT(jz_purse_load(purse.get(), c_view(issuer.certificate(lot))) == JZ_OK);
    }
    void trust(const Issuer& issuer) {
        const jz_issuer_key key = issuer.key();
        JZ_ASSERT(jz_purse_trust(purse.get(), &key, 1) == JZ_OK);
    }
    std::unique_ptr<PurseSigner> signer;
    MemoryStorage storage;
    MemoryAnchor anchor;
    TestClock clock{timestamp_s(now_s)};
    HostPurse purse{real_cryptography(), *signer, storage, anchor, clock};
};

std::size_t payment(Holder& payer, Holder& payee, bool with_certificate) {
    std::uint8_t nonce[16];
    const auto request = payee.purse.request(1'250, with_certificate, nonce);
    const auto pay = payer.purse.pay(request.bytes, false);
    const auto receipt = payee.purse.receive(pay.bytes);
    JZ_ASSERT(payer.purse.receive(receipt.bytes).status == JZ_OK);
    return request.bytes.size() + pay.bytes.size() + receipt.bytes.size();
}

}  // namespace

Sizes measure_sizes(crypto::Suite suite) {
    const auto issuer_key = fixed_key(suite, 0xA1);
    const Issuer issuer(real_cryptography(), *issuer_key);
    Holder ann(1, suite, issuer);
    Holder bob(2, suite, issuer);
    const auto before = ann.storage.content();
    const auto counter = ann.anchor;
    Sizes sizes;
    sizes.first_meeting = payment(ann, bob, true);
    sizes.repeat = payment(ann, bob, false);
    // The same units once more, from a copy of the purse: bob, who holds the first note, has the proof.
    ann.storage.content() = before;
    ann.anchor = counter;
    JZ_ASSERT(ann.purse.open() == JZ_OK);
    ann.trust(issuer);
    std::uint8_t nonce[16];
    const auto fork = ann.purse.pay(bob.purse.request(1'250, true, nonce).bytes, false);
    JZ_ASSERT(bob.purse.receive(fork.bytes).status == JZ_DOUBLE_SPEND);
    sizes.fork_proof = bob.purse.last_proof().bytes.size();
    return sizes;
}

}  // namespace jiaozi::purse_bench
