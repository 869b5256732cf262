#include <jiaozi/api/accounts.hpp>
#include <jiaozi/api/json.hpp>
#include <jiaozi/http/bodies.hpp>
#include <jiaozi/registry/people.hpp>

#include "access.hpp"
#include "memory_page.hpp"
#include "router.hpp"

namespace jiaozi::http {
namespace {

// balance() may be asked on any thread.
std::string wallet_json(const groups::GroupService& groups, const Wallet& wallet) {
    const Amount zero(0, wallet.asset);
    const api::Balance balance = groups.balance(wallet.id).value_or(api::Balance{zero, zero, zero});
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
    groups::GroupService& service = call.parts().groups;
    service.open_wallet(std::move(wallet), call.actor(),
                        [&service, reply = std::move(call.reply)](Result<Wallet> made) mutable {
                            JZ_ANSWER_TRY(const Wallet opened, reply, std::move(made));
                            reply.json(201, wallet_json(service, opened));
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
    const groups::GroupService& service = call.parts().groups;
    const auto to_json = [&service](const Wallet& wallet) { return wallet_json(service, wallet); };
    if (!call.is_operator()) {
        if (filter.merchant) {
            call.reply.fail(operators_only());
            return;
        }
        JZ_ANSWER_TRY(const auto listing, call.reply, page_of(own_wallets(call, filter.group), page));
        call.reply.json(200, list_json(listing.data, listing.has_more, to_json));
        return;
    }
    read_and_answer(std::move(call), [filter, page, to_json](registry::Session& session) -> Result<std::string> {
        JZ_TRY(const auto wallets, registry::list_wallets(session, filter, page));
        return list_json(wallets.data, wallets.has_more, to_json);
    });
}

void get_wallet(Call&& call) {
    JZ_ANSWER_TRY(const WalletId id, call.reply, call.path_id<WalletId>(0, "wallet"));
    JZ_ANSWER_TRY(const Wallet* wallet, call.reply, visible_wallet(call, id));
    call.reply.json(200, wallet_json(call.parts().groups, *wallet));
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
        default:
            return "other";
    }
}

std::string line_json(const groups::StatementRow& row) {
    const uint128 available = row.balance_after.minor() - std::min(row.held_after.minor(), row.balance_after.minor());
    api::JsonObject line("statement_line");
    line.text("type", line_type(row.code))
        .text("direction", name_of(row.direction))
        .text("phase", name_of(row.phase))
        .amount(row.amount)
        .minor("total", row.balance_after.minor())
        .minor("held", row.held_after.minor())
        .minor("available", available);
    if (row.code == api::transfer_deposit) {
        line.id("object_id", DepositId(row.reference));
    } else {
        line.id("object_id", PaymentId(row.reference));
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
    std::string body = list_json(statement.rows, !statement.next.empty(), line_json);
    body.pop_back();
    body += statement.next.empty() ? R"(,"next":null})" : R"(,"next":")" + api::json_escaped(statement.next) + "\"}";
    call.reply.json(200, std::move(body));
}

void set_frozen(Call&& call, bool frozen) {
    JZ_ANSWER_TRY(const WalletId id, call.reply, call.path_id<WalletId>(0, "wallet"));
    JZ_ANSWER_CHECK(call.reply, visible_wallet(call, id));
    JZ_ANSWER_CHECK(call.reply, decode_nothing(call.request.body));
    groups::GroupService& service = call.parts().groups;
    service.set_frozen(id, frozen, call.actor(),
                       [&service, reply = std::move(call.reply)](Result<Wallet> result) mutable {
                           JZ_ANSWER_TRY(const Wallet wallet, reply, std::move(result));
                           reply.json(200, wallet_json(service, wallet));
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
