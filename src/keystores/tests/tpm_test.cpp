// A TPM 2.0 key and counter in a real (software) TPM.
#include <gtest/gtest.h>

#include <jiaozi/crypto/private_file.hpp>
#include <jiaozi/keystores/counted_file.hpp>
#include <jiaozi/keystores/tpm_key.hpp>

#include "software_tpm.hpp"

namespace jiaozi::keystores {
namespace {

using testing::SoftwareTpm;

crypto::SecretBytes secret(std::string_view text) {
    return crypto::SecretBytes(as_bytes(text));
}

class TpmTest : public ::testing::Test {
  protected:
    void SetUp() override {
        if (!SoftwareTpm::installed()) GTEST_SKIP() << "SKIPPED: swtpm is not installed (tools/install.sh test)";
        ASSERT_TRUE(tpm_.start()) << testing::text_of(tpm_.log());
    }
    TpmLocation location() const { return {.tcti = tpm_.tcti(), .owner_auth = {}}; }
    std::filesystem::path key_file() const { return folder_ / "purse.tpmkey"; }
    void make(std::string_view pin = "135790", PinOf pin_of = PinOf::person) {
        const auto made = create_tpm_key(location(), secret(pin), key_file(), tpm_counter_default, pin_of);
        ASSERT_TRUE(made.ok()) << made.error().to_string();
    }
    Result<std::unique_ptr<PurseKey>> open(std::string_view pin = "135790") {
        return open_tpm_key(location(), secret(pin), key_file());
    }
    // A power cut: no TPM2_Shutdown, everything volatile is gone.
    void cut_power() {
        tpm_.kill();
        ASSERT_TRUE(tpm_.start()) << testing::text_of(tpm_.log());
    }

    testing::TemporaryFolder folder_;
    SoftwareTpm tpm_;
};

TEST_F(TpmTest, SignaturesAreLowSAndVerify) {
    make();
    const auto key = open();
    ASSERT_TRUE(key.ok()) << key.error().to_string();
    const auto verifier = crypto::make_verifier((*key)->suite(), (*key)->public_key());
    ASSERT_TRUE(verifier.ok());
    // Of 24 signatures about 12 come out of the TPM with a high s; our verifier takes none of those.
    for (int i = 0; i < 24; ++i) {
        const std::string message = "note " + std::to_string(i);
        const auto signature = (*key)->sign(as_bytes(message));
        ASSERT_TRUE(signature.ok()) << signature.error().to_string();
        EXPECT_TRUE(verifier->verify(as_bytes(message), *signature));
        EXPECT_FALSE(verifier->verify(as_bytes("another note"), *signature));
    }
}

constexpr std::string_view machine_pin = "0123456789abcdef";

// An unattended machine loses power often; that must neither move the counter back nor lock the key.
TEST_F(TpmTest, TheCounterNeverGoesBackOverPowerCuts) {
    make(machine_pin, PinOf::machine);
    std::uint64_t last = 0;
    for (int cut = 0; cut < 6; ++cut) {
        const auto key = open(machine_pin);
        ASSERT_TRUE(key.ok()) << key.error().to_string();
        MonotonicCounter& counter = *(*key)->counter();
        ASSERT_EQ(counter.read().value(), last);
        for (int i = 0; i < 5; ++i) {
            const auto next = counter.increment();
            ASSERT_TRUE(next.ok()) << next.error().to_string();
            EXPECT_EQ(*next, last + 1);
            last = *next;
        }
        cut_power();
    }
}

TEST_F(TpmTest, ARemovedCounterIsRefusedAndANewOneStartsAboveIt) {
    make();
    std::uint64_t before = 0;
    {
        const auto key = open();
        ASSERT_TRUE(key.ok());
        for (int i = 0; i < 3; ++i) before = (*key)->counter()->increment().value();
    }
    const auto removed = remove_tpm_counter(location(), tpm_counter_default);
    ASSERT_TRUE(removed.ok()) << removed.error().to_string();
    const auto without = open();
    ASSERT_FALSE(without.ok());
    EXPECT_EQ(without.error().kind(), ErrorKind::not_found) << without.error().to_string();

    // The same index made anew by somebody with the owner's authorization does not pass for the old one, and starts
    // above it.
    const auto other = folder_ / "other.tpmkey";
    ASSERT_TRUE(create_tpm_key(location(), secret("135790"), other).ok());
    EXPECT_FALSE(open().ok());
    const auto file_of = [](const std::filesystem::path& path) {
        return decode_tpm_key_file(crypto::read_private_file(path, max_tpm_key_file).value().view()).value();
    };
    EXPECT_GT(file_of(other).counter_start, file_of(key_file()).counter_start + before);
}

TEST_F(TpmTest, AnOpenKeySurvivesARestartOfTheTpm) {
    make();
    const auto key = open();
    ASSERT_TRUE(key.ok());
    const std::uint64_t before = (*key)->counter()->increment().value();
    tpm_.kill();
    const auto gone = (*key)->sign(as_bytes("x"));
    ASSERT_FALSE(gone.ok());
    EXPECT_EQ(gone.error().kind(), ErrorKind::unavailable) << gone.error().to_string();
    EXPECT_EQ((*key)->counter()->increment().error().kind(), ErrorKind::unavailable);
    ASSERT_TRUE(tpm_.start()) << testing::text_of(tpm_.log());
    const auto signature = (*key)->sign(as_bytes("x"));
    ASSERT_TRUE(signature.ok()) << signature.error().to_string();
    EXPECT_EQ((*key)->counter()->read().value(), before);
    EXPECT_EQ((*key)->counter()->increment().value(), before + 1);
}

TEST_F(TpmTest, WrongPinsLockTheKeyUntilTheOperatorResets) {  // attack 38
    make();
    const auto tries = tpm_tries(location());
    ASSERT_TRUE(tries.ok());
    ASSERT_GT(tries->allowed, 0U);
    EXPECT_EQ(tries->failed, 0U);
    for (std::uint32_t i = 0; i < tries->allowed; ++i) {
        const auto wrong = open("000000");
        ASSERT_FALSE(wrong.ok());
        EXPECT_EQ(wrong.error().kind(), ErrorKind::unauthenticated) << wrong.error().to_string();
        EXPECT_EQ(tpm_tries(location())->failed, i + 1);
    }
    const auto locked = open();
    ASSERT_FALSE(locked.ok()) << "the right PIN comes too late";
    EXPECT_EQ(locked.error().code(), "pin_locked");
    EXPECT_EQ(locked.error().kind(), ErrorKind::forbidden);
    cut_power();
    EXPECT_EQ(open().error().code(), "pin_locked") << "a power cut does not help";
    ASSERT_TRUE(reset_tpm_lockout(location(), {}).ok());
    EXPECT_TRUE(open().ok());
}

TEST_F(TpmTest, AnotherTpmCannotUseTheKeyFile) {
    make();
    SoftwareTpm other;
    ASSERT_TRUE(other.start());
    const auto stolen = open_tpm_key({.tcti = other.tcti(), .owner_auth = {}}, secret("135790"), key_file());
    ASSERT_FALSE(stolen.ok());
    EXPECT_EQ(stolen.error().kind(), ErrorKind::corrupt) << stolen.error().to_string();
}

TEST_F(TpmTest, AChangedKeyFileIsRefused) {
    make();
    const auto original = crypto::read_private_file(key_file(), max_tpm_key_file);
    ASSERT_TRUE(original.ok());
    int refused = 0;
    for (std::size_t at = 0; at < original->size(); at += 7) {
        Bytes changed = to_bytes(original->view());
        changed[at] ^= 0x01;
        ASSERT_TRUE(crypto::write_private_file(key_file(), changed, crypto::Existing::replace).ok());
        EXPECT_FALSE(open().ok()) << "byte " << at;
        ++refused;
    }
    EXPECT_GT(refused, 30);
}

TEST_F(TpmTest, ErrorsSayWhatToDo) {
    const struct {
        const char* what;
        Result<void> result;
        ErrorKind kind;
        const char* words;
    } cases[] = {
        {"nobody listens",
         create_tpm_key({.tcti = "swtpm:host=127.0.0.1,port=1", .owner_auth = {}}, secret("1"), key_file()),
         ErrorKind::unavailable, "check the device"},
        {"no such carrier", create_tpm_key({.tcti = "pigeon:", .owner_auth = {}}, secret("1"), key_file()),
         ErrorKind::unavailable, "pigeon"},
        {"no PIN", create_tpm_key(location(), {}, key_file()), ErrorKind::invalid, "PIN"},
        {"a machine's short PIN",
         create_tpm_key(location(), secret("1"), key_file(), tpm_counter_default, PinOf::machine), ErrorKind::invalid,
         "16 random bytes"},
        {"index out of range", create_tpm_key(location(), secret("1"), key_file(), 0x01000000), ErrorKind::invalid,
         "0x01800000"},
    };
    for (const auto& test : cases) {
        ASSERT_FALSE(test.result.ok()) << test.what;
        EXPECT_EQ(test.result.error().kind(), test.kind) << test.result.error().to_string();
        EXPECT_NE(test.result.error().message().find(test.words), std::string::npos) << test.result.error().message();
    }
    EXPECT_EQ(open().error().kind(), ErrorKind::not_found);
    make();
    const auto taken = create_tpm_key(location(), secret("1"), folder_ / "second.tpmkey");
    EXPECT_EQ(taken.error().kind(), ErrorKind::conflict);
    EXPECT_NE(taken.error().message().find("choose another"), std::string::npos);
}

TEST_F(TpmTest, YesterdaysPurseFileIsRefused) {  // attack 20 with hardware
    make();
    const auto key = open();
    ASSERT_TRUE(key.ok());
    const auto path = folder_ / "purse";
    const auto seal = secret("0123456789abcdef0123456789abcdef");
    {
        auto purse = CountedFile::create(path, seal.clone(), (*key)->counter(), as_bytes("100.00 unspent"));
        ASSERT_TRUE(purse.ok()) << purse.error().to_string();
    }
    const auto snapshot = crypto::read_private_file(path, 4096).value();
    {
        auto purse = CountedFile::open(path, seal.clone(), (*key)->counter());
        ASSERT_TRUE(purse.ok()) << purse.error().to_string();
        ASSERT_TRUE(purse->write(as_bytes("60.00 unspent, note 1 sent")).ok());
    }
    cut_power();
    const auto again = open();
    ASSERT_TRUE(again.ok());
    {
        const auto purse = CountedFile::open(path, seal.clone(), (*again)->counter());
        ASSERT_TRUE(purse.ok()) << purse.error().to_string();
        EXPECT_EQ(as_text(purse->content()), "60.00 unspent, note 1 sent");
    }
    ASSERT_TRUE(crypto::write_private_file(path, snapshot.view(), crypto::Existing::replace).ok());
    const auto restored = CountedFile::open(path, seal.clone(), (*again)->counter());
    ASSERT_FALSE(restored.ok());
    EXPECT_EQ(restored.error().code(), "rolled_back");
    EXPECT_NE(restored.error().message().find("sync"), std::string::npos);
}

}  // namespace
}  // namespace jiaozi::keystores
