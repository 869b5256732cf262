// What two purses do for each other after a payment, over a link.
#include <thread>

#include <jiaozi/terminal/open_deals.hpp>
#include <jiaozi/terminal/payment.hpp>

#include "slot.hpp"

namespace jiaozi::terminal {
namespace {

using purse_host::Device;
using purse_host::World;

constexpr Patience brief{.total = seconds(10), .answer = seconds(2), .resumes = 1};

struct Street {
    World world;
    Folder folder;
    Bytes deposit_key = Bytes(31, 0x42);

    Street() { deposit_key.push_back(0x09); }
    Favours favours(Device& device, const char* name) { return {device.purse, deposit_key, folder / name}; }

    // Each gives from a book of its own name; null: it does nothing for others.
    std::pair<Outcome, Outcome> meet(Device& payer, const char* payers, Device& payee, const char* payees) {
        Ends ends;
        Favours of_payer = favours(payer, payers != nullptr ? payers : "none");
        Favours of_payee = favours(payee, payees != nullptr ? payees : "none");
        Payee asking = Payee::ask(payee.purse, 10).value();
        if (payees != nullptr) asking.with(&of_payee);
        Payer paying(
            payer.purse, [](const jz_offer&) { return Decision{true, false}; },
            payers != nullptr ? &of_payer : nullptr);
        std::thread other([&] {
            ignore_error(asking.serve(*ends.payee, brief), "its outcome is read");
            ends.payee.reset();
        });
        ignore_error(paying.pay(*ends.payer, brief), "its outcome is read");
        other.join();
        return {paying.outcome(), asking.outcome()};
    }
    static std::uint32_t carried(const Device& device) { return device.purse.trust_info().carried; }
};

constexpr std::pair paid{Outcome::paid, Outcome::credited};

TEST(Favours, WhoMeetsCarriesForTheOther) {
    Street street;
    Device& ann = street.world.device();
    Device& bob = street.world.device();
    Device& eve = street.world.device();
    EXPECT_EQ(street.meet(ann, "ann", bob, "bob"), paid);
    EXPECT_EQ(street.carried(ann), 1U) << "bob's deposit of what he was paid just now";
    EXPECT_EQ(street.meet(bob, "bob", eve, "eve"), paid);
    EXPECT_EQ(street.carried(eve), 1U) << "the payer gives too";
    EXPECT_EQ(street.meet(eve, "eve", bob, "bob"), paid);
    EXPECT_EQ(read_given(street.folder / "bob").value().size(), 2U);
    EXPECT_EQ(street.carried(eve), 3U) << "the new one, and the first for the third time";
}

TEST(Favours, ADepositIsGivenToThree) {
    Street street;
    Device& bob = street.world.device();
    std::vector<Device*> customers;
    for (int i = 0; i < 6; ++i) {
        customers.push_back(&street.world.device());
        EXPECT_EQ(street.meet(*customers.back(), nullptr, bob, nullptr), paid);
    }
    Favours favours = street.favours(bob, "bob");
    for (const std::size_t wanted : {6U, 6U, 6U, 0U}) EXPECT_EQ(favours.give().value().size(), wanted);
    const std::vector<Given> given = read_given(street.folder / "bob").value();
    EXPECT_EQ(given.size(), 6U);
    for (const Given& one : given) EXPECT_EQ(one.copies, Favours::copies);
}

TEST(Favours, WithoutAKeyOrWithASpoiltBookNothingIsGivenAndEverythingIsPaid) {
    Street street;
    Device& ann = street.world.device();
    Device& bob = street.world.device();
    Favours keyless(bob.purse, {}, street.folder / "bob");
    EXPECT_EQ(street.meet(ann, nullptr, bob, nullptr), paid);
    EXPECT_TRUE(keyless.give().value().empty());
    std::filesystem::create_directory(street.folder / "spoilt");
    EXPECT_FALSE(street.favours(bob, "spoilt").give().ok());
    EXPECT_EQ(street.meet(ann, "ann", bob, "spoilt"), paid);
    EXPECT_EQ(street.carried(ann), 0U);
    EXPECT_EQ(bob.purse.info().received, 20U);
}

// A peer that talks on for ever after it was paid: the payer goes.
TEST(Favours, WhoTalksForEverIsLeft) {
    Street street;
    Device& ann = street.world.device();
    Device& bob = street.world.device();
    ASSERT_TRUE(purse_host::transfer(ann, bob, 10).ok());
    Ends ends;
    std::thread talker([&] {
        for (int i = 0; i < 200; ++i) {
            if (!ends.payee->send(Bytes(100, 0x08)).ok()) return;
        }
    });
    street.favours(ann, "ann").keep_company(*ends.payer);
    ends.payer.reset();
    talker.join();
    EXPECT_EQ(ann.purse.info().spendable, 100'000U - 10U);
}

}  // namespace
}  // namespace jiaozi::terminal
