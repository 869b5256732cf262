// A purse in files: it is there again after a restart, and yesterday's backup is noticed.
#include <filesystem>

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

}  // namespace
}  // namespace jiaozi::purse_host
