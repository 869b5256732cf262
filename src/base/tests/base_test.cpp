#include <unordered_set>

#include <gtest/gtest.h>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/clock.hpp>
#include <jiaozi/base/duration_histogram.hpp>
#include <jiaozi/base/id.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/base/token_bucket.hpp>
#include <jiaozi/base/uint128.hpp>

namespace jiaozi {
namespace {

struct PaymentTag {
    static constexpr std::string_view prefix = "pay";
};
using PaymentId = Id<PaymentTag>;

Result<int> half(int value) {
    if (value % 2 != 0) return Error(ErrorKind::invalid, "odd").with_param("value");
    return value / 2;
}

Result<int> quarter(int value) {
    JZ_TRY(const int once, half(value));
    JZ_TRY(const int twice, half(once));
    return twice;
}

Result<> must_be_even(int value) {
    JZ_CHECK(half(value));
    return {};
}

TEST(Result, CarriesAValueOrPropagatesTheFirstError) {
    EXPECT_EQ(quarter(8).value(), 2);
    const auto refused = quarter(6);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind(), ErrorKind::invalid);
    EXPECT_EQ(refused.error().to_string(), "invalid: value: odd");
    EXPECT_TRUE(must_be_even(2).ok());
    EXPECT_FALSE(must_be_even(3).ok());
}

TEST(ResultDeathTest, ReadingAMissingValueIsABug) {
    const auto refused = half(1);
    EXPECT_DEATH(static_cast<void>(refused.value()), "jiaozi: bug");
}

TEST(Error, SaysWhatWasBeingDone) {
    EXPECT_EQ(errno_error("open journal", 28).to_string(), "io: open journal: No space left on device");
    EXPECT_EQ(Error(ErrorKind::declined, "x").with_code("insufficient_funds").code(), "insufficient_funds");
}

TEST(Hex, RoundTripsAndRefusesAnythingElse) {
    EXPECT_EQ(to_hex(from_hex("00fFa5").value()), "00ffa5");
    for (const char* bad : {"0", "0g", "zz", " 00", "0x00"}) EXPECT_FALSE(from_hex(bad).ok()) << bad;
}

TEST(Decimal, RoundTripsTheWholeRangeAndRefusesAnythingElse) {
    EXPECT_EQ(to_decimal(0), "0");
    EXPECT_EQ(to_decimal(uint128_max), "340282366920938463463374607431768211455");
    EXPECT_EQ(parse_decimal("340282366920938463463374607431768211455").value(), uint128_max);
    for (const char* bad : {"", "-1", "+1", "01", "1.0", "1e3", " 1", "340282366920938463463374607431768211456"}) {
        EXPECT_FALSE(parse_decimal(bad).ok()) << bad;
    }
}

TEST(Id, TextNamesItsKindAndRoundTrips) {
    const PaymentId id(make_uint128(0x018bcfe568000000ULL, 0x123456789abcdef0ULL));
    const std::string text = id.to_string();
    EXPECT_EQ(text.size(), 30U);
    EXPECT_EQ(PaymentId::parse(text).value(), id);
    std::string lower = text;
    for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    EXPECT_EQ(PaymentId::parse(lower).value(), id);
    EXPECT_EQ(PaymentId::parse(PaymentId(uint128_max).to_string()).value().value, uint128_max);
    for (const std::string& bad : {std::string("pay_"), "dev" + text.substr(3), text + "0", text.substr(0, 29) + "U",
                                   "pay_8" + std::string(25, '0')}) {
        EXPECT_FALSE(PaymentId::parse(bad).ok()) << bad;
    }
}

TEST(Clock, TheTestClockMovesOnlyWhenTold) {
    TestClock clock(timestamp_s(100));
    EXPECT_EQ(clock.now(), timestamp_s(100));
    clock.advance(seconds(5));
    EXPECT_EQ(clock.now() - timestamp_s(100), seconds(5));
    ShiftedClock shifted;
    const Timestamp before = shifted.now();
    shifted.advance(seconds(3600));
    EXPECT_GE(shifted.now() - before, seconds(3600));
}

// Ten tokens a second, five at once.
class TenASecond {
  public:
    bool take(std::uint32_t count = 1) { return bucket_.take(now_, 10, 5, count); }
    int taken_of(int tries) {
        int count = 0;
        for (int i = 0; i < tries; ++i) count += take() ? 1 : 0;
        return count;
    }
    void set_clock(Timestamp now) { now_ = now; }
    void wait(Duration duration) { now_ = now_ + duration; }

  private:
    TokenBucket bucket_;
    Timestamp now_ = timestamp_s(1000);
};

TEST(TokenBucket, GivesABurstThenItsRateAndIsFullAgainWhenTheClockWasSetBack) {
    TenASecond bucket;
    EXPECT_EQ(bucket.taken_of(100), 5);
    bucket.wait(milliseconds(100));
    EXPECT_EQ(bucket.taken_of(100), 1);
    bucket.wait(seconds(3600));
    EXPECT_EQ(bucket.taken_of(100), 5);
    bucket.set_clock(timestamp_s(10));
    EXPECT_EQ(bucket.taken_of(100), 5);
}

TEST(TokenBucket, TakesAllOfSeveralOrNoneAndOwesForMoreThanABurst) {
    TenASecond bucket;
    EXPECT_TRUE(bucket.take(3));
    EXPECT_FALSE(bucket.take(3));
    EXPECT_TRUE(bucket.take(2));
    bucket.wait(milliseconds(400));
    EXPECT_FALSE(bucket.take(20)) << "only a full one gives more than a burst";
    bucket.wait(milliseconds(100));
    EXPECT_TRUE(bucket.take(20));
    bucket.wait(milliseconds(1500));
    EXPECT_EQ(bucket.taken_of(1), 0) << "fifteen of twenty are paid back: it is empty, and owes no more";
    bucket.wait(milliseconds(100));
    EXPECT_EQ(bucket.taken_of(100), 1);
}

TEST(RateLimit, EachKeyHasItsOwnAndZeroIsNoLimit) {
    RateLimit<int> limit(1, 2);
    const Timestamp now = timestamp_s(1000);
    for (const int key : {7, 8}) {
        EXPECT_TRUE(limit.allow(key, now));
        EXPECT_TRUE(limit.allow(key, now));
        EXPECT_FALSE(limit.allow(key, now));
    }
    EXPECT_TRUE(limit.allow(7, now + seconds(1)));
    EXPECT_FALSE(limit.allow(8, now));
    RateLimit<int> none(0, 1);
    for (int i = 0; i < 1000; ++i) EXPECT_TRUE(none.allow(7, now));
}

TEST(DurationHistogram, CountsByUpperBoundsAndSaysSoInThePrometheusFormat) {
    DurationHistogram times;
    for (const Duration took : {microseconds(100), Duration{100'001}, milliseconds(3), seconds(3600), Duration{-5}})
        times.count(took);
    EXPECT_EQ(times.total(), 5U);
    EXPECT_EQ(times.above(0), 3U) << "a bound belongs to its bucket, and a clock that went back took no time";
    EXPECT_EQ(times.above(1), 2U);
    EXPECT_EQ(times.above(DurationHistogram::bounds_us.size() - 1), 1U);
    const std::string text = times.text("wait_seconds", "route=\"GET /\"");
    EXPECT_TRUE(
        text.starts_with("wait_seconds_bucket{route=\"GET /\",le=\"0.0001\"} 2\n"
                         "wait_seconds_bucket{route=\"GET /\",le=\"0.00025\"} 3\n"))
        << text;
    EXPECT_TRUE(
        text.ends_with("wait_seconds_bucket{route=\"GET /\",le=\"30\"} 4\n"
                       "wait_seconds_bucket{route=\"GET /\",le=\"+Inf\"} 5\n"
                       "wait_seconds_sum{route=\"GET /\"} 3600.0032\n"
                       "wait_seconds_count{route=\"GET /\"} 5\n"))
        << text;
    EXPECT_TRUE(times.text("wait_seconds", "").ends_with("wait_seconds_count 5\n"));
}

}  // namespace
}  // namespace jiaozi
