// What the machine is told to deliver. The order of disk and deed is the point of this file: a command is stored before
// it is acknowledged, stored as begun before the motor turns, and its outcome is stored before it is reported.
#include <algorithm>
#include <utility>

#include <jiaozi/codec/utf8.hpp>

#include "impl.hpp"
#include "record.hpp"

namespace jiaozi::device {
namespace {

using protocol::MessageType;

// How late a message may be before a command that looks expired makes us doubt our clock instead.
constexpr std::int64_t doubtful_lag_ms = 1000;

protocol::DeliveryReport report_of(const CommandRecord& record) {
    return {record.command.payment, record.drop.result, record.drop.units, record.drop.detail};
}

Result<void> check_drop(const protocol::Command& command, const Drop& drop) {
    if (!units_fit(drop.result, drop.units, command.quantity)) {
        return Error(ErrorKind::invalid,
                     "units must be 0 with failed, the quantity with delivered, and between with partial")
            .with_param("units");
    }
    if (drop.detail.size() > protocol::max_short_text || !codec::is_utf8(drop.detail)) {
        return Error(ErrorKind::invalid, "detail must be UTF-8 text of at most 64 bytes").with_param("detail");
    }
    return {};
}

}  // namespace

// ---- at the start

Result<void> DeviceClient::Impl::recover_commands() {
    std::vector<CommandRecord*> records;
    for (auto& [payment, record] : data().commands) records.push_back(&record);
    std::ranges::sort(records, {}, &CommandRecord::order);
    for (CommandRecord* const record : records) {
        const PaymentId payment = record->command.payment;
        if (record->stage == CommandStage::begun) {
            ++begun_;  // finish() takes it off again
            Drop drop{DeliveryResult::failed, 0, "restarted during delivery"};
            if (actions_.recover) {
                drop = actions_.recover(record->command);
                JZ_CHECK(check_drop(record->command, drop));
            }
            JZ_CHECK(finish(*record, std::move(drop)));
        } else if (record->stage == CommandStage::waiting) {
            waiting_.push_back(payment);
        } else if (record->stage == CommandStage::done) {
            keep(report_of(*record), payment);
        } else {
            finished_.emplace(record->order, payment);
        }
    }
    return {};
}

// ---- command

void DeviceClient::Impl::on_command(const protocol::Message& message, const protocol::Command& command) {
    const auto known = data().commands.find(command.payment);
    if (known != data().commands.end()) return on_repeated(known->second, command.number);

    const std::int64_t time = server_time_.now_ms(device_ms());
    const bool expired = time >= signed_ms(command.expires_ms);
    // Made a moment ago and expired? Our clock was set forward, or the last welcome took long: measure again. The
    // server repeats the command.
    if (expired && time - signed_ms(message.time_ms) > doubtful_lag_ms) return end_session();
    if (expired) return refuse_command(command, "expired");
    if (!actions_.deliver) return refuse_command(command, "delivers nothing");
    if (wire_.faults().nack) return refuse_command(command, "refused");
    if (out_of_service_) return refuse_command(command, "out of service");
    const bool at_once = begun_ < options_.deliveries_at_once && waiting_.empty();
    if (!at_once && waiting_.size() >= options_.waiting_at_most) return refuse_command(command, "busy");

    const CommandRecord* const record = remember(command, at_once ? CommandStage::begun : CommandStage::waiting);
    if (record == nullptr) return;  // not stored: no promise
    send_once(protocol::CommandAck{command.payment, command.number, true, {}});
    if (at_once) return begin(*record);
    waiting_.push_back(command.payment);
}

void DeviceClient::Impl::on_repeated(const CommandRecord& record, std::uint32_t number) {
    const PaymentId payment = record.command.payment;
    const bool accepted = record.stage != CommandStage::refused;
    send_once(protocol::CommandAck{payment, number, accepted, accepted ? std::string() : record.drop.detail});
    if (record.stage == CommandStage::done) resend_now(MessageType::delivery_report, payment);
    if (record.stage == CommandStage::settled && !wire_.faults().silent_after_ack) send_once(report_of(record));
}

void DeviceClient::Impl::refuse_command(const protocol::Command& command, std::string detail) {
    if (remember(remembered(command), CommandStage::refused, detail) == nullptr) return;
    send_once(protocol::CommandAck{command.payment, command.number, false, std::move(detail)});
}

// Stored when it returns; null when it could not be.
CommandRecord* DeviceClient::Impl::remember(const protocol::Command& command, CommandStage stage, std::string detail) {
    if (!make_room()) return nullptr;
    CommandRecord& record = data().commands[command.payment];
    record = {.stage = stage,
              .command = command,
              .drop = {DeliveryResult::failed, 0, std::move(detail)},
              .order = data().next_order++};
    if (!commit().ok()) {
        data().commands.erase(command.payment);
        return nullptr;
    }
    ++counters_.commands;
    if (is_finished(stage)) finished_.emplace(record.order, command.payment);
    return &record;
}

bool DeviceClient::Impl::make_room() {
    if (data().commands.size() < StoredState::max_commands) return true;
    if (finished_.empty()) {
        effect(actions_.trouble, Error(ErrorKind::too_large, "too many deliveries wait for the server's answer"));
        return false;
    }
    data().commands.erase(finished_.begin()->second);
    finished_.erase(finished_.begin());
    return true;
}

// ---- turns

void DeviceClient::Impl::begin(const CommandRecord& record) {
    ++begun_;
    ++counters_.begun;
    effect(actions_.deliver, record.command);
}

void DeviceClient::Impl::next_turn() {
    if (waiting_.empty() || !server_time_.known()) return;
    const std::int64_t time = server_time_.now_ms(device_ms());
    std::deque<PaymentId> still_waiting;
    for (const PaymentId payment : std::exchange(waiting_, {})) {
        CommandRecord& record = data().commands.at(payment);
        if (time >= signed_ms(record.command.expires_ms)) {
            ignore_error(finish_unbegun(record, "expired before its turn"),
                         "told to the host; reported as soon as it is stored");
            continue;
        }
        if (begun_ < options_.deliveries_at_once) {
            record.stage = CommandStage::begun;
            if (commit().ok()) {
                begin(record);
                continue;
            }
            record.stage = CommandStage::waiting;
        }
        still_waiting.push_back(payment);
    }
    waiting_ = std::move(still_waiting);
}

Result<void> DeviceClient::Impl::delivered(PaymentId payment, DeliveryResult result, std::uint32_t units,
                                           std::string detail) {
    const auto found = data().commands.find(payment);
    if (found == data().commands.end() || found->second.stage != CommandStage::begun) {
        return Error(ErrorKind::not_found, "no delivery of " + payment.to_string() + " is under way");
    }
    CommandRecord& record = found->second;
    Drop drop{result, units, std::move(detail)};
    JZ_CHECK(check_drop(record.command, drop));
    ignore_error(finish(record, apply(wire_.faults(), record.command.quantity, std::move(drop))),
                 "told to the host; stored and reported as soon as the disk lets us");
    next_turn();
    return {};
}

Result<void> DeviceClient::Impl::finish_unbegun(CommandRecord& record, std::string detail) {
    effect(actions_.cancelled, record.command.payment);
    ++begun_;  // finish() takes it off again
    return finish(record, {DeliveryResult::failed, 0, std::move(detail)});
}

Result<void> DeviceClient::Impl::finish(CommandRecord& record, Drop drop) {
    --begun_;
    record.stage = CommandStage::done;
    record.command = remembered(record.command);
    record.drop = std::move(drop);
    unreported_.push_back(record.command.payment);
    return commit();
}

// Called when the outcomes are on disk: no restart can tell another story.
void DeviceClient::Impl::report_what_is_stored() {
    for (const PaymentId payment : std::exchange(unreported_, {})) {
        const auto known = data().commands.find(payment);
        if (known != data().commands.end() && known->second.stage == CommandStage::done) {
            keep(report_of(known->second), payment);
        }
    }
}

// ---- cancel and settle

void DeviceClient::Impl::on_cancel(const protocol::Cancel& cancel) {
    const auto known = data().commands.find(cancel.payment);
    if (known == data().commands.end()) {
        // Its command may still be under way to us: remembered, so that it is refused when it comes.
        protocol::Command unseen;
        unseen.payment = cancel.payment;
        remember(unseen, CommandStage::refused, "cancelled");
        return;
    }
    CommandRecord& record = known->second;
    switch (record.stage) {
        case CommandStage::waiting:
            std::erase(waiting_, cancel.payment);
            return ignore_error(finish_unbegun(record, "cancelled"),
                                "told to the host; reported as soon as it is stored");
        case CommandStage::done:
            return resend_now(MessageType::delivery_report, cancel.payment);
        case CommandStage::settled:
            if (!wire_.faults().silent_after_ack) send_once(report_of(record));
            return;
        case CommandStage::begun:  // too late; its report will say what fell
        case CommandStage::refused:
            return;
    }
}

void DeviceClient::Impl::on_report_ack(const protocol::ReportAck& ack) {
    const auto known = data().commands.find(ack.payment);
    if (known == data().commands.end() || known->second.stage != CommandStage::done) return;
    answered(MessageType::delivery_report, ack.payment);
    known->second.stage = CommandStage::settled;
    finished_.emplace(known->second.order, ack.payment);
    ignore_error(commit(), "told to the host; after a restart the report is sent and answered once more");
    ++counters_.settled;
    effect(actions_.settled, ack);
}

// The server will never take this report; it stays on record.
void DeviceClient::Impl::report_given_up(PaymentId payment) {
    const auto known = data().commands.find(payment);
    if (known == data().commands.end() || known->second.stage != CommandStage::done) return;
    known->second.stage = CommandStage::settled;
    finished_.emplace(known->second.order, payment);
    ignore_error(commit(), "told to the host; after a restart the report is sent and refused once more");
}

}  // namespace jiaozi::device
