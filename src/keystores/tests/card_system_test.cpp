// The card in a real reader stack: pcscd with vsmartcard's vpcd, opensc-tool, and our own PC/SC side.
//
// Everything happens in a network and mount namespace of this process's own: vpcd listens on all addresses, pcscd's
// socket has a fixed path, and neither may touch those of the machine.
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#include "card_fixture.hpp"
#include "process.hpp"

namespace jiaozi::keystores::testing {
namespace {

using jiaozi::testing::can_connect;
using jiaozi::testing::ChildProcess;
using jiaozi::testing::eventually;
using jiaozi::testing::find_program;
using jiaozi::testing::TemporaryFolder;
using jiaozi::testing::text_of;

constexpr int port = 35963;
constexpr const char* driver = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so";

void write_text(const char* path, const std::string& text) {
    const int file = ::open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return;
    [[maybe_unused]] const ssize_t written = ::write(file, text.data(), text.size());
    ::close(file);
}

// Nothing, or why this machine does not let us.
std::string enter_namespaces() {
    const uid_t user = ::geteuid();
    const gid_t group = ::getegid();
    if (::unshare(CLONE_NEWNET | CLONE_NEWNS | (user == 0 ? 0 : CLONE_NEWUSER)) != 0) return std::strerror(errno);
    if (user != 0) {
        write_text("/proc/self/setgroups", "deny");
        write_text("/proc/self/uid_map", "0 " + std::to_string(user) + " 1");
        write_text("/proc/self/gid_map", "0 " + std::to_string(group) + " 1");
    }
    // Not shared with the machine, and a /run where pcscd's socket is ours.
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return std::strerror(errno);
    if (::mount("tmpfs", "/run", "tmpfs", 0, "mode=0755") != 0) return std::strerror(errno);
    const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ifreq request{};
    std::strcpy(request.ifr_name, "lo");
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    const int up = ::ioctl(socket, SIOCSIFFLAGS, &request);
    ::close(socket);
    return up == 0 ? std::string() : std::strerror(errno);
}

class CardSystem : public ::testing::Test {
  protected:
    void SetUp() override {
        const std::string pcscd = find_program("pcscd");
        if (pcscd.empty() || !std::filesystem::exists(driver) || find_program("opensc-tool").empty()) {
            GTEST_SKIP() << "SKIPPED: pcscd, vsmartcard-vpcd or opensc is not installed (tools/install.sh test)";
        }
        static const std::string refused = enter_namespaces();
        if (!refused.empty()) {
            GTEST_SKIP() << "SKIPPED: this machine gives no network and mount namespace (" << refused
                         << "); run as root or allow user namespaces";
        }
        std::filesystem::create_directories("/run/pcscd");
        std::ofstream(folder / "reader.conf") << "FRIENDLYNAME \"Virtual PCD\"\nDEVICENAME /dev/null:0x8C7B\nLIBPATH "
                                              << driver << "\nCHANNELID 0x8C7B\n";
        ASSERT_TRUE(daemon.start({pcscd, "--foreground", "--error", "--config", (folder / "reader.conf").string()},
                                 folder / "pcscd.log"));
        ASSERT_TRUE(eventually([] { return std::filesystem::exists("/run/pcscd/pcscd.comm"); })) << log();
        insert();
    }
    void TearDown() override {
        card.stop(SIGKILL);
        daemon.stop(SIGTERM);
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
    std::string log() const { return text_of(folder / "pcscd.log") + text_of(folder / "card.log"); }
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
    ChildProcess daemon;
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
    daemon.stop(SIGTERM);
    const auto gone = open_pcsc_channel("");
    EXPECT_NE(gone.error().message().find("start it"), std::string::npos) << gone.error().message();
}

}  // namespace
}  // namespace jiaozi::keystores::testing
