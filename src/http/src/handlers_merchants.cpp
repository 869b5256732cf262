#include <jiaozi/api/json.hpp>
#include <jiaozi/http/bodies.hpp>
#include <jiaozi/registry/merchants.hpp>

#include "access.hpp"
#include "router.hpp"

namespace jiaozi::http {
namespace {

std::string merchant_json(const Merchant& merchant) {
    return api::json_of(merchant);
}
std::string product_json(const Product& product) {
    return api::json_of(product);
}

void create_merchant(Call&& call) {
    JZ_ANSWER_CHECK(call.reply, operator_only(call));
    JZ_ANSWER_TRY(NewMerchant wanted, call.reply, decode_new_merchant(call.request.body));
    wanted.merchant.id = MerchantId(call.object_id);
    call.parts().merchants.create(std::move(wanted.merchant), wanted.asset,
                                  [reply = std::move(call.reply)](Result<Merchant> made) mutable {
                                      JZ_ANSWER_TRY(const Merchant merchant, reply, std::move(made));
                                      reply.json(201, merchant_json(merchant));
                                  });
}

void list_merchants(Call&& call) {
    JZ_ANSWER_TRY(Query query, call.reply, Query::parse(call.request.query));
    const registry::Page page = query.page();
    JZ_ANSWER_CHECK(call.reply, query.finish());
    read_and_answer(std::move(call), [page](registry::Session& session) -> Result<std::string> {
        JZ_TRY(const auto merchants, registry::list_merchants(session, page));
        return list_json(merchants.data, merchants.has_more, merchant_json);
    });
}

void get_merchant(Call&& call) {
    JZ_ANSWER_TRY(const MerchantId id, call.reply, call.path_id<MerchantId>(0, "merchant"));
    const Merchant* merchant = call.parts().merchants.merchant(id);
    if (merchant == nullptr) {
        call.reply.fail(no_such("merchant", id.to_string()));
        return;
    }
    call.reply.json(200, merchant_json(*merchant));
}

void create_product(Call&& call) {
    JZ_ANSWER_CHECK(call.reply, operator_only(call));
    JZ_ANSWER_TRY(Product product, call.reply, decode_new_product(call.request.body));
    product.id = ProductId(call.object_id);
    JZ_ANSWER_TRY(const Product made, call.reply, call.parts().merchants.create_product(std::move(product)));
    call.reply.json(201, product_json(made));
}

void list_products(Call&& call) {
    JZ_ANSWER_TRY(Query query, call.reply, Query::parse(call.request.query));
    registry::ProductFilter filter;
    filter.merchant = query.id<MerchantId>("merchant");
    filter.category = std::string(query.get("category").value_or(""));
    const registry::Page page = query.page();
    JZ_ANSWER_CHECK(call.reply, query.finish());
    read_and_answer(std::move(call), [filter, page](registry::Session& session) -> Result<std::string> {
        JZ_TRY(const auto products, registry::list_products(session, filter, page));
        return list_json(products.data, products.has_more, product_json);
    });
}

}  // namespace

void add_merchant_routes(Router& router) {
    router.add({Method::post, "/v1/merchants", "merchants", "write", Repeat::stored, create_merchant});
    router.add({Method::get, "/v1/merchants", "merchants", "read", Repeat::none, list_merchants});
    router.add({Method::get, "/v1/merchants/{merchant}", "merchants", "read", Repeat::none, get_merchant});
    router.add({Method::post, "/v1/products", "merchants", "write", Repeat::stored, create_product});
    router.add({Method::get, "/v1/products", "merchants", "read", Repeat::none, list_products});
}

}  // namespace jiaozi::http
