// Envelopes, session keys, windows, credentials.
#include <random>
#include <set>

#include <gtest/gtest.h>

#include <jiaozi/codec/cbor.hpp>
#include <jiaozi/protocol/protocol.hpp>

#include "samples.hpp"

namespace jiaozi::protocol {
namespace {

using samples::message;

constexpr crypto::Suite suites[] = {crypto::Suite::ed25519, crypto::Suite::p256, crypto::Suite::sm2};

struct Keys {
    explicit Keys(crypto::Suite suite)
        : pair(crypto::generate_key(suite)),
          signer(crypto::make_signer(pair).value()),
          verifier(crypto::make_verifier(suite, pair.public_key).value()),
          id(credential_id(suite, pair.public_key)) {}
    crypto::KeyPair pair;
    std::unique_ptr<crypto::Signer> signer;
    crypto::Verifier verifier;
    KeyId id;
};

Result<Message> open_verified(ByteView bytes, Direction direction, const auto& key) {
    JZ_TRY(const auto envelope, peek(bytes, direction));
    JZ_CHECK(verify(envelope, key));
    return open(envelope);
}

TEST(Envelope, SignedThereAndBackInEverySuite) {
    for (const crypto::Suite suite : suites) {
        SCOPED_TRACE(crypto::name_of(suite));
        const Keys keys(suite);
        for (const Body& body : samples::bodies()) {
            SCOPED_TRACE(name_of(type_of(body)));
            const Message sent = message(body);
            const bool is_claim = type_of(body) == MessageType::claim;
            const auto bytes = seal(sent, *keys.signer, is_claim ? ByteView() : ByteView(keys.id));
            ASSERT_TRUE(bytes.ok());
            const auto envelope = peek(*bytes, direction_of(type_of(body)));
            ASSERT_TRUE(envelope.ok()) << envelope.error().to_string();
            EXPECT_TRUE(envelope->is_signed());
            EXPECT_EQ(envelope->algorithm(), crypto::cose_algorithm(suite));
            EXPECT_EQ(to_bytes(envelope->kid()), is_claim ? Bytes() : to_bytes(keys.id));
            ASSERT_TRUE(verify(*envelope, keys.verifier).ok());
            const auto read = open(*envelope);
            ASSERT_TRUE(read.ok()) << read.error().to_string();
            EXPECT_EQ(*read, sent);
        }
    }
}

TEST(Envelope, MacThereAndBackOrRefusedWhereOnlySignaturesGo) {
    const crypto::HmacKey key(samples::counting(1));
    for (const Body& body : samples::bodies()) {
        const MessageType type = type_of(body);
        SCOPED_TRACE(name_of(type));
        if (!needs_session(type)) continue;
        const auto bytes = seal(message(body), key);
        ASSERT_TRUE(bytes.ok());
        const auto read = open_verified(*bytes, direction_of(type), key);
        EXPECT_EQ(read.ok(), !always_signed(type));
        if (read.ok()) {
            EXPECT_EQ(*read, message(body));
        }
    }
}

TEST(Envelope, ReflectedMessagesDoNotVerify) {
    const Keys keys(crypto::Suite::ed25519);
    const crypto::HmacKey key(samples::counting(1));
    const auto down = seal(message(Probe{}), key);
    EXPECT_TRUE(open_verified(*down, Direction::down, key).ok());
    const auto reflected = open_verified(*down, Direction::up, key);
    ASSERT_FALSE(reflected.ok());
    EXPECT_EQ(reflected.error().kind(), ErrorKind::unauthenticated);
    const auto up = seal(message(Heartbeat{}), *keys.signer, keys.id);
    EXPECT_EQ(open_verified(*up, Direction::down, keys.verifier).error().kind(), ErrorKind::unauthenticated);
}

TEST(Envelope, AnotherKeyAnotherSuiteAndEveryChangedByteAreRefused) {
    for (const crypto::Suite suite : suites) {
        SCOPED_TRACE(crypto::name_of(suite));
        const Keys keys(suite);
        const Bytes bytes = seal(message(Heartbeat{}), *keys.signer, keys.id).value();
        for (const crypto::Suite other : suites) {
            EXPECT_EQ(open_verified(bytes, Direction::up, Keys(other).verifier).error().kind(),
                      ErrorKind::unauthenticated);
        }
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            Bytes changed = bytes;
            changed[i] ^= 0x01;
            EXPECT_FALSE(open_verified(changed, Direction::up, keys.verifier).ok()) << "byte " << i;
        }
    }
}

// What COSE allows and this protocol does not.
TEST(Envelope, HeadersAreExactlyAlgAndKid) {
    using codec::CborWriter;
    const auto envelope = [](std::uint64_t tag, const Bytes& header, const Bytes& unprotected, std::size_t proof) {
        CborWriter out;
        out.tag(tag)
            .array(4)
            .bytes(header)
            .encoded(unprotected)
            .bytes(encode(message(Heartbeat{})))
            .bytes(Bytes(proof));
        return out.take();
    };
    const auto header = [](std::int64_t alg, std::optional<std::size_t> kid, bool extra) {
        CborWriter out;
        out.map(1U + (kid ? 1U : 0U) + (extra ? 1U : 0U)).uint(1).integer(alg);
        if (kid) out.uint(4).bytes(Bytes(*kid, 7));
        if (extra) out.uint(5).uint(0);
        return out.take();
    };
    const Bytes nothing{0xa0};
    CborWriter kid_writer;
    kid_writer.map(1).uint(4).bytes(Bytes(8, 7));
    const Bytes unprotected_kid = kid_writer.take();
    const Bytes unprotected_other{0xa1, 0x05, 0x00};

    EXPECT_TRUE(peek(envelope(17, header(5, 8, false), nothing, 32), Direction::up).ok());
    EXPECT_TRUE(peek(envelope(18, header(-8, 8, false), nothing, 64), Direction::up).ok());
    EXPECT_TRUE(peek(envelope(18, header(-8, 0, false), nothing, 64), Direction::up).ok());  // a claim's
    const std::pair<std::string_view, Bytes> refused[] = {
        {"no kid", envelope(17, header(5, std::nullopt, false), nothing, 32)},
        {"kid not protected", envelope(17, header(5, std::nullopt, false), unprotected_kid, 32)},
        {"kid of 7 bytes", envelope(17, header(5, 7, false), nothing, 32)},
        {"Mac0 without kid", envelope(17, header(5, 0, false), nothing, 32)},
        {"another parameter", envelope(17, header(5, 8, true), nothing, 32)},
        {"an unprotected parameter", envelope(17, header(5, 8, false), unprotected_other, 32)},
        {"Sign1 with a MAC's alg", envelope(18, header(5, 8, false), nothing, 64)},
        {"Mac0 with a signature's alg", envelope(17, header(-8, 8, false), nothing, 32)},
        {"an alg nobody has", envelope(18, header(-37, 8, false), nothing, 64)},
        {"a short MAC", envelope(17, header(5, 8, false), nothing, 16)},
        {"another tag", envelope(96, header(5, 8, false), nothing, 32)},
    };
    for (const auto& [what, bytes] : refused) {
        const auto result = peek(bytes, Direction::up);
        ASSERT_FALSE(result.ok()) << what;
        EXPECT_EQ(result.error().kind(), ErrorKind::malformed) << what;
    }
    EXPECT_FALSE(
        peek(envelope(18, header(-8, 0, false), nothing, 64), Direction::down).ok());  // the server always has a kid
}

TEST(Envelope, ContentMustAgreeWithTheEnvelope) {
    const Keys keys(crypto::Suite::ed25519);
    const crypto::HmacKey key(samples::counting(1));
    // A heartbeat that brings no kid, and a claim that brings one.
    EXPECT_FALSE(open_verified(*seal(message(Heartbeat{}), *keys.signer, {}), Direction::up, keys.verifier).ok());
    const Body claim = samples::bodies().front();
    EXPECT_FALSE(open_verified(*seal(message(claim), *keys.signer, keys.id), Direction::up, keys.verifier).ok());
    // A server's type on its way up.
    const Bytes payload = encode(message(Probe{}));
    const Bytes up = crypto::cose_mac0(key, payload, ByteView(samples::session), as_bytes("jiaozi/device/1/up"));
    EXPECT_FALSE(open_verified(up, Direction::up, key).ok());
    // A session in the payload that is not the envelope's.
    const Bytes other = crypto::cose_mac0(key, encode(message(Heartbeat{})), ByteView(samples::counting(1, 8)),
                                          as_bytes("jiaozi/device/1/up"));
    EXPECT_FALSE(open_verified(other, Direction::up, key).ok());
}

TEST(Envelope, SizeLimits) {
    EXPECT_EQ(peek(Bytes(max_envelope_up + 1), Direction::up).error().kind(), ErrorKind::too_large);
    EXPECT_EQ(peek(Bytes(max_envelope_up), Direction::up).error().kind(), ErrorKind::malformed);
    EXPECT_EQ(peek(Bytes(max_envelope_down + 1), Direction::down).error().kind(), ErrorKind::too_large);
    const crypto::HmacKey key(samples::counting(1));
    Catalogue catalogue;
    catalogue.items.assign(100, {1, samples::product, std::string(200, 'x'), "", 1, "CNY"});
    EXPECT_EQ(seal(message(catalogue), key).error().kind(), ErrorKind::too_large);
}

TEST(SessionKeys, BothSidesAgreeAndEveryInputCounts) {
    const auto device = crypto::x25519_from_private(samples::counting(1)).value();
    const auto server = crypto::x25519_from_private(samples::counting(0x41)).value();
    const HelloNonce nonce = samples::array_of<16>(1);
    const KeyId kid = samples::array_of<8>(1);
    const auto tag = [](const Result<SessionKeys>& keys) {
        return std::pair{keys->up.mac(Bytes{1}), keys->down.mac(Bytes{1})};
    };
    const auto mine = tag(derive_session_keys(device.private_key.view(), server.public_key, nonce, samples::session,
                                              samples::device, kid));
    EXPECT_EQ(mine, tag(derive_session_keys(server.private_key.view(), device.public_key, nonce, samples::session,
                                            samples::device, kid)));
    EXPECT_NE(mine.first, mine.second);

    SessionId session = samples::session;
    session[7] ^= 1;
    std::set all{mine};
    all.insert(tag(derive_session_keys(device.private_key.view(), server.public_key, samples::array_of<16>(2),
                                       samples::session, samples::device, kid)));
    all.insert(
        tag(derive_session_keys(device.private_key.view(), server.public_key, nonce, session, samples::device, kid)));
    all.insert(tag(derive_session_keys(device.private_key.view(), server.public_key, nonce, samples::session,
                                       samples::machine, kid)));
    all.insert(tag(derive_session_keys(device.private_key.view(), server.public_key, nonce, samples::session,
                                       samples::device, samples::array_of<8>(2))));
    EXPECT_EQ(all.size(), 5U);
    // A point of low order would make the keys known to everybody.
    EXPECT_FALSE(
        derive_session_keys(device.private_key.view(), {}, nonce, samples::session, samples::device, kid).ok());
}

TEST(SeqWindow, Edges) {
    using enum SeqWindow::Verdict;
    SeqWindow window;
    EXPECT_EQ(window.look(1), fresh);
    window.mark(1);
    EXPECT_EQ(window.look(1), seen);
    window.mark(1024);
    EXPECT_EQ(window.look(1), seen);
    EXPECT_EQ(window.look(2), fresh);
    window.mark(1025);
    EXPECT_EQ(window.look(1), too_old);
    EXPECT_EQ(window.look(2), fresh);
    EXPECT_EQ(window.look(1024), seen);
    window.mark(1);  // too old: changes nothing
    EXPECT_EQ(window.look(1025), seen);
    window.mark(UINT64_MAX);
    EXPECT_EQ(window.look(UINT64_MAX - 1024), too_old);
    EXPECT_EQ(window.look(UINT64_MAX - 1023), fresh);
    EXPECT_EQ(window.look(UINT64_MAX), seen);
}

TEST(SeqWindow, AgreesWithAListOfAllNumbers) {
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    std::mt19937_64 random(seed);
    for (int round = 0; round < 20; ++round) {
        SeqWindow window;
        std::set<std::uint64_t> marked;
        std::uint64_t newest = 0;
        for (int step = 0; step < 4000; ++step) {
            const std::uint64_t reach = std::array{4U, 300U, 1500U, 5000U}[random() % 4];
            const std::uint64_t low = newest > reach ? newest - reach : 1;
            const std::uint64_t seq = low + random() % (newest - low + (step % 7 == 0 ? reach : 3) + 1);
            const auto expected = newest >= seq + SeqWindow::size ? SeqWindow::Verdict::too_old
                                  : marked.contains(seq)          ? SeqWindow::Verdict::seen
                                                                  : SeqWindow::Verdict::fresh;
            ASSERT_EQ(window.look(seq), expected) << seq << " newest " << newest;
            window.mark(seq);
            marked.insert(seq);
            newest = std::max(newest, seq);
        }
    }
}

TEST(Certificate, ThereAndBackAndBoundToKeyAndServer) {
    const Keys server(crypto::Suite::ed25519);
    for (const crypto::Suite suite : suites) {
        const Keys device(suite);
        const Certificate certificate{samples::device, suite, device.pair.public_key, device.id, samples::time_ms};
        const auto bytes = make_certificate(*server.signer, certificate);
        ASSERT_TRUE(bytes.ok());
        EXPECT_LE(bytes->size(), max_certificate);
        const auto read = verify_certificate(*bytes, server.verifier);
        ASSERT_TRUE(read.ok()) << read.error().to_string();
        EXPECT_EQ(*read, certificate);
        EXPECT_FALSE(verify_certificate(*bytes, Keys(crypto::Suite::ed25519).verifier).ok());
        Certificate wrong = certificate;
        wrong.credential[0] ^= 1;
        EXPECT_FALSE(verify_certificate(*make_certificate(*server.signer, wrong), server.verifier).ok());
    }
}

TEST(Rotation, ProofIsOfThisKeyForThisDevice) {
    for (const crypto::Suite suite : suites) {
        const Keys fresh(suite);
        const auto proof = make_rotation_proof(*fresh.signer, samples::device);
        ASSERT_TRUE(proof.ok());
        EXPECT_TRUE(check_rotation_proof(fresh.verifier, samples::device, *proof));
        EXPECT_FALSE(check_rotation_proof(fresh.verifier, samples::machine, *proof));
        EXPECT_FALSE(check_rotation_proof(Keys(suite).verifier, samples::device, *proof));
    }
}

}  // namespace
}  // namespace jiaozi::protocol
