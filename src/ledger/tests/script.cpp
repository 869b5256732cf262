#include "script.hpp"

#include <map>
#include <sstream>
#include <vector>

#include <gtest/gtest.h>

#include <jiaozi/ledger/invariants.hpp>
#include <jiaozi/ledger/ledger.hpp>

namespace jiaozi::ledger::test {
namespace {

constexpr std::uint64_t second = 1'000'000'000;

const std::map<std::string_view, std::uint16_t> account_words{
    {"linked", account_flags::linked},
    {"debits<=credits", account_flags::debits_must_not_exceed_credits},
    {"credits<=debits", account_flags::credits_must_not_exceed_debits},
    {"history", account_flags::history},
    {"frozen", account_flags::frozen},
    {"closed", account_flags::closed}};
const std::map<std::string_view, std::uint16_t> transfer_words{{"linked", transfer_flags::linked},
                                                               {"pending", transfer_flags::pending},
                                                               {"post", transfer_flags::post_pending},
                                                               {"void", transfer_flags::void_pending},
                                                               {"balancing-debit", transfer_flags::balancing_debit},
                                                               {"balancing-credit", transfer_flags::balancing_credit},
                                                               {"closing-debit", transfer_flags::closing_debit},
                                                               {"closing-credit", transfer_flags::closing_credit}};

struct Line {
    std::size_t number = 0;
    std::string text;
    std::vector<std::string> words;   // before "->"
    std::vector<std::string> answer;  // after it
    bool is_account() const { return !words.empty() && words[0] == "account"; }
    bool is_transfer() const {
        return !words.empty() && (words[0] == "transfer" || words[0] == "post" || words[0] == "void");
    }
};

std::vector<Line> read_lines(std::string_view script) {
    std::vector<Line> lines;
    std::istringstream stream{std::string(script)};
    Line line;
    for (std::size_t number = 1; std::getline(stream, line.text); ++number) {
        line.number = number;
        line.words.clear();
        line.answer.clear();
        std::istringstream words(line.text.substr(0, line.text.find('#')));
        bool answering = false;
        for (std::string word; words >> word;) {
            if (word == "->") {
                answering = true;
            } else {
                (answering ? line.answer : line.words).push_back(word);
            }
        }
        lines.push_back(line);
    }
    return lines;
}

uint128 amount_of(const std::string& word) {
    if (word == "max" || word == "everything") return uint128_max;
    if (word.starts_with("max-")) return uint128_max - parse_decimal(word.substr(4)).value();
    return parse_decimal(word).value();
}

uint128 id_of(const std::string& word) {
    if (word == "0" || word == "max") return amount_of(word);
    return parse_decimal(word.substr(1)).value();
}

template <class Integer>
Integer number_of(const std::string& word) {
    return static_cast<Integer>(amount_of(word));
}

std::uint32_t ledger_of(const std::string& word) {
    static const std::map<std::string_view, std::uint32_t> ledgers{{"none", 0}, {"cny", 156}, {"eur", 978}};
    return ledgers.at(word);
}

void set_accounts(Transfer& transfer, const std::string& word) {
    const std::size_t arrow = word.find('>');
    transfer.debit_account_id = id_of(word.substr(0, arrow));
    transfer.credit_account_id = id_of(word.substr(arrow + 1));
}

// Words that accounts and transfers share; false if it is none of them.
template <class Event>
bool set_common(Event& event, const std::string& word, const std::string& value) {
    if (word == "code") return event.code = number_of<std::uint16_t>(value), true;
    if (word == "ledger") return event.ledger = ledger_of(value), true;
    if (word == "data128") return event.user_data_128 = amount_of(value), true;
    if (word == "data64") return event.user_data_64 = number_of<std::uint64_t>(value), true;
    if (word == "data32") return event.user_data_32 = number_of<std::uint32_t>(value), true;
    if (word == "flag") return event.flags |= number_of<std::uint16_t>(value), true;
    if (word == "timestamp") return event.timestamp = number_of<std::uint64_t>(value), true;
    return false;
}

Account account_of(const Line& line) {
    Account account{.id = id_of(line.words.at(1)), .ledger = 156, .code = 1};
    for (std::size_t i = 2; i < line.words.size(); ++i) {
        const std::string& word = line.words[i];
        if (const auto flag = account_words.find(word); flag != account_words.end()) {
            account.flags |= flag->second;
            continue;
        }
        const std::string& value = line.words.at(++i);
        if (set_common(account, word, value)) continue;
        if (word == "reserved")
            account.reserved = number_of<std::uint32_t>(value);
        else if (word == "debits_pending")
            account.debits_pending = amount_of(value);
        else if (word == "debits_posted")
            account.debits_posted = amount_of(value);
        else if (word == "credits_pending")
            account.credits_pending = amount_of(value);
        else if (word == "credits_posted")
            account.credits_posted = amount_of(value);
        else
            ADD_FAILURE() << "unknown word " << word << " in line " << line.number << ": " << line.text;
    }
    return account;
}

Transfer transfer_of(const Line& line) {
    Transfer transfer{.id = id_of(line.words.at(1))};
    std::size_t next = 2;
    if (line.words[0] == "transfer") {
        transfer.ledger = 156;
        transfer.code = 1;
        set_accounts(transfer, line.words.at(next++));
        transfer.amount = amount_of(line.words.at(next++));
    } else {
        transfer.flags = transfer_words.at(line.words[0]);
        transfer.pending_id = id_of(line.words.at(next + 1));
        next += 2;
        const bool has_amount = next < line.words.size() && line.words[next].find_first_of("0123456789me") == 0;
        if (has_amount) transfer.amount = amount_of(line.words.at(next++));
    }
    for (; next < line.words.size(); ++next) {
        const std::string& word = line.words[next];
        if (const auto flag = transfer_words.find(word); flag != transfer_words.end()) {
            transfer.flags |= flag->second;
            continue;
        }
        const std::string& value = line.words.at(++next);
        if (set_common(transfer, word, value)) continue;
        if (word == "timeout")
            transfer.timeout_s = number_of<std::uint32_t>(value);
        else if (word == "of")
            transfer.pending_id = id_of(value);
        else if (word == "accounts")
            set_accounts(transfer, value);
        else
            ADD_FAILURE() << "unknown word " << word << " in line " << line.number << ": " << line.text;
    }
    return transfer;
}

class Runner {
  public:
    void run(const std::vector<Line>& lines) {
        for (const Line& line : lines) {
            if (!line.is_account()) flush_accounts();
            if (!line.is_transfer()) flush_transfers();
            if (line.is_account() || line.is_transfer())
                batch_.push_back(line);
            else if (!line.words.empty())
                perform(line);
        }
        flush_accounts();
        flush_transfers();
        send_again();
    }

  private:
    void flush_accounts() {
        if (batch_.empty() || !batch_.front().is_account()) return;
        std::vector<Account> events;
        for (const Line& line : batch_) events.push_back(account_of(line));
        std::vector<CreateAccountResult> results;
        now_ += events.size();
        ledger_.create_accounts(events, now_, results);
        compare(results);
        sent_accounts_.emplace_back(std::move(events), std::move(results));
    }

    void flush_transfers() {
        if (batch_.empty() || !batch_.front().is_transfer()) return;
        std::vector<Transfer> events;
        for (const Line& line : batch_) events.push_back(transfer_of(line));
        std::vector<CreateTransferResult> results;
        now_ += events.size();
        ledger_.create_transfers(events, now_, results);
        compare(results);
        sent_transfers_.emplace_back(std::move(events), std::move(results));
    }

    template <class Result>
    void compare(const std::vector<Result>& results) {
        for (std::size_t i = 0; i < batch_.size(); ++i) {
            ASSERT_EQ(batch_[i].answer.size(), 1U) << where(batch_[i]);
            EXPECT_EQ(name_of(results[i]), batch_[i].answer[0]) << where(batch_[i]);
        }
        check(batch_.back());
        batch_.clear();
    }

    void perform(const Line& line) {
        const std::string& verb = line.words[0];
        if (verb == "wait")
            wait(line);
        else if (verb == "pause")
            now_ += number_of<std::uint64_t>(line.words.at(1)) * second;
        else if (verb == "freeze")
            set_flags(line, account_flags::frozen, 0);
        else if (verb == "unfreeze")
            set_flags(line, 0, account_flags::frozen);
        else if (verb == "flags") {
            set_flags(line, number_of<std::uint16_t>(line.words.at(3)), number_of<std::uint16_t>(line.words.at(5)));
        } else if (verb == "stored" || verb == "unknown" || verb == "status" || verb == "amount")
            look_at_transfer(line);
        else
            look_at_account(line);
        check(line);
    }

    void wait(const Line& line) {
        now_ += number_of<std::uint64_t>(line.words.at(1)) * second;
        std::vector<Expired> expired;
        ledger_.expire(now_, expired);
        std::vector<std::string> names;
        for (const Expired& one : expired) {
            names.push_back("T" + to_decimal(one.pending_id));
            EXPECT_EQ(one.timestamp, now_) << where(line);
        }
        if (names.empty()) names.push_back("nothing");
        EXPECT_EQ(names, line.answer) << where(line);
    }

    void set_flags(const Line& line, std::uint16_t set, std::uint16_t clear) {
        const SetAccountFlagsResult result = ledger_.set_account_flags(id_of(line.words.at(1)), set, clear);
        EXPECT_EQ(name_of(result), line.answer.at(0)) << where(line);
    }

    void look_at_transfer(const Line& line) {
        const std::string& verb = line.words[0];
        const uint128 id = id_of(line.words.at(1));
        const std::optional<Transfer> transfer = ledger_.find_transfer(id).value();
        if (verb == "status") {
            EXPECT_EQ(name_of(ledger_.pending_status(id).value()), line.words.at(2)) << where(line);
        } else if (verb == "unknown") {
            EXPECT_EQ(transfer, std::nullopt) << where(line);
        } else {
            ASSERT_TRUE(transfer.has_value()) << where(line);
            if (verb != "amount") return;
            EXPECT_EQ(to_decimal(transfer->amount), to_decimal(amount_of(line.words.at(2)))) << where(line);
        }
    }

    void look_at_account(const Line& line) {
        const std::string& verb = line.words[0];
        const Account* account = ledger_.find_account(id_of(line.words.at(1)));
        if (verb == "missing") {
            EXPECT_EQ(account, nullptr) << where(line);
            return;
        }
        ASSERT_NE(account, nullptr) << where(line);
        if (verb == "balance") {
            const std::string debits = to_decimal(account->debits_pending) + "+" + to_decimal(account->debits_posted);
            const std::string credits =
                to_decimal(account->credits_pending) + "+" + to_decimal(account->credits_posted);
            EXPECT_EQ("debits " + debits + " credits " + credits,
                      "debits " + line.words.at(3) + " credits " + line.words.at(5))
                << where(line);
        } else if (verb == "open" || verb == "closed") {
            EXPECT_EQ((account->flags & account_flags::closed) != 0, verb == "closed") << where(line);
        } else {
            ADD_FAILURE() << "unknown statement: " << where(line);
        }
    }

    // The promise of idempotency: whatever was answered is answered again, and nothing changes.
    void send_again() {
        const std::uint64_t transfers = ledger_.transfer_count();
        for (const auto& [events, before] : sent_accounts_) {
            std::vector<CreateAccountResult> results;
            ledger_.create_accounts(events, now_ += events.size(), results);
            for (std::size_t i = 0; i < events.size(); ++i) {
                // Broken chains of accounts are not remembered: the script may have created their members since.
                if (before[i] == CreateAccountResult::linked_event_failed) continue;
                const auto expected = before[i] == CreateAccountResult::ok ? CreateAccountResult::exists : before[i];
                EXPECT_EQ(name_of(results[i]), name_of(expected)) << "sent again: account " << to_decimal(events[i].id);
            }
        }
        for (const auto& [events, before] : sent_transfers_) {
            std::vector<CreateTransferResult> results;
            ledger_.create_transfers(events, now_ += events.size(), results);
            for (std::size_t i = 0; i < events.size(); ++i) {
                const auto expected = before[i] == CreateTransferResult::ok ? CreateTransferResult::exists : before[i];
                EXPECT_EQ(name_of(results[i]), name_of(expected))
                    << "sent again: transfer " << to_decimal(events[i].id);
            }
        }
        EXPECT_EQ(ledger_.transfer_count(), transfers);
    }

    void check(const Line& line) {
        for (const Violation& violation : check_invariants(ledger_)) {
            ADD_FAILURE() << where(line) << ": " << violation.checker << ": " << violation.detail;
        }
    }

    static std::string where(const Line& line) { return "line " + std::to_string(line.number) + ": " + line.text; }

    Ledger ledger_;
    std::uint64_t now_ = 1'700'000'000 * second;
    std::vector<Line> batch_;
    std::vector<std::pair<std::vector<Account>, std::vector<CreateAccountResult>>> sent_accounts_;
    std::vector<std::pair<std::vector<Transfer>, std::vector<CreateTransferResult>>> sent_transfers_;
};

}  // namespace

void run_script(std::string_view script) {
    Runner().run(read_lines(script));
}

std::set<std::string> expected_account_results(std::string_view script) {
    std::set<std::string> results;
    for (const Line& line : read_lines(script)) {
        if (line.is_account()) results.insert(line.answer.begin(), line.answer.end());
    }
    return results;
}

std::set<std::string> expected_transfer_results(std::string_view script) {
    std::set<std::string> results;
    for (const Line& line : read_lines(script)) {
        if (line.is_transfer()) results.insert(line.answer.begin(), line.answer.end());
    }
    return results;
}

}  // namespace jiaozi::ledger::test
