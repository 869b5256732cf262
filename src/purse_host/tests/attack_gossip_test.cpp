// Trust data that travels: GOSSIP and MULE, and the attacks 21, 52, 53, 68, 69, 72 on what purses tell each other.
#include <algorithm>
#include <random>
#include <set>

#include <jiaozi/purse/cbor.hpp>

#include "forge.hpp"

namespace jiaozi::purse_host {
namespace {

jz_status install(Device& device, std::uint32_t version, std::vector<std::uint32_t> revoked,
                  std::uint32_t enrolled = 1'000) {
    const auto list = device.world.issuer.blacklist(version, today_s, enrolled, revoked);
    return jz_purse_install_list(device.purse.get(), c_view(list.head), c_view(list.body));
}

// After a payment: the payer's GOSSIP, the payee's answer.
struct Told {
    HostPurse::Written first;
    HostPurse::Written answer;
    jz_status heard = JZ_NOTHING_HERE;
};
Told gossip(Device& payer, Device& payee) {
    Told told;
    told.first = payer.purse.gossip();
    EXPECT_EQ(told.first.status, JZ_OK);
    told.answer = payee.purse.receive(told.first.bytes);
    told.heard = payer.purse.receive(told.answer.bytes).status;
    return told;
}

Bytes gossip_body(std::uint32_t version, ByteView update, const std::vector<Bytes>& proofs,
                  const std::vector<Bytes>& digests = {}) {
    Bytes room(8'192);
    purse::CborWriter out(room);
    out.array(4).uint(version).bytes(update).array(proofs.size());
    for (const Bytes& proof : proofs) out.raw(proof);
    out.array(digests.size());
    for (const Bytes& digest : digests) out.bytes(digest);
    return to_bytes(out.written());
}

// Two notes over the same range that `liar` signs, as a proof.
Bytes fork_by(Device& liar, Device& payee, Device* signer = nullptr, std::uint8_t which = 1) {
    purse::Note one = honest_note(liar, payee.ask(1));
    purse::Note two = one;
    two.request[0] ^= which;
    Device& by = signer == nullptr ? liar : *signer;
    return fork_proof(liar.world, signed_note(by, one), signed_note(by, two), liar.last_certificate);
}

TEST(Gossip, ANewerListGoesToWhoHasAnOlderOneInEitherDirection) {
    World world;
    Device& ann = world.device();
    Device& bob = world.device();
    ASSERT_EQ(install(ann, 2, {500, 600}), JZ_OK);
    ASSERT_TRUE(transfer(ann, bob, 100).ok());
    const Told one = gossip(ann, bob);
    EXPECT_EQ(one.answer.status, JZ_OK);
    EXPECT_EQ(one.heard, JZ_OK);
    EXPECT_EQ(bob.purse.info().list_version, 2U);
    ASSERT_EQ(install(bob, 3, {500, 600, 700}), JZ_OK);
    EXPECT_EQ(gossip(ann, bob).heard, JZ_OK);
    EXPECT_EQ(ann.purse.info().list_version, 3U);
    ASSERT_EQ(ann.restart(), JZ_OK);
    EXPECT_EQ(ann.purse.info().list_version, 3U);
}

TEST(Gossip, ALargeListTravelsAsADeltaOfAtMost512Bytes) {
    World world;
    Device& ann = world.device();
    Device& bob = world.device();
    std::mt19937 random(512);
    std::set<std::uint32_t> chosen;
    while (chosen.size() < 1'000) chosen.insert(static_cast<std::uint32_t>(100 + random() % 900'000));
    std::vector<std::uint32_t> before(chosen.begin(), chosen.end());
    while (chosen.size() < 1'150) chosen.insert(static_cast<std::uint32_t>(100 + random() % 900'000));
    chosen.erase(before.front());
    const std::vector<std::uint32_t> after(chosen.begin(), chosen.end());
    for (Device* device : {&ann, &bob}) ASSERT_EQ(install(*device, 2, before, 1'000'000), JZ_OK);
    ASSERT_EQ(install(ann, 3, after, 1'000'000), JZ_OK);
    ASSERT_TRUE(transfer(ann, bob, 100).ok());
    const Told told = gossip(ann, bob);
    EXPECT_LE(told.first.bytes.size(), 1U + 16 + 32 + 16 + 8 + 512);
    EXPECT_EQ(bob.purse.info().list_version, 3U);
    EXPECT_EQ(jz_purse_install_list(bob.purse.get(), {}, {}), JZ_MALFORMED);
    // Who is two versions behind gets nothing that it could not use, and nothing breaks.
    Device& carol = world.device();
    ASSERT_TRUE(transfer(ann, carol, 100).ok());
    EXPECT_EQ(gossip(ann, carol).heard, JZ_OK);
    EXPECT_EQ(carol.purse.info().list_version, 1U);
}

TEST(Gossip, AProofReachesWhoHasNotSeenTheNotes) {
    World world;
    Device& mallory = world.device();
    Device& ann = world.device();
    Device& bob = world.device();
    const Bytes proof = fork_by(mallory, bob);
    ASSERT_EQ(jz_purse_learn_proof(ann.purse.get(), c_view(proof)), JZ_OK);
    ASSERT_TRUE(transfer(ann, bob, 100).ok());
    EXPECT_EQ(gossip(ann, bob).answer.status, JZ_OK);
    EXPECT_EQ(bob.purse.last_proof().bytes, proof);
    EXPECT_EQ(transfer(mallory, bob, 10).credited, JZ_FORK_PROVEN);
    EXPECT_EQ(bob.purse.trust_info().proofs, 1U);
    gossip(ann, bob);  // and it comes back, and is not taken twice
    EXPECT_EQ(ann.purse.trust_info().proofs, 1U);
}

TEST(Attack, A21_ClonesAreSuspectedWhenTheirPayeesMeet) {
    World world;
    Device& mallory = world.device();
    Device& twin = world.clone(mallory);
    Device& bob = world.device();
    Device& carol = world.device();
    ASSERT_TRUE(transfer(bob, carol, 10).ok());
    ASSERT_TRUE(transfer(mallory, bob, 100).ok());
    ASSERT_TRUE(transfer(twin, carol, 200).ok());
    gossip(bob, carol);
    for (Device* device : {&bob, &carol}) {
        ASSERT_EQ(device->purse.trust_info().contradictions, 1U);
        const Bytes digest = device->purse.contradiction().bytes;
        ASSERT_EQ(digest.size(), std::size_t{JZ_DIGEST_BYTES});
        EXPECT_EQ(digest[3], mallory.ordinal) << "the payer, its number, and the note that the other one has";
    }
    // A digest blames nobody: mallory is refused when the ledger, or a proof, says so.
    EXPECT_EQ(transfer(mallory, carol, 10).credited, JZ_DOUBLE_SPEND) << "carol holds the twin's note";
    EXPECT_EQ(bob.purse.info().state, JZ_ACTIVE);
    std::uint32_t guilty = 0;
    EXPECT_EQ(judge(world, carol.purse.last_proof().bytes, guilty), JZ_OK);
    EXPECT_EQ(guilty, mallory.ordinal);
}

TEST(Attack, A52_WhoHandsOnAForgedProofIsNotListenedToForTheRestOfTheTap) {
    World world;
    Device& mallory = world.device();
    Device& ann = world.device();
    Device& eve = world.device();
    Device& bob = world.device();
    const Bytes request = bob.ask(100);
    ASSERT_EQ(bob.purse.receive(eve.purse.pay(request, false).bytes).status, JZ_OK);
    const Bytes forged = fork_by(ann, bob, &eve);
    EXPECT_EQ(bob.purse.receive(sealed_to(purse::Verb::gossip, eve, request, gossip_body(0, {}, {forged}))).status,
              JZ_BAD_SIGNATURE);
    EXPECT_EQ(bob.purse.trust_info().proofs, 0U);
    EXPECT_TRUE(transfer(ann, bob, 100).ok()) << "ann is not accused";
    // Even a good one is ignored now; what else she says is heard.
    const Bytes good = fork_by(mallory, bob);
    const auto list = world.issuer.blacklist(2, today_s, 1'000, std::vector<std::uint32_t>{500});
    const Bytes update = world.issuer.blacklist_delta(0, 2, today_s, 1'000, {}, std::vector<std::uint32_t>{500});
    EXPECT_EQ(bob.purse.receive(sealed_to(purse::Verb::gossip, eve, request, gossip_body(2, update, {good}))).status,
              JZ_OK);
    EXPECT_EQ(bob.purse.trust_info().proofs, 0U);
    EXPECT_EQ(bob.purse.info().list_version, 2U);
    // At the next tap the count starts anew.
    const Bytes next = bob.ask(100);
    ASSERT_EQ(bob.purse.receive(eve.purse.pay(next, false).bytes).status, JZ_OK);
    EXPECT_EQ(bob.purse.receive(sealed_to(purse::Verb::gossip, eve, next, gossip_body(0, {}, {good}))).status, JZ_OK);
    EXPECT_EQ(bob.purse.trust_info().proofs, 1U);
}

TEST(Attack, A53_TwoListsWithOneVersionAreAnAlarmAboutTheIssuer) {
    World world;
    Device& ann = world.device();
    Device& bob = world.device();
    ASSERT_EQ(install(ann, 7, {500}), JZ_OK);
    ASSERT_EQ(install(bob, 7, {600}), JZ_OK);
    ASSERT_TRUE(transfer(ann, bob, 100).ok());
    EXPECT_EQ(gossip(ann, bob).answer.status, JZ_TWO_LISTS);
    for (Device* device : {&ann, &bob}) {
        EXPECT_EQ(device->purse.trust_info().two_lists, 1);
        ASSERT_EQ(device->restart(), JZ_OK);
        EXPECT_EQ(device->purse.trust_info().two_lists, 1) << "it is journalled";
        // Both heads, signed by the issuer: evidence that convinces anybody.
        const Bytes evidence = device->purse.alarm().bytes;
        purse::ListHead head[2];
        for (std::size_t i = 0; i < 2; ++i) {
            purse::Object object;
            const Bytes bytes = object_in(evidence, i);
            ASSERT_EQ(purse::read_whole(bytes, purse::Type::list_head, object), JZ_OK);
            ASSERT_EQ(purse::parse(object, head[i]), JZ_OK);
        }
        EXPECT_EQ(head[0].version, head[1].version);
        EXPECT_NE(head[0].root, head[1].root);
    }
    // The same when it comes at a sync; and each goes on with the list it had.
    EXPECT_EQ(install(ann, 7, {601}), JZ_TWO_LISTS);
    EXPECT_EQ(ann.purse.info().list_version, 7U);
    // Somebody else's signature is no alarm.
    World elsewhere;
    elsewhere.issuer_signer = fixed_signer(crypto::Suite::ed25519, 0x66);
    const Issuer other(elsewhere.cryptography, *elsewhere.issuer_signer);
    Device& carol = world.device();
    const auto foreign = other.blacklist(1, today_s, 1'000, std::vector<std::uint32_t>{1});
    EXPECT_NE(jz_purse_install_list(carol.purse.get(), c_view(foreign.head), c_view(foreign.body)), JZ_TWO_LISTS);
    EXPECT_EQ(carol.purse.trust_info().two_lists, 0);
}

TEST(Attack, A53_TheSameListAgainIsNoAlarm) {
    World world;
    Device& ann = world.device();
    Device& bob = world.device();
    ASSERT_TRUE(transfer(ann, bob, 100).ok());
    EXPECT_EQ(gossip(ann, bob).answer.status, JZ_OK);
    EXPECT_EQ(install(ann, 1, {999}), JZ_OUTDATED);
    EXPECT_EQ(ann.purse.trust_info().two_lists, 0);
}

TEST(Attack, A60_GossipThatIsNotDeterministicIsRefused) {
    World world;
    Device& ann = world.device();
    Device& bob = world.device();
    const Bytes request = bob.ask(100);
    ASSERT_EQ(bob.purse.receive(ann.purse.pay(request, false).bytes).status, JZ_OK);
    const Bytes proof = fork_by(ann, bob);
    const Bytes digest(20, 7);
    const std::vector<std::pair<const char*, Bytes>> bodies{
        {"nothing", {}},
        {"five elements", {0x85, 0x00, 0x40, 0x80, 0x80, 0x00}},
        {"a number longer than necessary", {0x84, 0x18, 0x01, 0x40, 0x80, 0x80}},
        {"a byte after the end", {0x84, 0x00, 0x40, 0x80, 0x80, 0x00}},
        {"nine digests", gossip_body(0, {}, {}, std::vector<Bytes>(9, digest))},
        {"a digest of 19 bytes", gossip_body(0, {}, {}, {Bytes(19, 7)})},
        {"an update of 513 bytes", gossip_body(0, Bytes(513, 0), {})},
        {"three proofs", gossip_body(0, {}, {proof, proof, proof})},
        {"a proof cut short", gossip_body(0, {}, {to_bytes(ByteView(proof).first(proof.size() - 1))})}};
    for (const auto& [what, body] : bodies) {
        EXPECT_EQ(bob.purse.receive(sealed_to(purse::Verb::gossip, ann, request, body)).status, JZ_MALFORMED) << what;
    }
    EXPECT_EQ(bob.purse.receive(sealed_to(purse::Verb::gossip, ann, request, gossip_body(0, {}, {}))).status, JZ_OK);
}

TEST(Attack, A73_AnEavesdropperLearnsNothingFromGossip) {
    World world;
    Device& ann = world.device();
    Device& bob = world.device();
    ASSERT_TRUE(transfer(ann, bob, 100).ok());
    const Bytes first = ann.purse.gossip().bytes;
    const Bytes second = ann.purse.gossip().bytes;
    ASSERT_EQ(first.size(), second.size());
    // Behind the nonce, which is the payee's, no eight bytes come twice.
    for (std::size_t i = 17; i + 8 <= first.size(); ++i) {
        const auto part = ByteView(first).subspan(i, 8);
        EXPECT_EQ(std::ranges::search(second, part).size(), 0U) << i;
    }
    const Bytes answer = bob.purse.receive(first).bytes;
    const Bytes again = bob.purse.receive(first).bytes;
    EXPECT_NE(to_bytes(ByteView(answer).subspan(17)), to_bytes(ByteView(again).subspan(17)))
        << "an answer said twice is sealed anew: no key seals two things";
}

struct DepositKey {
    DepositKey(World& world, Device& any) {
        EXPECT_EQ(purse::new_ephemeral(any.purse.platform(), secret, open), JZ_OK);
        static_cast<void>(world);
    }
    purse::Fixed<32> secret{};
    purse::Fixed<32> open{};

    // What the ledger reads from a MULE; empty when it was not sealed for it.
    Bytes read(Device& any, ByteView message) const {
        purse::Fixed<32> enc{};
        purse::take(message.subspan(1, 32), enc);
        purse::SealKeys keys;
        const jz_platform& platform = any.purse.platform();
        if (purse::derive_keys(platform, secret, enc, enc, open, {}, purse::Verb::mule, keys) != JZ_OK) return {};
        Bytes sealed = to_bytes(message.subspan(33));
        if (purse::unseal(platform, keys.payer, purse::Verb::mule, {}, sealed) != JZ_OK) return {};
        sealed.resize(sealed.size() - purse::tag_size);
        return sealed;
    }
};

TEST(Attack, A68_AMuleKeepsDoublesOnceAndLosesNothingOverARestart) {
    World world;
    Device& ann = world.device();
    Device& bob = world.device();
    Device& mule = world.device();
    const DepositKey key(world, ann);
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(transfer(ann, bob, 100).ok());
    std::vector<Bytes> sent;
    sent.reserve(3);
    for (unsigned i = 0; i < 3; ++i) sent.push_back(bob.purse.mule(i, key.open.data()).bytes);
    for (const std::size_t i : {2U, 0U, 2U, 1U, 0U}) EXPECT_EQ(mule.purse.receive(sent[i]).status, JZ_OK);
    ASSERT_EQ(mule.restart(), JZ_OK);
    EXPECT_EQ(mule.purse.trust_info().carried, 3U);
    std::set<Bytes> arrived;
    for (unsigned i = 0; i < 3; ++i) {
        const auto carried = mule.purse.carried(i);
        ASSERT_EQ(carried.status, JZ_OK);
        arrived.insert(key.read(ann, carried.bytes));
    }
    std::set<Bytes> expected;
    for (unsigned i = 0; i < 3; ++i) expected.insert(bob.purse.deposit(i).bytes);
    EXPECT_EQ(arrived, expected);
    EXPECT_EQ(mule.purse.carried(3).status, JZ_NOTHING_HERE);
    ASSERT_EQ(jz_purse_unload(mule.purse.get()), JZ_OK);
    ASSERT_EQ(mule.restart(), JZ_OK);
    EXPECT_EQ(mule.purse.trust_info().carried, 0U);
    EXPECT_EQ(bob.purse.deposit(0).status, JZ_OK) << "bob still has his, whatever the mule does";
}

TEST(Attack, A68_AMuleTakes48AndATornSlotIsEmpty) {
    World world;
    Device& ann = world.device();
    Device& bob = world.device();
    Device& mule = world.device();
    const DepositKey key(world, ann);
    ASSERT_TRUE(transfer(ann, bob, 100).ok());
    for (int i = 0; i < 48; ++i) EXPECT_EQ(mule.purse.receive(bob.purse.mule(0, key.open.data()).bytes).status, JZ_OK);
    const auto refused = mule.purse.receive(bob.purse.mule(0, key.open.data()).bytes);
    EXPECT_EQ(refused.status, JZ_NO_ROOM);
    EXPECT_EQ(refused.bytes, (Bytes{0x0F, JZ_NO_ROOM}));
    ASSERT_EQ(jz_purse_unload(mule.purse.get()), JZ_OK);
    mule.storage.cut_power(PowerCut::half);
    EXPECT_EQ(mule.purse.receive(bob.purse.mule(0, key.open.data()).bytes).status, JZ_NO_ROOM);
    ASSERT_EQ(mule.restart(), JZ_OK);
    EXPECT_EQ(mule.purse.trust_info().carried, 0U);
    EXPECT_EQ(mule.purse.info().state, JZ_ACTIVE) << "what is carried is no value of the mule's own";
    EXPECT_TRUE(transfer(mule, bob, 10).ok());
    EXPECT_EQ(mule.purse.receive(Bytes(49, 8)).status, JZ_MALFORMED);
    Bytes huge(4'400, 8);
    EXPECT_EQ(mule.purse.receive(huge).status, JZ_TOO_LARGE);
}

TEST(Attack, A69_AMuleCanNeitherReadNorRedirect) {
    World world;
    Device& ann = world.device();
    Device& bob = world.device();
    Device& mule = world.device();
    const DepositKey key(world, ann);
    ASSERT_TRUE(transfer(ann, bob, 100).ok());
    const Bytes deposit = bob.purse.deposit(0).bytes;
    const Bytes sealed = bob.purse.mule(0, key.open.data()).bytes;
    EXPECT_EQ(key.read(ann, sealed), deposit);
    for (std::size_t i = 0; i + 8 <= deposit.size(); ++i) {
        EXPECT_EQ(std::ranges::search(sealed, ByteView(deposit).subspan(i, 8)).size(), 0U) << "readable at " << i;
    }
    const DepositKey another(world, mule);
    EXPECT_TRUE(another.read(mule, sealed).empty()) << "only the deposit key opens it";
    for (std::size_t i = 1; i < sealed.size(); ++i) {
        Bytes bent = sealed;
        bent[i] ^= 0x10;
        EXPECT_TRUE(key.read(ann, bent).empty()) << "byte " << i << " changed and still taken";
    }
}

TEST(Attack, A72_JunkCostsAPurseNoValueAndNoPlace) {
    World world;
    Device& ann = world.device();
    Device& bob = world.device();
    Device& mule = world.device();
    std::mt19937 random(72);
    for (int i = 0; i < 10'000; ++i) {
        Bytes junk(1 + random() % 300);
        for (std::uint8_t& byte : junk) byte = static_cast<std::uint8_t>(random());
        junk[0] = static_cast<std::uint8_t>(1 + random() % 8);
        bob.purse.receive(junk);
    }
    EXPECT_EQ(bob.purse.info().notes_held, 0U);
    EXPECT_EQ(bob.purse.info().state, JZ_ACTIVE);
    EXPECT_TRUE(transfer(ann, bob, 100).ok());
    // A full bag of junk delays what a mule could have carried, until its next sync; nothing else.
    EXPECT_LE(bob.purse.trust_info().carried, 48U);
    EXPECT_TRUE(transfer(bob, mule, 50).ok());
}

}  // namespace
}  // namespace jiaozi::purse_host
