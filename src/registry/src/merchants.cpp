#include <set>

#include <jiaozi/registry/merchants.hpp>

#include "rows.hpp"

namespace jiaozi::registry {

template <>
struct Map<Merchant> {
    static constexpr std::string_view kind = "merchant", table = "merchants", order = "created";
    static void fields(auto& visit, auto& merchant) {
        visit("id", merchant.id);
        visit("name", merchant.name, Text{1, 200});
        visit("city", merchant.city, Text{1, 100});
        visit("country", merchant.country, Text{2, 2});
        visit("mcc", merchant.mcc, Text{4, 4});
        visit("wallet_id", merchant.wallet);
        visit("created", merchant.created);
    }
};

template <>
struct Map<Product> {
    static constexpr std::string_view kind = "product", table = "products", order = "created";
    static void fields(auto& visit, auto& product) {
        visit("id", product.id);
        visit("merchant_id", product.merchant);
        visit("name", product.name, Text{1, 200});
        visit("name_zh", product.name_zh, Text{0, 200});
        visit("category", product.category, Text{0, 64});
        visit("created", product.created);
    }
};

template <>
struct Map<Slot> {
    static constexpr std::string_view kind = "slot", table = "slots", on_conflict = "";
    static void fields(auto& visit, auto& slot) {
        visit("device_id", slot.device);
        visit("slot", slot.slot);
        visit("product_id", slot.product);
        visit.amount("price", slot.price);
    }
};

namespace {

constexpr std::size_t max_slots = 1000;

Result<> check_slots(DeviceId device, std::span<const Slot> slots) {
    const auto invalid = [](std::string message, std::string_view field) {
        return Error(ErrorKind::invalid, std::move(message)).with_param(field);
    };
    if (slots.size() > max_slots) {
        return Error(ErrorKind::too_large, "a device has at most " + std::to_string(max_slots) + " slots")
            .with_param("slots");
    }
    std::set<std::uint32_t> seen;
    for (const Slot& slot : slots) {
        const std::string which = "slot " + std::to_string(slot.slot);
        if (slot.device != device) return invalid(which + ": belongs to another device", "device");
        if (slot.slot == 0) return invalid("slot 0: slots count from 1", "slot");
        if (!seen.insert(slot.slot).second) return invalid(which + ": occurs twice", "slot");
        if (!slot.product) return invalid(which + ": product is missing", "product");
        if (slot.price.asset().ledger == 0) return invalid(which + ": the price has no asset", "price");
    }
    return {};
}

}  // namespace

Result<> insert(Session& session, const Merchant& merchant) {
    return insert_row(session, merchant);
}
Result<> update(Session& session, const Merchant& merchant) {
    return update_row(session, merchant);
}
Result<Merchant> get_merchant(Session& session, MerchantId id) {
    return get_row<Merchant>(session, id);
}
Result<Listing<Merchant>> list_merchants(Session& session, const Page& page) {
    return list_rows<Merchant>(session, Where(select_from<Merchant>()), page);
}

Result<> insert(Session& session, const Product& product) {
    return insert_row(session, product);
}
Result<> update(Session& session, const Product& product) {
    return update_row(session, product);
}
Result<Product> get_product(Session& session, ProductId id) {
    return get_row<Product>(session, id);
}
Result<Listing<Product>> list_products(Session& session, const ProductFilter& filter, const Page& page) {
    Where where(select_from<Product>());
    where.equal("merchant_id", filter.merchant).equal("category", filter.category);
    return list_rows<Product>(session, std::move(where), page);
}

Result<> replace_slots(Session& session, DeviceId device, std::span<const Slot> slots) {
    JZ_CHECK(check_slots(device, slots));
    std::vector<const Slot*> rows;
    for (const Slot& slot : slots) rows.push_back(&slot);
    return session.in_transaction([&]() -> Result<> {
        JZ_CHECK(session.connection().execute("slot", Sql("DELETE FROM slots WHERE device_id = ") << param(device)));
        JZ_CHECK(insert_rows<Slot>(session, rows));
        return {};
    });
}

Result<std::vector<Slot>> all_slots(Session& session, DeviceId device) {
    return read_all<Slot>(session, Sql(select_from<Slot>())
                                       << " WHERE device_id = " << param(device) << " ORDER BY slot");
}

Result<Slot> get_slot(Session& session, DeviceId device, std::uint32_t slot) {
    JZ_TRY(auto found,
           read_all<Slot>(session, Sql(select_from<Slot>()) << " WHERE device_id = " << param(device)
                                                            << " AND slot = " << param(std::uint64_t{slot})));
    if (found.empty()) return row_not_found("slot", std::to_string(slot) + " of " + device.to_string());
    return found.front();
}

}  // namespace jiaozi::registry
