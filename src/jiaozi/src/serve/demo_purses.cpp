#include "demo_purses.hpp"

#include <algorithm>
#include <utility>

#include <jiaozi/base/log.hpp>
#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/terminal/evidence.hpp>

namespace jiaozi::serve {
namespace {

constexpr Duration round_every = seconds(30);
constexpr std::uint64_t run_low = 20'00;
constexpr std::uint64_t drink = 3'50;
constexpr std::uint64_t shared = 5'00;  // what Bo gives Ana: she buys the next drinks with it
constexpr std::uint64_t rounds_between_syncs = 3;

void tell(std::string_view what, std::string_view whose, std::string_view why) {
    log::debug("the demo's purses",
               {{"what", std::string(what)}, {"whose", std::string(whose)}, {"why", std::string(why)}});
}

Result<crypto::Keystore> keystore_in(const std::filesystem::path& directory) {
    const auto key_file = directory / "purses.unlock";
    const auto file = directory / "purses.keys";
    if (!std::filesystem::exists(key_file)) JZ_CHECK(crypto::KeystoreUnlock::create_key_file(key_file));
    JZ_TRY(const auto unlock, crypto::KeystoreUnlock::key_file(key_file));
    return std::filesystem::exists(file) ? crypto::Keystore::open(file, unlock)
                                         : crypto::Keystore::create(file, unlock);
}

}  // namespace

struct DemoPurses::Purse {
    Owner owner;
    std::uint32_t ordinal = 0;
    std::unique_ptr<purse_host::PurseSigner> signer;
    std::unique_ptr<purse_host::FileStorage> storage;
    std::unique_ptr<purse_host::FileAnchor> anchor;
    std::unique_ptr<purse_host::HostPurse> purse;  // last: it uses the others
};

// A `done` handler that may be called when the demo is gone already.
template <class Work>
auto DemoPurses::guarded(Work work) {
    return [alive = std::weak_ptr(alive_), work = std::move(work)]<class... Answer>(Answer&&... answer) mutable {
        if (const auto self = alive.lock()) work(std::forward<Answer>(answer)...);
    };
}

DemoPurses::DemoPurses(const Parts& parts) : parts_(parts) {}

DemoPurses::~DemoPurses() {
    alive_.reset();
    parts_.app.cancel(timer_);
}

Result<std::unique_ptr<DemoPurses>> DemoPurses::open(const Parts& parts, std::vector<Owner> owners) {
    std::error_code failed;
    std::filesystem::create_directories(parts.directory, failed);  // if it is not there the keystore says so
    JZ_TRY(auto keystore, keystore_in(parts.directory));
    std::unique_ptr<DemoPurses> demo(new DemoPurses(parts));
    for (Owner& owner : owners) {
        auto purse = std::make_unique<Purse>();
        const std::string name = "purse-" + owner.name;
        const auto names = keystore.names();
        if (std::ranges::find(names, name) == names.end()) {
            JZ_CHECK(keystore.add(name, crypto::generate_key(crypto::Suite::ed25519)));
        }
        JZ_TRY(auto signer, keystore.signer(name));
        purse->signer = purse_host::key_signer(std::move(signer));
        JZ_TRY(purse->storage, purse_host::FileStorage::open(parts.directory / name));
        JZ_TRY(purse->anchor, purse_host::FileAnchor::open(parts.directory / (name + ".anchor")));
        purse->purse = std::make_unique<purse_host::HostPurse>(purse_host::real_cryptography(), *purse->signer,
                                                               *purse->storage, *purse->anchor, parts.clock);
        purse->owner = std::move(owner);
        demo->purses_.push_back(std::move(purse));
    }
    return demo;
}

void DemoPurses::start() {
    enrol(0);
}

void DemoPurses::enrol(std::size_t index) {
    if (index == purses_.size()) {
        // The first acknowledgement brings the blacklist, without which a purse takes small amounts only.
        return load_all(0, [this] { sync_all(0, [this] { round(); }); });
    }
    Purse& purse = *purses_[index];
    settlement::NewPurse wanted;
    wanted.key = purse.signer->public_key();
    wanted.wallet = purse.owner.wallet;
    wanted.holder = purse.owner.holder;
    wanted.asset = assets::CNY;
    wanted.device = purse.owner.device;
    parts_.settlement.enrol(std::move(wanted), guarded([this, &purse, index](const Result<std::uint32_t>& ordinal) {
                                if (!ordinal.ok()) {
                                    return tell("enrol", purse.owner.name, ordinal.error().to_string());
                                }
                                make_ready(purse, *ordinal);
                                enrol(index + 1);
                            }));
}

void DemoPurses::make_ready(Purse& purse, std::uint32_t ordinal) {
    purse.ordinal = ordinal;
    jz_status status = purse.purse->open();
    if (status == JZ_NOTHING_HERE) status = purse.purse->create(ordinal, 0);
    std::vector<jz_issuer_key> keys;
    for (const settlement::RootKey& issuer : parts_.settlement.issuing_keys()) {
        jz_issuer_key& key = keys.emplace_back();
        key = {};
        key.suite = static_cast<int>(issuer.suite);
        key.size = static_cast<std::uint8_t>(issuer.key.size());
        std::ranges::copy(issuer.key, key.public_key);
    }
    if (status == JZ_OK) status = jz_purse_trust(purse.purse->get(), keys.data(), keys.size());
    if (status != JZ_OK) tell("open", purse.owner.name, jz_status_name(status));
}

void DemoPurses::load_all(std::size_t index, Next next) {
    if (index == purses_.size()) return next();
    Purse& purse = *purses_[index];
    // Also what only receives needs a certificate, once, that says whose purse it is.
    const bool has_one = !terminal::lots_of(*purse.purse).empty();
    const bool enough = purse.owner.load == 0 ? has_one : has_one && purse.purse->info().spendable >= run_low;
    if (enough) return load_all(index + 1, std::move(next));
    const settlement::NewLoad wanted{crypto::new_id<settlement::LoadId>(parts_.clock), purse.ordinal, purse.owner.load,
                                     0};
    parts_.settlement.load(
        wanted,
        guarded([this, &purse, index, next = std::move(next)](const Result<settlement::LoadAnswer>& made) mutable {
            if (made.ok()) {
                const jz_status status = jz_purse_load(purse.purse->get(), purse_host::c_view(made->certificate));
                if (status != JZ_OK) tell("load", purse.owner.name, jz_status_name(status));
            } else {
                tell("load", purse.owner.name, made.error().to_string());
            }
            load_all(index + 1, std::move(next));
        }));
}

void DemoPurses::sync_all(std::size_t index, Next next) {
    if (index == purses_.size()) return next();
    sync(*purses_[index], [this, index, next = std::move(next)]() mutable { sync_all(index + 1, std::move(next)); });
}

// What it holds is handed in, and the acknowledgement taken, as by any purse that meets the network.
void DemoPurses::sync(Purse& purse, Next next) {
    std::vector<Bytes> items = terminal::items_to_deposit(*purse.purse);
    if (items.empty()) return acknowledge(purse, std::move(next));
    parts_.settlement.settle(std::move(items), purse.ordinal,
                             guarded([this, &purse, next = std::move(next)](
                                         const Result<std::vector<settlement::ItemAnswer>>& rows) mutable {
                                 if (!rows.ok()) tell("deposit", purse.owner.name, rows.error().to_string());
                                 acknowledge(purse, std::move(next));
                             }));
}

void DemoPurses::acknowledge(Purse& purse, Next next) {
    settlement::SyncRequest request;
    request.purse = purse.ordinal;
    request.last_seen = terminal::sync_state_of(*purse.purse).last_sync;
    const jz_info info = purse.purse->info();
    request.suspect = info.state == JZ_STATE_SUSPECT;
    request.highest_seq = info.seq;
    parts_.settlement.sync(request, guarded([this, &purse, next = std::move(next)](const Result<Bytes>& made) mutable {
                               if (made.ok()) {
                                   jz_purse_sync(purse.purse->get(), purse_host::c_view(*made));
                                   take_list(purse);
                               } else {
                                   tell("sync", purse.owner.name, made.error().to_string());
                               }
                               next();
                           }));
}

void DemoPurses::take_list(Purse& purse) {
    const auto list = parts_.settlement.list(purse.purse->info().list_version);
    if (!list.ok()) return;
    jz_purse_install_list(purse.purse->get(), purse_host::c_view(list->head), purse_host::c_view(list->body));
}

// The four messages of a payment; nobody else hears of it before one of the two syncs.
void DemoPurses::pay(Purse& payer, Purse& payee, std::uint64_t amount) {
    std::uint8_t nonce[16];
    const auto request = payee.purse->request(amount, true, nonce);
    if (request.status != JZ_OK) return tell("request", payee.owner.name, jz_status_name(request.status));
    const auto paid = payer.purse->pay(request.bytes, true);
    if (paid.status != JZ_OK) return tell("pay", payer.owner.name, jz_status_name(paid.status));
    const auto receipt = payee.purse->receive(paid.bytes);
    if (receipt.status != JZ_OK) return tell("receive", payee.owner.name, jz_status_name(receipt.status));
    payer.purse->receive(receipt.bytes);
}

void DemoPurses::round() {
    timer_ = parts_.app.call_after(round_every, [this] { round(); });
    Purse& ana = *purses_[0];
    Purse& bo = *purses_[1];
    Purse& machine = *purses_[2];
    if (rounds_ % rounds_between_syncs == 0) pay(bo, ana, shared);
    pay(ana, machine, drink);
    const bool all = rounds_++ % rounds_between_syncs == 0;
    // Mostly only the machine meets the network: what Ana spent on is then known, and not settled yet.
    if (!all) return sync(machine, [] {});
    sync(machine, [this] { load_all(0, [this] { sync_all(0, [] {}); }); });
}

}  // namespace jiaozi::serve
