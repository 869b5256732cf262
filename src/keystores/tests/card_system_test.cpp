// The card in a real reader stack: pcscd with vsmartcard's vpcd, opensc-tool, and our own PC/SC side.
#include <gtest/gtest.h>

#include "card_fixture.hpp"
#include "process.hpp"
#include "virtual_reader.hpp"

namespace jiaozi::keystores::testing {
namespace {

using jiaozi::testing::ChildProcess;
using jiaozi::testing::eventually;
using jiaozi::testing::find_program;
using jiaozi::testing::TemporaryFolder;
using jiaozi::testing::text_of;
using jiaozi::testing::VirtualReader;

class CardSystem : public ::testing::Test {
  protected:
    void SetUp() override {
        if (find_program("opensc-tool").empty()) GTEST_SKIP() << "SKIPPED: opensc is not installed";
        if (const std::string missing = VirtualReader::missing(); !missing.empty())
            GTEST_SKIP() << "SKIPPED: " << missing;
        ASSERT_TRUE(daemon.start()) << daemon.log();
        insert();
    }
    void TearDown() override {
        card.stop(SIGKILL);
        daemon.stop();
    }
    void insert() {
        ASSERT_TRUE(card.start({JIAOZI_VCARD, (folder / "card").string()}, folder / "card.log"));
        ASSERT_TRUE(eventually([&] { return !card.running() || open_pcsc_channel("Virtual PCD").ok(); })) << log();
        ASSERT_TRUE(card.running()) << log();
    }
    // By killing its process: what it had not written is gone.
    void take_out() {
        card.stop(SIGKILL);
        ASSERT_TRUE(eventually([] { return !open_pcsc_channel("Virtual PCD").ok(); })) << log();
    }
    std::string log() const { return daemon.log() + text_of(folder / "card.log"); }
    std::string opensc(std::vector<std::string> arguments) {
        const auto out = folder / "opensc.out";
        std::filesystem::remove(out);
        arguments.insert(arguments.begin(), find_program("opensc-tool"));
        ChildProcess tool;
        if (!tool.start(arguments, out)) return "opensc-tool did not start";
        tool.wait();
        return text_of(out);
    }

    TemporaryFolder folder;
    VirtualReader daemon;
    ChildProcess card;
};

TEST_F(CardSystem, OpenscSeesTheCardAndItAnswers) {
    const std::string readers = opensc({"--list-readers"});
    EXPECT_NE(readers.find("Virtual PCD"), std::string::npos) << readers;
    const std::string atr = opensc({"--atr"});
    EXPECT_NE(atr.find("3b:86:80:01:4a:5a:43:41:52:44:03"), std::string::npos) << atr << log();
    const std::string answer = opensc({"-s", "00A4040008F04A5A4341524401", "-s", "0084000008", "-s", "00B0000000"});
    EXPECT_NE(answer.find("SW1=0x90, SW2=0x00"), std::string::npos) << answer;
    EXPECT_NE(answer.find("SW1=0x6D, SW2=0x00"), std::string::npos) << answer;
}

TEST_F(CardSystem, APurseKeyThroughPcsc) {
    const Issuer issuer(crypto::Suite::p256);
    {
        auto channel = open_pcsc_channel("Virtual PCD");
        ASSERT_TRUE(channel.ok()) << channel.error().to_string() << log();
        const auto made = CardKey::personalise(
            **channel, {crypto::Suite::p256, 7, crypto::Suite::p256, issuer.public_key()}, secret("2580"));
        ASSERT_TRUE(made.ok()) << made.error().to_string();
        const auto twice = CardKey::personalise(
            **channel, {crypto::Suite::p256, 7, crypto::Suite::p256, issuer.public_key()}, secret("2580"));
        EXPECT_EQ(twice.error().kind(), ErrorKind::conflict);
    }
    Bytes lot_payload;
    {
        auto key = CardKey::open(open_pcsc_channel("Virtual PCD").value());
        ASSERT_TRUE(key.ok()) << key.error().to_string();
        EXPECT_EQ((*key)->purse(), 7U);
        EXPECT_FALSE((*key)->verify_pin(secret("0000")).ok());
        EXPECT_TRUE((*key)->verify_pin(secret("2580")).ok());
        lot_payload = issuer.certificate_payload({}, (*key)->public_key());
        const auto loaded = (*key)->load_certificate(issuer.object(lot_payload));
        ASSERT_TRUE(loaded.ok()) << loaded.error().to_string();
        const CardId lot = object_id(crypto::Suite::p256, lot_payload);
        const Bytes message = signed_bytes(crypto::Suite::p256, note_payload({.seq = 1, .sources = {{lot, 0, 100}}}));
        const auto signature = (*key)->sign(message);
        ASSERT_TRUE(signature.ok()) << signature.error().to_string();
        const auto verifier = crypto::make_verifier(crypto::Suite::p256, (*key)->public_key()).value();
        EXPECT_TRUE(verifier.verify(message, *signature));
        EXPECT_EQ((*key)->counter()->increment().value(), 1U);
    }
    take_out();
    insert();
    auto key = CardKey::open(open_pcsc_channel("Virtual PCD").value());
    ASSERT_TRUE(key.ok()) << key.error().to_string() << log();
    const CardId lot = object_id(crypto::Suite::p256, lot_payload);
    const auto again =
        (*key)->sign(signed_bytes(crypto::Suite::p256, note_payload({.seq = 1, .sources = {{lot, 50, 100}}})));
    EXPECT_EQ(again.error().code(), "seq_used");
    EXPECT_EQ((*key)->counter()->read().value(), 1U);
    // Killed while it is open.
    card.stop(SIGKILL);
    const auto gone = (*key)->status();
    ASSERT_FALSE(gone.ok());
    EXPECT_EQ(gone.error().kind(), ErrorKind::unavailable) << gone.error().to_string();
}

TEST_F(CardSystem, ErrorsSayWhatToDo) {
    EXPECT_NE(open_pcsc_channel("no such reader").error().message().find("no card reader"), std::string::npos);
    daemon.stop();
    const auto gone = open_pcsc_channel("");
    EXPECT_NE(gone.error().message().find("start it"), std::string::npos) << gone.error().message();
}

}  // namespace
}  // namespace jiaozi::keystores::testing
