// The grammar of docs/formats/annotation.md: round trips, and what is refused.
#include <random>

#include <gtest/gtest.h>

#include <jiaozi/payments/annotation.hpp>

namespace jiaozi::payments {
namespace {

Payment full_payment() {
    Payment p;
    p.id = PaymentId(make_uint128(1, 2));
    p.kind = PaymentKind::qr;
    p.amount = Amount(make_uint128(5, 7), assets::CNY);
    p.payer_wallet = WalletId(3);
    p.payer_member = MemberId(4);
    p.payee_wallet = WalletId(5);
    p.device = DeviceId(6);
    p.payer_device = DeviceId(7);
    p.product = ProductId(8);
    p.slot = 9;
    p.quantity = UINT32_MAX;
    p.request_hash = Bytes(16, 0xAB);
    return p;
}

template <class F>
F round_trip(const F& fact) {
    const Bytes bytes = encode(fact);
    EXPECT_LE(bytes.size(), max_annotation_bytes);
    const auto decoded = decode_annotation(bytes);
    EXPECT_TRUE(decoded.ok()) << decoded.error().to_string();
    EXPECT_EQ(encode(std::get<F>(**decoded)), bytes);
    return std::get<F>(**decoded);
}

TEST(Annotation, RoundTrips) {
    const PaymentFact hold = round_trip(PaymentFact{Attempt::hold, full_payment(), {1, 2, 3, 4}, 60});
    EXPECT_EQ(hold.attempt, Attempt::hold);
    EXPECT_EQ(hold.payment.amount, full_payment().amount);
    EXPECT_EQ(hold.payment.quantity, UINT32_MAX);
    EXPECT_EQ(hold.shape, (ChainShape{1, 2, 3, 4}));
    EXPECT_EQ(hold.hold_s, 60U);
    EXPECT_EQ(round_trip(PaymentFact{Attempt::pay, full_payment(), {}, 0}).payment.request_hash, Bytes(16, 0xAB));
    Payment bare;
    bare.id = PaymentId(1);
    bare.state = PaymentState::failed;
    bare.reason = Reason::device_offline;
    const PaymentFact refused = round_trip(PaymentFact{Attempt::refuse, bare, {}, 0});
    EXPECT_EQ(refused.payment.reason, Reason::device_offline);
    EXPECT_EQ(refused.payment.quantity, 1U);
    EXPECT_EQ(round_trip(ReportFact{PaymentId(1), DeliveryResult::partial, 3, uint128_max}).captured, uint128_max);
    EXPECT_EQ(round_trip(ReleaseFact{PaymentId(1), Reason::cancelled}).reason, Reason::cancelled);
    EXPECT_EQ(round_trip(LateReportFact{PaymentId(1), 3}).delivered, 3U);
    EXPECT_EQ(round_trip(RefundFact{PaymentId(1), RefundId(2), 3}).amount, 3U);
    EXPECT_EQ(round_trip(DepositFact{DepositId(1), WalletId(2), {3, assets::EUR}}).amount, Amount(3, assets::EUR));
}

TEST(Annotation, OfOthersAndNoneAreSkipped) {
    EXPECT_FALSE(decode_annotation({})->has_value());
    EXPECT_FALSE(decode_annotation(*from_hex("a1011821"))->has_value()) << "kind 33";
    EXPECT_FALSE(decode_annotation(*from_hex("a20109024100"))->has_value()) << "kind 9, with something in it";
}

TEST(Annotation, BrokenOnesAreErrors) {
    const std::string id = "50" + std::string(32, '1');
    const std::vector<std::pair<std::string, std::string>> table = {
        {"not CBOR", "ff"},
        {"not a map", "01"},
        {"no kind", "a0"},
        {"a key too many", "a4010502" + id + "03320400"},
        {"a field is missing", "a2010502" + id},
        {"a short id", "a3010502410103182f"},
        {"a reason that does not exist", "a3010502" + id + "031863"},
        {"a result that does not exist", "a3010402" + id + "0304"},
        {"a wide amount that is not wide", "a4010702" + id + "03" + id + "0450" + std::string(32, '0')},
        {"something behind it", "a3010602" + id + "030100"},
    };
    for (const auto& [name, hex] : table) {
        SCOPED_TRACE(name);
        EXPECT_FALSE(decode_annotation(*from_hex(hex)).ok());
    }
}

// Whatever one byte is changed to, decoding answers, and what it takes it writes the same again.
TEST(Annotation, SurvivesDamage) {
    const std::uint64_t seed = std::random_device{}();
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    const Bytes whole = encode(PaymentFact{Attempt::hold, full_payment(), {1, 2, 3, 4}, 60});
    for (int i = 0; i < 20'000; ++i) {
        Bytes damaged = whole;
        damaged[random() % damaged.size()] = static_cast<std::uint8_t>(random());
        if (random() % 4 == 0) damaged.resize(random() % damaged.size());
        const auto decoded = decode_annotation(damaged);
        if (!decoded.ok() || !decoded->has_value()) continue;
        const Bytes again = std::visit([](const auto& fact) { return encode(fact); }, **decoded);
        EXPECT_LE(again.size(), damaged.size()) << "absent means the default, so it can only get shorter";
    }
}

}  // namespace
}  // namespace jiaozi::payments
