#include "workload.hpp"

#include <utility>

namespace jiaozi::sim {

namespace {

using ledger::Account;
using ledger::Transfer;
namespace af = ledger::account_flags;
namespace tf = ledger::transfer_flags;

// Every seventh account is in another currency.
bool in_second_ledger(uint128 account_id) {
    return account_id % 7 == 0 && account_id != 0;
}

void set(std::uint16_t& flags, std::uint16_t more) {
    flags = static_cast<std::uint16_t>(flags | more);
}
void clear(std::uint16_t& flags, std::uint16_t less) {
    flags = static_cast<std::uint16_t>(flags & ~less);
}

}  // namespace

Workload::Workload(Random random)
    : random_(random),
      account_count_(8 + random_.below(24)),
      skewed_(random_.chance(40)),
      huge_(random_.chance(15)),
      sent_(64),
      holds_(24),
      commands_(8) {}

engine::Command Workload::opening() {
    engine::Command command;
    for (std::uint64_t i = 1; i <= account_count_; ++i) {
        Account account{.id = i, .ledger = in_second_ledger(i) ? 2U : 1U, .code = 1};
        // The first is where money comes from.
        if (i > 1 && random_.chance(50)) set(account.flags, af::debits_must_not_exceed_credits);
        if (i > 1 && account.flags == 0 && random_.chance(15)) set(account.flags, af::credits_must_not_exceed_debits);
        if (random_.chance(20)) set(account.flags, af::history);
        account.user_data_64 = random_.below(3);
        command.accounts.push_back(account);
    }
    return command;
}

engine::Command Workload::next() {
    const std::uint64_t kind = random_.below(100);
    if (kind < 2 && !commands_.empty()) return commands_.any(random_);  // a client that never saw its answer
    engine::Command command = kind < 3 ? accounts() : kind < 6 ? freezing() : transfers();
    if (random_.chance(30)) command.annotation = annotation();
    if (random_.chance(10)) commands_.add(command);
    return command;
}

engine::Command Workload::accounts() {
    engine::Command command;
    const std::uint64_t count = 1 + random_.below(4);
    for (std::uint64_t i = 0; i < count; ++i) {
        Account account{.id = 1 + random_.below(account_count_ + 6), .ledger = 1, .code = 1};
        if (random_.chance(20)) set(account.flags, af::linked);
        if (random_.chance(20)) set(account.flags, af::history);
        if (random_.chance(5)) account.code = 0;
        if (random_.chance(5)) account.id = 0;
        command.accounts.push_back(account);
    }
    if (random_.chance(90)) clear(command.accounts.back().flags, af::linked);
    return command;
}

engine::Command Workload::freezing() {
    engine::Command command;
    const bool freeze = random_.chance(10);
    command.flag_changes.push_back(
        {account_id(), freeze ? af::frozen : std::uint16_t{0}, freeze ? std::uint16_t{0} : af::frozen});
    if (random_.chance(30)) command.transfers.push_back(fresh());
    return command;
}

engine::Command Workload::transfers() {
    engine::Command command;
    const std::uint64_t count = random_.chance(3) ? 1 + random_.below(40) : 1 + random_.below(4);
    const std::uint64_t linking = random_.chance(25) ? 60 : 3;
    for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint64_t kind = random_.below(100);
        Transfer transfer = kind < 6 && !sent_.empty() ? repetition() : kind < 35 ? resolution() : fresh();
        if (random_.chance(2)) spoil(transfer);
        if (random_.chance(linking)) set(transfer.flags, tf::linked);
        command.transfers.push_back(transfer);
    }
    if (random_.chance(97)) clear(command.transfers.back().flags, tf::linked);
    for (const Transfer& transfer : command.transfers) {
        if (random_.chance(25)) sent_.add(transfer);
        if ((transfer.flags & tf::pending) != 0 && random_.chance(10)) holds_.add(transfer.id);  // answered or not
    }
    return command;
}

void Workload::learn(const engine::Command& command, const engine::Outcome& outcome) {
    for (std::size_t i = 0; i < command.transfers.size(); ++i) {
        const bool holds = (command.transfers[i].flags & tf::pending) != 0;
        if (holds && outcome.transfers[i] == ledger::CreateTransferResult::ok) holds_.add(command.transfers[i].id);
    }
}

uint128 Workload::account_id() {
    if (skewed_ && random_.chance(60)) return 1 + random_.below(2);
    return 1 + random_.below(account_count_ + (random_.chance(3) ? 4 : 0));  // the last few may not exist
}

uint128 Workload::amount() {
    const std::uint64_t kind = random_.below(100);
    if (kind == 0) return 0;
    if (kind == 1 && huge_) return ledger::everything;
    if (kind == 2 && huge_) return uint128_max / (1 + random_.below(4));
    return 1 + random_.below(1000);
}

Bytes Workload::annotation() {
    Bytes bytes(static_cast<std::size_t>(random_.chance(3) ? random_.below(6000) : random_.below(80)));
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(1 + random_.below(255));
    return bytes;
}

Transfer Workload::fresh() {
    // Ids from many clients: no order in them.
    const std::uint64_t number = next_id_++;
    Transfer t{.id = make_uint128(Random(number).next(), number),
               .debit_account_id = random_.chance(50) ? 1 : account_id(),
               .credit_account_id = account_id(),
               .amount = amount(),
               .ledger = random_.chance(98) ? 1U : 2U,
               .code = 1};
    if (t.debit_account_id == t.credit_account_id && random_.chance(95)) {
        t.credit_account_id = t.credit_account_id % account_count_ + 1;
    }
    const bool second_ledger = in_second_ledger(t.debit_account_id);
    if (second_ledger != in_second_ledger(t.credit_account_id) && random_.chance(90)) {
        t.credit_account_id = second_ledger ? 7 * (1 + random_.below(account_count_ / 7)) : t.credit_account_id + 1;
    }
    if (second_ledger && random_.chance(95)) t.ledger = 2;
    if (random_.chance(35)) {
        set(t.flags, tf::pending);
        if (random_.chance(60)) t.timeout_s = static_cast<std::uint32_t>(1 + random_.below(20));
        // Closed until it runs out: an account that stays closed has nothing more to show.
        if (t.timeout_s != 0 && random_.chance(1)) {
            set(t.flags, random_.chance(50) ? tf::closing_debit : tf::closing_credit);
        }
    }
    if (random_.chance(6)) set(t.flags, tf::balancing_debit);
    if (random_.chance(6)) set(t.flags, tf::balancing_credit);
    if (random_.chance(10)) t.user_data_128 = random_.below(4);
    if (random_.chance(10)) t.user_data_64 = random_.below(4);
    return t;
}

Transfer Workload::resolution() {
    const std::uint64_t number = next_id_++;
    Transfer t{.id = make_uint128(Random(number).next(), number),
               .flags = random_.chance(60) ? tf::post_pending : tf::void_pending};
    t.pending_id = holds_.empty() ? 1 : holds_.any(random_);
    if ((t.flags & tf::post_pending) != 0) t.amount = random_.chance(60) ? ledger::everything : amount();
    if (random_.chance(3)) t.ledger = static_cast<std::uint32_t>(random_.below(3));
    if (random_.chance(3)) t.user_data_64 = random_.below(4);
    return t;
}

Transfer Workload::repetition() {
    Transfer t = sent_.any(random_);
    if (random_.chance(25)) spoil(t);
    return t;
}

void Workload::spoil(Transfer& t) {
    switch (random_.below(9)) {
        case 0:
            t.amount = amount();
            break;
        case 1:
            t.debit_account_id = account_id();
            break;
        case 2:
            t.credit_account_id = account_id();
            break;
        case 3:
            t.user_data_128 = random_.below(4);
            break;
        case 4:
            t.timeout_s = static_cast<std::uint32_t>(random_.below(3));
            break;
        case 5:
            t.code = static_cast<std::uint16_t>(random_.below(3));
            break;
        case 6:
            t.pending_id = random_.chance(50) ? t.id : 0;
            break;
        case 7:
            t.timestamp = 1;
            break;
        default:
            t.flags = static_cast<std::uint16_t>(t.flags ^ (1U << random_.below(9)));
            break;
    }
}

}  // namespace jiaozi::sim
