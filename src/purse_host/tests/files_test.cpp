// A purse in files: it is there again after a restart, and yesterday's backup is noticed.
#include <filesystem>

#include <jiaozi/purse/seal.hpp>
#include <jiaozi/purse_host/files.hpp>

#include "world.hpp"

namespace jiaozi::purse_host {
namespace {

class Folder {
  public:
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "jiaozi-purse-XXXXXX").string();
        EXPECT_NE(mkdtemp(name.data()), nullptr);
        path = name;
    }
    ~Folder() { std::filesystem::remove_all(path); }
    std::filesystem::path path;
};

TEST(Files, APurseIsThereAgainAndABackupIsNoticed) {
    World world;
    Device& bob = world.device();
    const Folder folder;
    const auto purse_folder = folder.path / "purse";
    const auto signer = fixed_signer(crypto::Suite::ed25519, 42);
    auto anchor = FileAnchor::open(folder.path / "anchor").value();
    const TestClock clock(timestamp_s(today_s));
    const jz_issuer_key key = world.issuer.key();
    const auto with_purse = [&](auto use) {
        auto storage = FileStorage::open(purse_folder).value();
        HostPurse purse(world.cryptography, *signer, *storage, *anchor, clock);
        if (purse.open() == JZ_NOTHING_HERE) {
            EXPECT_EQ(purse.create(42, 0), JZ_OK);
        }
        EXPECT_EQ(jz_purse_trust(purse.get(), &key, 1), JZ_OK);
        use(purse);
    };
    with_purse([&](HostPurse& purse) {
        purse::Certificate lot = bob.certificate({});
        lot.purse = 42;
        lot.key = public_key_of(signer->public_key());
        ASSERT_EQ(jz_purse_load(purse.get(), c_view(world.issuer.certificate(lot))), JZ_OK);
        EXPECT_FALSE(FileStorage::open(purse_folder).ok()) << "one process at a time";
    });
    std::filesystem::copy(purse_folder, folder.path / "backup", std::filesystem::copy_options::recursive);
    with_purse([&](HostPurse& purse) {
        const auto pay = purse.pay(bob.ask(500), false);
        ASSERT_EQ(pay.status, JZ_OK);
        ASSERT_EQ(purse.receive(bob.purse.receive(pay.bytes).bytes).status, JZ_OK);
        std::uint8_t nonce[16];
        const auto asked = purse.request(200, true, nonce);
        ASSERT_EQ(asked.status, JZ_OK);
        EXPECT_EQ(purse.receive(bob.purse.pay(asked.bytes, false).bytes).status, JZ_OK);
    });
    with_purse([&](HostPurse& purse) {
        EXPECT_EQ(purse.info().state, JZ_ACTIVE);
        EXPECT_EQ(purse.info().spendable, 99'700U);
        EXPECT_EQ(purse.info().notes_held, 1U);
    });
    std::filesystem::remove_all(purse_folder);
    std::filesystem::rename(folder.path / "backup", purse_folder);
    with_purse([&](HostPurse& purse) {
        EXPECT_EQ(purse.info().state, JZ_STATE_SUSPECT);
        EXPECT_EQ(purse.pay(bob.ask(1), false).status, JZ_SUSPECT);
    });
}

TEST(Files, WhatIsCarriedForOthersStandsBesideTheListAndNotInItsPlace) {
    World world;
    Device& ann = world.device();
    Device& bob = world.device();
    const Folder folder;
    const auto signer = fixed_signer(crypto::Suite::ed25519, 43);
    auto anchor = FileAnchor::open(folder.path / "anchor").value();
    const TestClock clock(timestamp_s(today_s));
    const jz_issuer_key key = world.issuer.key();
    purse::Fixed<32> secret{};
    purse::Fixed<32> deposit_key{};
    ASSERT_EQ(purse::new_ephemeral(ann.purse.platform(), secret, deposit_key), JZ_OK);
    ASSERT_TRUE(transfer(ann, bob, 100).ok());
    const Bytes message = bob.purse.mule(0, deposit_key.data()).bytes;
    const auto list = world.issuer.blacklist(7, today_s, 1'000, std::vector<std::uint32_t>{ann.ordinal});
    for (const bool first : {true, false}) {
        SCOPED_TRACE(first ? "the first run" : "after a restart");
        auto storage = FileStorage::open(folder.path / "purse").value();
        HostPurse purse(world.cryptography, *signer, *storage, *anchor, clock);
        ASSERT_EQ(purse.open(), first ? JZ_NOTHING_HERE : JZ_OK);
        if (first) {
            ASSERT_EQ(purse.create(43, 0), JZ_OK);
        }
        ASSERT_EQ(jz_purse_trust(purse.get(), &key, 1), JZ_OK);
        if (first) {
            purse::Certificate lot = bob.certificate({});
            lot.purse = 43;
            lot.key = public_key_of(signer->public_key());
            ASSERT_EQ(jz_purse_load(purse.get(), c_view(world.issuer.certificate(lot))), JZ_OK);
            ASSERT_EQ(jz_purse_install_list(purse.get(), c_view(list.head), c_view(list.body)), JZ_OK);
            EXPECT_EQ(purse.trust_info().carried, 0U) << "a list is no deposit";
            for (int i = 0; i < 2; ++i) {
                ASSERT_EQ(purse.receive(bob.purse.mule(0, deposit_key.data()).bytes).status, JZ_OK);
            }
            ASSERT_EQ(purse.receive(message).status, JZ_OK);
        }
        EXPECT_EQ(purse.trust_info().carried, 3U);
        EXPECT_EQ(purse.carried(2).bytes, message);
        std::uint8_t nonce[16];
        const Bytes request = purse.request(50, true, nonce).bytes;
        EXPECT_EQ(purse.receive(ann.purse.pay(request, false).bytes).status, JZ_BLACKLISTED) << "the list is whole";
    }
}

}  // namespace
}  // namespace jiaozi::purse_host
