#include <gtest/gtest.h>

#include <jiaozi/carriers/apdu.hpp>
#include <jiaozi/carriers/framing.hpp>

namespace jiaozi::carriers {
namespace {

Bytes hex(std::string_view text) {
    return from_hex(text).value();
}

// A card that answers each message with `answer` and remembers what it was sent.
struct Card {
    std::vector<Bytes> taken;
    std::optional<Bytes> answer = Bytes{};
    ApduCard applet{[this](ByteView message) {
        taken.push_back(to_bytes(message));
        return answer;
    }};
};

class Field final : public keystores::CardChannel {
  public:
    explicit Field(ApduCard& card) : card_(card) {}
    Result<Bytes> transmit(ByteView apdu) override {
        if (pairs_until_gone-- == 0) {
            card_.reset();
            return Error(ErrorKind::unavailable, "the card left the field");
        }
        return card_.process(apdu);
    }
    int pairs_until_gone = -1;

  private:
    ApduCard& card_;
};

constexpr std::string_view select_apdu = "00a4040009f04a5a50555253450100";

TEST(ApduCard, StatusWords) {
    const struct {
        std::string_view apdu;
        std::string_view answer;
        const char* why;
    } cases[] = {
        {"00a4040009f04a5a50555253450100", "9000", "select, with an empty answer"},
        {"00a4040008f04a5a435245440100", "6a82", "the card that judges"},
        {"00a4040009f04a5a50555253450200", "6a82", "another name"},
        {"00a40000023f00", "6a82", "by file id"},
        {"804a010001ff", "9000", "a message without an answer"},
        {"804a020001ff", "6a86", "other parameters"},
        {"804a0100", "6700", "no data"},
        {"804b010001ff", "6d00", "another instruction"},
        {"20a4040009f04a5a505552534501", "6e00", "another class"},
        {"00c0000000", "6985", "nothing to give"},
        {"80", "6700", "no APDU"},
        {"804a010000012aff", "6700", "extended length"},
    };
    for (const auto& test : cases) {
        Card card;
        ASSERT_EQ(to_hex(card.applet.process(hex(select_apdu))), "9000");
        EXPECT_EQ(to_hex(card.applet.process(hex(test.apdu))), test.answer) << test.why;
    }
    Card card;
    EXPECT_EQ(to_hex(card.applet.process(hex("804a010001ff"))), "6985") << "not selected";
    card.applet.process(hex(select_apdu));
    card.answer = std::nullopt;
    EXPECT_EQ(to_hex(card.applet.process(hex("804a010001ff"))), "6985") << "no message is expected";
    EXPECT_EQ(to_hex(card.applet.answer_to_reset()), "3b8680014a5a5055525313");
}

TEST(ApduCard, MessagesOfEverySizeBothWays) {
    for (const std::size_t size : {1U, 255U, 256U, 257U, 510U, 511U, 512U, 600U, 4608U}) {
        Card card;
        Field field(card.applet);
        ApduReader reader(field);
        ASSERT_TRUE(reader.select().ok());
        const Bytes message(size, 0x42);
        card.answer = Bytes(size, 0x43);
        const auto answer = reader.exchange(message);
        ASSERT_TRUE(answer.ok()) << answer.error().to_string();
        EXPECT_EQ(*answer, card.answer) << size;
        ASSERT_EQ(card.taken, std::vector<Bytes>{message}) << size;
        const std::size_t parts = (size + 254) / 255;
        const std::size_t answers = (size + 255) / 256;
        EXPECT_EQ(reader.pairs(), 1 + parts + answers - 1) << size;
    }
}

TEST(ApduCard, TornAtEveryPairAMessageArrivesWholeOrNotAtAll) {
    const Bytes message(700, 1);
    for (int pairs = 0; pairs < 6; ++pairs) {
        Card card;
        card.answer = Bytes(600, 2);
        Field field(card.applet);
        field.pairs_until_gone = pairs;
        ApduReader torn(field);
        if (torn.select().ok()) {
            EXPECT_EQ(torn.exchange(message).error().kind(), ErrorKind::unavailable) << pairs;
        }
        EXPECT_LE(card.taken.size(), 1U);
        for (const Bytes& taken : card.taken) EXPECT_EQ(taken, message);
        field.pairs_until_gone = -1;
        ApduReader again(field);
        ASSERT_TRUE(again.select().ok());
        EXPECT_EQ(again.exchange(message).value(), card.answer) << pairs;
    }
}

TEST(ApduCard, AChainThatGrowsBeyondAMessageIsCut) {
    Card card;
    card.applet.process(hex(select_apdu));
    Bytes part = hex("904a0100ff");
    part.resize(5 + 255);
    for (int i = 0; i < 18; ++i) EXPECT_EQ(to_hex(card.applet.process(part)), "9000") << i;
    EXPECT_EQ(to_hex(card.applet.process(part)), "6700");
    EXPECT_TRUE(card.taken.empty());
}

TEST(ApduReader, ACardThatLiesAboutItsLengthIsLeft) {
    class Liar final : public keystores::CardChannel {
      public:
        Result<Bytes> transmit(ByteView) override { return Bytes{1, 2, 0x61, 0x10}; }
    } liar;
    ApduReader reader(liar);
    EXPECT_EQ(reader.exchange(Bytes{1}).error().kind(), ErrorKind::malformed);
    EXPECT_LE(reader.pairs(), max_message);
}

}  // namespace
}  // namespace jiaozi::carriers
