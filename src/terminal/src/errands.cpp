#include <algorithm>

#include <jiaozi/protocol/errand.hpp>
#include <jiaozi/terminal/errands.hpp>
#include <jiaozi/terminal/evidence.hpp>

namespace jiaozi::terminal {
namespace {

using protocol::Errand;
using protocol::ErrandAnswer;
using Synced = IssuerServer::Synced;

// Of the items of one errand; what else is in it fits beside them.
constexpr std::size_t most_bytes = 96 * 1024;

Error not_understood(std::string_view what) {
    return {ErrorKind::malformed, "the server's answer has no " + std::string(what) + "; is it of another version?"};
}

// Everything that this purse has to say, cut where an errand is full. The order is that of the parts.
class Plan {
  public:
    explicit Plan(std::uint32_t purse) : purse_(purse) { next(); }

    void deposit(Bytes item) {
        if (made_.back().deposits.size() == Errand::max_deposits || !fits(item)) next();
        made_.back().deposits.push_back(std::move(item));
    }
    void sync(const Errand::Sync& sync, std::uint32_t list) {
        made_.back().sync = sync;
        made_.back().list = list;
    }
    void carried(Bytes message) {
        if (!fits(message)) next();
        made_.back().carried.push_back(std::move(message));
    }
    void alarm(Bytes heads) { made_.back().heads = std::move(heads); }
    std::vector<Errand> take() { return std::move(made_); }

  private:
    bool fits(const Bytes& item) {
        if (bytes_ + item.size() > most_bytes) return false;
        bytes_ += item.size();
        return true;
    }
    void next() {
        made_.push_back({.purse = purse_, .deposits = {}, .sync = {}, .list = {}, .carried = {}, .heads = {}});
        bytes_ = 0;
    }

    std::uint32_t purse_;
    std::size_t bytes_ = 0;
    std::vector<Errand> made_;
};

Result<std::vector<Errand>> plan(PurseFolder& folder) {
    purse_host::HostPurse& purse = folder.purse();
    const jz_info info = purse.info();
    Plan plan(folder.settings().purse);
    for (Bytes& item : items_to_deposit(purse)) plan.deposit(std::move(item));
    const bool suspect = info.state == JZ_STATE_SUSPECT;
    plan.sync({.last_seen = sync_state_of(purse).last_sync,
               .suspect = suspect,
               .highest_seq = suspect ? std::max(info.seq, folder.anchor_counter()) : 0},
              info.list_version);
    for (unsigned i = 0;; ++i) {
        auto carried = purse.carried(i);
        if (carried.status == JZ_NOTHING_HERE) break;
        if (carried.status != JZ_OK) return error_of(carried.status, "read what is carried for others");
        plan.carried(std::move(carried.bytes));
    }
    if (auto heads = purse.alarm(); heads.status == JZ_OK) plan.alarm(std::move(heads.bytes));
    return plan.take();
}

Result<void> take_list(PurseFolder& folder, const ErrandAnswer::List& list, Synced& synced) {
    synced.list_version = list.version;
    if (!list.update.empty()) return folder.update_list(list.update);
    return list.head.empty() ? Result<void>() : folder.install_list(list.head, list.body);
}

// What the server has said of the carried, all errands together: forgotten only when it is all of them.
struct CarriedRows {
    std::size_t brought = 0;
    std::size_t done = 0;
};

Result<void> take_answer(PurseFolder& folder, const Errand& errand, const ErrandAnswer& answer, Synced& synced,
                         CarriedRows& carried) {
    if (answer.deposits.size() != errand.deposits.size()) return not_understood("deposits");
    synced.deposited += answer.deposits.size();
    std::ranges::copy_if(answer.deposits, std::back_inserter(synced.refused),
                         [](const std::string& reason) { return reason != "ok"; });
    if (errand.sync) {
        if (answer.acknowledgement.empty()) return not_understood("acknowledgement");
        JZ_CHECK(folder.sync(answer.acknowledgement));
    }
    if (answer.list) JZ_CHECK(take_list(folder, *answer.list, synced));
    carried.brought += errand.carried.size();
    if (answer.carried.size() == errand.carried.size()) {
        carried.done += static_cast<std::size_t>(std::ranges::count_if(
            answer.carried, [](const std::string& reason) { return reason == "ok" || reason == "unreadable"; }));
    }
    synced.two_lists = synced.two_lists || answer.two_lists;
    for (const ErrandAnswer::PutOff& one : answer.put_off) synced.put_off.push_back(one.why);
    if (!answer.deposit_key.empty()) JZ_CHECK(folder.learn_deposit_key(answer.deposit_key));
    return {};
}

}  // namespace

Result<Synced> sync_by_errands(PurseFolder& folder, const CarryErrand& carry) {
    Synced synced;
    CarriedRows carried;
    JZ_TRY(const std::vector<Errand> errands, plan(folder));
    for (const Errand& errand : errands) {
        JZ_TRY(const Bytes bytes, carry(protocol::encode(errand)));
        JZ_TRY(const ErrandAnswer answer, protocol::decode_errand_answer(bytes));
        JZ_CHECK(take_answer(folder, errand, answer, synced, carried));
    }
    if (carried.brought == 0) return synced;
    if (carried.done != carried.brought) {
        synced.put_off.emplace_back("what is carried for others is brought again with the next sync");
        return synced;
    }
    if (const jz_status status = jz_purse_unload(folder.purse().get()); status != JZ_OK) {
        return error_of(status, "forget what was carried for others");
    }
    synced.carried = carried.brought;
    return synced;
}

}  // namespace jiaozi::terminal
