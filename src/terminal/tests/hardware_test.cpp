// A purse whose key lives in a real token, TPM or card: it pays, and yesterday's purse file is noticed or refused.
#include <filesystem>

#include <gtest/gtest.h>

#include <jiaozi/keystores/tpm_key.hpp>
#include <jiaozi/terminal/purse_folder.hpp>

#include "card_fixture.hpp"
#include "forge.hpp"
#include "software_token.hpp"
#include "software_tpm.hpp"

namespace jiaozi::terminal {
namespace {

namespace fs = std::filesystem;
using jiaozi::testing::SoftwareTokens;
using jiaozi::testing::SoftwareTpm;
using jiaozi::testing::TemporaryFolder;
using keystores::testing::secret;
using purse_host::Device;
using purse_host::World;

IssuerKey key_of(const World& world) {
    const jz_issuer_key key = world.issuer.key();
    return {.suite = world.suite, .key = Bytes(key.public_key, key.public_key + key.size), .revoked = false};
}

Bytes certificate_for(World& world, Device& sample, std::uint32_t purse, ByteView key, int assurance) {
    purse::Certificate lot = sample.certificate({});
    lot.purse = purse;
    lot.key = purse_host::public_key_of(key);
    lot.assurance = static_cast<std::uint8_t>(assurance);
    return world.issuer.certificate(lot);
}

jz_status pay(purse_host::HostPurse& payer, Device& payee, std::uint64_t amount) {
    const auto pay = payer.pay(payee.ask(amount), false);
    if (pay.status != JZ_OK) return pay.status;
    const auto receipt = payee.purse.receive(pay.bytes);
    return receipt.status == JZ_OK ? payer.receive(receipt.bytes).status : receipt.status;
}

// Enrolled, loaded, pays, is paid, restored from yesterday: the same for every place that a folder knows.
void live_with(const KeyChoice& choice, const crypto::SecretBytes& pin, int assurance) {
    World world(crypto::Suite::p256);
    Device& bob = world.device();
    const TemporaryFolder folder;
    const TestClock clock(timestamp_s(purse_host::today_s));
    const fs::path place = folder / "purse";
    const auto made = PurseFolder::create(place, choice, {}, pin);
    ASSERT_TRUE(made.ok()) << made.error().to_string();
    {
        auto opened = PurseFolder::open(place, pin, clock).value();
        EXPECT_EQ(static_cast<int>(opened->key().assurance()), assurance);
        ASSERT_TRUE(opened->enrol(42, std::vector<IssuerKey>{key_of(world)}, "").ok());
        ASSERT_TRUE(opened->load(certificate_for(world, bob, 42, opened->key().public_key(), assurance)).ok());
        EXPECT_EQ(pay(opened->purse(), bob, 500), JZ_OK);
    }
    fs::copy(place, folder / "yesterday", fs::copy_options::recursive);
    {
        auto opened = PurseFolder::open(place, pin, clock).value();
        ASSERT_EQ(opened->purse().info().state, JZ_ACTIVE);
        EXPECT_EQ(pay(opened->purse(), bob, 700), JZ_OK);
        EXPECT_EQ(opened->purse().info().spendable, 98'800U);
    }
    fs::remove_all(place);
    fs::rename(folder / "yesterday", place);
    auto opened = PurseFolder::open(place, pin, clock);
    ASSERT_TRUE(opened.ok()) << opened.error().to_string();
    EXPECT_EQ((*opened)->purse().info().state, JZ_STATE_SUSPECT);
    EXPECT_EQ(pay((*opened)->purse(), bob, 1), JZ_SUSPECT);
}

TEST(Hardware, AFile) {
    live_with({.place = KeyPlace::file, .suite = crypto::Suite::p256}, secret("correct horse"), 0);
}

TEST(Hardware, AToken) {
    if (!SoftwareTokens::installed()) GTEST_SKIP() << "SKIPPED: softhsm2 is not installed";
    ASSERT_TRUE(SoftwareTokens::instance().ready());
    live_with({.place = KeyPlace::pkcs11,
               .suite = crypto::Suite::p256,
               .module = SoftwareTokens::module,
               .token = "promises",
               .label = "terminal"},
              secret("2468"), 1);
}

TEST(Hardware, ATpm) {
    if (!SoftwareTpm::installed()) GTEST_SKIP() << "SKIPPED: swtpm is not installed";
    SoftwareTpm tpm;
    ASSERT_TRUE(tpm.start()) << jiaozi::testing::text_of(tpm.log());
    KeyChoice choice;
    choice.place = KeyPlace::tpm;
    choice.tcti = tpm.tcti();
    live_with(choice, secret("135790"), 2);
}

// The TPM's own counter behind the purse: a step that fails leaves a journal that never comes back.
TEST(Hardware, ATpmsJournalKeptFromAFailedStepStaysOld) {
    if (!SoftwareTpm::installed()) GTEST_SKIP() << "SKIPPED: swtpm is not installed";
    SoftwareTpm tpm;
    ASSERT_TRUE(tpm.start());
    const TemporaryFolder folder;
    const keystores::TpmLocation location{.tcti = tpm.tcti(), .owner_auth = {}};
    ASSERT_TRUE(keystores::create_tpm_key(location, secret("135790135790abcd"), folder / "key",
                                          keystores::tpm_counter_default, keystores::PinOf::machine)
                    .ok());
    const auto key =
        keystores::open_tpm_key({.tcti = tpm.tcti(), .owner_auth = {}}, secret("135790135790abcd"), folder / "key")
            .value();
    class Wire final : public purse_host::PurseAnchor {
      public:
        explicit Wire(keystores::PurseKey& key) : inner_(key) {}
        bool read(std::uint8_t* id, std::uint32_t& counter) override { return inner_.read(id, counter); }
        bool advance(std::uint32_t counter) override { return !cut && inner_.advance(counter); }
        bool cut = false;

      private:
        KeystoreAnchor inner_;
    } wire(*key);
    World world(crypto::Suite::p256);
    Device& bob = world.device();
    KeystoreSigner signer(*key);
    purse_host::MemoryStorage storage;
    const TestClock clock(timestamp_s(purse_host::today_s));
    purse_host::HostPurse purse(purse_host::real_cryptography(), signer, storage, wire, clock);
    ASSERT_EQ(purse.create(42, 2), JZ_OK);
    const jz_issuer_key issuer = world.issuer.key();
    const auto open_with = [&](const purse_host::MemoryStorage::Content& journal) {
        storage.content() = journal;
        return purse.open() == JZ_OK && jz_purse_trust(purse.get(), &issuer, 1) == JZ_OK &&
               purse.info().state == JZ_ACTIVE;
    };
    ASSERT_EQ(jz_purse_trust(purse.get(), &issuer, 1), JZ_OK);
    const Bytes lot = certificate_for(world, bob, 42, key->public_key(), 2);
    ASSERT_EQ(jz_purse_load(purse.get(), purse_host::c_view(lot)), JZ_OK);
    const auto before = storage.content();
    wire.cut = true;
    EXPECT_EQ(pay(purse, bob, 500), JZ_STORAGE_FAILED);
    wire.cut = false;
    const auto kept = storage.content();
    ASSERT_TRUE(open_with(before));
    EXPECT_EQ(pay(purse, bob, 700), JZ_OK);
    EXPECT_FALSE(open_with(kept));
}

// A card in a reader of our own making, and its purse in memory.
struct CardHolder {
    CardHolder() {
        card.put_in();
        JZ_ASSERT(keystores::CardKey::personalise(
                      *card.channel, {crypto::Suite::p256, 42, crypto::Suite::p256, issuer_key()}, secret("2580"))
                      .ok());
    }
    Bytes issuer_key() const {
        const jz_issuer_key key = world.issuer.key();
        return Bytes(key.public_key, key.public_key + key.size);
    }
    World world{crypto::Suite::p256};
    Device& bob = world.device();
    struct Reader {
        void put_in() {
            applet = keystores::testing::insert_card(memory);
            auto owned = std::make_unique<keystores::testing::DirectChannel>(applet);
            channel = owned.get();
            channel_owner = std::move(owned);
        }
        keystores::testing::Memory memory;
        std::shared_ptr<keystores::CardApplet> applet;
        keystores::CardChannel* channel = nullptr;
        std::unique_ptr<keystores::CardChannel> channel_owner;
    } card;
};

TEST(Hardware, ACardPaysAndWhatItSignedBeforePowerWentIsTakenOver) {
    CardHolder holder;
    const auto key = keystores::CardKey::open(std::move(holder.card.channel_owner)).value();
    KeystoreSigner signer(*key);
    KeystoreAnchor anchor(*key);
    purse_host::MemoryStorage storage;
    const TestClock clock(timestamp_s(purse_host::today_s));
    purse_host::HostPurse purse(purse_host::real_cryptography(), signer, storage, anchor, clock);
    ASSERT_EQ(purse.create(42, 3), JZ_OK);
    const jz_issuer_key issuer = holder.world.issuer.key();
    const auto open_again = [&] {
        storage.power_on();
        EXPECT_EQ(purse.open(), JZ_OK);
        EXPECT_EQ(jz_purse_trust(purse.get(), &issuer, 1), JZ_OK);
        const Bytes last = last_object_of(*key).value();
        return last.empty() ? JZ_OUTDATED : jz_purse_adopt(purse.get(), purse_host::c_view(last));
    };
    ASSERT_EQ(jz_purse_trust(purse.get(), &issuer, 1), JZ_OK);
    const Bytes lot = certificate_for(holder.world, holder.bob, 42, key->public_key(), 3);
    ASSERT_TRUE(key->load_certificate(lot).ok());
    ASSERT_EQ(jz_purse_load(purse.get(), purse_host::c_view(lot)), JZ_OK);
    ASSERT_EQ(pay(purse, holder.bob, 500), JZ_OK);
    EXPECT_EQ(open_again(), JZ_OUTDATED) << "the journal has it";
    const auto yesterday = storage.content();

    // Power goes between the card's signature and the journal.
    storage.cut_power(purse_host::PowerCut::before);
    EXPECT_EQ(pay(purse, holder.bob, 700), JZ_STORAGE_FAILED);
    EXPECT_EQ(open_again(), JZ_OK);
    EXPECT_EQ(purse.info().spendable, 98'800U) << "used up, though never sent";
    EXPECT_EQ(purse.info().payments_unknown, 0U);
    EXPECT_EQ(pay(purse, holder.bob, 300), JZ_OK) << signer.refusal();
    EXPECT_EQ(purse.info().seq, 3U);

    // Yesterday's purse file: SUSPECT by the counter, and the card would not sign it anyway.
    storage.content() = yesterday;
    EXPECT_EQ(open_again(), JZ_SUSPECT);
    EXPECT_EQ(pay(purse, holder.bob, 1), JZ_SUSPECT);
    std::uint8_t signature[64];
    EXPECT_FALSE(signer.sign(Bytes(10, 1), signature));
    EXPECT_NE(signer.refusal(), "");
}

}  // namespace
}  // namespace jiaozi::terminal
