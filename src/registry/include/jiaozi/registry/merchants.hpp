// Merchants, their products, and what each of their machines sells. Errors and threading: store.hpp.
#pragma once

#include <span>
#include <string>
#include <vector>

#include <jiaozi/model/records.hpp>
#include <jiaozi/registry/page.hpp>
#include <jiaozi/registry/store.hpp>

namespace jiaozi::registry {

// A merchant and its wallet name each other: insert both in one transaction (in either order: the reference from
// merchant to wallet is checked at the commit), or insert the merchant without a wallet first and update it later.
Result<> insert(Session& session, const Merchant& merchant);
Result<> update(Session& session, const Merchant& merchant);
Result<Merchant> get_merchant(Session& session, MerchantId id);
Result<Listing<Merchant>> list_merchants(Session& session, const Page& page);

struct ProductFilter {
    MerchantId merchant;   // zero: any
    std::string category;  // empty: any
};
Result<> insert(Session& session, const Product& product);
Result<> update(Session& session, const Product& product);
Result<Product> get_product(Session& session, ProductId id);
Result<Listing<Product>> list_products(Session& session, const ProductFilter& filter, const Page& page);

// The whole catalogue of one machine, replaced in one transaction. Each slot must carry this device's id (Error
// invalid), be 1 or more and occur once; at most 1,000.
Result<> replace_slots(Session& session, DeviceId device, std::span<const Slot> slots);
Result<std::vector<Slot>> all_slots(Session& session, DeviceId device);        // by slot number
Result<Slot> get_slot(Session& session, DeviceId device, std::uint32_t slot);  // Error slot_not_found

}  // namespace jiaozi::registry
