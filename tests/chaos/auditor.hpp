// Holds what the program says against what really happened. Everything it finds wrong goes into the diary; what it
// counts goes into the report.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "diary.hpp"
#include "world.hpp"

namespace jiaozi::chaos {

// One payment as the program shows it.
struct Row {
    PaymentId id;
    std::string kind, state, reason, payer_wallet, payee_wallet, payer_member, device, payer_device;
    std::uint32_t slot = 0, quantity = 0, delivered = 0;
    uint128 amount = 0, captured = 0, refunded = 0;
    bool late = false;
    std::string whole;  // the object's text
};

struct Findings {
    std::map<std::string, std::uint64_t> outcomes;  // "voided device_silent" → how many
    std::map<std::string, std::uint64_t> kinds;
    std::uint64_t units_ordered = 0, units_fallen = 0;
    uint128 captured = 0, refunded = 0, held = 0, total = 0;
    std::uint64_t refunds = 0, refunds_refused = 0, replays = 0;
    std::vector<std::string> late;
};

class Auditor {
  public:
    Auditor(Diary& diary, const Plan& plan, const World& world) : diary_(diary), plan_(plan), world_(world) {}

    // No payment pending or authorized, as the program tells it. Asks until then or until `patience` is over.
    static bool wait_until_none_is_open(Api& api, Duration patience);
    // What the limited payer has left for today can be spent, and not a unit more: nothing leaked, nothing was given
    // twice.
    Result<> spend_the_allowance(Api& api);

    Result<> read(Api& api);
    void check_everybody_is_known();
    void check_payments();
    void check_answers();
    void check_replays(Api& api);
    void check_refunds();
    Result<> check_wallets(Api& api);
    // With the server stopped: the ledger itself, opened by the library.
    Result<> check_ledger(const std::filesystem::path& data);
    // After a rebuild and another start: the same payments and refunds, to the letter.
    Result<> check_rebuilt(Api& api);

    const Findings& findings() const noexcept { return findings_; }

  private:
    void wrong(const Row& row, const std::string& what) {
        diary_.wrong(row.id.to_string() + " " + what + ": " + row.whole);
    }
    void check_physical(const Row& row);
    void check_lateness(const Row& row, const Fallen& fallen);
    void check_refused(const Row& row);
    const Row* row(PaymentId id) const;
    static Result<std::vector<Row>> read_rows(Api& api);
    Result<std::map<std::string, std::string>> read_refunds(Api& api) const;
    // What a wallet must hold, from deposits, captures and refunds alone.
    std::map<std::string, uint128> expected_balances() const;

    Diary& diary_;
    const Plan& plan_;
    const World& world_;
    std::vector<Row> rows_;
    std::unordered_map<PaymentId, std::size_t> by_id_;
    std::map<std::string, std::string> refunds_;  // of each refunded payment: the list's text
    Findings findings_;
};

}  // namespace jiaozi::chaos
