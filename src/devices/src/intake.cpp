// What comes in: authenticate, limit, and answer refusals.
#include <algorithm>

#include <jiaozi/base/log.hpp>

#include "state.hpp"

namespace jiaozi::devices {
namespace {

using identity::Refusal;
using protocol::RefusalCode;

constexpr Duration claim_memory = seconds(600);
constexpr std::size_t claims_remembered = 256;

Refusal refusal_of(const Error& error) {
    const auto code = protocol::parse_refusal_code(error.code());
    if (code) return {*code, error.message(), {}, std::nullopt};
    // What is left is our own trouble (a database that is away): the same message is good a little later.
    log::error("a device's message could not be stored", {{"error", error.to_string()}});
    return {RefusalCode::rate_limited, "the server cannot do this now: wait a second", {}, std::nullopt};
}

}  // namespace

void Gateway::State::count(const Refusal& refusal) {
    ++counters.refused[static_cast<std::size_t>(refusal.code)];
    log::debug("device message refused", {{"code", std::string(protocol::name_of(refusal.code))},
                                          {"why", refusal.text},
                                          {"device", refusal.proven ? refusal.proven.to_string() : "unproven"}});
}

// nullopt when this device was told of enough errors lately: making signatures must not be a way to keep the server
// busy.
std::optional<Bytes> Gateway::State::sealed_error(DeviceId device, const Refusal& refusal) {
    if (!links[device].errors.take(parts.clock.now(), options.errors_per_s, options.errors_burst)) return std::nullopt;
    std::string text = refusal.text.substr(0, protocol::max_name);
    auto sealed = parts.sessions.seal(
        device, protocol::ErrorAnswer{refusal.code, std::move(text), refusal.seq, parts.clock.now().ms()}, true);
    if (!sealed.ok()) return std::nullopt;
    return std::move(sealed).value();
}

void Gateway::State::receive_mqtt(DeviceId topic, ByteView envelope) {
    ++counters.received;
    const auto opened = parts.sessions.open(topic, envelope);
    std::optional<Refusal> refused;
    if (!opened) {
        refused = opened.error();
    } else if (std::holds_alternative<protocol::Claim>(opened->message.body)) {
        refused = Refusal{RefusalCode::claim_refused, "claims are taken over HTTPS only", {}, std::nullopt};
    } else {
        refused = take(*opened, Way::mqtt);
    }
    if (!refused) return;
    count(*refused);
    // The one error that is answered without proof: after a restart of the server no device could prove anything else,
    // and would go on in a session that is gone. The topic names the device, and its errors are limited.
    const bool must_know = refused->code == RefusalCode::session_unknown && parts.devices.find(topic) != nullptr;
    if ((!refused->proven && !must_know) || mqtt == nullptr) return;
    if (const auto error = sealed_error(topic, *refused)) {
        ++counters.sent;
        mqtt->send(topic, *error);
    }
}

void Gateway::State::receive_https(ByteView envelope, Duration wait, std::move_only_function<void(HttpsAnswer)> done) {
    ++counters.received;
    const auto opened = parts.sessions.open(std::nullopt, envelope);
    std::optional<Refusal> refused;
    if (!opened) {
        refused = opened.error();
    } else if (std::holds_alternative<protocol::Claim>(opened->message.body)) {
        auto answer = claim(opened->message, envelope);
        if (answer) return done({.refused = {}, .text = {}, .envelopes = std::move(*answer)});
        refused = std::move(answer.error());
    } else {
        refused = take(*opened, Way::https);
    }
    if (!refused) return hold(opened->message.device, wait, std::move(done));
    count(*refused);
    if (refused->proven) {
        if (auto error = sealed_error(refused->proven, *refused)) {
            ++counters.sent;
            return done({.refused = {}, .text = {}, .envelopes = std::move(*error)});
        }
    }
    done({.refused = refused->code, .text = refused->text, .envelopes = {}});
}

// The sender is certain and active. Nothing is remembered of a message until it is within its rate.
std::optional<Refusal> Gateway::State::take(const identity::Authenticated& opened, Way way) {
    const DeviceId device = opened.message.device;
    const Timestamp now = parts.clock.now();
    Link& link = links[device];
    if (!link.messages.take(now, options.messages_per_s, options.messages_burst)) {
        return Refusal{RefusalCode::rate_limited, "too many messages: wait a second", device, opened.message.seq};
    }
    if (std::holds_alternative<protocol::Hello>(opened.message.body)) {
        auto welcome = parts.sessions.begin(opened.message);
        if (!welcome.ok()) {
            Refusal refusal = refusal_of(welcome.error());
            refusal.proven = device;
            refusal.seq = opened.message.seq;
            return refusal;
        }
        hellos.push_back({device, std::move(welcome).value()});
    }
    parts.sessions.mark_seen(opened.message);
    ++counters.accepted;
    if (opened.duplicate) {
        ++counters.duplicates;
    } else {
        // A recorded message, sent again by somebody else, must neither look alive nor move the device to another
        // carrier.
        link.info.last_heard = now;
        link.way = way;
        link.info.over_mqtt = way == Way::mqtt;
    }
    dispatch(opened);
    return std::nullopt;
}

std::expected<Bytes, Refusal> Gateway::State::claim(const protocol::Message& message, ByteView envelope) {
    const Timestamp now = parts.clock.now();
    while (!answered_claims.empty() &&
           (answered_claims.front().until <= now || answered_claims.size() > claims_remembered)) {
        answered_claims.pop_front();
    }
    const crypto::Digest digest = crypto::sha256(envelope);
    const auto same = std::ranges::find(answered_claims, digest, &AnsweredClaim::envelope);
    if (same != answered_claims.end()) {
        ++counters.accepted;
        ++counters.duplicates;
        return same->answer;
    }
    if (parts.devices.find(message.device) != nullptr &&
        !links[message.device].claims.take(now, options.claims_per_s, options.claims_burst)) {
        return std::unexpected(Refusal{RefusalCode::rate_limited, "too many claims: wait a second", {}, message.seq});
    }
    auto outcome = parts.devices.claim(message.device, std::get<protocol::Claim>(message.body));
    if (!outcome.ok()) return std::unexpected(refusal_of(outcome.error()));
    auto sealed = parts.sessions.seal(message.device, std::move(outcome->answer));
    if (!sealed.ok()) return std::unexpected(refusal_of(sealed.error()));
    ++counters.accepted;
    ++counters.sent;
    answered_claims.push_back({digest, now + claim_memory, *sealed});
    return std::move(sealed).value();
}

}  // namespace jiaozi::devices
