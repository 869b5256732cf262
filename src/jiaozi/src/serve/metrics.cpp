#include "metrics.hpp"

#include <cstdint>
#include <string_view>

#include <jiaozi/protocol/refusal.hpp>

namespace jiaozi::serve {
namespace {

class Text {
  public:
    void family(std::string_view name, std::string_view type, std::string_view help) {
        ((text_ += "# HELP jiaozi_") += name) += ' ';
        (text_ += help) += "\n# TYPE jiaozi_";
        ((text_ += name) += ' ') += type;
        text_ += '\n';
    }
    void sample(std::string_view name, std::string_view labels, std::uint64_t value) {
        ((text_ += "jiaozi_") += name) += labels;
        (text_ += ' ') += std::to_string(value);
        text_ += '\n';
    }
    void one(std::string_view name, std::string_view type, std::string_view help, std::uint64_t value) {
        family(name, type, help);
        sample(name, "", value);
    }
    void histogram(std::string_view name, std::string_view help, const DurationHistogram& times) {
        family(name, "histogram", help);
        text_ += times.text("jiaozi_" + std::string(name), "");
    }
    std::string take() { return std::move(text_); }

  private:
    std::string text_;
};

std::string label(std::string_view name, std::string_view value) {
    std::string text = "{" + std::string(name) + "=\"";
    for (const char c : value) {
        if (c == '\n') {
            text += "\\n";
            continue;
        }
        if (c == '"' || c == '\\') text += '\\';
        text += c;
    }
    return text + "\"}";
}

void describe(const anchor::Publisher& anchors, Text& text) {
    const auto places = anchors.status();
    const auto each = [&](std::string_view name, std::string_view type, std::string_view help, auto value) {
        text.family(name, type, help);
        for (const anchor::PlaceStatus& place : places) text.sample(name, label("place", place.name), value(place));
    };
    each("anchored_commands", "gauge", "Commands that the newest checkpoint published there covers.",
         [](const anchor::PlaceStatus& place) { return place.published; });
    each("anchor_failures_total", "counter", "Attempts to publish a checkpoint there that failed.",
         [](const anchor::PlaceStatus& place) { return place.failures; });
    each("anchor_failing", "gauge", "1 when the last attempt failed; the server's log says why.",
         [](const anchor::PlaceStatus& place) { return std::uint64_t{place.failing}; });
}

void describe(const settlement::Settlement& purses, Text& text) {
    const settlement::Counters counters = purses.counters();
    text.one("purses", "gauge", "Offline purses enrolled.", purses.book().enrolled());
    text.one("purses_revoked", "gauge", "Offline purses frozen or lost.", purses.book().revoked().size());
    text.one("purse_loads_total", "counter", "Loads accepted since the start.", counters.loads);
    text.one("purse_items_total", "counter", "Items handed in by purses since the start.", counters.items);
    text.one("purse_notes_settled_total", "counter", "Notes that became final.", counters.settled);
    text.one("purse_items_quarantined_total", "counter", "Items that were refused.", counters.quarantined);
    text.one("purse_items_replayed_total", "counter", "Items with nothing new in them.", counters.replayed);
    text.one("purse_signatures_total", "counter", "Signatures of purses verified.", counters.signatures);
    text.one("purse_fork_proofs", "gauge", "Double spends proven.", purses.book().proofs().size());
    text.one("purse_carried_total", "counter", "Messages of mules that could be read.", counters.carried);
    text.one("purse_carried_unreadable_total", "counter", "Messages of mules that could not.", counters.unreadable);
    text.one("purse_two_lists", "gauge", "Blacklists signed with our key that we have not published: replace the key.",
             purses.book().alarms().size());
    text.one("purse_claims_open", "gauge", "Claims of victims that are not paid in full.",
             purses.book().open_claims().size());
}

}  // namespace

std::string metrics_text(const Measured& parts) {
    Text text;
    const engine::Counters engine = parts.engine.counters();
    text.one("journal_commands_total", "counter", "Commands committed since the start.", engine.commands);
    text.one("journal_entries_total", "counter", "Group commits: one write and one sync each.", engine.entries);
    text.histogram("journal_write_duration_seconds", "Until an entry was durable: the disk's part of a payment's time.",
                   engine.writes);
    text.one("journal_sequence", "gauge", "The newest command applied.", parts.engine.last_sequence());
    text.one("projection_lag_commands", "gauge", "Commands in the journal that the tables do not show yet.",
             parts.projector.lag());

    const proof::LogStatus log = parts.log.status();
    text.one("log_commands", "gauge", "Commands in the transparency log.", log.size);
    text.one("log_signed_commands", "gauge", "Commands that its newest checkpoint covers.", log.signed_size);
    text.one("log_standing_still", "gauge", "1 when the log has stopped; the server's log says why.",
             parts.log.failure() ? 1 : 0);
    if (parts.anchors != nullptr) describe(*parts.anchors, text);

    const payments::Counters payments = parts.payments.counters();
    text.family("payments_total", "counter", "Payments by what became of them, since the start.");
    text.sample("payments_total", label("outcome", "authorized"), payments.authorized);
    text.sample("payments_total", label("outcome", "captured"), payments.captured);
    text.sample("payments_total", label("outcome", "voided"), payments.voided);
    text.sample("payments_total", label("outcome", "declined"), payments.declined);
    text.sample("payments_total", label("outcome", "failed"), payments.failed);
    text.sample("payments_total", label("outcome", "refunded"), payments.refunded);
    text.one("payments_open", "gauge", "Payments with money held for a delivery.", payments.open);
    text.one("late_deliveries_total", "counter", "Reports of delivery after the money was released.",
             payments.late_deliveries);
    text.one("commands_resent_total", "counter", "Delivery commands sent again.", payments.commands_resent);

    const devices::GatewayCounters& gateway = parts.gateway.counters();
    text.one("device_messages_received_total", "counter", "Envelopes from devices.", gateway.received);
    text.one("device_messages_accepted_total", "counter", "Envelopes that were authentic and handled.",
             gateway.accepted);
    text.one("device_messages_duplicate_total", "counter", "Envelopes seen before and answered again.",
             gateway.duplicates);
    text.one("device_messages_sent_total", "counter", "Envelopes to devices.", gateway.sent);
    text.family("device_messages_refused_total", "counter",
                "Envelopes refused, by the code of docs/protocol/device.md.");
    for (const protocol::RefusalCode code : protocol::all_refusal_codes) {
        text.sample("device_messages_refused_total", label("code", protocol::name_of(code)), gateway.refused_as(code));
    }

    if (parts.purses != nullptr) describe(*parts.purses, text);

    const webhooks::SenderCounters sender = parts.sender.counters();
    text.one("webhook_deliveries_total", "counter", "Deliveries made from events.", sender.fanned_out);
    text.one("webhook_delivered_total", "counter", "Deliveries answered 2xx.", sender.delivered);
    text.one("webhook_failed_attempts_total", "counter", "Attempts that failed.", sender.failed);
    text.one("webhook_given_up_total", "counter", "Deliveries given up after three days.", sender.given_up);
    return text.take();
}

}  // namespace jiaozi::serve
