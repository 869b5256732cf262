// Every message there and back, and everything that is no message refused.
#include <functional>
#include <random>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <jiaozi/codec/cbor.hpp>
#include <jiaozi/protocol/protocol.hpp>

#include "samples.hpp"

namespace jiaozi::protocol {
namespace {

using samples::message;
using ::testing::HasSubstr;

TEST(Messages, SamplesHaveEveryTypeOnce) {
    std::set<MessageType> types;
    for (const Body& body : samples::bodies()) types.insert(type_of(body));
    EXPECT_EQ(types.size(), std::variant_size_v<Body>);
}

TEST(Messages, RoundTrip) {
    for (const Body& body : samples::bodies()) {
        SCOPED_TRACE(name_of(type_of(body)));
        const Message sent = message(body);
        const Bytes bytes = encode(sent);
        const auto read = decode(bytes);
        ASSERT_TRUE(read.ok()) << read.error().to_string();
        EXPECT_EQ(*read, sent);
        EXPECT_EQ(encode(*read), bytes);
    }
}

TEST(Messages, RoundTripWithoutOptionalFields) {
    const std::vector<Body> plain{
        Claim{.code = "0",
              .suite = crypto::Suite::p256,
              .public_key = samples::counting(2, 33),
              .iccid = {},
              .imsi = {},
              .imei = {}},
        Hello{},
        Heartbeat{},
        CatalogueRequest{},
        PayRequest{.payment = samples::payment,
                   .kind = PaymentKind::payment_code,
                   .slot = 1,
                   .amount = {},
                   .asset = {},
                   .code = "62",
                   .machine = {}},
        CommandAck{.payment = samples::payment, .detail = {}},
        DeliveryReport{samples::payment, DeliveryResult::failed, 0, ""},
        Catalogue{},
        BalanceAnswer{},
        ErrorAnswer{.message = {}, .seq = {}},
    };
    for (const Body& body : plain) {
        SCOPED_TRACE(name_of(type_of(body)));
        const auto read = decode(encode(message(body)));
        ASSERT_TRUE(read.ok()) << read.error().to_string();
        EXPECT_EQ(read->body, body);
    }
}

// Numbers on the wire are for ever.
TEST(Messages, TypeTable) {
    struct Row {
        int number;
        std::string_view name;
        Direction direction;
        bool session;
        bool always_signed;
    };
    const Row rows[] = {
        {1, "claim", Direction::up, false, true},
        {2, "hello", Direction::up, false, true},
        {3, "heartbeat", Direction::up, true, false},
        {4, "catalogue_request", Direction::up, true, false},
        {5, "pay_request", Direction::up, true, false},
        {6, "command_ack", Direction::up, true, false},
        {7, "delivery_report", Direction::up, true, false},
        {8, "balance_request", Direction::up, true, false},
        {9, "qr_request", Direction::up, true, false},
        {10, "rotate", Direction::up, true, true},
        {11, "purse_piece", Direction::up, true, false},
        {12, "purse_more", Direction::up, true, false},
        {101, "claimed", Direction::down, false, true},
        {102, "welcome", Direction::down, false, true},
        {103, "heartbeat_ack", Direction::down, true, false},
        {104, "catalogue", Direction::down, true, false},
        {105, "pay_answer", Direction::down, true, false},
        {107, "report_ack", Direction::down, true, false},
        {108, "balance", Direction::down, true, false},
        {109, "qr", Direction::down, true, false},
        {110, "rotated", Direction::down, true, true},
        {111, "purse_taken", Direction::down, true, false},
        {112, "purse_answer", Direction::down, true, false},
        {120, "command", Direction::down, true, false},
        {121, "probe", Direction::down, true, false},
        {122, "cancel", Direction::down, true, false},
        {199, "error", Direction::down, false, true},
    };
    ASSERT_EQ(std::size(rows), samples::bodies().size());
    for (std::size_t i = 0; i < std::size(rows); ++i) {
        const MessageType type = type_of(samples::bodies()[i]);
        EXPECT_EQ(static_cast<int>(type), rows[i].number);
        EXPECT_EQ(name_of(type), rows[i].name);
        EXPECT_EQ(direction_of(type), rows[i].direction);
        EXPECT_EQ(needs_session(type), rows[i].session);
        EXPECT_EQ(always_signed(type), rows[i].always_signed);
    }
}

TEST(Messages, EveryPrefixAndEveryExtraByteIsRefused) {
    for (const Body& body : samples::bodies()) {
        SCOPED_TRACE(name_of(type_of(body)));
        Bytes bytes = encode(message(body));
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            ASSERT_FALSE(decode(ByteView(bytes).first(size)).ok()) << size;
        }
        bytes.push_back(0);
        EXPECT_FALSE(decode(bytes).ok());
    }
}

// A changed byte either is refused or gives another message that is written as those very bytes: one value, one
// encoding.
TEST(Messages, ChangedBytesAreRefusedOrMeanSomethingElse) {
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    for (const Body& body : samples::bodies()) {
        SCOPED_TRACE(name_of(type_of(body)));
        const Message sent = message(body);
        const Bytes original = encode(sent);
        for (int i = 0; i < 2000; ++i) {
            Bytes changed = original;
            changed[random() % changed.size()] ^= static_cast<std::uint8_t>(1 + random() % 255);
            const auto read = decode(changed);
            if (!read.ok()) continue;
            EXPECT_NE(*read, sent);
            EXPECT_EQ(encode(*read), changed);
        }
    }
}

// Writes a payload by hand: what our own encoder cannot say.
struct Hand {
    std::uint64_t type = 3;
    Bytes device = samples::counting(1, 16);
    std::optional<Bytes> session = samples::counting(1, 8);
    std::uint64_t seq = 1;
    std::function<void(codec::CborWriter&)> body = [](codec::CborWriter& out) { out.map(1).uint(1).uint(0); };
    bool extra_key = false;
};

Bytes write(const Hand& hand) {
    codec::CborWriter out;
    out.map(5U + (hand.session ? 1U : 0U) + (hand.extra_key ? 1U : 0U));
    out.uint(1).uint(hand.type).uint(2).bytes(hand.device);
    if (hand.session) out.uint(3).bytes(*hand.session);
    out.uint(4).uint(hand.seq).uint(5).uint(samples::time_ms).uint(6);
    hand.body(out);
    if (hand.extra_key) out.uint(7).uint(0);
    return out.take();
}

using Out = codec::CborWriter;

Out& pay_request(Out& out, std::uint64_t keys, std::uint64_t kind, std::uint64_t slot, std::uint64_t quantity) {
    return out.map(keys)
        .uint(1)
        .bytes(samples::counting(1, 16))
        .uint(2)
        .uint(kind)
        .uint(3)
        .uint(slot)
        .uint(4)
        .uint(quantity);
}

TEST(Messages, Malformed) {
    struct Row {
        std::string_view what;
        Hand hand;
        std::string_view says;
    };
    const std::string long_text(65, 'x');
    const Bytes machine = samples::counting(9, 16);
    const Row rows[] = {
        {"a type nobody has", {.type = 106}, "unknown message type 106"},
        {"a type above all", {.type = 1ULL << 40}, "unknown message type"},
        {"a short device id", {.device = samples::counting(1, 15)}, "device has 15"},
        {"the device zero", {.device = Bytes(16, 0)}, "device is zero"},
        {"no session where one must be", {.session = std::nullopt}, "heartbeat must have a session"},
        {"a session in a hello", {.type = 2}, "hello must not have a session"},
        {"a long session id", {.session = samples::counting(1, 9)}, "session has 9"},
        {"the number zero", {.seq = 0}, "seq is out of range"},
        {"a key beside the body", {.extra_key = true}, "unknown key 7"},
        {"an unknown key in the body",
         {.body = [](Out& out) { out.map(2).uint(1).uint(0).uint(3).uint(0); }},
         "unknown key 3"},
        {"a missing key in the body", {.body = [](Out& out) { out.map(0); }}, "missing field 1 (status)"},
        {"a body that is no map", {.body = [](Out& out) { out.array(0); }}, "map"},
        {"a status nobody has", {.body = [](Out& out) { out.map(1).uint(1).uint(3); }}, "status is not one"},
        {"text for a number", {.body = [](Out& out) { out.map(1).uint(1).text("0"); }}, "status"},
        {"a short probe",
         {.body = [](Out& out) { out.map(2).uint(1).uint(0).uint(2).bytes(samples::counting(1, 7)); }},
         "probe has 7"},
        {"an optional number written as zero",
         {.type = 4, .body = [](Out& out) { out.map(1).uint(1).uint(0); }},
         "after is out of range"},
        {"slot 0",
         {.type = 5, .body = [&](Out& out) { pay_request(out, 5, 2, 0, 1).uint(8).bytes(machine); }},
         "slot is out of range"},
        {"quantity 0",
         {.type = 5, .body = [&](Out& out) { pay_request(out, 5, 2, 1, 0).uint(8).bytes(machine); }},
         "quantity is out of range"},
        {"quantity beyond 32 bits",
         {.type = 5, .body = [&](Out& out) { pay_request(out, 5, 2, 1, 1ULL << 32).uint(8).bytes(machine); }},
         "quantity is out of range"},
        {"kind person",
         {.type = 5, .body = [&](Out& out) { pay_request(out, 5, 3, 1, 1).uint(8).bytes(machine); }},
         "kind must be 2 or 4"},
        {"kind device with no machine",
         {.type = 5, .body = [](Out& out) { pay_request(out, 4, 2, 1, 1); }},
         "kind 2 has a machine"},
        {"kind device with a code",
         {.type = 5, .body = [&](Out& out) { pay_request(out, 6, 2, 1, 1).uint(7).text("62").uint(8).bytes(machine); }},
         "kind 2 has a machine"},
        {"kind code with no code",
         {.type = 5, .body = [](Out& out) { pay_request(out, 4, 4, 1, 1); }},
         "kind 4 has a code"},
        {"kind code with a machine",
         {.type = 5, .body = [&](Out& out) { pay_request(out, 6, 4, 1, 1).uint(7).text("62").uint(8).bytes(machine); }},
         "kind 4 has a code"},
        {"an amount of nothing",
         {.type = 5, .body = [&](Out& out) { pay_request(out, 6, 2, 1, 1).uint(5).uint(7).uint(8).bytes(machine); }},
         "amount and asset go together"},
        {"an asset of no amount",
         {.type = 5,
          .body = [&](Out& out) { pay_request(out, 6, 2, 1, 1).uint(6).text("CNY").uint(8).bytes(machine); }},
         "amount and asset go together"},
        {"a long asset",
         {.type = 5,
          .body =
              [&](Out& out) {
                  pay_request(out, 7, 2, 1, 1).uint(5).uint(7).uint(6).text("ABCDEFGHIJKL").uint(8).bytes(machine);
              }},
         "asset has 12"},
        {"a long code",
         {.type = 5, .body = [&](Out& out) { pay_request(out, 5, 4, 1, 1).uint(7).text(long_text); }},
         "code has 65"},
        {"an empty detail",
         {.type = 6,
          .body =
              [](Out& out) {
                  out.map(4)
                      .uint(1)
                      .bytes(samples::counting(1, 16))
                      .uint(2)
                      .uint(1)
                      .uint(3)
                      .boolean(true)
                      .uint(4)
                      .text("");
              }},
         "detail has 0"},
        {"a payment id of 8 bytes",
         {.type = 6,
          .body =
              [](Out& out) {
                  out.map(3).uint(1).bytes(samples::counting(1, 8)).uint(2).uint(1).uint(3).boolean(true);
              }},
         "payment has 8"},
        {"failed and delivered",
         {.type = 7,
          .body = [](Out& out) { out.map(3).uint(1).bytes(samples::counting(1, 16)).uint(2).uint(3).uint(3).uint(1); }},
         "delivered is 0 exactly"},
        {"delivered nothing",
         {.type = 7,
          .body = [](Out& out) { out.map(3).uint(1).bytes(samples::counting(1, 16)).uint(2).uint(1).uint(3).uint(0); }},
         "delivered is 0 exactly"},
        {"a result nobody has",
         {.type = 7,
          .body = [](Out& out) { out.map(3).uint(1).bytes(samples::counting(1, 16)).uint(2).uint(4).uint(3).uint(1); }},
         "result is not one"},
        {"an Ed25519 key of 33 bytes",
         {.type = 10,
          .body =
              [](Out& out) {
                  out.map(3).uint(1).uint(1).uint(2).bytes(samples::counting(1, 33)).uint(3).bytes(Bytes(64));
              }},
         "suite's length"},
        {"a suite nobody has",
         {.type = 10,
          .body =
              [](Out& out) {
                  out.map(3).uint(1).uint(4).uint(2).bytes(samples::counting(1, 33)).uint(3).bytes(Bytes(64));
              }},
         "suite is not one"},
        {"a short proof",
         {.type = 10,
          .body =
              [](Out& out) {
                  out.map(3).uint(1).uint(2).uint(2).bytes(samples::counting(1, 33)).uint(3).bytes(Bytes(63));
              }},
         "proof has 63"},
        {"an error code nobody has",
         {.type = 199,
          .session = std::nullopt,
          .body = [](Out& out) { out.map(3).uint(1).text("why").uint(2).text("").uint(4).uint(1); }},
         "unknown error code"},
        {"a number for a boolean",
         {.type = 104, .body = [](Out& out) { out.map(2).uint(1).array(0).uint(2).uint(1); }},
         "more"},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.what);
        const auto read = decode(write(row.hand));
        ASSERT_FALSE(read.ok());
        EXPECT_EQ(read.error().kind(), ErrorKind::malformed);
        EXPECT_THAT(read.error().message(), HasSubstr(std::string(row.says)));
    }
    EXPECT_TRUE(decode(write({})).ok());  // what the rows deviate from
}

TEST(Messages, TextMustBeUtf8AndNumbersShortest) {
    Bytes bytes = encode(message(CommandAck{samples::payment, 4, false, "door"}));
    const auto text = std::ranges::search(bytes, as_bytes("door"));
    *text.begin() = 0xff;
    EXPECT_FALSE(decode(bytes).ok());

    const Bytes heartbeat = encode(message(Heartbeat{}));
    ASSERT_EQ(heartbeat[1], 1);
    ASSERT_EQ(heartbeat[2], 3);
    Bytes longer(heartbeat.begin(), heartbeat.begin() + 2);
    longer.push_back(0x18);  // 3 in two bytes
    longer.insert(longer.end(), heartbeat.begin() + 2, heartbeat.end());
    EXPECT_FALSE(decode(longer).ok());
}

TEST(Messages, TooLarge) {
    const auto read = decode(Bytes(max_payload + 1, 0xa0));
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.error().kind(), ErrorKind::too_large);
}

TEST(Refusals, NamesAreDistinctAndParse) {
    std::set<std::string_view> names;
    for (const RefusalCode code : all_refusal_codes) {
        names.insert(name_of(code));
        EXPECT_EQ(parse_refusal_code(name_of(code)), code);
    }
    EXPECT_EQ(names.size(), all_refusal_codes.size());
    EXPECT_EQ(parse_refusal_code("ok"), std::nullopt);
}

TEST(Topics, ThereAndBack) {
    EXPECT_EQ(up_topic(samples::device), "jz/1/d/" + samples::device.to_string() + "/up");
    EXPECT_EQ(parse_up_topic(up_topic(samples::device)), samples::device);
    EXPECT_EQ(parse_down_topic(down_topic(samples::device)), samples::device);
    const std::string id = samples::device.to_string();
    std::string lower = id;
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    for (const std::string& topic :
         {std::string(), std::string("jz/1/d//up"), "jz/1/d/" + id + "/down", "jz/1/d/" + lower + "/up",
          "jz/2/d/" + id + "/up", "jz/1/d/" + id + "/up/up", "/jz/1/d/" + id + "/up", std::string("jz/1/d/up"),
          "jz/1/d/" + DeviceId().to_string() + "/up", "jz/1/d/pay" + id.substr(3) + "/up"}) {
        EXPECT_EQ(parse_up_topic(topic), std::nullopt) << topic;
    }
}

}  // namespace
}  // namespace jiaozi::protocol
