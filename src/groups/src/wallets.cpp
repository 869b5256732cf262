// The half of GroupService that touches the ledger: accounts, freezing, deposits, balances, statements.
#include <charconv>

#include <jiaozi/api/accounts.hpp>
#include <jiaozi/api/json.hpp>
#include <jiaozi/api/text.hpp>
#include <jiaozi/codec/cbor.hpp>
#include <jiaozi/registry/people.hpp>

#include "state.hpp"

namespace jiaozi::groups {
namespace {

constexpr std::uint64_t deposit_annotation_kind = 32;

Bytes id_bytes(uint128 id) {
    Bytes bytes(16);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(id >> (8 * (15 - i)));
    return bytes;
}

// What the journal says of a deposit beside its transfer; projections read it. docs/formats/annotation.md.
Bytes annotation_of(const Deposit& deposit) {
    codec::CborWriter out;
    out.map(5);
    out.uint(1).uint(deposit_annotation_kind);
    out.uint(2).bytes(id_bytes(deposit.id.value));
    out.uint(3).bytes(id_bytes(deposit.wallet.value));
    out.uint(4).uint(low64(deposit.amount.minor()));
    out.uint(5).text(deposit.amount.asset().name());
    return out.take();
}

engine::Command deposit_command(const Deposit& deposit) {
    const std::uint32_t ledger = deposit.amount.asset().ledger;
    const uint128 funding = api::system_account(api::code_funding, ledger);
    engine::Command command;
    // The funding account is opened by the first deposit of its asset; later ones find that it exists.
    command.accounts.push_back({.id = funding, .ledger = ledger, .code = api::code_funding});
    command.transfers.push_back({.id = deposit.id.value,
                                 .debit_account_id = funding,
                                 .credit_account_id = deposit.wallet.value,
                                 .amount = deposit.amount.minor(),
                                 .user_data_128 = deposit.id.value,
                                 .ledger = ledger,
                                 .code = api::transfer_deposit});
    command.annotation = annotation_of(deposit);
    return command;
}

Error wallet_frozen(WalletId wallet) {
    return Error(ErrorKind::declined, wallet.to_string() + " is frozen; unfreeze it first").with_code("wallet_frozen");
}

Result<Deposit> deposit_outcome(const engine::Engine& engine, Deposit deposit, const engine::Outcome& outcome) {
    using ledger::CreateTransferResult;
    const CreateTransferResult result = outcome.transfers.at(0);
    if (result == CreateTransferResult::ok || result == CreateTransferResult::exists) {
        JZ_TRY(const auto stored, engine.transfer(deposit.id.value));
        JZ_ASSERT(stored.has_value());
        deposit.created = Timestamp{stored->timestamp};
        return deposit;
    }
    if (result == CreateTransferResult::credit_account_frozen) return wallet_frozen(deposit.wallet);
    if (result > CreateTransferResult::code_must_not_be_zero && result < CreateTransferResult::exists) {
        return Error(ErrorKind::conflict, deposit.id.to_string() + " was used for another deposit; use a new id")
            .with_code("idempotency_mismatch");
    }
    // A refusal is remembered by the ledger: the same deposit cannot succeed later, a new one may.
    return Error(ErrorKind::declined, "the ledger refused " + deposit.id.to_string() + ": " +
                                          std::string(name_of(result)) + "; try again with a new id")
        .with_code("ledger_refused");
}

Amount of(const Wallet& wallet, uint128 minor) {
    return {minor, wallet.asset};
}

Phase phase_of(const ledger::Transfer& transfer, ledger::ChangeCause cause) {
    if (cause == ledger::ChangeCause::expiry) return Phase::released;
    if (transfer.flags & ledger::transfer_flags::void_pending) return Phase::released;
    if (transfer.flags & ledger::transfer_flags::pending) return Phase::held;
    return Phase::posted;
}

StatementRow row_of(const Wallet& wallet, const ledger::BalanceChange& change, const ledger::Transfer& transfer) {
    return {.timestamp = {change.timestamp},
            .transfer = transfer.id,
            .reference = transfer.user_data_128,
            .direction = transfer.debit_account_id == wallet.id.value ? Direction::debit : Direction::credit,
            .phase = phase_of(transfer, change.cause),
            .amount = of(wallet, transfer.amount),
            .balance_after = of(wallet, change.credits_posted - change.debits_posted),
            .held_after = of(wallet, change.debits_pending),
            .code = transfer.code};
}

Result<ledger::StatementQuery> ledger_query(const StatementQuery& query) {
    if (query.limit < 1 || query.limit > 100)
        return Error(ErrorKind::invalid, "limit must be 1 to 100").with_param("limit");
    ledger::StatementQuery result{
        .from_ns = query.from.ns, .to_ns = query.to.ns, .limit = query.limit, .reversed = true, .cursor = {}};
    if (!query.cursor.empty()) {
        std::size_t cursor = 0;
        const char* end = query.cursor.data() + query.cursor.size();
        const auto [stopped, failure] = std::from_chars(query.cursor.data(), end, cursor);
        if (failure != std::errc{} || stopped != end) {
            return Error(ErrorKind::invalid, "cursor must be the `next` of an earlier page").with_param("cursor");
        }
        result.cursor = cursor;
    }
    return result;
}

}  // namespace

std::string_view name_of(Direction direction) {
    return direction == Direction::debit ? "debit" : "credit";
}
std::string_view name_of(Phase phase) {
    return phase == Phase::posted ? "posted" : phase == Phase::held ? "held" : "released";
}

void GroupService::adopt(const Wallet& wallet) {
    state_->cache.put(wallet);
}

void GroupService::open_wallet(Wallet wallet, Actor actor, api::Done<Wallet> done) {
    const auto check = [&]() -> Result<> {
        JZ_CHECK(check_id(static_cast<bool>(wallet.id)));
        JZ_CHECK(api::check_name(wallet.name, "name"));
        JZ_CHECK(check_asset(wallet.asset));
        if (!wallet.group || wallet.merchant)
            return Error(ErrorKind::invalid, "give the group that owns the wallet").with_param("group");
        JZ_CHECK(state_->require_manager(wallet.group, actor));
        // Before an account is opened for it, since accounts cannot be taken back.
        JZ_CHECK(registry::get_group(state_->parts.session, wallet.group));
        return {};
    };
    if (auto checked = check(); !checked.ok()) return done(std::move(checked).error());

    engine::Command command;
    command.accounts.push_back(
        {.id = wallet.id.value,
         .ledger = wallet.asset.ledger,
         .code = api::code_wallet,
         .flags = ledger::account_flags::debits_must_not_exceed_credits | ledger::account_flags::history});
    state_->commit<Wallet>(
        std::move(command), std::move(done),
        [state = state_.get(), wallet](const engine::Outcome& outcome) mutable -> Result<Wallet> {
            using ledger::CreateAccountResult;
            const CreateAccountResult opened = outcome.accounts.at(0);
            if (opened != CreateAccountResult::ok && opened != CreateAccountResult::exists)
                return already_exists("wallet", wallet.id.to_string());
            if (const Wallet* stored = state->cache.wallet(wallet.id)) {
                if (stored->group == wallet.group && stored->name == wallet.name && stored->asset == wallet.asset)
                    return *stored;
                return already_exists("wallet", wallet.id.to_string());
            }
            wallet.frozen = false;
            wallet.created = state->parts.clock.now();
            JZ_CHECK(state->record({state->event("wallet.created", wallet.id.to_string(), api::json_of(wallet))},
                                   [&] { return registry::insert(state->parts.session, wallet); }));
            state->cache.put(wallet);
            return wallet;
        });
}

void GroupService::set_frozen(WalletId id, bool frozen, Actor actor, api::Done<Wallet> done) {
    const auto checked = state_->managed_wallet(id, actor);
    if (!checked.ok()) return done(Error(checked.error()));
    engine::Command command;
    const std::uint16_t flag = ledger::account_flags::frozen;
    const std::uint16_t none = 0;
    command.flag_changes.push_back(
        {.account_id = id.value, .set = frozen ? flag : none, .clear = frozen ? none : flag});
    state_->commit<Wallet>(std::move(command), std::move(done),
                           [state = state_.get(), id, frozen](const engine::Outcome& outcome) -> Result<Wallet> {
                               const auto result = outcome.flag_changes.at(0);
                               if (result != ledger::SetAccountFlagsResult::ok) {
                                   return Error(ErrorKind::internal, "the ledger refused to change " + id.to_string() +
                                                                         ": " + std::string(name_of(result)));
                               }
                               Wallet wallet = *state->cache.wallet(id);  // wallets are never removed
                               if (wallet.frozen == frozen) return wallet;
                               wallet.frozen = frozen;
                               JZ_CHECK(state->record({state->event(frozen ? "wallet.frozen" : "wallet.unfrozen",
                                                                    id.to_string(), api::json_of(wallet))},
                                                      [&] { return registry::update(state->parts.session, wallet); }));
                               state->cache.put(wallet);
                               return wallet;
                           });
}

void GroupService::deposit(Deposit deposit, Actor actor, api::Done<Deposit> done) {
    const auto check = [&]() -> Result<> {
        JZ_CHECK(check_id(static_cast<bool>(deposit.id)));
        JZ_TRY(const Wallet* wallet, state_->managed_wallet(deposit.wallet, actor));
        if (deposit.amount.asset() != wallet->asset) {
            return Error(ErrorKind::invalid, "the wallet is in " + std::string(wallet->asset.name()))
                .with_code("asset_mismatch")
                .with_param("asset");
        }
        if (deposit.amount.is_zero() || high64(deposit.amount.minor()) != 0) {
            return Error(ErrorKind::invalid, "amount must be above zero and below 2^64").with_param("amount");
        }
        // Refused here, because a refusal by the ledger would use up the deposit's id.
        if (!wallet->frozen) return {};
        JZ_TRY(const auto stored, state_->parts.engine.transfer(deposit.id.value));
        if (!stored) return wallet_frozen(wallet->id);
        return {};
    };
    if (auto checked = check(); !checked.ok()) return done(std::move(checked).error());
    engine::Command command = deposit_command(deposit);
    state_->commit<Deposit>(std::move(command), std::move(done),
                            [state = state_.get(), deposit](const engine::Outcome& outcome) {
                                return deposit_outcome(state->parts.engine, deposit, outcome);
                            });
}

std::optional<api::Balance> GroupService::balance(WalletId id) const {
    const auto account = state_->parts.engine.account(id.value);
    if (!account || (account->code != api::code_wallet && account->code != api::code_merchant_wallet))
        return std::nullopt;
    const auto asset = find_asset(account->ledger);
    if (!asset.ok()) return std::nullopt;
    const uint128 total = account->credits_posted - account->debits_posted;
    return api::Balance{.total = Amount(total, *asset),
                        .held = Amount(account->debits_pending, *asset),
                        .available = Amount(total - account->debits_pending, *asset)};
}

Result<Statement> GroupService::statement(WalletId id, const StatementQuery& query) const {
    const Wallet* wallet = state_->cache.wallet(id);
    if (!wallet)
        return Error(ErrorKind::not_found, "there is no wallet " + id.to_string()).with_code("wallet_not_found");
    JZ_TRY(const ledger::StatementQuery asked, ledger_query(query));
    JZ_TRY(const ledger::StatementPage page, state_->parts.engine.statement(id.value, asked));
    Statement statement;
    for (const ledger::BalanceChange& change : page.changes) {
        JZ_TRY(const auto transfer, state_->parts.engine.transfer(change.transfer_id));
        JZ_ASSERT(transfer.has_value());  // a change names a stored transfer
        statement.rows.push_back(row_of(*wallet, change, *transfer));
    }
    if (page.next) statement.next = std::to_string(*page.next);
    return statement;
}

}  // namespace jiaozi::groups
