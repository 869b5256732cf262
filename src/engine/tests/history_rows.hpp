// Random changes of balances, and a plain map that answers what histories are asked.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <vector>

#include <jiaozi/ledger/history.hpp>

namespace jiaozi::engine::test {

struct Question {
    std::uint64_t account = 0;
    std::uint64_t from = 0;
    std::uint64_t end = 0;
    std::size_t limit = 0;
    bool reversed = false;
};

class Changes {
  public:
    Changes(std::uint64_t seed, std::uint64_t accounts) : random_(seed), accounts_(accounts) {}

    // So many events more, each of which may change two accounts.
    void make(std::size_t events) {
        for (std::size_t i = 0; i < events; ++i) {
            if (below(20) == 0 && events_ > 0) {
                const std::uint64_t hold = below(events_);
                add(ledger::position_of_expiry(events_, expired_), hold, 1 + events_ * 1000 + expired_);
                ++expired_;
                continue;
            }
            add(ledger::position_of_event(events_), events_, 0);
            events_ += 1 + below(3);  // of others, without history
            expired_ = 0;
        }
    }
    std::uint64_t end() const { return ledger::position_of_expiry(events_, expired_); }
    const std::vector<ledger::HistoryRow>& rows() const { return rows_; }

    Question question() {
        const auto position = [this] {
            return below(4) == 0 ? below(end() + 2) : rows_[below(rows_.size())].position + below(3) - 1;
        };
        Question question{below(accounts_ + 2), position(), position(), 1 + below(below(5) == 0 ? 2000 : 20),
                          below(2) == 0};
        if (below(3) == 0) question.from = 0;
        if (below(3) == 0) question.end = UINT64_MAX;
        return question;
    }
    std::vector<ledger::HistoryRow> answer(const Question& question) {
        std::vector<ledger::HistoryRow> found;
        for (const ledger::HistoryRow& row : by_account_[question.account]) {
            if (row.position >= question.from && row.position < question.end) found.push_back(row);
        }
        if (question.reversed) std::ranges::reverse(found);
        found.resize(std::min(found.size(), question.limit));
        return found;
    }

  private:
    std::uint64_t below(std::uint64_t end) { return random_() % end; }

    void add(std::uint64_t position, std::uint64_t event, std::uint64_t expired_ns) {
        const std::uint64_t first = below(accounts_);
        change(first, position, event, expired_ns);
        if (below(2) == 0) change((first + 1 + below(accounts_ - 1)) % accounts_, position, event, expired_ns);
    }
    void change(std::uint64_t account, std::uint64_t position, std::uint64_t event, std::uint64_t expired_ns) {
        auto& rows = by_account_[account];
        ledger::HistoryRow row = rows.empty() ? ledger::HistoryRow{} : rows.back();
        row.account = account;
        row.position = position;
        row.event = event;
        row.expired_ns = expired_ns;
        const uint128 amount = below(10) == 0 ? make_uint128(random_() >> 8, random_()) : uint128{below(10'000)};
        switch (below(5)) {
            case 0:
                row.debits_pending += amount;
                break;
            case 1:
                row.credits_pending = below(2) == 0 ? uint128{0} : row.credits_pending + amount;
                row.debits_pending /= 2;
                break;
            case 2:
            case 3:
                row.debits_posted += amount;
                break;
            default:
                row.credits_posted += amount;
                break;
        }
        rows.push_back(row);
        rows_.push_back(row);
    }

    std::mt19937_64 random_;
    const std::uint64_t accounts_;
    std::uint64_t events_ = 0;
    std::uint64_t expired_ = 0;
    std::vector<ledger::HistoryRow> rows_;
    std::map<std::uint64_t, std::vector<ledger::HistoryRow>> by_account_;
};

}  // namespace jiaozi::engine::test
