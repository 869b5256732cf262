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

Result<Errand> all_of(PurseFolder& folder) {
    purse_host::HostPurse& purse = folder.purse();
    const jz_info info = purse.info();
    Errand all{.purse = folder.settings().purse,
               .deposits = items_to_deposit(purse),
               .sync = {},
               .list = info.list_version,
               .carried = {},
               .heads = {}};
    const bool suspect = info.state == JZ_STATE_SUSPECT;
    all.sync = Errand::Sync{.last_seen = sync_state_of(purse).last_sync,
                            .suspect = suspect,
                            .highest_seq = suspect ? std::max(info.seq, folder.anchor_counter()) : 0};
    JZ_TRY(all.carried, carried_by(purse));
    JZ_TRY(all.heads, alarm_of(purse));
    return all;
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
        carried.done += static_cast<std::size_t>(std::ranges::count_if(answer.carried, finished));
    }
    synced.two_lists = synced.two_lists || answer.two_lists;
    for (const ErrandAnswer::PutOff& one : answer.put_off) synced.put_off.push_back(one.why);
    if (!answer.deposit_key.empty()) JZ_CHECK(folder.learn_deposit_key(answer.deposit_key));
    return {};
}

}  // namespace

std::vector<Errand> cut(Errand whole) {
    const Errand empty{.purse = whole.purse, .deposits = {}, .sync = {}, .list = {}, .carried = {}, .heads = {}};
    std::vector<Errand> made{empty};
    std::size_t bytes = 0;
    const auto place = [&](std::vector<Bytes> Errand::* part, std::size_t most, std::vector<Bytes>& items) {
        for (Bytes& item : items) {
            if ((made.back().*part).size() == most || bytes + item.size() > most_bytes) {
                made.push_back(empty);
                bytes = 0;
            }
            bytes += item.size();
            (made.back().*part).push_back(std::move(item));
        }
    };
    place(&Errand::deposits, Errand::max_deposits, whole.deposits);
    made.back().sync = whole.sync;
    made.back().list = whole.list;
    place(&Errand::carried, Errand::max_carried, whole.carried);
    made.back().heads = std::move(whole.heads);
    return made;
}

Result<Synced> sync_by_errands(PurseFolder& folder, const CarryErrand& carry) {
    Synced synced;
    CarriedRows carried;
    JZ_TRY(Errand all, all_of(folder));
    for (const Errand& errand : cut(std::move(all))) {
        JZ_TRY(const Bytes bytes, carry(protocol::encode(errand)));
        JZ_TRY(const ErrandAnswer answer, protocol::decode_errand_answer(bytes));
        JZ_CHECK(take_answer(folder, errand, answer, synced, carried));
    }
    if (carried.brought == 0) return synced;
    if (carried.done != carried.brought) {
        synced.put_off.emplace_back("what is carried for others is brought again with the next sync");
        return synced;
    }
    JZ_CHECK(forget_carried(folder.purse()));
    synced.carried = carried.brought;
    return synced;
}

}  // namespace jiaozi::terminal
