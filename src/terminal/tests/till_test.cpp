// A machine that sells to purses: every sale is paid once or not at all, whenever its power goes.
#include <thread>

#include <jiaozi/terminal/till.hpp>

#include "slot.hpp"

namespace jiaozi::terminal {
namespace {

using purse_host::Device;
using purse_host::World;

struct Shop {
    World world;
    Device& ann = world.device();
    Device& machine = world.device();
    Folder folder;
    std::unique_ptr<Till> till = opened();

    std::unique_ptr<Till> opened() { return Till::open(machine.purse, folder / sales_name).value(); }
    // The machine's power: what is in memory is gone.
    void restart() {
        till.reset();
        EXPECT_EQ(machine.restart(), JZ_OK);
        till = opened();
    }
};

Till::Payers one(std::unique_ptr<carriers::Link>& link) {
    return [&link](Duration) -> Result<std::unique_ptr<carriers::Link>> {
        if (!link) return Error(ErrorKind::timeout, "nobody");
        return std::move(link);
    };
}

Outcome pays(Device& payer, carriers::Link& link) {
    Payer paying(payer.purse, [](const jz_offer&) { return Decision{true, false}; });
    ignore_error(paying.pay(link, {.total = seconds(5), .answer = seconds(1), .resumes = 1}), "the outcome says it");
    return paying.outcome();
}

TEST(Till, ASaleIsPaidOnceAndKnownUntilItIsDelivered) {
    Shop shop;
    Ends ends;
    std::thread customer([&] { EXPECT_EQ(pays(shop.ann, *ends.payer), Outcome::paid); });
    EXPECT_EQ(shop.till->sell("sale-1", 350, seconds(5), one(ends.payee)).value(), Sold::paid);
    customer.join();
    ASSERT_EQ(shop.till->undelivered().size(), 1U);
    EXPECT_EQ(shop.till->sell("sale-1", 350, seconds(5), one(ends.payee)).error().kind(), ErrorKind::conflict);
    shop.restart();
    ASSERT_EQ(shop.till->undelivered().size(), 1U) << "paid, and nobody said that it was delivered";
    EXPECT_EQ(shop.till->undelivered()[0].amount, 350U);
    ASSERT_TRUE(shop.till->delivered("sale-1").ok());
    shop.restart();
    EXPECT_TRUE(shop.till->undelivered().empty());
    EXPECT_EQ(shop.machine.purse.info().received, 350U);
    EXPECT_EQ(shop.ann.spendable(), 100'000U - 350U);
}

TEST(Till, NobodyComesAndNoRequestStaysOpen) {
    Shop shop;
    std::unique_ptr<carriers::Link> nobody;
    EXPECT_EQ(shop.till->sell("sale-1", 350, seconds(5), one(nobody)).value(), Sold::nobody);
    EXPECT_EQ(shop.machine.purse.info().requests_open, 0U);
    EXPECT_FALSE(std::filesystem::exists(shop.folder / sales_name));
}

// Signed and journalled by the payer, not heard by the machine, whose power goes: voided when it is opened again.
TEST(Till, APowerCutBeforeTheCreditVoidsTheSale) {
    Shop shop;
    const auto asked =
        shop.till->sell("sale-1", 350, seconds(5), [&](Duration) -> Result<std::unique_ptr<carriers::Link>> {
            EXPECT_EQ(read_sales(shop.folder / sales_name)->size(), 1U) << "written before anybody is asked";
            return Error(ErrorKind::timeout, "nobody");
        });
    EXPECT_EQ(asked.value(), Sold::nobody);
    // What such a moment leaves behind: a sale in the book, a request in the purse, a note on its way.
    Payee payee = Payee::ask(shop.machine.purse, 350).value();
    const Bytes note = shop.ann.purse.pay(payee.request(), false).bytes;
    ASSERT_TRUE(
        write_sales(shop.folder / sales_name, {{.key = "sale-2", .amount = 350, .nonce = payee.nonce(), .paid = false}})
            .ok());
    EXPECT_EQ(shop.ann.purse.info().unknown, 350U) << "unknown stays unknown";
    shop.restart();
    EXPECT_EQ(shop.ann.purse.info().unknown, 350U) << "until the machine is asked";
    EXPECT_TRUE(shop.till->undelivered().empty());
    const auto late = shop.machine.purse.receive(note);
    EXPECT_EQ(late.status, JZ_ALREADY_VOIDED);
    EXPECT_EQ(shop.ann.purse.receive(late.bytes).status, JZ_OK);
    EXPECT_EQ(shop.ann.purse.info().void_held, 350U) << "comes back with a sync";
    EXPECT_EQ(shop.machine.purse.info().received, 0U);
}

// Credited, and the power goes before the book says so: the purse knows.
TEST(Till, APowerCutAfterTheCreditLeavesAPaidSale) {
    Shop shop;
    Payee payee = Payee::ask(shop.machine.purse, 350).value();
    ASSERT_TRUE(
        write_sales(shop.folder / sales_name, {{.key = "sale-1", .amount = 350, .nonce = payee.nonce(), .paid = false}})
            .ok());
    const Bytes note = shop.ann.purse.pay(payee.request(), false).bytes;
    EXPECT_EQ(shop.machine.purse.receive(note).status, JZ_OK);
    shop.restart();
    ASSERT_EQ(shop.till->undelivered().size(), 1U);
    EXPECT_EQ(shop.ann.purse.receive(shop.machine.purse.receive(shop.ann.purse.resume().bytes).bytes).status, JZ_OK);
    EXPECT_EQ(shop.ann.purse.info().unknown, 0U);
    EXPECT_EQ(shop.machine.purse.info().received, 350U);
}

// Taken away in the middle, held to the machine again: one sale.
TEST(Till, ATornPaymentGoesOnWithTheNextTouch) {
    Shop shop;
    Ends first;
    Ends second;
    int touches = 0;
    std::thread customer([&] {
        const auto request = first.payer->receive(seconds(5));
        EXPECT_TRUE(request.ok());
        const Bytes lost = shop.ann.purse.pay(*request, false).bytes;  // signed and journalled, and taken away
        first.payer.reset();
        Payer paying(shop.ann.purse, [](const jz_offer&) { return Decision{}; });
        ignore_error(paying.resume(*second.payer, {.total = seconds(5), .answer = seconds(1), .resumes = 1}), "asked");
        EXPECT_EQ(paying.outcome(), Outcome::paid);
    });
    const auto sold = shop.till->sell("sale-1", 350, seconds(10), [&](Duration) {
        return Result<std::unique_ptr<carriers::Link>>(std::move(touches++ == 0 ? first.payee : second.payee));
    });
    customer.join();
    EXPECT_EQ(sold.value(), Sold::paid);
    EXPECT_EQ(shop.machine.purse.info().received, 350U);
    EXPECT_EQ(shop.ann.spendable(), 100'000U - 350U);
}

TEST(Till, AFullPurseSellsNothing) {
    World world;
    Device& machine = world.device(0, {.receive_cap = 300});
    Folder folder;
    const auto till = Till::open(machine.purse, folder / sales_name).value();
    std::unique_ptr<carriers::Link> nobody;
    const auto sold = till->sell("sale-1", 350, seconds(5), one(nobody));
    ASSERT_FALSE(sold.ok());
    EXPECT_EQ(sold.error().code(), "receive_cap");
}

}  // namespace
}  // namespace jiaozi::terminal
