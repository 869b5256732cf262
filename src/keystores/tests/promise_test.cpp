// The shared table of docs/keystores.md: what each class promises, held against a real key of each.
#include <functional>

#include <gtest/gtest.h>

#include <jiaozi/crypto/private_file.hpp>
#include <jiaozi/keystores/counted_file.hpp>
#include <jiaozi/keystores/file_key.hpp>
#include <jiaozi/keystores/pkcs11_key.hpp>
#include <jiaozi/keystores/tpm_key.hpp>

#include "card_fixture.hpp"
#include "software_token.hpp"
#include "software_tpm.hpp"

namespace jiaozi::keystores {
namespace {

using jiaozi::testing::SoftwareTokens;
using jiaozi::testing::SoftwareTpm;
using jiaozi::testing::TemporaryFolder;
using testing::CardInReader;
using testing::secret;

// A machine of one class: makes its key, and opens it as after a restart.
class Machine {
  public:
    virtual ~Machine() = default;
    virtual std::string missing() const { return {}; }  // what is not installed
    virtual PurseKey& key() = 0;
    virtual void cut_power() = 0;
    // The bytes of everything that a thief of the disk would find.
    virtual std::vector<Bytes> disk() const = 0;
    // For the check that the private key is not among them; empty where nobody can know it.
    virtual Bytes private_key() const { return {}; }
    virtual CardId prepare_lot() { return testing::id_of(1); }

  protected:
    TemporaryFolder folder_;
};

Bytes content_of(const std::filesystem::path& path) {
    return to_bytes(as_bytes(jiaozi::testing::text_of(path)));
}

class FileMachine final : public Machine {
  public:
    FileMachine() {
        const auto pair = crypto::generate_key(crypto::Suite::p256);
        private_key_ = to_bytes(pair.private_key.view());
        auto store = crypto::Keystore::create(folder_ / "store", unlock());
        JZ_ASSERT(store.ok() && store->add("purse", pair).ok());
        cut_power();
    }
    PurseKey& key() override { return *key_; }
    void cut_power() override {
        key_ = open_file_key(crypto::Keystore::open(folder_ / "store", unlock()).value(), "purse").value();
    }
    std::vector<Bytes> disk() const override { return {content_of(folder_ / "store")}; }
    Bytes private_key() const override { return private_key_; }

  private:
    static crypto::KeystoreUnlock unlock() {
        return crypto::KeystoreUnlock::passphrase(secret("correct horse"), crypto::KdfStrength::interactive);
    }
    Bytes private_key_;
    std::unique_ptr<PurseKey> key_;
};

class TokenMachine final : public Machine {
  public:
    TokenMachine() {
        if (!missing().empty()) return;
        static int number = 0;
        location_ = {SoftwareTokens::module, "promises", "purse " + std::to_string(++number)};
        JZ_ASSERT(SoftwareTokens::instance().ready() &&
                  create_pkcs11_key(location_, secret("2468"), crypto::Suite::p256).ok());
        cut_power();
    }
    std::string missing() const override { return SoftwareTokens::installed() ? "" : "softhsm2"; }
    PurseKey& key() override { return *key_; }
    void cut_power() override { key_ = open_pkcs11_key(location_, secret("2468")).value(); }
    std::vector<Bytes> disk() const override { return {}; }  // SoftHSM plays the chip

  private:
    Pkcs11Location location_;
    std::unique_ptr<PurseKey> key_;
};

class TpmMachine final : public Machine {
  public:
    TpmMachine() {
        if (!missing().empty()) return;
        JZ_ASSERT(tpm_.start());
        JZ_ASSERT(create_tpm_key({.tcti = tpm_.tcti(), .owner_auth = {}}, secret("135790135790abcd"), folder_ / "key",
                                 tpm_counter_default, PinOf::machine)
                      .ok());
        open();
    }
    std::string missing() const override { return SoftwareTpm::installed() ? "" : "swtpm"; }
    PurseKey& key() override { return *key_; }
    void cut_power() override {
        key_.reset();
        tpm_.kill();
        JZ_ASSERT(tpm_.start());
        open();
    }
    std::vector<Bytes> disk() const override { return {content_of(folder_ / "key")}; }

  private:
    void open() {
        key_ =
            open_tpm_key({.tcti = tpm_.tcti(), .owner_auth = {}}, secret("135790135790abcd"), folder_ / "key").value();
    }
    SoftwareTpm tpm_;
    std::unique_ptr<PurseKey> key_;
};

class CardMachine final : public Machine {
  public:
    PurseKey& key() override { return *card_.key; }
    void cut_power() override { card_.cut_power(); }
    std::vector<Bytes> disk() const override { return {}; }
    CardId prepare_lot() override { return card_.load_lot(); }

  private:
    CardInReader card_;
};

template <class T>
std::unique_ptr<Machine> make() {
    return std::make_unique<T>();
}

struct Kind {
    Assurance assurance;
    std::unique_ptr<Machine> (*make)();
};

class Promises : public ::testing::TestWithParam<Kind> {
  protected:
    void SetUp() override {
        machine = GetParam().make();
        if (!machine->missing().empty()) {
            GTEST_SKIP() << "SKIPPED: " << machine->missing() << " is not installed (tools/install.sh test)";
        }
    }
    const Promise& promise() const { return promise_of(GetParam().assurance); }
    static Bytes note(std::uint32_t seq, const CardId& lot, std::uint64_t offset, const CardId& previous = {}) {
        return testing::note_payload({.seq = seq, .previous = previous, .sources = {{lot, offset, 10}}});
    }
    Result<crypto::Signature> sign(const Bytes& payload) {
        return machine->key().sign(signed_bytes(machine->key().suite(), payload));
    }
    std::unique_ptr<Machine> machine;
};

TEST_P(Promises, SaysItsClassAndSignsNotesThatVerify) {
    EXPECT_EQ(machine->key().assurance(), GetParam().assurance);
    const Bytes payload = note(1, machine->prepare_lot(), 0);
    const auto signature = sign(payload);
    ASSERT_TRUE(signature.ok()) << signature.error().to_string();
    const auto verifier = crypto::make_verifier(machine->key().suite(), machine->key().public_key()).value();
    EXPECT_TRUE(verifier.verify(signed_bytes(machine->key().suite(), payload), *signature));
}

TEST_P(Promises, TheDiskDoesNotShowThePrivateKey) {
    for (const Bytes& file : machine->disk()) {
        EXPECT_FALSE(file.empty());
        const Bytes key = machine->private_key();
        if (!key.empty()) {
            EXPECT_EQ(std::search(file.begin(), file.end(), key.begin(), key.end()), file.end());
        }
    }
    EXPECT_EQ(promise().key_never_leaves, GetParam().assurance != Assurance::a0);
}

TEST_P(Promises, TheCounterNeverGoesBack) {
    ASSERT_EQ(machine->key().counter() != nullptr, promise().has_counter);
    if (!promise().has_counter) return;
    for (std::uint64_t i = 1; i <= 6; ++i) {
        EXPECT_EQ(machine->key().counter()->increment().value(), i);
        if (i % 2 == 0) machine->cut_power();
        EXPECT_EQ(machine->key().counter()->read().value(), i);
    }
    MonotonicCounter& counter = *machine->key().counter();
    EXPECT_TRUE(advance_to(counter, 9).ok());
    EXPECT_EQ(counter.read().value(), 9U);
    EXPECT_TRUE(advance_to(counter, 9).ok());
    EXPECT_EQ(advance_to(counter, 8).error().kind(), ErrorKind::conflict);
    EXPECT_EQ(advance_to(counter, 10 + max_steps).error().kind(), ErrorKind::too_large);
    EXPECT_EQ(counter.read().value(), 9U);
}

TEST_P(Promises, AnAnchorHasItsKeysId) {
    const auto id = anchor_id(machine->key());
    machine->cut_power();
    EXPECT_EQ(anchor_id(machine->key()), id);
    EXPECT_NE(anchor_id(GetParam().make()->key()), id);
}

// Attack 20. A0 and A1 do not notice here: the ledger does, later.
TEST_P(Promises, YesterdaysFileIsRefusedExactlyWhereItIsPromised) {
    const TemporaryFolder folder;
    const auto path = folder / "purse";
    const auto seal = crypto::SecretBytes::random(32);
    ASSERT_TRUE(CountedFile::create(path, seal.clone(), machine->key().counter(), as_bytes("unspent")).ok());
    const auto yesterday = crypto::read_private_file(path, 4096).value();
    {
        auto purse = CountedFile::open(path, seal.clone(), machine->key().counter());
        ASSERT_TRUE(purse.ok()) << purse.error().to_string();
        ASSERT_TRUE(purse->write(as_bytes("spent")).ok());
    }
    machine->cut_power();
    ASSERT_TRUE(crypto::write_private_file(path, yesterday.view(), crypto::Existing::replace).ok());
    const auto restored = CountedFile::open(path, seal.clone(), machine->key().counter());
    ASSERT_EQ(restored.ok(), !promise().has_counter);
    if (restored.ok()) {
        EXPECT_EQ(restored->freshness(), Freshness::unknown);
    } else {
        EXPECT_EQ(restored.error().code(), "rolled_back");
    }
}

// Attack 23: a program that was changed asks for what a fork proof could be made of.
TEST_P(Promises, AnOverlapIsRefusedExactlyWhereItIsPromised) {
    const CardId lot = machine->prepare_lot();
    const Bytes first = note(1, lot, 0);
    ASSERT_TRUE(sign(first).ok());
    machine->cut_power();
    const auto same_seq = sign(note(1, lot, 100));
    EXPECT_EQ(same_seq.ok(), !promise().overlap_refused);
    const auto overlap = sign(note(2, lot, 5, object_id(machine->key().suite(), first)));
    EXPECT_EQ(overlap.ok(), !promise().overlap_refused);
    if (promise().overlap_refused) {
        EXPECT_EQ(same_seq.error().code(), "seq_used");
        EXPECT_EQ(overlap.error().code(), "overlap");
    }
}

INSTANTIATE_TEST_SUITE_P(Classes, Promises,
                         ::testing::Values(Kind{Assurance::a0, make<FileMachine>},
                                           Kind{Assurance::a1, make<TokenMachine>},
                                           Kind{Assurance::a2, make<TpmMachine>},
                                           Kind{Assurance::a3, make<CardMachine>}),
                         [](const auto& kind) { return std::string(promise_of(kind.param.assurance).name); });

}  // namespace
}  // namespace jiaozi::keystores
