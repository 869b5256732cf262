// Loading a purse: wallet to escrow, collateral, and the certificate, as one linked chain.
#include <algorithm>

#include <jiaozi/api/accounts.hpp>
#include <jiaozi/base/big_endian.hpp>

#include "impl.hpp"

namespace jiaozi::settlement {
namespace {

Error declined(std::string_view code, std::string message) {
    return Error(ErrorKind::declined, std::move(message)).with_code(code);
}

purse::Asset purse_asset(const Asset& asset) {
    return purse_host::asset_of(asset.name());
}

}  // namespace

// What is missing to the share of all open lots, this one included. Rounded up.
std::uint64_t Settlement::Impl::collateral_for(const PurseRecord& purse, std::uint64_t amount) const {
    const std::uint64_t percent = options_.policy.of(purse.assurance).collateral_percent;
    const uint128 needed = (static_cast<uint128>(book.open_lots_of(purse) + amount) * percent + 99) / 100;
    return needed > purse.collateral ? low64(needed) - purse.collateral : 0;
}

// What the root says about the key that would sign.
Result<> Settlement::Impl::check_issuer(crypto::Suite suite, std::uint64_t amount) const {
    if (!root_) return {};
    for (const purse_host::PurseSigner* signer : parts_.issuers) {
        if (signer->suite() != suite) continue;
        const RootKey own{suite, signer->public_key()};
        const purse::Kid kid = kid_of(own);
        const auto named = std::ranges::find_if(root_->issuing, [&](const IssuingKey& key) { return key.key == own; });
        const bool revoked = std::ranges::find(root_->revoked, kid) != root_->revoked.end();
        if (named == root_->issuing.end() || revoked || now_s() < named->not_before || now_s() >= named->not_after) {
            return declined("unknown_issuer", "root " + std::to_string(root_->version) + " does not let the " +
                                                  std::string(name_of(suite)) + " key issue; install another root");
        }
        if (book.open_lots_of_issuer(kid) + amount > named->escrow_cap) {
            return declined("issuer_cap",
                            "the issuing key has reached the cap of the root on open lots; wait for lots to "
                            "end, or install a root that allows more");
        }
    }
    return {};
}

// The first answer again, or nothing when the load may go on.
Result<std::optional<LoadAnswer>> Settlement::Impl::check_load(const NewLoad& load) const {
    if (!load.id) return Error(ErrorKind::invalid, "a load needs an id").with_param("id");
    if (const LotIndex known = book.lot_of_load(load.id); known != none) {
        const LotRecord& lot = book.lot(known);
        if (lot.purse != load.purse || lot.amount != load.amount || lot.directed != load.directed) {
            return Error(ErrorKind::conflict, load.id.to_string() + " was used for another load; use a new id")
                .with_code("idempotency_mismatch");
        }
        if (lot.state == LotState::refused) {
            return declined("insufficient_funds",
                            "the ledger refused " + load.id.to_string() + "; put money in and load under a new id");
        }
        return std::optional<LoadAnswer>({lot.certificate, true});
    }
    const PurseRecord* purse = book.purse(load.purse);
    if (purse == nullptr) return not_found_purse(load.purse);
    if (purse->state != PurseState::active) {
        return declined("purse_not_active",
                        "purse " + std::to_string(load.purse) + " is frozen or lost; enrol another");
    }
    if (load.amount > purse::highest_amount) {
        return Error(ErrorKind::invalid, "amount must be below 2^63").with_param("amount");
    }
    if (load.directed == load.purse || (load.directed != 0 && book.purse(load.directed) == nullptr)) {
        return Error(ErrorKind::invalid, "directed must name another enrolled purse, or nobody")
            .with_code("wrong_directed")
            .with_param("directed");
    }
    const ClassPolicy& policy = options_.policy.of(purse->assurance);
    if (load.amount > policy.lot) {
        return declined("lot_too_large", "at most " + std::to_string(policy.lot) +
                                             " minor units for a purse of class A" + std::to_string(purse->assurance));
    }
    const std::uint64_t open = book.open_lots_of_holder(purse->holder, purse->asset);
    if (open + load.amount > options_.policy.holder_cap) {
        return declined("holder_cap", "all purses of this holder have " + std::to_string(open) + " loaded, at most " +
                                          std::to_string(options_.policy.holder_cap) +
                                          " is allowed; settle or wait for a lot to end");
    }
    JZ_CHECK(check_issuer(purse->key->suite(), load.amount));
    return std::optional<LoadAnswer>();
}

std::optional<engine::Command> Settlement::Impl::prepare_load(const NewLoad& load, LoadedFact& fact,
                                                              api::Done<LoadAnswer>& done) {
    auto checked = check_load(load);
    if (!checked.ok()) {
        done(std::move(checked).error());
        return std::nullopt;
    }
    if (*checked) {
        done(std::move(**checked));
        return std::nullopt;
    }
    const PurseRecord& purse = *book.purse(load.purse);
    auto issuer = issuer_for(purse.key->suite());
    if (!issuer.ok()) {
        done(std::move(issuer).error());
        return std::nullopt;
    }
    const ClassPolicy& policy = options_.policy.of(purse.assurance);
    const std::uint32_t now = now_s();
    purse::Certificate certificate;
    certificate.serial = book.last_serial() + 1;
    certificate.purse = purse.ordinal;
    certificate.key = purse_host::public_key_of(purse.key->bytes());
    certificate.assurance = purse.assurance;
    certificate.asset = purse_asset(purse.asset);
    certificate.amount = load.amount;
    certificate.not_before = now;
    certificate.expires = now + policy.spendable_s;
    certificate.settle_by = now + policy.settle_s;
    certificate.per_payment = policy.per_payment;
    certificate.without_cvm = policy.without_cvm;
    certificate.count = policy.count;
    certificate.hops = policy.hops;
    certificate.receive_cap = policy.receive_cap;
    certificate.directed = load.directed;
    fact = {load.id, (*issuer)->certificate(certificate), collateral_for(purse, load.amount)};

    engine::Command command;
    const uint128 escrow = escrow_account(certificate.serial);
    command.accounts.push_back({.id = escrow,
                                .user_data_128 = purse.wallet.value,
                                .user_data_64 = certificate.serial,
                                .user_data_32 = purse.ordinal,
                                .ledger = purse.asset.ledger,
                                .code = api::code_escrow,
                                .flags = ledger::account_flags::debits_must_not_exceed_credits});
    const auto id = big_endian(load.id.value);
    const bool secured = fact.collateral > 0;
    if (secured) {
        command.transfers.push_back({.id = transfer_id(id, Role::collateral, 0),
                                     .debit_account_id = purse.wallet.value,
                                     .credit_account_id = collateral_account(purse.ordinal),
                                     .amount = fact.collateral,
                                     .user_data_128 = purse.received_account,
                                     .user_data_32 = purse.ordinal,
                                     .ledger = purse.asset.ledger,
                                     .code = api::transfer_purse_collateral,
                                     .flags = ledger::transfer_flags::linked});
    }
    command.transfers.push_back({.id = transfer_id(id, Role::load, 0),
                                 .debit_account_id = purse.wallet.value,
                                 .credit_account_id = escrow,
                                 .amount = load.amount,
                                 .user_data_128 = escrow,
                                 .user_data_64 = certificate.serial,
                                 .user_data_32 = purse.ordinal,
                                 .ledger = purse.asset.ledger,
                                 .code = api::transfer_purse_load});
    command.annotation = encode(fact);
    return command;
}

void Settlement::Impl::load(const NewLoad& request, api::Done<LoadAnswer> done) {
    auto fact = std::make_shared<LoadedFact>();
    auto answer = std::make_shared<api::Done<LoadAnswer>>(std::move(done));
    enqueue({[this, fact, answer, request] { return prepare_load(request, *fact, *answer); },
             [this, fact, answer, request](const Result<engine::Outcome>& outcome) {
                 if (!outcome.ok()) return (*answer)(Error(outcome.error()));
                 using ledger::CreateTransferResult;
                 const bool moved = std::ranges::all_of(outcome->transfers, [](CreateTransferResult result) {
                     return result == CreateTransferResult::ok;
                 });
                 book.add(*fact, moved);
                 if (moved) {
                     ++counters.loads;
                     return (*answer)(LoadAnswer{fact->certificate, false});
                 }
                 const bool poor = std::ranges::find(outcome->transfers, CreateTransferResult::exceeds_credits) !=
                                   outcome->transfers.end();
                 (*answer)(declined(poor ? "insufficient_funds" : "ledger_refused",
                                    "the wallet could not pay for " + request.id.to_string() +
                                        "; put money in and load under a new id"));
             }});
}

}  // namespace jiaozi::settlement
