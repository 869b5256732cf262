// Offline purses: enrolment, loading, deposits, acknowledgements, loss, and what everybody may know of them. The
// service decides; here stands who may ask. docs/api.md, "Offline purses".
#include <algorithm>
#include <charconv>
#include <ranges>

#include <jiaozi/api/json.hpp>
#include <jiaozi/codec/base_n.hpp>
#include <jiaozi/http/bodies.hpp>
#include <jiaozi/settlement/settlement.hpp>

#include "access.hpp"
#include "router.hpp"

namespace jiaozi::http {
namespace {

using settlement::Book;
using settlement::LotRecord;
using settlement::PurseRecord;
using settlement::Settlement;

constexpr std::size_t lots_shown = 16;

std::string_view name_of_state(settlement::PurseState state) {
    switch (state) {
        case settlement::PurseState::active:
            return "active";
        case settlement::PurseState::frozen:
            return "frozen";
        case settlement::PurseState::lost:
            return "lost";
    }
    return "active";
}

std::string base64(ByteView bytes) {
    return codec::encode_base64(bytes);
}

Timestamp at_second(std::uint32_t second) {
    return Timestamp{std::uint64_t{second} * 1'000'000'000};
}

Result<Settlement*> service_of(const Call& call) {
    if (call.parts().purses != nullptr) return call.parts().purses;
    return Error(ErrorKind::unavailable, "this server has no offline purses now; its log says why");
}

// ---- who may what

Result<std::uint32_t> ordinal_of(const Call& call) {
    const std::string_view text = call.params[0];
    std::uint32_t ordinal = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ordinal);
    if (error != std::errc{} || end != text.data() + text.size()) return no_such("purse", text);
    return ordinal;
}

// Of a wallet that the caller sees.
Result<const PurseRecord*> visible_purse(const Call& call, std::uint32_t ordinal) {
    JZ_TRY(const Settlement* const purses, service_of(call));
    const PurseRecord* purse = purses->book().purse(ordinal);
    if (purse == nullptr || !visible_wallet(call, purse->wallet).ok()) return no_such("purse", std::to_string(ordinal));
    return purse;
}
Result<const PurseRecord*> purse_in_path(const Call& call) {
    JZ_TRY(const std::uint32_t ordinal, ordinal_of(call));
    return visible_purse(call, ordinal);
}

// A load is money that no limit of a member counts any more: owners and admins only.
Result<const Wallet*> managed_wallet(const Call& call, WalletId id) {
    JZ_TRY(const Wallet* wallet, visible_wallet(call, id));
    if (call.is_operator()) return wallet;
    if (!call.parts().groups.may_manage(wallet->group, call.actor())) {
        return Error(ErrorKind::forbidden, "only the group's owners and admins enrol, load and give up its purses")
            .with_code("not_group_admin");
    }
    return wallet;
}
Result<const PurseRecord*> managed_purse(const Call& call) {
    JZ_TRY(const PurseRecord* purse, purse_in_path(call));
    JZ_CHECK(managed_wallet(call, purse->wallet));
    return purse;
}

// The device is of the wallet's group or merchant, so that a purse speaks for nobody else's money.
Result<> check_device(const Call& call, const Wallet& wallet, DeviceId id) {
    if (!id) return {};
    const Device* device = call.parts().devices.find(id);
    const Member* member = device == nullptr ? nullptr : call.parts().groups.member_of_device(id);
    const bool ours = device != nullptr && (wallet.merchant ? device->merchant == wallet.merchant
                                                            : member != nullptr && member->group == wallet.group);
    if (!ours) return no_such("device", id.to_string()).with_param("device");
    return {};
}

// ---- what is shown

std::string lot_json(const LotRecord& lot, const Asset& asset) {
    return api::JsonObject("purse_lot")
        .number("serial", lot.serial)
        .id("load", lot.load)
        .minor("amount", lot.amount)
        .minor("paid", lot.paid)
        .text("asset", asset.name())
        .text("state", lot.state == settlement::LotState::open ? "open" : "closed")
        .number("directed", lot.directed)
        .time("settle_by", at_second(lot.settle_by))
        .text("certificate", base64(lot.certificate))
        .take();
}

std::string lots_json(const Book& book, const PurseRecord& purse) {
    std::string out = "[";
    for (const settlement::LotIndex index : purse.lots | std::views::reverse | std::views::take(lots_shown)) {
        if (out.size() > 1) out += ',';
        out += lot_json(book.lot(index), purse.asset);
    }
    return out + ']';
}

std::string purse_json(const Parts& parts, const PurseRecord& purse) {
    const Book& book = parts.purses->book();
    const Wallet* wallet = parts.groups.wallet(purse.wallet);
    api::JsonObject json("purse");
    json.number("ordinal", purse.ordinal)
        .id("wallet", purse.wallet)
        .id("group", wallet == nullptr ? GroupId{} : wallet->group)
        .id("merchant", wallet == nullptr ? MerchantId{} : wallet->merchant)
        .id("device", purse.device)
        .number("suite", static_cast<std::uint64_t>(purse.key->suite()))
        .text("key", to_hex(purse.key->bytes()))
        .number("class", purse.assurance)
        .text("asset", purse.asset.name())
        .text("state", name_of_state(purse.state))
        .minor("loaded", book.in_lots_of(purse))
        .minor("on_the_way", purse.received)
        .minor("collateral", purse.collateral)
        .number("through", purse.through)
        .boolean("proven", book.proof_against(purse.ordinal) != nullptr)
        .raw("lots", lots_json(book, purse))
        .time("created", purse.enrolled);
    if (purse.synced_at == 0) return json.raw("last_sync", "null").take();
    return json.time("last_sync", at_second(purse.synced_at)).take();
}

std::string issuers_json(const Settlement& purses) {
    std::string out = "[";
    for (const settlement::RootKey& key : purses.issuing_keys()) {
        if (out.size() > 1) out += ',';
        out += api::JsonObject("purse_issuer")
                   .text("kid", to_hex(settlement::kid_of(key)))
                   .number("suite", static_cast<std::uint64_t>(key.suite))
                   .text("key", to_hex(key.key))
                   .take();
    }
    return out + ']';
}

// ---- enrolment and lists

void enrol(Call&& call) {
    JZ_ANSWER_TRY(Settlement* const purses, call.reply, service_of(call));
    JZ_ANSWER_TRY(NewPurseBody wanted, call.reply, decode_new_purse(call.request.body));
    JZ_ANSWER_TRY(const Wallet* wallet, call.reply, managed_wallet(call, wanted.wallet));
    if (wanted.assurance > 0) {
        // What nobody has looked at is software, whatever it says of itself.
        JZ_ANSWER_CHECK(call.reply, operator_only(call));
    }
    JZ_ANSWER_CHECK(call.reply, check_device(call, *wallet, wanted.device));
    settlement::NewPurse purse;
    purse.key = std::move(wanted.key);
    purse.suite = wanted.suite;
    purse.assurance = static_cast<std::uint8_t>(wanted.assurance);
    purse.wallet = wallet->id;
    purse.holder = wallet->group ? wallet->group.value : wallet->merchant.value;
    purse.asset = wallet->asset;
    purse.device = wanted.device;
    const Parts& parts = call.parts();
    purses->enrol(std::move(purse), [&parts, reply = std::move(call.reply)](Result<std::uint32_t> made) mutable {
        JZ_ANSWER_TRY(const std::uint32_t ordinal, reply, std::move(made));
        reply.json(201, purse_json(parts, *parts.purses->book().purse(ordinal)));
    });
}

// Ordinals that the caller sees, newest first.
std::vector<std::uint32_t> visible_ordinals(const Call& call, const Book& book, WalletId only) {
    std::vector<std::uint32_t> found;
    const auto add = [&](WalletId wallet) {
        const auto purses = book.purses_of(wallet);
        found.insert(found.end(), purses.begin(), purses.end());
    };
    if (only) {
        add(only);
    } else if (call.is_operator()) {
        for (std::uint32_t ordinal = 1; ordinal <= book.enrolled(); ++ordinal) found.push_back(ordinal);
    } else {
        for (const Member* member : call.parts().groups.memberships_of(call.person())) {
            for (const Wallet* wallet : call.parts().groups.wallets_of_group(member->group)) add(wallet->id);
        }
    }
    std::ranges::sort(found, std::greater());
    return found;
}

void list_purses(Call&& call) {
    JZ_ANSWER_TRY(const Settlement* const purses, call.reply, service_of(call));
    JZ_ANSWER_TRY(Query query, call.reply, Query::parse(call.request.query));
    const auto wallet = query.id<WalletId>("wallet");
    const std::uint32_t limit = query.integer("limit", registry::page_limit_default, 1, registry::page_limit_max);
    const std::uint32_t after = query.integer("starting_after", 0, 1, 0xFFFFFFFF);
    JZ_ANSWER_CHECK(call.reply, query.finish());
    if (wallet) JZ_ANSWER_CHECK(call.reply, visible_wallet(call, wallet));
    std::vector<std::uint32_t> found = visible_ordinals(call, purses->book(), wallet);
    if (after != 0) std::erase_if(found, [after](std::uint32_t ordinal) { return ordinal >= after; });
    const bool has_more = found.size() > limit;
    if (has_more) found.resize(limit);
    const Parts& parts = call.parts();
    call.reply.json(200, list_json(found, has_more, [&](std::uint32_t ordinal) {
                        return purse_json(parts, *purses->book().purse(ordinal));
                    }));
}

void get_purse(Call&& call) {
    JZ_ANSWER_TRY(const PurseRecord* purse, call.reply, purse_in_path(call));
    call.reply.json(200, purse_json(call.parts(), *purse));
}

// ---- what a purse does

std::string load_json(const Settlement& purses, settlement::LoadId id) {
    const LotRecord& lot = purses.book().lot(purses.book().lot_of_load(id));
    return api::JsonObject("purse_load")
        .id("id", id)
        .number("purse", lot.purse)
        .number("serial", lot.serial)
        .minor("amount", lot.amount)
        .text("asset", purses.book().purse(lot.purse)->asset.name())
        .number("directed", lot.directed)
        .time("settle_by", at_second(lot.settle_by))
        .text("certificate", base64(lot.certificate))
        .take();
}

void load_purse(Call&& call) {
    JZ_ANSWER_TRY(const PurseRecord* purse, call.reply, managed_purse(call));
    JZ_ANSWER_TRY(const NewPurseLoadBody wanted, call.reply, decode_new_purse_load(call.request.body));
    if (wanted.amount.asset() != purse->asset) {
        call.reply.fail(Error(ErrorKind::invalid, "the purse is in " + std::string(purse->asset.name()))
                            .with_code("asset_mismatch")
                            .with_param("asset"));
        return;
    }
    if (high64(wanted.amount.minor()) != 0) {
        call.reply.fail(Error(ErrorKind::invalid, "amount must be below 2^63").with_param("amount"));
        return;
    }
    Settlement* const purses = call.parts().purses;
    const settlement::LoadId id(call.object_id);
    purses->load({id, purse->ordinal, low64(wanted.amount.minor()), wanted.directed},
                 [purses, id, reply = std::move(call.reply)](Result<settlement::LoadAnswer> made) mutable {
                     JZ_ANSWER_TRY(const settlement::LoadAnswer answer, reply, std::move(made));
                     if (answer.replayed) {
                         reply.replay(201, load_json(*purses, id));
                     } else {
                         reply.json(201, load_json(*purses, id));
                     }
                 });
}

std::string row_json(const settlement::ItemAnswer& answer) {
    const bool taken = answer.reason == settlement::Reason::ok;
    const bool named = answer.note != purse::Id{};
    api::JsonObject row("purse_deposit");
    row.text("reason", name_of(answer.reason));
    if (taken) {
        row.text("state", name_of(answer.state));
    } else {
        row.raw("state", "null");
    }
    if (named) {
        row.text("note", to_hex(answer.note));
    } else {
        row.raw("note", "null");
    }
    return row.minor("amount", answer.amount).boolean("replayed", answer.replayed).take();
}

void deposit(Call&& call) {
    JZ_ANSWER_TRY(Settlement* const purses, call.reply, service_of(call));
    JZ_ANSWER_TRY(NewPurseDepositsBody wanted, call.reply, decode_new_purse_deposits(call.request.body));
    if (wanted.purse != 0) JZ_ANSWER_CHECK(call.reply, visible_purse(call, wanted.purse));
    if (!call.core.item_limit.allow(call.principal->key, steady_now(),
                                    static_cast<std::uint32_t>(wanted.items.size()))) {
        call.reply.fail(Error(ErrorKind::rate_limited, "this key hands in too much; wait as long as Retry-After says"));
        return;
    }
    purses->settle(std::move(wanted.items), wanted.purse,
                   [reply = std::move(call.reply)](Result<std::vector<settlement::ItemAnswer>> settled) mutable {
                       JZ_ANSWER_TRY(const auto answers, reply, std::move(settled));
                       std::string rows = "[";
                       for (const settlement::ItemAnswer& answer : answers) {
                           if (rows.size() > 1) rows += ',';
                           rows += row_json(answer);
                       }
                       reply.json(200, api::JsonObject("purse_deposits").raw("data", rows + ']').take());
                   });
}

// What was in it is not told: who carries it is not to learn it. `ok` may be forgotten, `unreadable` never will be
// read.
void deposit_carried(Call&& call) {
    JZ_ANSWER_TRY(Settlement* const purses, call.reply, service_of(call));
    JZ_ANSWER_TRY(std::vector<Bytes> items, call.reply, decode_new_carried_items(call.request.body));
    if (!call.core.item_limit.allow(call.principal->key, steady_now(), static_cast<std::uint32_t>(items.size()))) {
        call.reply.fail(Error(ErrorKind::rate_limited, "this key hands in too much; wait as long as Retry-After says"));
        return;
    }
    purses->settle_carried(std::move(items), call.principal->key.value,
                           [reply = std::move(call.reply)](Result<std::vector<settlement::Reason>> brought) mutable {
                               JZ_ANSWER_TRY(const auto reasons, reply, std::move(brought));
                               std::string rows = "[";
                               for (const settlement::Reason reason : reasons) {
                                   if (rows.size() > 1) rows += ',';
                                   rows += api::JsonObject("carried_item").text("reason", name_of(reason)).take();
                               }
                               reply.json(200, api::JsonObject("carried_items").raw("data", rows + ']').take());
                           });
}

void report_alarm(Call&& call) {
    JZ_ANSWER_TRY(Settlement* const purses, call.reply, service_of(call));
    JZ_ANSWER_TRY(Bytes heads, call.reply, decode_new_purse_alarm(call.request.body));
    if (!call.core.item_limit.allow(call.principal->key, steady_now())) {
        call.reply.fail(Error(ErrorKind::rate_limited, "this key hands in too much; wait as long as Retry-After says"));
        return;
    }
    purses->report_heads(std::move(heads), [reply = std::move(call.reply)](Result<settlement::HeadIs> looked) mutable {
        JZ_ANSWER_TRY(const settlement::HeadIs is, reply, std::move(looked));
        reply.json(200, api::JsonObject("purse_alarm_report")
                            .boolean("contradiction", is == settlement::HeadIs::contradiction)
                            .take());
    });
}

void list_alarms(Call&& call) {
    JZ_ANSWER_TRY(const Settlement* const purses, call.reply, service_of(call));
    JZ_ANSWER_TRY(Query query, call.reply, Query::parse(call.request.query));
    const std::uint32_t limit = query.integer("limit", registry::page_limit_default, 1, registry::page_limit_max);
    JZ_ANSWER_CHECK(call.reply, query.finish());
    const std::vector<Bytes>& alarms = purses->book().alarms();
    std::vector<const Bytes*> newest;
    for (const Bytes& head : alarms | std::views::reverse | std::views::take(limit)) newest.push_back(&head);
    call.reply.json(200, list_json(newest, alarms.size() > limit, [](const Bytes& head) {
                        return api::JsonObject("purse_alarm").text("head", base64(head)).take();
                    }));
}

void sync(Call&& call) {
    JZ_ANSWER_TRY(const PurseRecord* purse, call.reply, purse_in_path(call));
    JZ_ANSWER_TRY(const NewPurseSyncBody wanted, call.reply, decode_new_purse_sync(call.request.body));
    const std::uint32_t ordinal = purse->ordinal;
    call.parts().purses->sync(
        {ordinal, wanted.last_seen, wanted.suspect, wanted.highest_seq},
        [ordinal, reply = std::move(call.reply)](Result<Bytes> made) mutable {
            JZ_ANSWER_TRY(const Bytes ack, reply, std::move(made));
            reply.json(
                200,
                api::JsonObject("purse_sync").number("purse", ordinal).text("acknowledgement", base64(ack)).take());
        });
}

void declare_lost(Call&& call) {
    JZ_ANSWER_TRY(const PurseRecord* purse, call.reply, managed_purse(call));
    JZ_ANSWER_CHECK(call.reply, decode_nothing(call.request.body));
    const Parts& parts = call.parts();
    parts.purses->declare_lost(
        purse->ordinal, [&parts, purse, reply = std::move(call.reply)](Result<settlement::PurseState> state) mutable {
            JZ_ANSWER_CHECK(reply, std::move(state));
            reply.json(200, purse_json(parts, *purse));  // purses are never removed
        });
}

// ---- what everybody may know

void get_blacklist(Call&& call) {
    JZ_ANSWER_TRY(const Settlement* const purses, call.reply, service_of(call));
    JZ_ANSWER_TRY(Query query, call.reply, Query::parse(call.request.query));
    const std::uint32_t from = query.integer("from", 0, 0, 0xFFFFFFFF);
    JZ_ANSWER_CHECK(call.reply, query.finish());
    JZ_ANSWER_TRY(const settlement::ListUpdate list, call.reply, purses->list(from));
    api::JsonObject json("purse_blacklist");
    json.number("version", list.version).text("head", base64(list.head)).text("body", base64(list.body));
    if (list.delta.empty()) {
        json.raw("delta", "null");
    } else {
        json.text("delta", base64(list.delta));
    }
    call.reply.json(200, json.take());
}

std::string root_json(const Settlement& purses) {
    const Bytes& root = purses.book().root();
    const auto read = settlement::stored_root(root);
    api::JsonObject json("purse_root");
    json.number("version", read.ok() ? read->version : 0);
    if (root.empty()) {
        json.raw("root", "null");
    } else {
        json.text("root", base64(root));
    }
    if (purses.deposit_key().empty()) {
        json.raw("deposit_key", "null");
    } else {
        json.text("deposit_key", to_hex(purses.deposit_key()));
    }
    return json.raw("issuers", issuers_json(purses)).take();
}

void get_root(Call&& call) {
    JZ_ANSWER_TRY(const Settlement* const purses, call.reply, service_of(call));
    JZ_ANSWER_TRY(const Query query, call.reply, Query::parse(call.request.query));
    JZ_ANSWER_CHECK(call.reply, query.finish());
    call.reply.json(200, root_json(*purses));
}

void install_root(Call&& call) {
    JZ_ANSWER_CHECK(call.reply, operator_only(call));
    JZ_ANSWER_TRY(Settlement* const purses, call.reply, service_of(call));
    JZ_ANSWER_TRY(Bytes root, call.reply, decode_new_purse_root(call.request.body));
    purses->install_root(std::move(root),
                         [purses, reply = std::move(call.reply)](Result<std::uint32_t> installed) mutable {
                             JZ_ANSWER_CHECK(reply, std::move(installed));
                             reply.json(200, root_json(*purses));
                         });
}

void get_proof(Call&& call) {
    JZ_ANSWER_TRY(const Settlement* const purses, call.reply, service_of(call));
    JZ_ANSWER_TRY(const Query query, call.reply, Query::parse(call.request.query));
    JZ_ANSWER_CHECK(call.reply, query.finish());
    JZ_ANSWER_TRY(const std::uint32_t ordinal, call.reply, ordinal_of(call));
    const Bytes* proof = purses->book().proof_against(ordinal);
    if (proof == nullptr) {
        call.reply.fail(Error(ErrorKind::not_found, "nothing is proven against purse " + std::to_string(ordinal))
                            .with_code("proof_not_found"));
        return;
    }
    call.reply.json(200, api::JsonObject("purse_proof")
                             .number("purse", ordinal)
                             .text("proof", base64(*proof))
                             .raw("issuers", issuers_json(*purses))
                             .take());
}

void list_quarantine(Call&& call) {
    JZ_ANSWER_CHECK(call.reply, operator_only(call));
    JZ_ANSWER_TRY(const Settlement* const purses, call.reply, service_of(call));
    JZ_ANSWER_TRY(Query query, call.reply, Query::parse(call.request.query));
    const std::uint32_t limit = query.integer("limit", registry::page_limit_default, 1, registry::page_limit_max);
    JZ_ANSWER_CHECK(call.reply, query.finish());
    std::vector<const settlement::Quarantined*> items;
    for (const settlement::Quarantined& item : purses->quarantine() | std::views::reverse | std::views::take(limit)) {
        items.push_back(&item);
    }
    call.reply.json(200, list_json(items, purses->quarantine().size() > limit, [](const settlement::Quarantined& item) {
                        return api::JsonObject("quarantined_item")
                            .time("at", item.at)
                            .number("purse", item.depositor)
                            .text("reason", name_of(item.reason))
                            .text("item", base64(item.item))
                            .take();
                    }));
}

}  // namespace

void add_purse_routes(Router& router) {
    router.add({Method::post, "/v1/purses", "purses", "write", Repeat::stored, enrol});
    router.add({Method::get, "/v1/purses", "purses", "read", Repeat::none, list_purses});
    // By what it holds a deposit is known again, whoever hands it in.
    router.add({Method::post, "/v1/purses/deposits", "purses", "write", Repeat::none, deposit});
    router.add({Method::post, "/v1/purses/carried", "purses", "write", Repeat::none, deposit_carried});
    router.add({Method::post, "/v1/purses/alarms", "purses", "write", Repeat::none, report_alarm});
    router.add({Method::get, "/v1/purses/alarms", "purses", "read", Repeat::none, list_alarms});
    router.add({Method::get, "/v1/purses/blacklist", "purses", "read", Repeat::none, get_blacklist});
    router.add({Method::get, "/v1/purses/root", "purses", "read", Repeat::none, get_root});
    router.add({Method::post, "/v1/purses/root", "purses", "write", Repeat::stored, install_root});
    router.add({Method::get, "/v1/purses/quarantine", "purses", "read", Repeat::none, list_quarantine});
    router.add({Method::get, "/v1/purses/{purse}", "purses", "read", Repeat::none, get_purse});
    router.add({Method::post, "/v1/purses/{purse}/loads", "purses", "write", Repeat::service, load_purse});
    router.add({Method::post, "/v1/purses/{purse}/sync", "purses", "write", Repeat::stored, sync});
    router.add({Method::post, "/v1/purses/{purse}/lost", "purses", "write", Repeat::stored, declare_lost});
    router.add({Method::get, "/v1/purses/{purse}/proof", "purses", "read", Repeat::none, get_proof});
}

}  // namespace jiaozi::http
