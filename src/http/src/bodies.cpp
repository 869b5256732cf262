#include <jiaozi/http/bodies.hpp>
#include <jiaozi/http/json_body.hpp>

namespace jiaozi::http {
namespace {

constexpr std::size_t name_max = 200;
constexpr std::uint32_t slot_number_max = 999;
constexpr std::uint32_t quantity_max = 1000;

// Empty, or exactly a number of ASCII digits within bounds.
void digits(Fields& fields, std::string_view name, std::string& target, std::size_t min, std::size_t max) {
    fields.text(name, target, min, max, optional);
    if (target.find_first_not_of("0123456789") != std::string::npos) fields.fail(name, "expected decimal digits only");
}

struct KindFields {
    PaymentKind kind;
    std::string_view needs;  // space separated
    std::string_view takes;
};

// Which fields a kind of payment must have, and which it may have besides.
constexpr KindFields payment_fields[] = {
    {PaymentKind::machine, "payer_wallet payer_member device slot", "quantity amount asset"},
    {PaymentKind::device, "payer_device device slot", "quantity amount asset"},
    {PaymentKind::person, "payer_wallet payer_member payee_wallet amount asset", ""},
    {PaymentKind::qr, "payer_wallet payer_member qr", "amount asset"},
};

template <class Visit>
void each_word(std::string_view words, Visit visit) {
    while (!words.empty()) {
        const std::size_t space = words.find(' ');
        visit(words.substr(0, space));
        if (space == std::string_view::npos) return;
        words.remove_prefix(space + 1);
    }
}

void check_kind_fields(Fields& fields, PaymentKind kind) {
    for (const KindFields& row : payment_fields) {
        if (row.kind != kind) continue;
        each_word(row.needs, [&](std::string_view name) {
            if (!fields.has(name)) fields.fail(name, "this field is required for this kind of payment");
        });
        for (const std::string_view name : {"payer_wallet", "payer_member", "payee_wallet", "device", "payer_device",
                                            "slot", "quantity", "amount", "asset", "qr"}) {
            bool known = false;
            const auto look = [&](std::string_view word) { known = known || word == name; };
            each_word(row.needs, look);
            each_word(row.takes, look);
            if (!known && fields.has(name)) fields.fail(name, "this kind of payment does not have this field");
        }
        return;
    }
    fields.fail(
        "kind",
        "expected one of machine, device, person, qr; a payment by code comes from the machine that scanned it");
}

}  // namespace

Result<Person> decode_new_person(std::string_view text) {
    JZ_TRY(const Body body, Body::parse(text));
    Fields fields(body.root());
    Person person;
    fields.text("name", person.name, 1, name_max, required);
    fields.text("locale", person.locale, 1, 35, optional);
    JZ_CHECK(fields.finish());
    return person;
}

Result<NewGroup> decode_new_group(std::string_view text) {
    JZ_TRY(const Body body, Body::parse(text));
    Fields fields(body.root());
    NewGroup read;
    fields.token("kind", read.group.kind, parse_group_kind, required);
    fields.text("name", read.group.name, 1, name_max, required);
    fields.id("owner", read.owner, optional);
    JZ_CHECK(fields.finish());
    return read;
}

Result<Member> decode_new_member(std::string_view text) {
    JZ_TRY(const Body body, Body::parse(text));
    Fields fields(body.root());
    Member member;
    fields.id("person", member.person, optional);
    fields.id("device", member.device, optional);
    fields.token("role", member.role, parse_role, optional);
    if (fields.has("person") == fields.has("device")) fields.fail("person", "give either a person or a device");
    JZ_CHECK(fields.finish());
    return member;
}

Result<NewWallet> decode_new_wallet(std::string_view text) {
    JZ_TRY(const Body body, Body::parse(text));
    Fields fields(body.root());
    NewWallet read;
    fields.text("name", read.name, 1, name_max, required);
    fields.asset("asset", read.asset, required);
    JZ_CHECK(fields.finish());
    return read;
}

Result<Amount> decode_new_deposit(std::string_view text) {
    JZ_TRY(const Body body, Body::parse(text));
    Fields fields(body.root());
    std::optional<Amount> amount;
    fields.amount("amount", amount, required);
    JZ_CHECK(fields.finish());
    return *amount;
}

Result<Limit> decode_new_limit(std::string_view text) {
    JZ_TRY(const Body body, Body::parse(text));
    Fields fields(body.root());
    Limit limit;
    std::optional<Amount> amount;
    fields.id("member", limit.member, required);
    fields.token("kind", limit.kind, parse_limit_kind, required);
    fields.text("category", limit.category, 1, 64, optional);
    fields.amount("amount", amount, required);
    fields.integer("window_days", limit.window_days, 1, 366, optional);
    JZ_CHECK(fields.finish());
    limit.amount = *amount;
    return limit;
}

Result<NewMerchant> decode_new_merchant(std::string_view text) {
    JZ_TRY(const Body body, Body::parse(text));
    Fields fields(body.root());
    NewMerchant read;
    fields.text("name", read.merchant.name, 1, name_max, required);
    fields.text("city", read.merchant.city, 1, 100, optional);
    fields.text("country", read.merchant.country, 2, 2, optional);
    fields.text("mcc", read.merchant.mcc, 4, 4, optional);
    fields.asset("asset", read.asset, optional);
    JZ_CHECK(fields.finish());
    return read;
}

Result<Product> decode_new_product(std::string_view text) {
    JZ_TRY(const Body body, Body::parse(text));
    Fields fields(body.root());
    Product product;
    fields.id("merchant", product.merchant, required);
    fields.text("name", product.name, 1, name_max, required);
    fields.text("name_zh", product.name_zh, 0, name_max, optional);
    fields.text("category", product.category, 1, 64, required);
    JZ_CHECK(fields.finish());
    return product;
}

Result<Device> decode_new_device(std::string_view text) {
    JZ_TRY(const Body body, Body::parse(text));
    Fields fields(body.root());
    Device device;
    fields.token("kind", device.kind, parse_device_kind, required);
    fields.text("name", device.name, 1, name_max, required);
    fields.id("merchant", device.merchant, optional);
    if (const JsonNode* node = fields.node("sim", JsonNode::Type::object, optional)) {
        Fields sim(*node, "sim");
        digits(sim, "iccid", device.sim.iccid, 19, 20);
        digits(sim, "imsi", device.sim.imsi, 6, 15);
        digits(sim, "imei", device.sim.imei, 15, 15);
        if (auto checked = sim.finish(); !checked.ok()) fields.fail(std::move(checked).error());
    }
    JZ_CHECK(fields.finish());
    return device;
}

Result<std::vector<Slot>> decode_new_slots(std::string_view text) {
    JZ_TRY(const Body body, Body::parse(text));
    Fields fields(body.root());
    std::vector<Slot> slots;
    if (const JsonNode* list = fields.node("slots", JsonNode::Type::array, required)) {
        if (list->items.size() > slot_number_max) fields.fail("slots", "expected at most 999 slots");
        for (std::size_t i = 0; i < list->items.size() && i < slot_number_max; ++i) {
            Fields item(list->items[i], "slots[" + std::to_string(i) + "]");
            Slot slot;
            std::optional<Amount> price;
            item.integer("slot", slot.slot, 1, slot_number_max, required);
            item.id("product", slot.product, required);
            item.amount("price", price, required);
            if (auto checked = item.finish(); !checked.ok()) {
                fields.fail(std::move(checked).error());
                break;
            }
            slot.price = *price;
            slots.push_back(slot);
        }
    }
    JZ_CHECK(fields.finish());
    return slots;
}

Result<NewQr> decode_new_qr(std::string_view text) {
    JZ_TRY(const Body body, Body::parse(text));
    Fields fields(body.root());
    NewQr read;
    fields.integer("slot", read.slot, 1, slot_number_max, required);
    fields.integer("quantity", read.quantity, 1, quantity_max, optional);
    JZ_CHECK(fields.finish());
    return read;
}

Result<NewPaymentBody> decode_new_payment(std::string_view text) {
    JZ_TRY(const Body body, Body::parse(text));
    Fields fields(body.root());
    NewPaymentBody read;
    fields.token("kind", read.kind, parse_payment_kind, required);
    check_kind_fields(fields, read.kind);
    fields.id("payer_wallet", read.payer_wallet, optional);
    fields.id("payer_member", read.payer_member, optional);
    fields.id("payee_wallet", read.payee_wallet, optional);
    fields.id("device", read.device, optional);
    fields.id("payer_device", read.payer_device, optional);
    fields.integer("slot", read.slot, 1, slot_number_max, optional);
    fields.integer("quantity", read.quantity, 1, quantity_max, optional);
    fields.amount("amount", read.amount, optional);
    fields.text("qr", read.qr, 1, 512, optional);
    JZ_CHECK(fields.finish());
    return read;
}

Result<std::optional<Amount>> decode_new_refund(std::string_view text) {
    JZ_TRY(const Body body, Body::parse(text, true));
    Fields fields(body.root());
    std::optional<Amount> amount;
    fields.amount("amount", amount, optional);
    JZ_CHECK(fields.finish());
    return amount;
}

Result<NewPaymentCode> decode_new_payment_code(std::string_view text) {
    JZ_TRY(const Body body, Body::parse(text));
    Fields fields(body.root());
    NewPaymentCode read;
    fields.id("wallet", read.wallet, required);
    fields.id("member", read.member, required);
    JZ_CHECK(fields.finish());
    return read;
}

Result<WebhookEndpoint> decode_new_webhook_endpoint(std::string_view text) {
    JZ_TRY(const Body body, Body::parse(text));
    Fields fields(body.root());
    WebhookEndpoint endpoint;
    endpoint.events = {"*"};
    fields.text("url", endpoint.url, 1, 2048, required);
    fields.texts("events", endpoint.events, 1, 64, 64, optional);
    fields.boolean("enabled", endpoint.enabled, optional);
    JZ_CHECK(fields.finish());
    return endpoint;
}

Result<EndpointChange> decode_endpoint_change(std::string_view text) {
    JZ_TRY(const Body body, Body::parse(text));
    Fields fields(body.root());
    EndpointChange change;
    if (fields.has("url")) fields.text("url", change.url.emplace(), 1, 2048, required);
    if (fields.has("events")) fields.texts("events", change.events.emplace(), 1, 64, 64, required);
    if (fields.has("enabled")) fields.boolean("enabled", change.enabled.emplace(), required);
    JZ_CHECK(fields.finish());
    if (!change.url && !change.events && !change.enabled) {
        return Error(ErrorKind::invalid, "give at least one of url, events, enabled");
    }
    return change;
}

Result<Duration> decode_secret_rotation(std::string_view text) {
    JZ_TRY(const Body body, Body::parse(text, true));
    Fields fields(body.root());
    std::uint32_t overlap_s = 86'400;
    fields.integer("overlap_s", overlap_s, 0, 604'800, optional);
    JZ_CHECK(fields.finish());
    return seconds(overlap_s);
}

Result<NewApiKey> decode_new_api_key(std::string_view text) {
    JZ_TRY(const Body body, Body::parse(text));
    Fields fields(body.root());
    NewApiKey read;
    fields.text("name", read.name, 1, name_max, required);
    fields.texts("scopes", read.scopes, 1, 64, 64, required);
    fields.id("person", read.person, optional);
    JZ_CHECK(fields.finish());
    return read;
}

Result<Duration> decode_clock_advance(std::string_view text) {
    JZ_TRY(const Body body, Body::parse(text));
    Fields fields(body.root());
    std::uint32_t by_s = 0;
    fields.integer("seconds", by_s, 1, 31'622'400, required);
    JZ_CHECK(fields.finish());
    return seconds(by_s);
}

Result<api::SandboxFault> decode_new_sandbox_fault(std::string_view text) {
    JZ_TRY(const Body body, Body::parse(text));
    Fields fields(body.root());
    api::SandboxFault fault = api::SandboxFault::none;
    fields.token("fault", fault, api::parse_sandbox_fault, required);
    JZ_CHECK(fields.finish());
    return fault;
}

Result<> decode_nothing(std::string_view text) {
    JZ_TRY(const Body body, Body::parse(text, true));
    return Fields(body.root()).finish();
}

}  // namespace jiaozi::http
