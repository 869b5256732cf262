// The card's rules, command by command and from the host's side; no reader needed.
#include <gtest/gtest.h>

#include "card_fixture.hpp"
#include "card_state.hpp"

namespace jiaozi::keystores::testing {
namespace {

std::string code_of(const Result<crypto::Signature>& result) {
    return result.ok() ? "signed" : result.error().code();
}
std::string code_of(const Result<void>& result) {
    return result.ok() ? "ok" : result.error().code();
}

class CardSuites : public ::testing::TestWithParam<crypto::Suite> {};

TEST_P(CardSuites, NotesReceiptsVoidsAndRequestsVerify) {
    CardInReader card(GetParam());
    const CardId lot = card.load_lot();
    const auto verifier = crypto::make_verifier(GetParam(), card.key->public_key()).value();
    const auto check = [&](const Bytes& payload) {
        const Bytes message = signed_bytes(GetParam(), payload);
        const auto signature = card.key->sign(message);
        ASSERT_TRUE(signature.ok()) << signature.error().to_string();
        EXPECT_TRUE(verifier.verify(message, *signature));
    };
    check(request_payload());
    check(note_payload({.seq = 1, .sources = {{lot, 0, 100}}}));
    check(receipt_payload(2, object_id(GetParam(), note_payload({.seq = 1, .sources = {{lot, 0, 100}}}))));
    check(void_payload(
        3, object_id(GetParam(),
                     receipt_payload(2, object_id(GetParam(), note_payload({.seq = 1, .sources = {{lot, 0, 100}}}))))));
    EXPECT_EQ(card.key->status()->last_seq, 3U);
}

INSTANTIATE_TEST_SUITE_P(All, CardSuites,
                         ::testing::Values(crypto::Suite::ed25519, crypto::Suite::p256, crypto::Suite::sm2),
                         [](const auto& suite) { return std::string(crypto::name_of(suite.param)); });

// Attack 23: asked to sign an overlap, a number used before, or more than it may.
TEST(Card, RefusesWhatAForkProofCouldBeMadeOf) {
    const struct {
        const char* what;
        std::uint64_t offset;
        std::uint64_t amount;
        const char* answer;
    } cases[] = {
        {"the first payment", 0, 100, "signed"},
        {"the same range again, to somebody else", 0, 100, "overlap"},
        {"one unit of it", 99, 1, "overlap"},
        {"a range around it", 0, 200, "overlap"},
        {"the next unit", 100, 1, "signed"},
        {"further on, with a gap", 300, 100, "signed"},
        {"into the gap and one unit too far", 200, 101, "overlap"},
        {"the gap", 101, 199, "signed"},
        {"beyond the lot by one", 900, 101, "insufficient"},
    };
    CardInReader card;
    const CardId lot = card.load_lot({.without_cvm = 100000});
    for (const auto& test : cases) {
        EXPECT_EQ(code_of(card.pay({{lot, test.offset, test.amount}})), test.answer) << test.what;
    }
    // What was received is judged the same; its end is the payee's to check.
    EXPECT_EQ(code_of(card.pay({{id_of(5), 10, 5}})), "signed");
    EXPECT_EQ(code_of(card.pay({{id_of(5), 14, 5}, {lot, 400, 1}})), "overlap");
    EXPECT_EQ(code_of(card.pay({{id_of(5), 15, 5}, {lot, 400, 1}})), "signed");
}

TEST(Card, EveryNumberIsUsedOnce) {
    CardInReader card;
    const CardId lot = card.load_lot();
    const NoteWish first{.seq = 1, .sources = {{lot, 0, 10}}};
    const CardId first_id = object_id(crypto::Suite::p256, note_payload(first));
    const auto sign = [&](const Bytes& payload) { return card.key->sign(signed_bytes(crypto::Suite::p256, payload)); };
    const auto signature = sign(note_payload(first));
    ASSERT_TRUE(signature.ok());
    EXPECT_EQ(*sign(note_payload(first)), *signature) << "the same bytes: the same answer";
    EXPECT_EQ(code_of(sign(note_payload({.seq = 1, .sources = {{lot, 50, 10}}}))), "seq_used") << "attack 18";
    EXPECT_EQ(code_of(sign(receipt_payload(1, CardId{}))), "seq_used");
    EXPECT_EQ(code_of(sign(void_payload(1, CardId{}))), "seq_used");
    EXPECT_EQ(code_of(sign(note_payload({.seq = 3, .previous = first_id, .sources = {{lot, 50, 10}}}))),
              "wrong_previous");
    EXPECT_EQ(code_of(sign(note_payload({.seq = 2, .previous = id_of(9), .sources = {{lot, 50, 10}}}))),
              "wrong_previous");
    EXPECT_EQ(code_of(sign(note_payload({.seq = 2, .previous = first_id, .sources = {{lot, 50, 10}}, .payer = 8}))),
              "wrong_purse");
    EXPECT_EQ(code_of(sign(request_payload(8))), "wrong_purse");
    EXPECT_EQ(code_of(sign(note_payload({.seq = 2, .previous = first_id, .sources = {{lot, 50, 10}}}))), "signed");
}

TEST(Card, SignsNothingButAPursesOwnMessages) {
    CardInReader card;
    const CardId lot = card.load_lot();
    const Bytes note = note_payload({.seq = 1, .sources = {{lot, 0, 10}}});
    const Bytes message = signed_bytes(crypto::Suite::p256, note);
    Bytes other_aad = message;
    const auto at = std::search(other_aad.begin(), other_aad.end(), purse_aad.begin(), purse_aad.end());
    *at ^= 1;
    Bytes trailing = message;
    trailing.push_back(0);
    codec::CborWriter five_sources;
    const std::vector<CardSource> five(5, CardSource{lot, 0, 1});
    const struct {
        const char* what;
        Bytes message;
    } cases[] = {
        {"a bare digest", Bytes(32, 1)},
        {"nothing", Bytes{}},
        {"another protocol", other_aad},
        {"another suite", signed_bytes(crypto::Suite::ed25519, note)},
        {"a byte more", trailing},
        {"a certificate",
         signed_bytes(crypto::Suite::p256, card.issuer.certificate_payload({}, card.key->public_key()))},
        {"a sync acknowledgement", signed_bytes(crypto::Suite::p256, card.issuer.sync_payload({}))},
        {"no source", signed_bytes(crypto::Suite::p256, note_payload({.seq = 1, .sources = {}}))},
        {"five sources", signed_bytes(crypto::Suite::p256, note_payload({.seq = 1, .sources = five}))},
        {"sources that overlap each other",
         signed_bytes(crypto::Suite::p256, note_payload({.seq = 1, .sources = {{lot, 0, 2}, {lot, 1, 2}}}))},
        {"an amount of zero", signed_bytes(crypto::Suite::p256, note_payload({.seq = 1, .sources = {{lot, 0, 0}}}))},
        {"offset and amount that overflow (attack 61)",
         signed_bytes(crypto::Suite::p256, note_payload({.seq = 1, .sources = {{lot, max_amount, 1}}}))},
        {"a sum that overflows",
         signed_bytes(crypto::Suite::p256,
                      note_payload({.seq = 1, .sources = {{lot, 0, max_amount}, {id_of(2), 0, 1}}}))},
    };
    for (const auto& test : cases) {
        const auto signature = card.key->sign(test.message);
        ASSERT_FALSE(signature.ok()) << test.what;
        EXPECT_EQ(signature.error().kind(), ErrorKind::malformed) << test.what << ": " << signature.error().to_string();
    }
    EXPECT_EQ(card.key->status()->last_seq, 0U);
    EXPECT_TRUE(card.key->sign(message).ok());
}

TEST(Card, Limits) {
    CardInReader card;
    EXPECT_EQ(code_of(card.pay({{id_of(5), 0, 1}})), "no_certificate");
    const CardId lot = card.load_lot({.per_payment = 200, .without_cvm = 300, .count = 4});
    EXPECT_EQ(code_of(card.pay({{lot, 0, 201}})), "over_limit");  // attack 35
    EXPECT_EQ(code_of(card.pay({{lot, 0, 200}})), "signed");
    EXPECT_EQ(code_of(card.pay({{lot, 200, 101}})), "cvm_required");  // attack 37
    EXPECT_EQ(code_of(card.pay({{lot, 200, 101}}, true)), "cvm_required") << "said, but no PIN was given";
    ASSERT_TRUE(card.key->verify_pin(secret("2580")).ok());
    EXPECT_EQ(code_of(card.pay({{lot, 200, 101}}, true)), "signed");
    EXPECT_EQ(code_of(card.pay({{lot, 301, 101}}, true)), "cvm_required") << "one PIN, one payment";
    EXPECT_EQ(code_of(card.pay({{lot, 301, 100}})), "signed") << "the sum began again with the PIN";
    EXPECT_EQ(code_of(card.pay({{lot, 401, 100}})), "signed");
    EXPECT_EQ(code_of(card.pay({{lot, 501, 1}})), "count_limit");  // attack 36
    ASSERT_TRUE(card.sync({.sync = 1, .flags = 1}).ok());
    EXPECT_EQ(code_of(card.pay({{lot, 501, 1}})), "signed");
}

TEST(Card, DirectedAndExpiredLots) {
    CardInReader card;
    const CardId directed = card.load_lot({.serial = 1, .directed = 9});
    const CardId old = card.load_lot({.serial = 2, .expires = 1500});
    EXPECT_EQ(code_of(card.pay({{directed, 0, 1}}, false, 10)), "wrong_directed");  // attack 24
    EXPECT_EQ(code_of(card.pay({{directed, 0, 1}}, false, 9)), "signed");
    EXPECT_EQ(code_of(card.pay({{old, 0, 1}})), "signed");
    ASSERT_TRUE(card.sync({.sync = 1, .time = 1500}).ok());
    EXPECT_EQ(code_of(card.pay({{old, 1, 1}})), "expired");
    // Long after the deadline nothing of the lot is remembered, and its certificate is not taken again.
    ASSERT_TRUE(card.sync({.sync = 2, .time = 6501}).ok());
    EXPECT_EQ(card.key->status()->lots, 1U);
    const auto again = card.key->load_certificate(
        card.issuer.object(card.issuer.certificate_payload({.serial = 2, .expires = 1500}, card.key->public_key())));
    EXPECT_EQ(code_of(again), "expired");
}

TEST(Card, OnlyItsIssuerChangesItsMind) {
    CardInReader card;
    const Issuer stranger(crypto::Suite::p256);
    const Bytes key = to_bytes(card.key->public_key());
    EXPECT_EQ(code_of(card.key->load_certificate(stranger.object(stranger.certificate_payload({}, key)))),
              "bad_signature");
    EXPECT_EQ(code_of(card.key->sync(stranger.object(stranger.sync_payload({})))), "bad_signature");
    const auto load = [&](const LotWish& wish, const Bytes& purse_key) {
        return card.key->load_certificate(card.issuer.object(card.issuer.certificate_payload(wish, purse_key)));
    };
    EXPECT_EQ(code_of(load({.purse = 8}, key)), "wrong_purse");
    EXPECT_EQ(code_of(load({}, stranger.public_key())), "wrong_purse");
    EXPECT_EQ(code_of(card.sync({.sync = 1, .purse = 8})), "wrong_purse");
    EXPECT_EQ(code_of(card.sync({.sync = 3})), "ok");
    EXPECT_EQ(code_of(card.sync({.sync = 3, .flags = 1})), "old_sync");
    EXPECT_EQ(code_of(card.sync({.sync = 2, .flags = 1})), "old_sync");
}

TEST(Card, SyncMovesTheChainClosesAndFreezes) {
    CardInReader card;
    const CardId lot = card.load_lot();
    ASSERT_EQ(code_of(card.pay({{lot, 0, 20}})), "signed");
    ASSERT_TRUE(card.sync({.sync = 1, .through = 1, .released = {card.last_note()}}).ok());
    EXPECT_EQ(code_of(card.pay({{lot, 0, 10}})), "overlap") << "a voided range is not spent again";
    // The chain goes on from a higher number, after the acknowledgement.
    const SyncWish jump{.sync = 3, .next = 100};
    ASSERT_TRUE(card.sync(jump).ok());
    EXPECT_EQ(card.key->status()->last_seq, 99U);
    EXPECT_EQ(card.key->status()->last_id, to_bytes(object_id(crypto::Suite::p256, card.issuer.sync_payload(jump))));
    EXPECT_EQ(code_of(card.pay({{lot, 20, 10}})), "signed");
    EXPECT_EQ(code_of(card.sync({.sync = 4, .next = 100})), "seq_used") << "never back";
    ASSERT_TRUE(card.sync({.sync = 4, .flags = 2}).ok());
    EXPECT_EQ(code_of(card.pay({{lot, 30, 10}})), "insufficient") << "all lots are closed";
    EXPECT_EQ(card.load_lot(), lot);
    EXPECT_EQ(code_of(card.pay({{lot, 30, 10}})), "insufficient") << "and stay so";
    const CardId fresh = card.load_lot({.serial = 2});
    EXPECT_EQ(code_of(card.pay({{fresh, 0, 10}})), "signed");
    ASSERT_TRUE(card.sync({.sync = 5, .flags = 4}).ok());
    EXPECT_EQ(code_of(card.pay({{fresh, 10, 10}})), "frozen");
}

TEST(Card, ALongLifeFitsItsTables) {
    CardInReader card;
    const CardId lot = card.load_lot({.amount = 100000, .without_cvm = 100000, .count = 60000});
    // From the front, or the back: one stretch.
    for (std::uint64_t i = 0; i < 300; ++i) ASSERT_EQ(code_of(card.pay({{lot, i, 1}})), "signed") << i;
    for (std::uint64_t i = 999; i >= 900; --i) ASSERT_EQ(code_of(card.pay({{lot, i, 1}})), "signed") << i;
    EXPECT_EQ(card.key->status()->pieces, 2U);
    ASSERT_EQ(code_of(card.pay({{lot, 300, 600}})), "over_limit");
    ASSERT_EQ(code_of(card.pay({{lot, 300, 300}})), "signed");
    ASSERT_EQ(code_of(card.pay({{lot, 600, 300}})), "signed");
    EXPECT_EQ(card.key->status()->pieces, 1U) << "the gap is closed";
    // With gaps, until the table is full.
    for (std::uint64_t i = 1; i < max_pieces; ++i)
        ASSERT_EQ(code_of(card.pay({{lot, 1000 + 2 * i, 1}})), "signed") << i;
    EXPECT_EQ(code_of(card.pay({{lot, 5000, 1}})), "no_room");
    EXPECT_EQ(code_of(card.pay({{lot, 999, 1}})), "overlap");
}

TEST(Card, PinTriesUsedUpLockUntilSync) {  // attack 38
    CardInReader card;
    const CardId lot = card.load_lot();
    for (int left = 4; left >= 1; --left) {
        const auto wrong = card.key->verify_pin(secret("0000"));
        EXPECT_EQ(wrong.error().kind(), ErrorKind::unauthenticated);
        EXPECT_NE(wrong.error().message().find(std::to_string(left) + " tries left"), std::string::npos)
            << wrong.error().message();
        card.cut_power();
    }
    EXPECT_EQ(code_of(card.key->verify_pin(secret("0000"))), "pin_locked");
    EXPECT_EQ(code_of(card.key->verify_pin(secret("2580"))), "pin_locked") << "the right one comes too late";
    EXPECT_EQ(code_of(card.pay({{lot, 0, 10}}, true)), "pin_locked");
    EXPECT_EQ(code_of(card.pay({{lot, 0, 10}})), "signed") << "small sums need no PIN";
    ASSERT_TRUE(card.sync({.sync = 1, .flags = 1}).ok());
    EXPECT_TRUE(card.key->verify_pin(secret("2580")).ok());
    EXPECT_EQ(card.key->status()->tries_left, pin_tries);
}

TEST(Card, ATryIsUsedUpBeforeThePinIsLookedAt) {
    CardInReader card;
    // Power is cut as soon as the try is written: nobody guesses without paying for it.
    card.memory.saves_left = 1;
    EXPECT_FALSE(card.key->verify_pin(secret("2580")).ok());
    card.cut_power();
    EXPECT_EQ(card.key->status()->tries_left, pin_tries - 1);
    EXPECT_TRUE(card.key->verify_pin(secret("2580")).ok());
}

// The answer is lost, or power is cut before or after writing: the card never signs two things, and what it signed is
// to be had.
TEST(Card, TornAnywhere) {
    CardInReader card;
    const CardId lot = card.load_lot();
    card.memory.saves_left = 0;
    EXPECT_EQ(card.pay({{lot, 0, 10}}).error().kind(), ErrorKind::io);
    card.cut_power();
    EXPECT_EQ(card.key->status()->last_seq, 0U) << "nothing was signed";
    EXPECT_FALSE(card.key->last_signed()->has_value());

    const NoteWish wish{.seq = 1, .sources = {{lot, 0, 10}}};
    const Bytes message = signed_bytes(crypto::Suite::p256, note_payload(wish));
    card.channel->answers_lost = 1;
    EXPECT_EQ(card.key->sign(message).error().kind(), ErrorKind::unavailable);
    card.cut_power();
    EXPECT_EQ(code_of(card.key->sign(
                  signed_bytes(crypto::Suite::p256, note_payload({.seq = 1, .sources = {{lot, 500, 10}}})))),
              "seq_used");
    const auto last = card.key->last_signed();
    ASSERT_TRUE(last.ok() && last->has_value());
    EXPECT_EQ((*last)->sig_structure, message);
    EXPECT_EQ(*card.key->sign(message), (*last)->signature);
    const auto verifier = crypto::make_verifier(crypto::Suite::p256, card.key->public_key()).value();
    EXPECT_TRUE(verifier.verify(message, (*last)->signature));
}

TEST(Card, ItsCounterOnlyGrows) {
    CardInReader card;
    MonotonicCounter& counter = *card.key->counter();
    EXPECT_EQ(counter.read().value(), 0U);
    EXPECT_EQ(counter.increment().value(), 1U);
    card.channel->answers_lost = 1;
    EXPECT_FALSE(counter.increment().ok());
    EXPECT_EQ(counter.read().value(), 2U) << "the step was taken, its answer lost";
    card.cut_power();
    EXPECT_EQ(card.key->counter()->read().value(), 2U);
}

// Raw commands: command APDU, answer.
TEST(Card, Apdus) {
    Memory memory;
    const auto blank = insert_card(memory);
    const struct {
        const char* what;
        const char* command;
        const char* answer;
    } cases[] = {
        {"too short", "00a404", "6700"},
        {"before SELECT", "00ca010100", "6985"},
        {"another application", "00a4040007a0000000031010", "6a82"},
        {"SELECT", "00a4040008f04a5a4341524401", "01009000"},
        {"SELECT with Le", "00a4040008f04a5a434152440100", "01009000"},
        {"SELECT by path", "00a4080008f04a5a4341524401", "6a86"},
        {"Lc too large", "00a4040009f04a5a4341524401", "6700"},
        {"bytes after Le", "00a4040008f04a5a43415244010000", "6700"},
        {"extended length", "00a40400000008f04a5a4341524401", "6700"},
        {"another class", "b0ca010100", "6e00"},
        {"an instruction in the other class", "8020008004323538300", "6700"},
        {"VERIFY in the other class", "802000800432353830", "6e00"},
        {"unknown instruction", "00b0000000", "6d00"},
        {"a blank card has nothing", "00ca010100", "6985"},
        {"nothing to give", "00c0000010", "6985"},
        {"personalise without data", "80500000", "6a80"},
        {"a PIN that is too short",
         "805000002c02000000070221036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c29603323538", "6a80"},
    };
    for (const auto& test : cases) {
        const auto command = from_hex(test.command);
        if (!command.ok()) continue;  // an odd count of digits: not a command at all
        EXPECT_EQ(to_hex(blank->process(*command)), test.answer) << test.what;
    }
    EXPECT_EQ(to_hex(blank->answer_to_reset()), "3b8680014a5a4341524403");
}

TEST(Card, ChainsAndLongAnswers) {
    CardInReader card;
    const CardId lot = card.load_lot();
    const std::vector<CardSource> sources = {{lot, 0, 1}, {id_of(2), 0, 1}, {id_of(3), 0, 1}, {id_of(4), 0, 1}};
    ASSERT_EQ(code_of(card.pay(sources)), "signed") << "more than one command's worth";
    const auto last = card.key->last_signed();
    ASSERT_TRUE(last.ok() && last->has_value());
    EXPECT_GT((*last)->sig_structure.size(), 255U);
    // Another command in the middle of a chain drops the chain.
    const auto say = [&](const char* command) { return to_hex(card.applet->process(from_hex(command).value())); };
    EXPECT_EQ(say("102a9e9a03010203"), "9000");
    EXPECT_EQ(say("00ca010300"), "6883");
    EXPECT_EQ(say("00ca010300"), "00000000000000009000");
    // A chain without end is cut off.
    const std::string part = "102a9e9aff" + std::string(510, '0');
    EXPECT_EQ(say(part.c_str()), "9000");
    EXPECT_EQ(say(part.c_str()), "9000");
    EXPECT_EQ(say(part.c_str()), "6700");
    card.applet->reset();
    EXPECT_EQ(say("00ca010300"), "6985") << "selected anew after a reset";
    EXPECT_TRUE(card.key->status().ok()) << "the host does that by itself";
}

TEST(Card, StateSurvivesAndDamageIsNoticed) {
    CardInReader card;
    const CardId lot = card.load_lot();
    ASSERT_TRUE(card.pay({{lot, 0, 10}}).ok());
    const Bytes stored = *card.memory.content;
    const auto decoded = decode_card_state(stored);
    ASSERT_TRUE(decoded.ok()) << decoded.error().to_string();
    EXPECT_EQ(to_bytes(encode_card_state(*decoded).view()), stored);
    for (std::size_t size = 0; size < stored.size(); size += 3) {
        EXPECT_FALSE(decode_card_state(ByteView(stored).first(size)).ok()) << size;
    }
    EXPECT_EQ(decode_card_state(as_bytes("JIAOZI-CARD-ST-1")).error().kind(), ErrorKind::malformed);
    Memory damaged{.content = Bytes(stored.begin(), stored.end() - 1), .saves_left = -1};
    EXPECT_EQ(CardApplet::open(std::make_unique<MemoryStorage>(damaged)).error().kind(), ErrorKind::corrupt);
}

}  // namespace
}  // namespace jiaozi::keystores::testing
