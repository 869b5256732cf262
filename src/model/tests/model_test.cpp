#include <gtest/gtest.h>

#include <jiaozi/model/enums.hpp>

namespace jiaozi {
namespace {

// The numbers stand in the journal, on the wire and in SQL: this table is what "stable" means.
TEST(Enums, NumbersAndNamesAreFrozen) {
    EXPECT_EQ(static_cast<int>(PaymentState::authorized), 2);
    EXPECT_EQ(static_cast<int>(PaymentState::failed), 6);
    EXPECT_EQ(static_cast<int>(Reason::insufficient_funds), 12);
    EXPECT_EQ(static_cast<int>(Reason::ledger_refused), 13);
    EXPECT_EQ(static_cast<int>(Reason::device_busy), 33);
    EXPECT_EQ(static_cast<int>(Reason::cancelled), 51);
    EXPECT_EQ(static_cast<int>(DeviceKind::terminal), 7);
    EXPECT_EQ(static_cast<int>(PaymentKind::qr), 5);
    EXPECT_EQ(name_of(Reason::device_silent), "device_silent");
}

TEST(Enums, EveryNameParsesBackAndTheRestIsRefusedWithTheChoices) {
    for (int number = 1; number <= 5; ++number) {
        const auto kind = static_cast<PaymentKind>(number);
        EXPECT_EQ(parse_payment_kind(name_of(kind)).value(), kind);
    }
    const auto refused = parse_role("boss");
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().message(), "is not a role; use one of owner admin member");
}

}  // namespace
}  // namespace jiaozi
