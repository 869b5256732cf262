#include <chrono>
#include <limits>
#include <optional>
#include <thread>

#include <boost/json.hpp>

#include <jiaozi/carriers/deadline.hpp>
#include <jiaozi/model/enums.hpp>
#include <jiaozi/terminal/online_route.hpp>

namespace jiaozi::terminal {
namespace {

namespace json = boost::json;
using Answer = OnlineRoute::Answer;
using Paid = OnlineRoute::Paid;

constexpr Duration ask_again_after = milliseconds(500);
constexpr Duration look_again_after = milliseconds(200);

json::object object_in(const std::string& body) {
    boost::system::error_code failed;
    json::value parsed = json::parse(body, failed);
    return !failed && parsed.is_object() ? std::move(parsed.get_object()) : json::object();
}

std::string text_in(const json::object& object, std::string_view name) {
    const json::value* const found = object.if_contains(name);
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

Error refusal(const client::Response& response, std::string_view doing) {
    const json::object problem = object_in(response.body);
    const std::string code = text_in(problem, "code");
    const ErrorKind kind = client::kind_of_status(response.status, code);
    return Error(kind,
                 std::string(doing) + ": HTTP " + std::to_string(response.status) + " " + text_in(problem, "detail"))
        .with_code(code.empty() ? name_of(kind) : code);
}

std::optional<std::uint64_t> minor_units(const std::string& text) {
    constexpr std::uint64_t most = (std::uint64_t{1} << 63) - 1;
    std::uint64_t value = 0;
    if (text.empty()) return {};
    for (const char c : text) {
        if (c < '0' || c > '9' || value > (most - 9) / 10) return {};
        value = value * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return value;
}

void pause(Duration time) {
    std::this_thread::sleep_for(std::chrono::nanoseconds(time.ns));
}

// What the server said of a payment; empty where it is still on its way.
std::optional<Paid> outcome_of(const json::object& payment) {
    Paid paid{.answer = Answer::refused, .payment = text_in(payment, "id"), .reason = text_in(payment, "reason")};
    const std::string state = text_in(payment, "state");
    if (state == name_of(PaymentState::captured)) paid.answer = Answer::captured;
    if (paid.reason == name_of(Reason::device_offline)) paid.answer = Answer::machine_away;
    if (state == name_of(PaymentState::pending) || state == name_of(PaymentState::authorized) || state.empty())
        return {};
    return paid;
}

// The payment in an answer: the body itself, or member `payment` of a problem. Empty where there is none.
json::object payment_in(const client::Response& response) {
    json::object body = object_in(response.body);
    if (response.status == 200 || response.status == 201) return body;
    if (const json::value* const inside = body.if_contains("payment"); inside != nullptr && inside->is_object())
        return inside->get_object();
    return {};
}

// Whether asking again may be answered otherwise: the outcome of this request is not known. So is that of a success
// without a payment in it.
bool may_change(const client::Response& response) {
    const std::string code = text_in(object_in(response.body), "code");
    return response.status < 400 || response.status >= 500 || response.status == 429 || code == "request_in_flight";
}

}  // namespace

Result<Price> HttpRoute::price(const Order& order) {
    client::Request request;
    request.path = "/v1/devices/" + order.device + "/slots";
    JZ_TRY(const client::Response response, client_.send(request));
    if (response.status != 200) return refusal(response, "ask for the price");
    const json::object list = object_in(response.body);
    const json::value* const slots = list.if_contains("data");
    if (slots == nullptr || !slots->is_array())
        return Error(ErrorKind::malformed, "the server's answer has no slots; is it of another version?");
    for (const json::value& entry : slots->get_array()) {
        if (!entry.is_object()) continue;
        const json::object& slot = entry.get_object();
        const json::value* const number = slot.if_contains("slot");
        if (number == nullptr || !number->is_int64() || number->get_int64() != order.slot) continue;
        const auto each = minor_units(text_in(slot, "price"));
        constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
        if (!each || order.quantity == 0 || *each > most / order.quantity)
            return Error(ErrorKind::malformed, "the server's price is no amount that can be paid");
        return Price{*each * order.quantity, text_in(slot, "asset")};
    }
    return Error(ErrorKind::not_found, "the machine sells nothing in slot " + std::to_string(order.slot));
}

Result<Paid> HttpRoute::pay(const Order& order, const Price& price, const std::string& key, Duration patience) {
    client::Request request;
    request.method = "POST";
    request.path = "/v1/payments";
    request.idempotency_key = key;
    request.body = json::serialize(json::object{{"kind", name_of(PaymentKind::machine)},
                                                {"payer_wallet", order.wallet},
                                                {"payer_member", order.member},
                                                {"device", order.device},
                                                {"slot", order.slot},
                                                {"quantity", order.quantity},
                                                {"amount", std::to_string(price.amount)},
                                                {"asset", price.asset}});
    const carriers::Deadline deadline(patience);
    Paid unknown;
    // At least once, even with no patience; then until somebody can say.
    for (bool asked = false; !asked || !deadline.passed(); asked = true) {
        if (asked) pause(unknown.payment.empty() ? ask_again_after : look_again_after);
        const auto response = client_.send(request);
        if (!response.ok()) continue;
        const json::object payment = payment_in(*response);
        if (auto known = outcome_of(payment)) return *known;
        if (!payment.empty()) {
            unknown.payment = text_in(payment, "id");
            request = client::Request();
            request.path = "/v1/payments/" + unknown.payment;
        } else if (!asked && !may_change(*response)) {
            // Only the first time: what was asked for and not answered may be a payment, whatever is said later.
            return refusal(*response, "pay");
        }
    }
    return unknown;
}

}  // namespace jiaozi::terminal
