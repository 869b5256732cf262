#include <algorithm>
#include <limits>

#include <boost/json.hpp>

#include <jiaozi/crypto/private_file.hpp>
#include <jiaozi/terminal/open_deals.hpp>

#include "members.hpp"

namespace jiaozi::terminal {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::string_view sales_format = "jiaozi-sales-1";
constexpr std::string_view purchases_format = "jiaozi-purchases-1";
constexpr std::string_view given_format = "jiaozi-given-1";
constexpr std::uint64_t max_amount = (std::uint64_t{1} << 63) - 1;
constexpr std::uint32_t max_u32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t longest_name = 200;  // ids and keys; so that max_deals of them fit into max_deals_file

std::string short_text(Members& members, std::string_view name) {
    std::string text = members.text(name);
    if (text.size() > longest_name) members.fail(name);
    return text;
}

Result<Sale> sale_in(const json::object& object) {
    Members members(sales_name, object);
    Sale sale;
    sale.key = short_text(members, "key");
    sale.amount = members.number("amount", max_amount);
    const Bytes nonce = members.hex("nonce");
    if (nonce.size() == sale.nonce.size()) {
        std::ranges::copy(nonce, sale.nonce.begin());
    } else {
        members.fail("nonce");
    }
    sale.paid = members.truth("paid");
    JZ_CHECK(members.finish());
    return sale;
}

Result<Purchase> purchase_in(const json::object& object) {
    Members members(purchases_name, object);
    Purchase purchase;
    purchase.order.device = short_text(members, "device");
    purchase.order.slot = members.count("slot", max_u32);
    purchase.order.quantity = members.count("quantity", max_u32);
    purchase.order.wallet = short_text(members, "wallet");
    purchase.order.member = short_text(members, "member");
    purchase.amount = members.number("amount", max_amount);
    purchase.asset = short_text(members, "asset");
    purchase.online = members.truth("online");
    purchase.key = short_text(members, "key");
    purchase.payee = static_cast<std::uint32_t>(members.number("payee", max_u32));
    purchase.seq = static_cast<std::uint32_t>(members.number("seq", max_u32));
    JZ_CHECK(members.finish());
    return purchase;
}

Result<Given> given_in(const json::object& object) {
    Members members(given_name, object);
    Given given;
    const Bytes deposit = members.hex("deposit");
    if (deposit.size() != 16) members.fail("deposit");
    given.deposit = to_hex(deposit);
    given.copies = members.count("copies", max_u32);
    JZ_CHECK(members.finish());
    return given;
}

template <class Deal>
Result<std::vector<Deal>> decode(std::string_view file, std::string_view format, std::string_view list,
                                 std::string_view text, Result<Deal> (*read)(const json::object&)) {
    if (text.size() > max_deals_file) return Error(ErrorKind::too_large, std::string(file) + " has more than 64 KiB");
    boost::system::error_code error;
    const json::value parsed = json::parse(text, error);
    if (error || !parsed.is_object()) return Error(ErrorKind::malformed, std::string(file) + " is no JSON object");
    Members members(file, parsed.get_object());
    if (members.text("format") != format) return wrong_member(file, "format");
    const json::value* const entries = members.find(list);
    JZ_CHECK(members.finish());
    if (entries == nullptr || !entries->is_array() || entries->get_array().size() > max_deals)
        return wrong_member(file, list);
    std::vector<Deal> deals;
    for (const json::value& entry : entries->get_array()) {
        if (!entry.is_object()) return wrong_member(file, list);
        JZ_TRY(deals.emplace_back(), read(entry.get_object()));
    }
    return deals;
}

Result<std::string> read_text(const fs::path& file) {
    auto bytes = crypto::read_private_file(file, max_deals_file);
    if (bytes.ok()) return std::string(as_text(bytes->view()));
    if (bytes.error().kind() == ErrorKind::not_found) return std::string();
    return std::move(bytes).error();
}

Result<void> write_text(const fs::path& file, const std::string& text, std::size_t deals) {
    if (deals > max_deals || text.size() > max_deals_file) {
        return Error(ErrorKind::too_large,
                     file.string() + ": " + std::to_string(deals) + " deals are open; settle some of them first");
    }
    if (deals != 0) return crypto::write_private_file(file, as_bytes(text), crypto::Existing::replace);
    std::error_code error;
    fs::remove(file, error);
    if (error) return Error(ErrorKind::io, file.string() + ": " + error.message());
    return {};
}

}  // namespace

std::string encode_sales(const std::vector<Sale>& sales) {
    json::array list;
    for (const Sale& sale : sales) {
        list.push_back(json::object{
            {"key", sale.key}, {"amount", sale.amount}, {"nonce", to_hex(sale.nonce)}, {"paid", sale.paid}});
    }
    return json::serialize(json::object{{"format", sales_format}, {"sales", list}}) + "\n";
}

Result<std::vector<Sale>> decode_sales(std::string_view text) {
    return decode<Sale>(sales_name, sales_format, "sales", text, sale_in);
}

std::string encode_purchases(const std::vector<Purchase>& purchases) {
    json::array list;
    for (const Purchase& purchase : purchases) {
        list.push_back(json::object{{"device", purchase.order.device},
                                    {"slot", purchase.order.slot},
                                    {"quantity", purchase.order.quantity},
                                    {"wallet", purchase.order.wallet},
                                    {"member", purchase.order.member},
                                    {"amount", purchase.amount},
                                    {"asset", purchase.asset},
                                    {"online", purchase.online},
                                    {"key", purchase.key},
                                    {"payee", purchase.payee},
                                    {"seq", purchase.seq}});
    }
    return json::serialize(json::object{{"format", purchases_format}, {"purchases", list}}) + "\n";
}

Result<std::vector<Purchase>> decode_purchases(std::string_view text) {
    return decode<Purchase>(purchases_name, purchases_format, "purchases", text, purchase_in);
}

std::string encode_given(const std::vector<Given>& given) {
    json::array list;
    for (const Given& one : given) list.push_back(json::object{{"deposit", one.deposit}, {"copies", one.copies}});
    return json::serialize(json::object{{"format", given_format}, {"given", list}}) + "\n";
}

Result<std::vector<Given>> decode_given(std::string_view text) {
    return decode<Given>(given_name, given_format, "given", text, given_in);
}

Result<std::vector<Sale>> read_sales(const fs::path& file) {
    JZ_TRY(const std::string text, read_text(file));
    return text.empty() ? Result<std::vector<Sale>>(std::vector<Sale>()) : decode_sales(text);
}

Result<std::vector<Purchase>> read_purchases(const fs::path& file) {
    JZ_TRY(const std::string text, read_text(file));
    return text.empty() ? Result<std::vector<Purchase>>(std::vector<Purchase>()) : decode_purchases(text);
}

Result<std::vector<Given>> read_given(const fs::path& file) {
    JZ_TRY(const std::string text, read_text(file));
    return text.empty() ? Result<std::vector<Given>>(std::vector<Given>()) : decode_given(text);
}

Result<void> write_sales(const fs::path& file, const std::vector<Sale>& sales) {
    return write_text(file, encode_sales(sales), sales.size());
}

Result<void> write_purchases(const fs::path& file, const std::vector<Purchase>& purchases) {
    return write_text(file, encode_purchases(purchases), purchases.size());
}

Result<void> write_given(const fs::path& file, const std::vector<Given>& given) {
    return write_text(file, encode_given(given), given.size());
}

}  // namespace jiaozi::terminal
