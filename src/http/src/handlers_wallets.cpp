#include <jiaozi/api/accounts.hpp>
#include <jiaozi/api/json.hpp>
#include <jiaozi/http/bodies.hpp>
#include <jiaozi/registry/people.hpp>
#include <jiaozi/settlement/settlement.hpp>

#include "access.hpp"
#include "memory_page.hpp"
#include "router.hpp"

namespace jiaozi::http {
namespace {

// What of the wallet's money is not in it: in the lots of its purses, and received by them.
struct Elsewhere {
    std::uint64_t in_purses = 0;
    std::uint64_t on_the_way = 0;
};

Elsewhere elsewhere(const Parts& parts, WalletId wallet) {
    Elsewhere found;
    if (parts.purses == nullptr) return found;
    const settlement::Book& book = parts.purses->book();
    for (const std::uint32_t ordinal : book.purses_of(wallet)) {
        const settlement::PurseRecord& purse = *book.purse(ordinal);
        found.in_purses += book.in_lots_of(purse);
        found.on_the_way += purse.received;
    }
    return found;
}

std::string wallet_json(const Parts& parts, const Wallet& wallet) {
    const Amount zero(0, wallet.asset);
    const api::Balance balance = parts.groups.balance(wallet.id).value_or(api::Balance{zero, zero, zero});
    const Elsewhere purses = elsewhere(parts, wallet.id);
    return api::JsonObject("wallet")
        .id("id", wallet.id)
        .id("group", wallet.group)
        .id("merchant", wallet.merchant)
        .text("name", wallet.name)
        .text("asset", wallet.asset.name())
        .boolean("frozen", wallet.frozen)
        .minor("total", balance.total.minor())
        .minor("held", balance.held.minor())
        .minor("available", balance.available.minor())
        .minor("in_purses", purses.in_purses)
        .minor("on_the_way", purses.on_the_way)
        .time("created", wallet.created)
        .take();
}

void create_wallet(Call&& call) {
    JZ_ANSWER_TRY(const GroupId group, call.reply, call.path_id<GroupId>(0, "group"));
    JZ_ANSWER_CHECK(call.reply, may_see_group(call, group));
    JZ_ANSWER_TRY(NewWallet wanted, call.reply, decode_new_wallet(call.request.body));
    Wallet wallet;
    wallet.id = WalletId(call.object_id);
    wallet.group = group;
    wallet.name = std::move(wanted.name);
    wallet.asset = wanted.asset;
    const Parts& parts = call.parts();
    parts.groups.open_wallet(std::move(wallet), call.actor(),
                             [&parts, reply = std::move(call.reply)](Result<Wallet> made) mutable {
                                 JZ_ANSWER_TRY(const Wallet opened, reply, std::move(made));
                                 reply.json(201, wallet_json(parts, opened));
                             });
}

// A person's wallets: those of every group the person is in.
std::vector<Wallet> own_wallets(const Call& call, GroupId only) {
    std::vector<Wallet> wallets;
    for (const Member* member : call.parts().groups.memberships_of(call.person())) {
        if (only && member->group != only) continue;
        for (const Wallet* wallet : call.parts().groups.wallets_of_group(member->group)) wallets.push_back(*wallet);
    }
    newest_first(wallets);
    return wallets;
}

void list_wallets(Call&& call) {
    JZ_ANSWER_TRY(Query query, call.reply, Query::parse(call.request.query));
    registry::WalletFilter filter;
    filter.group = query.id<GroupId>("group");
    filter.merchant = query.id<MerchantId>("merchant");
    const registry::Page page = query.page();
    JZ_ANSWER_CHECK(call.reply, query.finish());
    const Parts& parts = call.parts();
    const auto to_json = [&parts](const Wallet& wallet) { return wallet_json(parts, wallet); };
    if (!call.is_operator()) {
        if (filter.merchant) {
            call.reply.fail(operators_only());
            return;
        }
        JZ_ANSWER_TRY(const auto listing, call.reply, page_of(own_wallets(call, filter.group), page));
        call.reply.json(200, list_json(listing.data, listing.has_more, to_json));
        return;
    }
    // What purses have is known on the application thread only, so the text is made there.
    parts.reads.run<registry::Listing<Wallet>>(
        [filter, page](registry::Session& session) { return registry::list_wallets(session, filter, page); },
        [to_json, reply = std::move(call.reply)](Result<registry::Listing<Wallet>> listing) mutable {
            JZ_ANSWER_TRY(const auto wallets, reply, std::move(listing));
            reply.json(200, list_json(wallets.data, wallets.has_more, to_json));
        });
}

void get_wallet(Call&& call) {
    JZ_ANSWER_TRY(const WalletId id, call.reply, call.path_id<WalletId>(0, "wallet"));
    JZ_ANSWER_TRY(const Wallet* wallet, call.reply, visible_wallet(call, id));
    call.reply.json(200, wallet_json(call.parts(), *wallet));
}

void create_deposit(Call&& call) {
    JZ_ANSWER_TRY(const WalletId id, call.reply, call.path_id<WalletId>(0, "wallet"));
    if (!call.core.options.sandbox) {
        call.reply.fail(Error(ErrorKind::not_found, "deposits without a funding channel exist in sandbox mode only")
                            .with_code("sandbox_only"));
        return;
    }
    JZ_ANSWER_CHECK(call.reply, visible_wallet(call, id));
    JZ_ANSWER_TRY(const Amount amount, call.reply, decode_new_deposit(call.request.body));
    groups::Deposit deposit;
    deposit.id = DepositId(call.object_id);
    deposit.wallet = id;
    deposit.amount = amount;
    call.parts().groups.deposit(deposit, call.actor(),
                                [reply = std::move(call.reply)](Result<groups::Deposit> result) mutable {
                                    JZ_ANSWER_TRY(const groups::Deposit made, reply, std::move(result));
                                    reply.json(201, api::JsonObject("deposit")
                                                        .id("id", made.id)
                                                        .id("wallet", made.wallet)
                                                        .amount(made.amount)
                                                        .time("created", made.created)
                                                        .take());
                                });
}

std::string_view line_type(std::uint16_t code) {
    switch (code) {
        case api::transfer_payment:
            return "payment";
        case api::transfer_refund:
            return "refund";
        case api::transfer_deposit:
            return "deposit";
        case api::transfer_purse_load:
            return "purse_load";
        case api::transfer_purse_collateral:
            return "purse_collateral";
        case api::transfer_purse_sweep:
            return "purse_received";
        case api::transfer_purse_refund:
            return "purse_refund";
        case api::transfer_purse_recovery:
            return "purse_recovery";
        case api::transfer_purse_collateral_back:
            return "purse_collateral_back";
        default:
            return "other";
    }
}

bool is_of_purse(std::uint16_t code) {
    return code >= api::transfer_purse_load && code <= api::transfer_purse_collateral_back;
}

// The wallet's purse whose account stands in the line's reference; 0: another's.
std::uint32_t purse_of(const Parts& parts, WalletId wallet, uint128 account) {
    if (parts.purses == nullptr) return 0;
    const settlement::Book& book = parts.purses->book();
    for (const std::uint32_t ordinal : book.purses_of(wallet)) {
        const settlement::PurseRecord& purse = *book.purse(ordinal);
        if (purse.received_account == account) return ordinal;
        for (const settlement::LotIndex lot : purse.lots) {
            if (book.lot(lot).escrow_account == account) return ordinal;
        }
    }
    return 0;
}

std::string line_json(const Parts& parts, WalletId wallet, const groups::StatementRow& row) {
    const uint128 available = row.balance_after.minor() - std::min(row.held_after.minor(), row.balance_after.minor());
    api::JsonObject line("statement_line");
    line.text("type", line_type(row.code))
        .text("direction", name_of(row.direction))
        .text("phase", name_of(row.phase))
        .amount(row.amount)
        .minor("total", row.balance_after.minor())
        .minor("held", row.held_after.minor())
        .minor("available", available);
    if (is_of_purse(row.code)) {
        line.raw("object_id", "null");
    } else if (row.code == api::transfer_deposit) {
        line.id("object_id", DepositId(row.reference));
    } else {
        line.id("object_id", PaymentId(row.reference));
    }
    const std::uint32_t purse = is_of_purse(row.code) ? purse_of(parts, wallet, row.reference) : 0;
    if (purse == 0) {
        line.raw("purse", "null");
    } else {
        line.number("purse", purse);
    }
    return line.time("created", row.timestamp).take();
}

void get_statement(Call&& call) {
    JZ_ANSWER_TRY(const WalletId id, call.reply, call.path_id<WalletId>(0, "wallet"));
    JZ_ANSWER_CHECK(call.reply, visible_wallet(call, id));
    JZ_ANSWER_TRY(Query query, call.reply, Query::parse(call.request.query));
    groups::StatementQuery wanted;
    wanted.limit = query.integer("limit", registry::page_limit_default, 1, registry::page_limit_max);
    wanted.cursor = std::string(query.get("starting_after").value_or(""));
    JZ_ANSWER_CHECK(call.reply, query.finish());
    JZ_ANSWER_TRY(const groups::Statement statement, call.reply, call.parts().groups.statement(id, wanted));
    const Parts& parts = call.parts();
    std::string body = list_json(statement.rows, !statement.next.empty(),
                                 [&parts, id](const groups::StatementRow& row) { return line_json(parts, id, row); });
    body.pop_back();
    body += statement.next.empty() ? R"(,"next":null})" : R"(,"next":")" + api::json_escaped(statement.next) + "\"}";
    call.reply.json(200, std::move(body));
}

void set_frozen(Call&& call, bool frozen) {
    JZ_ANSWER_TRY(const WalletId id, call.reply, call.path_id<WalletId>(0, "wallet"));
    JZ_ANSWER_CHECK(call.reply, visible_wallet(call, id));
    JZ_ANSWER_CHECK(call.reply, decode_nothing(call.request.body));
    const Parts& parts = call.parts();
    parts.groups.set_frozen(id, frozen, call.actor(),
                            [&parts, reply = std::move(call.reply)](Result<Wallet> result) mutable {
                                JZ_ANSWER_TRY(const Wallet wallet, reply, std::move(result));
                                reply.json(200, wallet_json(parts, wallet));
                            });
}
void freeze_wallet(Call&& call) {
    set_frozen(std::move(call), true);
}
void unfreeze_wallet(Call&& call) {
    set_frozen(std::move(call), false);
}

}  // namespace

void add_wallet_routes(Router& router) {
    router.add({Method::post, "/v1/groups/{group}/wallets", "wallets", "write", Repeat::stored, create_wallet});
    router.add({Method::get, "/v1/wallets", "wallets", "read", Repeat::none, list_wallets});
    router.add({Method::get, "/v1/wallets/{wallet}", "wallets", "read", Repeat::none, get_wallet});
    router.add({Method::post, "/v1/wallets/{wallet}/deposits", "wallets", "write", Repeat::stored, create_deposit});
    router.add({Method::get, "/v1/wallets/{wallet}/statement", "wallets", "read", Repeat::none, get_statement});
    router.add({Method::post, "/v1/wallets/{wallet}/freeze", "wallets", "write", Repeat::stored, freeze_wallet});
    router.add({Method::post, "/v1/wallets/{wallet}/unfreeze", "wallets", "write", Repeat::stored, unfreeze_wallet});
}

}  // namespace jiaozi::http
