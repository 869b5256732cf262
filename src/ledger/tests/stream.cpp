#include "stream.hpp"

#include <algorithm>

namespace jiaozi::ledger::test {

namespace tf = transfer_flags;

Stream::Stream(std::uint64_t seed) : random_(seed), huge_(chance(25)), account_range_(3 + below(8)) {}

uint128 Stream::account_id() {
    if (below(300) == 0) return chance(50) ? 0 : uint128_max;
    return 1 + below(account_range_ + (chance(2) ? 3 : 0));  // the last few are never created
}

std::vector<Account> Stream::accounts() {
    std::vector<Account> batch;
    const std::size_t count = account_range_;
    for (std::size_t i = 0; i < count; ++i) {
        Account a{.id = chance(90) ? i + 1 : 1 + below(account_range_), .ledger = chance(95) ? 1U : 2U, .code = 1};
        if (chance(30)) a.flags |= account_flags::debits_must_not_exceed_credits;
        if (chance(10)) a.flags |= account_flags::credits_must_not_exceed_debits;
        if (chance(40)) a.flags |= account_flags::history;
        if (chance(3)) a.flags |= account_flags::frozen;
        if (chance(8)) a.flags |= account_flags::linked;
        if (chance(2)) a.flags |= static_cast<std::uint16_t>(1U << below(16));
        if (chance(10)) a.user_data_64 = below(3);
        if (chance(10)) a.user_data_32 = static_cast<std::uint32_t>(below(3));
        if (chance(10)) a.user_data_128 = below(3);
        if (chance(2)) a.code = static_cast<std::uint16_t>(below(3));
        if (chance(1)) a.ledger = 0;
        if (chance(1)) a.reserved = 1;
        if (chance(1)) a.timestamp = 1;
        if (chance(1)) a.id = chance(50) ? 0 : uint128_max;
        if (chance(1)) a.debits_pending = 1;
        if (chance(1)) a.debits_posted = 1;
        if (chance(1)) a.credits_pending = 1;
        if (chance(1)) a.credits_posted = 1;
        batch.push_back(a);
    }
    if (chance(90)) batch.back().flags &= static_cast<std::uint16_t>(~account_flags::linked);
    return batch;
}

uint128 Stream::amount() {
    const std::uint64_t kind = below(100);
    if (kind < 3) return 0;
    if (kind < 6) return everything;
    if (huge_ && kind < 40) return uint128_max / (1 + below(4)) - below(3);
    return below(100);
}

uint128 Stream::known_id() {
    return sent_.empty() ? 1 : sent_[sent_.size() - 1 - below(std::min<std::size_t>(sent_.size(), 60))].id;
}

Transfer Stream::fresh_transfer() {
    Transfer t{.id = next_id_++,
               .debit_account_id = account_id(),
               .credit_account_id = account_id(),
               .amount = amount(),
               .ledger = chance(98) ? 1U : 2U,
               .code = 1};
    if (t.debit_account_id == t.credit_account_id && chance(90))
        t.credit_account_id = t.credit_account_id % account_range_ + 1;
    if (chance(35)) t.flags |= tf::pending;
    if (chance(8)) t.flags |= tf::balancing_debit;
    if (chance(8)) t.flags |= tf::balancing_credit;
    if ((t.flags & tf::pending) != 0) {
        if (chance(60)) t.timeout_s = static_cast<std::uint32_t>(1 + below(20));
        if (chance(5)) t.flags |= chance(50) ? tf::closing_debit : tf::closing_credit;
        if (chance(3)) t.timeout_s = UINT32_MAX;
    }
    if (chance(20)) t.user_data_128 = below(4);
    if (chance(20)) t.user_data_64 = below(4);
    if (chance(20)) t.user_data_32 = static_cast<std::uint32_t>(below(4));
    return t;
}

Transfer Stream::resolution() {
    Transfer t{.id = next_id_++, .flags = chance(60) ? tf::post_pending : tf::void_pending};
    const std::size_t recent = std::min<std::size_t>(holds_.size(), 20);
    t.pending_id = recent != 0 && chance(92) ? holds_[holds_.size() - 1 - below(recent)] : known_id();
    if ((t.flags & tf::post_pending) != 0 || chance(10)) t.amount = chance(50) ? everything : amount();
    if (chance(5)) t.debit_account_id = account_id();
    if (chance(5)) t.credit_account_id = account_id();
    if (chance(5)) t.ledger = static_cast<std::uint32_t>(below(3));
    if (chance(5)) t.code = static_cast<std::uint16_t>(below(3));
    if (chance(5)) t.user_data_64 = below(4);
    return t;
}

// The same event again, or the same id with one thing changed.
Transfer Stream::repetition() {
    Transfer t = sent_[sent_.size() - 1 - below(std::min<std::size_t>(sent_.size(), 60))];
    if (!stored_.empty() && chance(60))
        t = stored_[stored_.size() - 1 - below(std::min<std::size_t>(stored_.size(), 60))];
    if (chance(50)) spoil(t);
    return t;
}

void Stream::spoil(Transfer& t) {
    switch (below(16)) {
        case 0:
            t.id = chance(50) ? 0 : uint128_max;
            break;
        case 1:
            t.debit_account_id = account_id();
            break;
        case 2:
            t.credit_account_id = account_id();
            break;
        case 3:
            t.amount = amount();
            break;
        case 4:
            t.pending_id = chance(30) ? uint128_max : known_id();
            break;
        case 5:
            t.user_data_128 = below(4);
            break;
        case 6:
            t.user_data_64 = below(4);
            break;
        case 7:
            t.user_data_32 = static_cast<std::uint32_t>(below(4));
            break;
        case 8:
            t.timeout_s = static_cast<std::uint32_t>(below(3));
            break;
        case 9:
            t.ledger = static_cast<std::uint32_t>(below(3));
            break;
        case 10:
            t.code = static_cast<std::uint16_t>(below(3));
            break;
        case 11:
            t.timestamp = below(2);
            break;
        case 12:
            t.pending_id = t.id;
            break;
        case 13:
            t.pending_id = 0;
            break;
        default:
            t.flags ^= static_cast<std::uint16_t>(1U << below(chance(90) ? 8 : 16));
            break;
    }
}

std::vector<Transfer> Stream::transfers() {
    std::vector<Transfer> batch;
    const std::size_t count = 1 + below(chance(80) ? 8 : 40);
    const std::uint64_t linking = chance(40) ? 40 : 4;
    while (batch.size() < count) {
        // Sometimes a run of past events in their order, chains included, as a client sends whose answer was lost.
        if (!sent_.empty() && chance(4)) {
            const std::size_t start = below(sent_.size());
            for (std::size_t i = start; i < sent_.size() && i < start + 5; ++i) batch.push_back(sent_[i]);
            continue;
        }
        const std::uint64_t kind = below(100);
        Transfer t = kind < 10 && !sent_.empty() ? repetition() : kind < 35 ? resolution() : fresh_transfer();
        if (chance(3)) spoil(t);
        if (chance(linking)) t.flags |= tf::linked;
        batch.push_back(t);
        sent_.push_back(t);
    }
    if (chance(95)) {
        batch.back().flags &= static_cast<std::uint16_t>(~tf::linked);
        sent_.back().flags = batch.back().id == sent_.back().id ? batch.back().flags : sent_.back().flags;
    }
    return batch;
}

void Stream::learn(std::span<const Transfer> batch, std::span<const CreateTransferResult> results) {
    for (std::size_t i = 0; i < batch.size(); ++i) {
        if (results[i] != CreateTransferResult::ok) continue;
        stored_.push_back(batch[i]);
        if ((batch[i].flags & tf::pending) != 0) holds_.push_back(batch[i].id);
    }
}

std::uint64_t Stream::pause_ns() {
    constexpr std::uint64_t second = 1'000'000'000;
    if (chance(50)) return below(1000);
    return below(4 * second);
}

}  // namespace jiaozi::ledger::test
