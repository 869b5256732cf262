// A tap: the payer's purse is a card in a real reader stack (pcscd, vsmartcard's vpcd), the payee's terminal the
// reader.
#include <thread>

#include <gtest/gtest.h>

#include <jiaozi/keystores/virtual_card.hpp>
#include <jiaozi/terminal/reader.hpp>

#include "virtual_reader.hpp"
#include "world.hpp"

namespace jiaozi::terminal {
namespace {

using jiaozi::testing::can_connect;
using jiaozi::testing::eventually;
using jiaozi::testing::VirtualReader;
using purse_host::Device;
using purse_host::World;

Decision agree(const jz_offer&) {
    return {.pay = true, .cvm = false};
}

TEST(Tap, AFirstMeetingIsFivePairsOfShortApdus) {
    for (const auto suite : {crypto::Suite::ed25519, crypto::Suite::p256, crypto::Suite::sm2}) {
        World world(suite);
        Device& ann = world.device();
        Device& bob = world.device();
        Payer payer(ann.purse, agree);
        const auto card = as_card(payer);
        class Field final : public keystores::CardChannel {
          public:
            explicit Field(carriers::ApduCard& c) : card_(c) {}
            Result<Bytes> transmit(ByteView apdu) override {
                EXPECT_LE(apdu.size(), 261U);
                return card_.process(apdu);
            }

          private:
            carriers::ApduCard& card_;
        } field(*card);
        Payee payee = Payee::ask(bob.purse, 500).value();
        carriers::ApduReader reader(field);
        EXPECT_EQ(take_from_card(payee, reader).value(), Outcome::credited);
        EXPECT_EQ(payer.outcome(), Outcome::paid);
        EXPECT_EQ(reader.pairs(), 5U) << crypto::name_of(suite);
        EXPECT_EQ(bob.spendable(), 100'500U);
    }
}

TEST(Tap, TakenAwayAtEveryPairAndPutBackItIsPaidOnce) {
    for (int pairs = 0; pairs < 5; ++pairs) {
        World world;
        Device& ann = world.device();
        Device& bob = world.device();
        Payer payer(ann.purse, agree);
        const auto card = as_card(payer);
        class Field final : public keystores::CardChannel {
          public:
            explicit Field(carriers::ApduCard& c) : card_(c) {}
            // Every other time the card has the command and only its answer is lost.
            Result<Bytes> transmit(ByteView apdu) override {
                if (left-- != 0) return card_.process(apdu);
                if (answer_lost) card_.process(apdu);
                card_.reset();
                return Error(ErrorKind::unavailable, "taken away");
            }
            int left = -1;
            bool answer_lost = false;

          private:
            carriers::ApduCard& card_;
        } field(*card);
        Payee payee = Payee::ask(bob.purse, 500).value();
        for (const bool lost : {false, true}) {
            field.left = pairs;
            field.answer_lost = lost;
            carriers::ApduReader torn(field);
            const auto taken = take_from_card(payee, torn);
            EXPECT_TRUE(!taken.ok() || pairs == 4);
        }
        field.left = -1;
        carriers::ApduReader reader(field);
        EXPECT_EQ(take_from_card(payee, reader).value(), Outcome::credited) << pairs;
        EXPECT_EQ(ann.spendable(), 99'500U);
        EXPECT_EQ(bob.spendable(), 100'500U);
        EXPECT_EQ(ann.purse.info().payments_unknown, 0U) << pairs;
    }
}

TEST(Tap, ThroughPcscdAndTheVirtualReader) {
    if (const std::string missing = VirtualReader::missing(); !missing.empty()) GTEST_SKIP() << "SKIPPED: " << missing;
    VirtualReader daemon;
    ASSERT_TRUE(daemon.start()) << daemon.log();
    ASSERT_TRUE(eventually([] { return can_connect(keystores::vpcd_port); })) << daemon.log();
    World world(crypto::Suite::p256);
    Device& ann = world.device();
    Device& bob = world.device();
    Payer payer(ann.purse, agree);
    const auto card = as_card(payer);
    // The phone: a thread that only answers APDUs. It ends when pcscd does.
    std::thread phone([&] {
        for (int i = 0; i < 100; ++i) {
            const auto served = keystores::run_virtual_card(*card);
            if (served.ok()) return;
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
    });
    Result<std::unique_ptr<keystores::CardChannel>> channel = Error(ErrorKind::unavailable, "not yet");
    EXPECT_TRUE(eventually([&] {
        channel = keystores::open_pcsc_channel("Virtual PCD");
        return channel.ok();
    })) << daemon.log();
    if (channel.ok()) {
        Payee payee = Payee::ask(bob.purse, 500).value();
        carriers::ApduReader reader(**channel);
        const auto taken = take_from_card(payee, reader);
        EXPECT_TRUE(taken.ok() && *taken == Outcome::credited) << (taken.ok() ? "" : taken.error().to_string());
        EXPECT_EQ(reader.pairs(), 5U);
        channel = Error(ErrorKind::unavailable, "done");
    }
    daemon.stop();
    phone.join();
    EXPECT_EQ(payer.outcome(), Outcome::paid);
    EXPECT_EQ(ann.spendable(), 99'500U);
    EXPECT_EQ(bob.spendable(), 100'500U);
}

}  // namespace
}  // namespace jiaozi::terminal
