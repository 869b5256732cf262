// Transfers to measure with: random 128-bit ids, accounts drawn uniformly or by Zipf's law. Making one costs some
// nanoseconds, so that the generator, which shares the machine, takes little from what is measured.
#pragma once

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include <jiaozi/base/uint128.hpp>
#include <jiaozi/ledger/types.hpp>

namespace jiaozi::bench {

inline constexpr std::uint32_t workload_ledger = 156;

// Spreads a number over 64 bits (the finalizer of splitmix64).
constexpr std::uint64_t spread(std::uint64_t x) noexcept {
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
    return x ^ (x >> 31);
}

// Ids as the services derive them: 128 bits without order.
constexpr uint128 workload_account_id(std::uint64_t number) noexcept {
    return make_uint128(spread(number * 2 + 1), spread(number * 2 + 2) | 1);
}
inline constexpr uint128 workload_funding_id = 1;

// May not be overdrawn, so that every transfer is checked against what the account has.
inline ledger::Account workload_account(std::uint64_t number) {
    return {.id = workload_account_id(number),
            .ledger = workload_ledger,
            .code = 1,
            .flags = ledger::account_flags::debits_must_not_exceed_credits};
}
// Enough for any run.
inline ledger::Transfer workload_opening(std::uint64_t number) {
    return {.id = make_uint128(1, number + 1),
            .debit_account_id = workload_funding_id,
            .credit_account_id = workload_account_id(number),
            .amount = 1'000'000'000'000'000,
            .ledger = workload_ledger,
            .code = 2};
}

class Workload {
  public:
    Workload(std::uint64_t accounts, std::uint64_t seed) : accounts_(accounts), state_(spread(seed)) {}

    // Zipf's law with exponent 0.99: account k comes up in proportion to 1 / (k + 1)^0.99. The draws are made here, and
    // read one after the other: drawing while it is measured would cost more than making a transfer does otherwise.
    static Workload zipf(std::uint64_t accounts, std::uint64_t seed) {
        Workload work(accounts, seed);
        std::vector<double> sums(accounts);
        double sum = 0;
        for (std::uint64_t k = 0; k < accounts; ++k) sums[k] = sum += std::pow(static_cast<double>(k + 1), -0.99);
        work.draws_.resize(draw_count);
        std::uint64_t account = 0;
        for (std::uint64_t i = 0; i < draw_count; ++i) {
            const double at = sum * (static_cast<double>(i) + 0.5) / static_cast<double>(draw_count);
            while (account + 1 < accounts && sums[account] < at) ++account;
            work.draws_[i] = static_cast<std::uint32_t>(account);
        }
        for (std::uint64_t i = draw_count - 1; i > 0; --i) std::swap(work.draws_[i], work.draws_[work.below(i + 1)]);
        return work;
    }

    uint128 next_id() { return make_uint128(random(), random() | 1); }

    ledger::Transfer next() {
        const std::uint64_t debit = draw();
        std::uint64_t credit = draw();
        if (credit == debit) credit = (debit + 1) % accounts_;
        return {.id = next_id(),
                .debit_account_id = workload_account_id(debit),
                .credit_account_id = workload_account_id(credit),
                .amount = 1 + random() % 10'000,
                .ledger = workload_ledger,
                .code = 1};
    }

  private:
    static constexpr std::uint64_t draw_count = (std::uint64_t{1} << 22) - 1;  // odd: the next time round pairs differ

    std::uint64_t random() noexcept { return spread(state_ += 0x9E3779B97F4A7C15ULL); }
    std::uint64_t below(std::uint64_t bound) noexcept {
        return static_cast<std::uint64_t>(static_cast<uint128>(random()) * bound >> 64);
    }
    std::uint64_t draw() noexcept {
        if (draws_.empty()) return below(accounts_);
        if (next_draw_ == draws_.size()) next_draw_ = 0;
        return draws_[next_draw_++];
    }

    std::uint64_t accounts_;
    std::uint64_t state_;
    std::vector<std::uint32_t> draws_;  // empty: uniform
    std::size_t next_draw_ = 0;
};

}  // namespace jiaozi::bench
