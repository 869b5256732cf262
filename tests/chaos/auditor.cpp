#include "auditor.hpp"

#include <algorithm>
#include <thread>

namespace jiaozi::chaos {
namespace {

bool is_over(const std::string& state) {
    return state != "pending" && state != "authorized";
}

Result<Row> row_of(const json::object& object) {
    Row row;
    JZ_TRY(row.id, PaymentId::parse(text(object, "id")));
    for (const auto& [field, name] : {std::pair{&Row::kind, "kind"},
                                      {&Row::state, "state"},
                                      {&Row::reason, "reason"},
                                      {&Row::payer_wallet, "payer_wallet"},
                                      {&Row::payee_wallet, "payee_wallet"},
                                      {&Row::payer_member, "payer_member"},
                                      {&Row::device, "device"},
                                      {&Row::payer_device, "payer_device"}}) {
        row.*field = text(object, name);
    }
    row.slot = object.at("slot").to_number<std::uint32_t>();
    row.quantity = object.at("quantity").to_number<std::uint32_t>();
    row.delivered = object.at("delivered").to_number<std::uint32_t>();
    row.amount = minor(object, "amount");
    row.captured = minor(object, "captured");
    row.refunded = minor(object, "refunded");
    row.late = object.at("late_delivery").as_bool();
    row.whole = json::serialize(object);
    return row;
}

// The payment within an answer to POST /v1/payments, whether it was accepted or refused.
json::object payment_of(const Answer& answer) {
    if (answer.status == 201) return answer.body;
    const json::value* payment = answer.body.if_contains("payment");
    return payment != nullptr && payment->is_object() ? payment->get_object() : json::object();
}

}  // namespace

bool Auditor::wait_until_none_is_open(Api& api, Duration patience) {
    const auto give_up = SteadyClock::now() + std::chrono::nanoseconds(patience.ns);
    while (SteadyClock::now() < give_up) {
        const auto pending = api.list("/v1/payments?state=pending");
        const auto authorized = api.list("/v1/payments?state=authorized");
        if (pending.ok() && authorized.ok() && pending->empty() && authorized->empty()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    return false;
}

Result<std::vector<Row>> Auditor::read_rows(Api& api) {
    JZ_TRY(const auto objects, api.list("/v1/payments"));
    std::vector<Row> rows;
    for (const json::object& object : objects) {
        JZ_TRY(Row row, row_of(object));
        rows.push_back(std::move(row));
    }
    return rows;
}

Result<std::map<std::string, std::string>> Auditor::read_refunds(Api& api) const {
    std::map<std::string, std::string> refunds;
    for (const Row& row : rows_) {
        if (row.refunded == 0) continue;
        JZ_TRY(const auto list, api.list("/v1/payments/" + row.id.to_string() + "/refunds"));
        for (const json::object& refund : list) refunds[row.id.to_string()] += json::serialize(refund);
    }
    return refunds;
}

Result<> Auditor::read(Api& api) {
    JZ_TRY(rows_, read_rows(api));
    JZ_TRY(refunds_, read_refunds(api));
    for (std::size_t i = 0; i < rows_.size(); ++i) by_id_[rows_[i].id] = i;
    if (by_id_.size() != rows_.size()) diary_.wrong("the list of payments shows one twice");
    return {};
}

const Row* Auditor::row(PaymentId id) const {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : &rows_[found->second];
}

// ---- every payment was asked for by somebody, once, and everybody's was kept

void Auditor::check_everybody_is_known() {
    std::unordered_map<PaymentId, std::string> askers;
    for (const auto& [id, request] : diary_.requests) askers[id] = "a device";
    for (const Purchase& purchase : diary_.purchases) {
        const auto id = PaymentId::parse(text(payment_of(purchase.first), "id"));
        if (!id.ok()) {
            diary_.wrong("key " + purchase.key + " was answered without a payment: " +
                         std::to_string(purchase.first.status) + " " + purchase.first.text);
            continue;
        }
        if (!askers.emplace(*id, purchase.key).second) diary_.wrong(id->to_string() + " was given to two requests");
    }
    for (const Row& each : rows_) {
        if (!askers.contains(each.id)) wrong(each, "nobody has been told of this payment");
    }
    for (const auto& [id, asker] : askers) {
        if (row(id) == nullptr) diary_.wrong(id.to_string() + " of " + asker + " is lost");
    }
    for (const auto& [id, fallen] : diary_.fallen) {
        if (row(id) == nullptr) diary_.wrong(id.to_string() + ": something fell for a payment that does not exist");
    }
}

// ---- money for what fell, and for nothing else

void Auditor::check_payments() {
    for (const Row& each : rows_) {
        ++findings_.outcomes[each.state + (each.reason.empty() || each.reason == "none" ? "" : ", " + each.reason)];
        ++findings_.kinds[each.kind];
        findings_.captured += each.captured;
        findings_.refunded += each.refunded;
        if (!is_over(each.state)) wrong(each, "has not ended");
        if (each.kind == "person") continue;
        check_physical(each);
        if (each.state != "captured") check_refused(each);
    }
}

void Auditor::check_physical(const Row& each) {
    const auto found = diary_.fallen.find(each.id);
    const Fallen fallen = found == diary_.fallen.end() ? Fallen{} : found->second;
    findings_.units_ordered += fallen.ordered;
    findings_.units_fallen += fallen.units;
    if (fallen.deliveries > 1) wrong(each, "was delivered " + std::to_string(fallen.deliveries) + " times");
    if (fallen.deliveries > 0 && (fallen.machine.to_string() != each.device || fallen.ordered != each.quantity))
        wrong(each, "was delivered elsewhere or otherwise");
    if (each.state == "captured") {
        if (fallen.units == 0 || each.delivered != fallen.units) wrong(each, std::to_string(fallen.units) + " fell");
        if (each.captured != price_of(each.slot) * fallen.units) wrong(each, "the amount is not price times what fell");
        if (each.amount != price_of(each.slot) * each.quantity) wrong(each, "the amount held was not the price");
        if (each.late) wrong(each, "is captured and late");
        if (each.refunded > each.captured) wrong(each, "more was refunded than captured");
    } else if (fallen.units > 0) {
        check_lateness(each, fallen);
    } else if (each.late) {
        wrong(each, "is recorded as late, but nothing fell");
    }
}

// Fallen without a capture: allowed only for a report that could not come before the hold's end, and on record.
void Auditor::check_lateness(const Row& each, const Fallen& fallen) {
    if (!each.late) return wrong(each, std::to_string(fallen.units) + " fell, neither paid nor recorded as late");
    const auto acknowledged = diary_.acknowledged.find(each.id);
    if (acknowledged == diary_.acknowledged.end() || !acknowledged->second.ack.late) {
        return wrong(each, "the machine was not told that it was late");
    }
    const auto waited =
        std::chrono::duration_cast<std::chrono::seconds>(acknowledged->second.when - fallen.when).count();
    findings_.late.push_back(each.id.to_string() + ": its report was acknowledged " + std::to_string(waited) +
                             " s after the drop");
    // The command's end leaves two thirds of the hold for the report.
    if (waited < static_cast<std::int64_t>(plan_.hold_s) * 2 / 3 - 1) {
        wrong(each, "is recorded as late although its report came in time");
    }
}

void Auditor::check_refused(const Row& each) {
    if (each.captured != 0 || each.refunded != 0) wrong(each, "moved money without being captured");
    if (each.reason.empty() || each.reason == "none") wrong(each, "does not say why");
    if (each.state != "voided" && diary_.fallen.contains(each.id))
        wrong(each, "never held money, but a machine began to deliver");
}

// ---- what somebody was told stays true

void Auditor::check_answers() {
    for (const Purchase& purchase : diary_.purchases) {
        const json::object told = payment_of(purchase.first);
        const auto id = PaymentId::parse(text(told, "id"));
        const Row* const now = id.ok() ? row(*id) : nullptr;
        if (now == nullptr) continue;  // said already
        const std::string state = text(told, "state");
        const bool kept = state == "authorized" ? now->state == "captured" || now->state == "voided"
                                                : now->state == state && now->reason == text(told, "reason");
        if (!kept) wrong(*now, "the customer was told " + purchase.first.text);
        const long status = state == "authorized" || state == "captured" ? 201 : state == "declined" ? 402 : 409;
        if (purchase.first.status != status)
            wrong(*now, "was answered with status " + std::to_string(purchase.first.status));
    }
    for (const auto& [id, request] : diary_.requests) {
        const Row* const now = row(id);
        if (!request.answer) {
            diary_.wrong(id.to_string() + ": the device was never answered");
        } else if (now != nullptr) {
            const std::string state(name_of(request.answer->state));
            const bool kept = state == "authorized"
                                  ? now->state == "captured" || now->state == "voided"
                                  : now->state == state && now->reason == name_of(request.answer->reason);
            // An answer after a crash of either side may tell the outcome already.
            if (!kept)
                wrong(*now, "the device was told " + state + ", " + std::string(name_of(request.answer->reason)));
        }
    }
    for (const auto& [id, acknowledged] : diary_.acknowledged) {
        const Row* const now = row(id);
        if (now == nullptr) continue;
        if (now->captured != acknowledged.ack.captured)
            wrong(*now, "the machine was told that " + std::to_string(acknowledged.ack.captured) + " was captured");
        if (now->late != acknowledged.ack.late) wrong(*now, "the machine was told otherwise whether it was late");
    }
}

// Before read(): a refusal of a refund is not remembered (docs/payments.md), so only what was accepted is repeated.
void Auditor::check_replays(Api& api) {
    for (const Purchase& purchase : diary_.purchases) {
        const Answer again = api.ask("POST", "/v1/payments", purchase.body, purchase.key);
        ++findings_.replays;
        if (again.status != purchase.first.status || text(again.body, "code") != text(purchase.first.body, "code") ||
            payment_of(again) != payment_of(purchase.first)) {
            diary_.wrong("key " + purchase.key + " was answered " + purchase.first.text + " and later " + again.text);
        }
    }
    for (const Giveback& giveback : diary_.givebacks) {
        if (giveback.first.status != 201) continue;
        const Answer again =
            api.ask("POST", "/v1/payments/" + giveback.payment + "/refunds", giveback.body, giveback.key);
        ++findings_.replays;
        if (again.status != 201 || again.body != giveback.first.body) {
            diary_.wrong("refund " + giveback.key + " was answered " + giveback.first.text + " and later " +
                         again.text);
        }
    }
}

void Auditor::check_refunds() {
    std::map<std::string, uint128> given_back;
    for (const Giveback& giveback : diary_.givebacks) {
        if (giveback.first.status == 201) {
            ++findings_.refunds;
            given_back[giveback.payment] += minor(giveback.first.body, "amount");
            continue;
        }
        ++findings_.refunds_refused;
        const std::string code = text(giveback.first.body, "code");
        if (code != "refund_exceeds_captured" && code != "payment_not_captured") {
            diary_.wrong("a refund was refused: " + giveback.first.text);
        }
    }
    for (const Row& each : rows_) {
        if (given_back[each.id.to_string()] != each.refunded) wrong(each, "its refunds do not add up");
    }
}

}  // namespace jiaozi::chaos
