// Bodies of the endpoints for offline purses.
#include <limits>

#include <jiaozi/codec/base_n.hpp>
#include <jiaozi/http/bodies.hpp>
#include <jiaozi/http/json_body.hpp>

namespace jiaozi::http {
namespace {

constexpr std::uint32_t any_number = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t items_max = 100;
constexpr std::size_t item_text_max = 6'144;  // 4,608 bytes: a bundle and a receipt
constexpr std::size_t carried_max = 16;
constexpr std::size_t root_text_max = 10'924;  // 8,192 bytes
constexpr std::size_t heads_text_max = 1'024;

// Standard base64 with padding.
void base64(Fields& fields, std::string_view name, std::string_view text, Bytes& target) {
    if (auto bytes = codec::decode_base64(text); bytes.ok()) {
        target = std::move(*bytes);
    } else {
        fields.fail(name, "expected base64 with padding (RFC 4648): " + bytes.error().message());
    }
}

}  // namespace

Result<NewPurseBody> decode_new_purse(std::string_view text) {
    JZ_TRY(const Body body, Body::parse(text));
    Fields fields(body.root());
    NewPurseBody read;
    std::string key;
    std::uint32_t suite = 0;
    fields.id("wallet", read.wallet, required);
    fields.integer("suite", suite, 1, 3, required);
    fields.text("key", key, 64, 66, required);
    fields.integer("class", read.assurance, 0, 3, optional);
    fields.id("device", read.device, optional);
    if (suite != 0) read.suite = static_cast<crypto::Suite>(suite);
    if (!key.empty()) {
        if (auto bytes = from_hex(key); bytes.ok()) {
            read.key = std::move(*bytes);
        } else {
            fields.fail("key", "expected hexadecimal");
        }
    }
    JZ_CHECK(fields.finish());
    return read;
}

Result<NewPurseLoadBody> decode_new_purse_load(std::string_view text) {
    JZ_TRY(const Body body, Body::parse(text));
    Fields fields(body.root());
    NewPurseLoadBody read;
    std::optional<Amount> amount;
    fields.amount("amount", amount, required);
    fields.integer("directed", read.directed, 0, any_number, optional);
    JZ_CHECK(fields.finish());
    read.amount = *amount;
    return read;
}

Result<NewPurseDepositsBody> decode_new_purse_deposits(std::string_view text) {
    JZ_TRY(const Body body, Body::parse(text));
    Fields fields(body.root());
    NewPurseDepositsBody read;
    std::vector<std::string> items;
    fields.integer("purse", read.purse, 1, any_number, optional);
    fields.texts("items", items, 1, items_max, item_text_max, required);
    for (std::size_t i = 0; i < items.size(); ++i) {
        base64(fields, "items[" + std::to_string(i) + ']', items[i], read.items.emplace_back());
    }
    JZ_CHECK(fields.finish());
    return read;
}

Result<std::vector<Bytes>> decode_new_carried_items(std::string_view text) {
    JZ_TRY(const Body body, Body::parse(text));
    Fields fields(body.root());
    std::vector<Bytes> read;
    std::vector<std::string> items;
    fields.texts("items", items, 1, carried_max, item_text_max, required);
    for (std::size_t i = 0; i < items.size(); ++i) {
        base64(fields, "items[" + std::to_string(i) + ']', items[i], read.emplace_back());
    }
    JZ_CHECK(fields.finish());
    return read;
}

Result<Bytes> decode_new_purse_alarm(std::string_view text) {
    JZ_TRY(const Body body, Body::parse(text));
    Fields fields(body.root());
    std::string heads;
    Bytes read;
    fields.text("heads", heads, 1, heads_text_max, required);
    if (!heads.empty()) base64(fields, "heads", heads, read);
    JZ_CHECK(fields.finish());
    return read;
}

Result<NewPurseSyncBody> decode_new_purse_sync(std::string_view text) {
    JZ_TRY(const Body body, Body::parse(text, true));
    Fields fields(body.root());
    NewPurseSyncBody read;
    fields.integer("last_seen", read.last_seen, 0, any_number - 1, optional);
    fields.boolean("suspect", read.suspect, optional);
    fields.integer("highest_seq", read.highest_seq, 0, any_number - 1, optional);
    JZ_CHECK(fields.finish());
    return read;
}

Result<Bytes> decode_new_purse_root(std::string_view text) {
    JZ_TRY(const Body body, Body::parse(text));
    Fields fields(body.root());
    std::string root;
    Bytes read;
    fields.text("root", root, 1, root_text_max, required);
    if (!root.empty()) base64(fields, "root", root, read);
    JZ_CHECK(fields.finish());
    return read;
}

}  // namespace jiaozi::http
