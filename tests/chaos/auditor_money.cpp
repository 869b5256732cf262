// The auditor's other half: balances, the ledger, and the projections made again.
#include <jiaozi/api/accounts.hpp>
#include <jiaozi/engine/engine.hpp>
#include <jiaozi/money/asset.hpp>

#include "auditor.hpp"

namespace jiaozi::chaos {

// A refusal repeated after check_replays would be no replay: this comes before read().
Result<> Auditor::spend_the_allowance(Api& api) {
    uint128 spent = 0;
    std::string day;
    JZ_TRY(const auto objects, api.list("/v1/payments?payer_member=" + world_.limited.member));
    for (const json::object& object : objects) {
        spent += minor(object, "captured") - minor(object, "refunded");
        const std::string created = text(object, "created").substr(0, 10);
        if (!day.empty() && created != day) return {};  // midnight passed: two allowances were in use
        day = created;
    }
    if (spent > world_.allowance)
        return Error(ErrorKind::internal, "more was spent than the allowance: " + to_decimal(spent));
    const uint128 left = world_.allowance - spent;
    for (const auto& [amount, expected] : {std::pair{left + 1, 402L}, {left, left > 0 ? 201L : 0L}}) {
        if (expected == 0) continue;
        Purchase purchase{"allowance-" + to_decimal(amount), {}, {}, {}};
        purchase.body = {{"kind", "person"},
                         {"payer_wallet", world_.limited.wallet},
                         {"payer_member", world_.limited.member},
                         {"payee_wallet", world_.payers[0].wallet},
                         {"amount", to_decimal(amount)},
                         {"asset", "CNY"}};
        purchase.first = api.ask("POST", "/v1/payments", purchase.body, purchase.key);
        const bool today = text(purchase.first.body, "created").starts_with(day) || purchase.first.status == 402;
        if (purchase.first.status != expected && today) {
            diary_.wrong("of the allowance " + to_decimal(left) + " must be left; " + to_decimal(amount) +
                         " was answered " + purchase.first.text);
        }
        diary_.bought(std::move(purchase));
    }
    return {};
}

std::map<std::string, uint128> Auditor::expected_balances() const {
    std::map<std::string, uint128> expected;
    for (const Payer& payer : world_.payers) expected[payer.wallet] += payer.deposited;
    expected[world_.limited.wallet] += world_.limited.deposited;
    expected[world_.fleet.wallet] += world_.fleet.deposited;
    for (const Row& each : rows_) {
        if (each.captured == 0) continue;
        expected[each.payer_wallet] -= each.captured - each.refunded;
        expected[each.payee_wallet] += each.captured - each.refunded;
    }
    return expected;
}

Result<> Auditor::check_wallets(Api& api) {
    auto expected = expected_balances();
    for (const std::string& id : world_.wallets()) {
        JZ_TRY(const auto wallet, api.make("GET", "/v1/wallets/" + id));
        const uint128 total = minor(wallet, "total");
        findings_.total += total;
        findings_.held += minor(wallet, "held");
        if (minor(wallet, "held") != 0) diary_.wrong("money is still held: " + json::serialize(wallet));
        if (total != expected[id])
            diary_.wrong("the wallet must hold " + to_decimal(expected[id]) + ": " + json::serialize(wallet));
    }
    if (findings_.total != world_.deposited()) {
        diary_.wrong("of " + std::to_string(world_.deposited()) + " deposited " + to_decimal(findings_.total) +
                     " is there");
    }
    return {};
}

Result<> Auditor::check_ledger(const std::filesystem::path& data) {
    const SystemClock clock;
    engine::Options options;
    options.directory = data / "journal";
    JZ_TRY(const auto engine, engine::Engine::open(options, clock));
    for (const ledger::Violation& violation : engine->check_invariants())
        diary_.wrong("ledger, " + std::string(violation.checker) + ": " + violation.detail);
    auto expected = expected_balances();
    for (const std::string& id : world_.wallets()) {
        JZ_TRY(const WalletId wallet, WalletId::parse(id));
        const auto account = engine->account(wallet.value);
        if (!account) return Error(ErrorKind::internal, "no account for " + id);
        if (account->debits_pending != 0 || account->credits_pending != 0)
            diary_.wrong("the ledger still holds something on " + id);
        if (account->credits_posted - account->debits_posted != expected[id])
            diary_.wrong("the ledger's balance of " + id + " is not right");
    }
    const auto funding = engine->account(api::system_account(api::code_funding, assets::CNY.ledger));
    if (!funding) return Error(ErrorKind::internal, "no funding account");
    if (funding->debits_posted - funding->credits_posted != world_.deposited())
        diary_.wrong("the funding account does not balance the deposits");
    return {};
}

Result<> Auditor::check_rebuilt(Api& api) {
    JZ_TRY(const auto rows, read_rows(api));
    JZ_TRY(const auto refunds, read_refunds(api));
    if (rows.size() != rows_.size())
        diary_.wrong("before the rebuild there were " + std::to_string(rows_.size()) + " payments, after it " +
                     std::to_string(rows.size()));
    for (std::size_t i = 0; i < std::min(rows.size(), rows_.size()); ++i) {
        if (rows[i].whole != rows_[i].whole) wrong(rows_[i], "differs after the rebuild, " + rows[i].whole);
    }
    if (refunds != refunds_) diary_.wrong("the refunds differ after the rebuild");
    return {};
}

}  // namespace jiaozi::chaos
