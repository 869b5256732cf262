// Attacks 45 to 62 and 73 of the design: blacklists, issuers' keys, forged proofs, malformed bytes, eavesdroppers.
#include <set>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <jiaozi/codec/cbor.hpp>
#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/purse/blacklist.hpp>
#include <jiaozi/purse/cbor.hpp>

#include "forge.hpp"

namespace jiaozi::purse_host {
namespace {

jz_status install(Device& device, std::uint32_t version, std::vector<std::uint32_t> revoked,
                  std::uint32_t time = today_s) {
    const auto list = device.world.issuer.blacklist(version, time, 1'000, revoked);
    return jz_purse_install_list(device.purse.get(), c_view(list.head), c_view(list.body));
}

TEST(Attack, A45_BlacklistedPayerIsRefused) {
    World world;
    Device& mallory = world.device();
    Device& bob = world.device();
    ASSERT_EQ(install(bob, 2, {mallory.ordinal, 500}), JZ_OK);
    EXPECT_EQ(transfer(mallory, bob, 100).credited, JZ_BLACKLISTED);
    EXPECT_EQ(bob.purse.pay(mallory.ask(100), false).status, JZ_BLACKLISTED);
    ASSERT_EQ(bob.restart(), JZ_OK);
    EXPECT_EQ(transfer(mallory, bob, 100).credited, JZ_BLACKLISTED);
}

TEST(Attack, A46_BlacklistedAncestorIsSettleOnly) {
    World world;
    Terms none;
    none.amount = 0;
    Device& mallory = world.device();
    Device& bob = world.device(0, none);
    Device& carol = world.device();
    ASSERT_TRUE(transfer(mallory, bob, 1'000).ok());
    ASSERT_EQ(install(carol, 2, {mallory.ordinal}), JZ_OK);
    EXPECT_EQ(transfer(bob, carol, 400).credited, JZ_BLACKLISTED) << "every ancestor is looked up";
    ASSERT_EQ(install(bob, 2, {mallory.ordinal}), JZ_OK);
    EXPECT_EQ(bob.spendable(), 0U);
    EXPECT_EQ(bob.purse.info().received, 1'000U) << "the claim stays";
    EXPECT_EQ(bob.purse.deposit(0).status, JZ_OK);
    ASSERT_EQ(bob.restart(), JZ_OK);
    EXPECT_EQ(bob.spendable(), 0U);
}

TEST(Attack, A47_StaleListLowersTheLimitToTheFloor) {
    World world;
    Terms terms;
    terms.without_cvm = 1'000;
    Device& ann = world.device(0, terms);
    Device& bob = world.device();
    bob.clock.advance(seconds(7 * day_s));
    EXPECT_EQ(transfer(ann, bob, 1'001, true, true).credited, JZ_OK) << "seven days are fresh";
    bob.clock.advance(seconds(1));
    EXPECT_EQ(transfer(ann, bob, 1'001, true, true).credited, JZ_STALE_LIST);
    EXPECT_EQ(transfer(ann, bob, 1'000, true, true).credited, JZ_OK);
}

TEST(Attack, A48_OlderListIsIgnored) {
    World world;
    Device& bob = world.device();
    ASSERT_EQ(install(bob, 5, {3}), JZ_OK);
    EXPECT_EQ(install(bob, 5, {3}), JZ_OUTDATED) << "the same one again";
    EXPECT_EQ(install(bob, 4, {}), JZ_OUTDATED);
    EXPECT_EQ(bob.purse.info().list_version, 5U);
}

TEST(Attack, A50_AllEnrolledPursesAgainstTheListNoFalsePositive) {
    std::mt19937 random(50);
    std::set<std::uint32_t> chosen;
    while (chosen.size() < 1'000) chosen.insert(static_cast<std::uint32_t>(1 + random() % 1'000'000));
    const std::vector<std::uint32_t> revoked(chosen.begin(), chosen.end());
    const Bytes body = rice_encode(1'000'000, revoked);
    RecordProperty("bytes", static_cast<int>(body.size()));
    std::cout << "1,000 of 1,000,000 revoked: " << body.size() << " bytes\n";
    EXPECT_LE(body.size(), 1'700U);
    // A purse is on the list if the reader yields it: what it yields is exactly what was put in.
    purse::ListSource source(body);
    purse::ListReader reader(source, 1'000'000, 1'000);
    std::vector<std::uint32_t> read;
    std::uint32_t ordinal = 0;
    while (reader.next(ordinal)) read.push_back(ordinal);
    EXPECT_TRUE(reader.valid());
    EXPECT_EQ(read, revoked);
}

// The bytes are made by shifts and never by copying a number's memory, so that they can't depend on the machine; here
// they are, to be held against any build.
TEST(Attack, A51_ListBytesAreTheSameOnEveryBuild) {
    EXPECT_EQ(to_hex(rice_encode(1'000, std::vector<std::uint32_t>{7, 8, 650})), "03003408");
    EXPECT_EQ(to_hex(rice_encode(8, std::vector<std::uint32_t>{1, 2, 3, 8})), "0300");
    EXPECT_EQ(to_hex(rice_encode(5, std::vector<std::uint32_t>{})), "");
    // sdk/payment has the same numbers, and runs on a big-endian machine.
    std::vector<std::uint32_t> many;
    for (std::uint32_t i = 1; i <= 1'000; ++i) many.push_back(1'000 * i - i * i * 7 % 1'000);
    const Bytes body = rice_encode(1'000'000, many);
    EXPECT_EQ(body.size(), 1'432U);
    EXPECT_EQ(to_hex(crypto::sha256(body)).substr(0, 16), "4f3926a7298dc01d");
}

// With more than half revoked a gap may take one bit: a body that is too short must not be read as one of zeros.
TEST(Attack, A50_AListThatIsCutShortIsRefused) {
    const std::vector<std::uint32_t> revoked{1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12};
    const Bytes body = rice_encode(12, revoked);
    for (std::size_t size = 0; size < body.size(); ++size) {
        purse::ListSource source(ByteView(body).first(size));
        purse::ListReader reader(source, 12, static_cast<std::uint32_t>(revoked.size()));
        std::uint32_t ordinal = 0;
        while (reader.next(ordinal)) continue;
        EXPECT_FALSE(reader.valid()) << size << " of " << body.size() << " bytes";
    }
}

TEST(Attack, A50_ListsThatAreNotCanonicalAreRefused) {
    World world;
    Device& bob = world.device();
    const auto good = world.issuer.blacklist(7, today_s, 1'000, std::vector<std::uint32_t>{7, 8, 650});
    for (const bool longer : {false, true}) {
        Bytes body = good.body;
        if (longer) {
            body.push_back(0);
        } else {
            body.back() |= 1;
        }
        purse::ListSource source(body);
        purse::ListReader reader(source, 1'000, 3);
        std::uint32_t ordinal = 0;
        while (reader.next(ordinal)) {
        }
        EXPECT_FALSE(reader.valid());
        EXPECT_EQ(jz_purse_install_list(bob.purse.get(), c_view(good.head), c_view(body)), JZ_BAD_SIGNATURE);
    }
}

TEST(Blacklist, DeltaGivesTheSameListAsTheWhole) {
    World world;
    Device& ann = world.device();
    Device& bob = world.device();
    const std::vector<std::uint32_t> before{3, 70, 650};
    const std::vector<std::uint32_t> after{1, 70, 71, 900};
    ASSERT_EQ(install(bob, 2, before), JZ_OK);
    const Bytes delta = world.issuer.blacklist_delta(2, 3, today_s, 1'000, before, after);
    EXPECT_LE(delta.size(), 512U);
    ASSERT_EQ(jz_purse_update_list(bob.purse.get(), c_view(delta)), JZ_OK);
    EXPECT_EQ(bob.purse.info().list_version, 3U);
    EXPECT_EQ(transfer(ann, bob, 10).credited, JZ_BLACKLISTED);
    EXPECT_EQ(jz_purse_update_list(ann.purse.get(), c_view(delta)), JZ_OUTDATED) << "its list is another version";
}

TEST(Attack, A52_ForgedProofIsRejected) {
    World world;
    Device& ann = world.device();
    Device& mallory = world.device();
    Device& bob = world.device();
    purse::Note one = honest_note(ann, bob.ask(100));
    purse::Note two = one;
    two.request[0] ^= 1;
    // Signed by somebody else; and with a certificate that is not the signer's.
    const Bytes a = signed_note(mallory, one);
    const Bytes b = signed_note(mallory, two);
    std::uint32_t guilty = 0;
    EXPECT_EQ(judge(world, fork_proof(world, a, b, ann.last_certificate), guilty), JZ_BAD_SIGNATURE);
    EXPECT_EQ(judge(world, fork_proof(world, a, b, mallory.last_certificate), guilty), JZ_BAD_RANGE);
    World elsewhere;
    elsewhere.issuer_signer = fixed_signer(crypto::Suite::ed25519, 0x66);
    const Issuer other(elsewhere.cryptography, *elsewhere.issuer_signer);
    const Bytes foreign = other.certificate(ann.certificate({}));
    EXPECT_EQ(judge(world, fork_proof(world, signed_note(ann, one), signed_note(ann, two), foreign), guilty),
              JZ_UNKNOWN_ISSUER);
    EXPECT_EQ(guilty, 0U);
    EXPECT_EQ(jz_purse_learn_proof(bob.purse.get(), c_view(fork_proof(world, a, b, ann.last_certificate))),
              JZ_BAD_SIGNATURE);
    EXPECT_TRUE(transfer(ann, bob, 100).ok());
}

TEST(Attack, A54_RevokedIssuingKeyRefusesItsCertificatesOnly) {
    World world;
    Device& ann = world.device();
    Device& bob = world.device();
    const auto second_signer = fixed_signer(crypto::Suite::ed25519, 0xB2);
    const Issuer second(world.cryptography, *second_signer);
    Device& carol = world.empty_device();
    jz_issuer_key keys[2] = {world.issuer.key(), second.key()};
    ASSERT_EQ(jz_purse_trust(carol.purse.get(), keys, 2), JZ_OK);
    carol.last_certificate = second.certificate(carol.certificate({}));
    ASSERT_EQ(jz_purse_load(carol.purse.get(), c_view(carol.last_certificate)), JZ_OK);
    ASSERT_EQ(jz_purse_trust(bob.purse.get(), keys, 2), JZ_OK);
    EXPECT_EQ(bob.purse.receive(carol.purse.pay(bob.ask(10), false).bytes).status, JZ_OK);
    keys[0].revoked = 1;
    ASSERT_EQ(jz_purse_trust(bob.purse.get(), keys, 2), JZ_OK);
    EXPECT_EQ(bob.purse.receive(ann.purse.pay(bob.ask(10), false).bytes).status, JZ_UNKNOWN_ISSUER);
    EXPECT_EQ(bob.purse.receive(carol.purse.pay(bob.ask(10), false).bytes).status, JZ_OK);
}

TEST(Attack, A56_NoteOfAnotherSuiteThanItsLot) {
    World world;
    Device& ann = world.device();
    Device& bob = world.device();
    const Bytes request = bob.ask(100);
    std::array<std::uint8_t, purse::max_payload> payload{};
    const auto p256 = fixed_signer(crypto::Suite::p256, 1);
    const Bytes note = sign_object(*p256, purse::write_payload(honest_note(ann, request), payload));
    EXPECT_EQ(bob.purse.receive(sealed_to(purse::Verb::pay, ann, request, joined({note, ann.last_certificate}))).status,
              JZ_WRONG_SUITE);
}

// SM2 signs a hash that begins with the signer's id; OpenSSL makes one under an id that is not the standard's.
TEST(Attack, A57_Sm2SignatureUnderAnotherUserId) {
    using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
    using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;
    const Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "SM2"), &EVP_PKEY_free);
    std::uint8_t point[65] = {};
    std::size_t point_size = 0;
    ASSERT_EQ(EVP_PKEY_get_octet_string_param(key.get(), "pub", point, sizeof point, &point_size), 1);
    const Bytes compressed = crypto::canonical_public_key(crypto::Suite::sm2, ByteView(point, point_size)).value();
    const auto valid_under = [&](std::string_view id) {
        const Context context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
        EVP_PKEY_CTX* const keyed = EVP_PKEY_CTX_new(key.get(), nullptr);
        EVP_PKEY_CTX_set1_id(keyed, id.data(), static_cast<int>(id.size()));
        EVP_MD_CTX_set_pkey_ctx(context.get(), keyed);
        EVP_DigestSignInit(context.get(), nullptr, EVP_sm3(), nullptr, key.get());
        const Bytes message = to_bytes(as_bytes("a note"));
        std::uint8_t der[80];
        std::size_t size = sizeof der;
        EXPECT_EQ(EVP_DigestSign(context.get(), der, &size, message.data(), message.size()), 1);
        EVP_PKEY_CTX_free(keyed);
        const std::uint8_t* at = der;
        ECDSA_SIG* const numbers = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size));
        Bytes raw(64);
        BN_bn2binpad(ECDSA_SIG_get0_r(numbers), raw.data(), 32);
        BN_bn2binpad(ECDSA_SIG_get0_s(numbers), raw.data() + 32, 32);
        ECDSA_SIG_free(numbers);
        return real_cryptography().verify(crypto::Suite::sm2, compressed, message, raw);
    };
    EXPECT_TRUE(valid_under("1234567812345678"));
    EXPECT_FALSE(valid_under("1234567812345679"));
}

// left - right, numbers of 32 bytes, most significant first.
Bytes minus(ByteView left, ByteView right) {
    Bytes out(32);
    int borrow = 0;
    for (std::size_t i = 32; i-- > 0;) {
        const int value = left[i] - right[i] - borrow;
        borrow = value < 0 ? 1 : 0;
        out[i] = static_cast<std::uint8_t>(value);
    }
    return out;
}

jz_status with_signature(World& world, const std::function<void(ByteSpan)>& change) {
    Device& ann = world.device();
    Device& bob = world.device();
    const Bytes request = bob.ask(100);
    Bytes note = signed_note(ann, honest_note(ann, request));
    change(ByteSpan(note).last(64));
    return bob.purse.receive(sealed_to(purse::Verb::pay, ann, request, joined({note, ann.last_certificate}))).status;
}

TEST(Attack, A58_HighSIsRefused) {
    World world(crypto::Suite::p256);
    const Bytes n = from_hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551").value();
    EXPECT_EQ(with_signature(world, [&](ByteSpan s) { std::ranges::copy(minus(n, s.last(32)), s.last(32).begin()); }),
              JZ_BAD_SIGNATURE);
    EXPECT_EQ(with_signature(world, [](ByteSpan) {}), JZ_OK);
}

TEST(Attack, A59_Ed25519NonCanonicalSAndSmallOrderKeysAreRefused) {
    World world;
    const Bytes order = from_hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").value();
    EXPECT_EQ(with_signature(world,
                             [&](ByteSpan signature) {
                                 int carry = 0;
                                 for (std::size_t i = 0; i < 32; ++i) {
                                     carry += signature[32 + i] + order[i];
                                     signature[32 + i] = static_cast<std::uint8_t>(carry);
                                     carry >>= 8;
                                 }
                             }),
              JZ_BAD_SIGNATURE);
    // The neutral element as a key: without the rule, R = [s]B verifies for every message.
    Bytes neutral(32, 0);
    neutral[0] = 1;
    Bytes signature(64, 0);
    signature[0] = 1;
    EXPECT_FALSE(real_cryptography().verify(crypto::Suite::ed25519, neutral, as_bytes("note"), signature));
}

// The payload of a note, written with one rule of deterministic CBOR broken.
jz_status read_changed(const std::function<void(Bytes&)>& change) {
    World world;
    Device& ann = world.device();
    Device& bob = world.device();
    Bytes note = signed_note(ann, honest_note(ann, bob.ask(10)));
    change(note);
    ByteView rest = note;
    purse::Object object;
    purse::Note out;
    const jz_status status = purse::read_whole(rest, purse::Type::note, object);
    return status == JZ_OK ? purse::parse(object, out) : status;
}

TEST(Attack, A60_CborThatIsNotDeterministicIsRefused) {
    EXPECT_EQ(read_changed([](Bytes&) {}), JZ_OK);
    EXPECT_EQ(read_changed([](Bytes& b) { b.push_back(0); }), JZ_MALFORMED) << "a trailing byte";
    EXPECT_EQ(read_changed([](Bytes& b) { b[0] = 0x9F; }), JZ_MALFORMED) << "indefinite length";
    EXPECT_EQ(read_changed([](Bytes& b) { b.insert(b.begin(), 0xD2); }), JZ_MALFORMED) << "a tag";
    EXPECT_EQ(read_changed([](Bytes& b) { b[5] = 0xA1; }), JZ_MALFORMED) << "an unprotected header";
    EXPECT_EQ(read_changed([](Bytes& b) {
                  // {1: -8, 1: -8}: a key twice.
                  const Bytes twice{0x45, 0xA2, 0x01, 0x27, 0x01, 0x27};
                  b.erase(b.begin() + 1, b.begin() + 5);
                  b.insert(b.begin() + 1, twice.begin(), twice.end());
              }),
              JZ_MALFORMED);
    for (const Bytes& number :
         {Bytes{0x18, 0x17}, Bytes{0x19, 0x00, 0xFF}, Bytes{0x1A, 0x00, 0x00, 0xFF, 0xFF},
          Bytes{0x1B, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF}, Bytes{0x1C}, Bytes{0x1F}, Bytes{0x20}}) {
        purse::CborReader reader(number);
        reader.uint();
        EXPECT_FALSE(reader.ok()) << to_hex(number);
    }
}

TEST(Attack, A61_OffsetPlusAmountOverflows) {
    World world;
    Device& mallory = world.device();
    Device& bob = world.device();
    const Bytes request = bob.ask(100);
    purse::Note note = honest_note(mallory, request);
    note.source[0].offset = purse::highest_amount - 50;
    EXPECT_EQ(offer(mallory, bob, request, note), JZ_BAD_RANGE);
    note.source[0].offset = 0;
    note.sources = 2;
    note.source[0].amount = purse::highest_amount;
    note.source[1] = {note.source[0].id, 0, purse::highest_amount};
    EXPECT_EQ(offer(mallory, bob, request, note), JZ_BAD_RANGE);
}

TEST(Attack, A62_DeepNestingAndHugeLengthsCostNothing) {
    World world;
    Device& ann = world.device();
    Device& bob = world.device();
    const Bytes request = bob.ask(100);
    for (const Bytes& junk : {Bytes(4'000, 0x81), Bytes(4'000, 0x84), Bytes{0x84, 0x5A, 0xFF, 0xFF, 0xFF, 0xFF},
                              Bytes{0x84, 0x43, 0xA1, 0x01, 0x27, 0xA0, 0x5B, 0x7F, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0},
                              Bytes{0x9A, 0xFF, 0xFF, 0xFF, 0xFF}}) {
        EXPECT_EQ(bob.purse.receive(sealed_to(purse::Verb::pay, ann, request, junk)).status, JZ_MALFORMED);
        Bytes message{0x01};
        append(message, junk);
        EXPECT_EQ(ann.purse.pay(message, false).status, JZ_MALFORMED);
    }
    EXPECT_EQ(bob.purse.receive(Bytes(JZ_MESSAGE_BYTES + 1, 2)).status, JZ_TOO_LARGE);
}

TEST(Attack, A73_EavesdropperOver100TapsSeesNoStablePayer) {
    World world;
    Device& ann = world.device();
    Terms shop_terms;
    shop_terms.receive_cap = 10'000'000;
    std::vector<Device*> shops;
    for (int i = 0; i < 10; ++i) shops.push_back(&world.device(0, shop_terms));
    std::set<Bytes> seen;
    std::size_t repeated = 0;
    const auto watch = [&](ByteView message) {
        // Behind the nonce, which is the payee's.
        for (std::size_t i = 17; i + 8 <= message.size(); ++i) {
            if (!seen.insert(to_bytes(message.subspan(i, 8))).second) ++repeated;
        }
    };
    for (std::size_t tap = 0; tap < 100; ++tap) {
        Device& shop = *shops[tap % shops.size()];
        const auto pay = ann.purse.pay(shop.ask(10), false);
        ASSERT_EQ(pay.status, JZ_OK);
        watch(pay.bytes);
        const auto resume = ann.purse.resume();
        watch(resume.bytes);
        const auto receipt = shop.purse.receive(pay.bytes);
        ASSERT_EQ(receipt.status, JZ_OK);
        watch(shop.purse.receive(resume.bytes).bytes);
        ASSERT_EQ(ann.purse.receive(shop.purse.receive(ann.purse.resume().bytes).bytes).status, JZ_OK);
    }
    EXPECT_EQ(repeated, 0U) << "any eight bytes that come twice could be followed";
}

}  // namespace
}  // namespace jiaozi::purse_host
