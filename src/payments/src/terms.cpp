#include "terms.hpp"

namespace jiaozi::payments {
namespace {

Error not_found(std::string_view what, std::string_view id, std::string_view param) {
    return Error(ErrorKind::not_found, "there is no " + std::string(what) + " " + std::string(id))
        .with_code(std::string(what) + "_not_found")
        .with_param(param);
}
Error invalid(std::string_view message, std::string_view param) {
    return Error(ErrorKind::invalid, std::string(message)).with_param(param);
}

// What the caches say about a request. Null: none, or not to be told.
struct Found {
    const Wallet* payer_wallet = nullptr;
    const Member* payer = nullptr;
    const Device* machine = nullptr;
    const Device* payer_device = nullptr;
    const Product* product = nullptr;
    const Merchant* merchant = nullptr;
    WalletId payee;
    const Wallet* payee_wallet = nullptr;  // null for a merchant's wallet that the cache does not have
    std::optional<Amount> price;           // what is asked for
};

bool has_machine(PaymentKind kind) {
    return kind != PaymentKind::person;
}
bool has_ticket(PaymentKind kind) {
    return kind == PaymentKind::payment_code || kind == PaymentKind::qr;
}

// The request with what its ticket says.
struct Asked {
    WalletId payer_wallet;
    MemberId payer_member;
    DeviceId machine;
    std::uint32_t slot;
    std::uint32_t quantity;
    std::optional<Amount> amount;
};

Asked asked_of(const api::NewPayment& request, const TermSources& sources) {
    Asked asked{request.payer_wallet, request.payer_member, request.machine,
                request.slot,         request.quantity,     request.amount};
    if (request.kind == PaymentKind::payment_code && sources.code != nullptr) {
        asked.payer_wallet = sources.code->wallet;
        asked.payer_member = sources.code->member;
    }
    if (request.kind == PaymentKind::qr && sources.offer != nullptr) {
        asked.machine = sources.offer->machine;
        asked.slot = sources.offer->slot;
        asked.quantity = sources.offer->quantity;
        if (!asked.amount) asked.amount = sources.offer->amount;
    }
    return asked;
}

Result<> check_form(const api::NewPayment& request) {
    if (!request.id) return invalid("a payment needs an id", "id");
    if (request.request_hash.size() != 16) return invalid("a request hash has 16 bytes", "request_hash");
    if (request.quantity == 0) return invalid("quantity must be at least 1", "quantity");
    if (request.amount && request.amount->is_zero()) return invalid("amount must be above zero", "amount");
    if (request.kind == PaymentKind::person && !request.amount) return invalid("say the amount", "amount");
    return {};
}

Result<> find_payer(Found& found, const Asked& asked, const api::NewPayment& request, const TermSources& sources) {
    if (request.kind == PaymentKind::device) {
        found.payer_device = sources.devices.find(request.payer_device);
        if (found.payer_device == nullptr) return not_found("device", request.payer_device.to_string(), "payer_device");
        found.payer = sources.groups.member_of_device(request.payer_device);
        return {};  // the wallet depends on the price's asset
    }
    if (request.kind == PaymentKind::payment_code && sources.code == nullptr) return {};
    found.payer_wallet = sources.groups.wallet(asked.payer_wallet);
    if (found.payer_wallet == nullptr) return not_found("wallet", asked.payer_wallet.to_string(), "payer_wallet");
    found.payer = sources.groups.member(asked.payer_member);
    if (found.payer != nullptr && found.payer->group != found.payer_wallet->group) found.payer = nullptr;
    return {};
}

Result<> find_sale(Found& found, const Asked& asked, const api::NewPayment& request, const TermSources& sources) {
    // A QR that is not good may name no machine at all.
    if (request.kind == PaymentKind::qr && sources.offer == nullptr) return {};
    found.machine = sources.devices.find(asked.machine);
    if (found.machine == nullptr) return not_found("device", asked.machine.to_string(), "device");
    const Slot* slot = sources.merchants.slot(asked.machine, asked.slot);
    if (slot != nullptr) {
        found.product = sources.merchants.product(slot->product);
        JZ_TRY(const Amount price, price_of(sources.merchants, asked.machine, asked.slot, asked.quantity));
        if (!price.is_zero()) found.price = price;
    }
    found.merchant = sources.merchants.merchant(found.machine->merchant);
    if (found.merchant != nullptr) found.payee = found.merchant->wallet;
    if (request.kind == PaymentKind::device && found.payer != nullptr && found.price) {
        found.payer_wallet = sources.groups.wallet_of_group(found.payer->group, found.price->asset());
    }
    return {};
}

// The first reason that holds, in the order of model's Reason.
Reason judge(const Found& found, const Asked& asked, const api::NewPayment& request, const TermSources& sources) {
    const bool ticket_good =
        request.kind == PaymentKind::qr ? sources.offer != nullptr && !sources.offer->used : sources.code != nullptr;
    const bool bad_ticket = has_ticket(request.kind) && !ticket_good;
    const bool payer_told = request.kind != PaymentKind::payment_code || ticket_good;
    if (payer_told && found.payer == nullptr) return Reason::payer_not_member;
    if (found.payer_wallet != nullptr && found.payer_wallet->frozen) return Reason::payer_frozen;
    const bool sale_told = has_machine(request.kind) && found.machine != nullptr;
    if (sale_told && found.machine->state != DeviceState::active) return Reason::device_not_active;
    if (found.payer_device != nullptr && found.payer_device->state != DeviceState::active) {
        return Reason::device_not_active;
    }
    if (sale_told) {
        if (!found.price || found.product == nullptr || !found.payee) return Reason::product_unavailable;
        if (asked.amount && !(*asked.amount == *found.price)) return Reason::price_changed;
    }
    if (found.price) {
        const Asset& asset = found.price->asset();
        if (payer_told && (found.payer_wallet == nullptr || found.payer_wallet->asset != asset))
            return Reason::asset_mismatch;
        if (found.payee_wallet != nullptr && found.payee_wallet->asset != asset) return Reason::asset_mismatch;
    }
    if (bad_ticket) return Reason::code_invalid;
    if (found.payer_wallet->id == found.payee) return Reason::self_payment;
    return Reason::none;
}

bool applies(const Limit& limit, const Found& found) {
    if (limit.amount.asset() != found.price->asset()) return false;
    if (limit.kind != LimitKind::per_category) return true;
    return found.product != nullptr && found.product->category == limit.category;
}

}  // namespace

Result<Amount> price_of(const api::Merchants& merchants, DeviceId machine, std::uint32_t slot, std::uint32_t quantity) {
    const Slot* sold = merchants.slot(machine, slot);
    if (sold == nullptr) {
        return Error(ErrorKind::not_found, machine.to_string() + " sells nothing in slot " + std::to_string(slot))
            .with_code("product_unavailable")
            .with_param("slot");
    }
    const uint128 unit = sold->price.minor();
    if (quantity != 0 && unit > uint128_max / quantity)
        return invalid("price times quantity is over 2^128 - 1", "quantity");
    return Amount(unit * quantity, sold->price.asset());
}

Result<Terms> terms_of(const api::NewPayment& request, const TermSources& sources) {
    JZ_CHECK(check_form(request));
    const Asked asked = asked_of(request, sources);
    Found found;
    JZ_CHECK(find_payer(found, asked, request, sources));
    if (has_machine(request.kind)) {
        JZ_CHECK(find_sale(found, asked, request, sources));
    } else {
        found.price = request.amount;
        found.payee = request.payee_wallet;
        if (sources.groups.wallet(request.payee_wallet) == nullptr) {
            return not_found("wallet", request.payee_wallet.to_string(), "payee_wallet");
        }
    }
    found.payee_wallet = sources.groups.wallet(found.payee);

    Terms terms;
    terms.reason = judge(found, asked, request, sources);
    Payment& p = terms.payment;
    p.id = request.id;
    p.kind = request.kind;
    if (found.price) {
        p.amount = *found.price;
    } else if (asked.amount) {
        p.amount = *asked.amount;
    }
    p.payer_wallet = found.payer_wallet != nullptr ? found.payer_wallet->id : asked.payer_wallet;
    p.payer_member = found.payer != nullptr ? found.payer->id : asked.payer_member;
    p.payee_wallet = found.payee;
    if (has_machine(request.kind)) {
        p.device = asked.machine;
        p.slot = asked.slot;
        p.quantity = asked.quantity;
        if (found.product != nullptr) p.product = found.product->id;
    }
    p.payer_device = request.kind == PaymentKind::device ? request.payer_device : DeviceId();
    p.request_hash = request.request_hash;
    if (terms.reason == Reason::none) {
        for (const Limit* limit : sources.groups.limits_of(found.payer->id)) {
            if (applies(*limit, found)) terms.limits.push_back(limit);
        }
    }
    return terms;
}

}  // namespace jiaozi::payments
