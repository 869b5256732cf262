#include <algorithm>
#include <limits>
#include <utility>

#include <jiaozi/codec/cbor.hpp>
#include <jiaozi/codec/utf8.hpp>
#include <jiaozi/device/client.hpp>

#include "impl.hpp"
#include "record.hpp"

namespace jiaozi::device {
namespace {

constexpr Duration commit_again_after = seconds(1);

Result<void> check_text(std::string_view text, std::string_view name) {
    if (text.size() <= protocol::max_short_text && codec::is_utf8(text)) return {};
    return Error(ErrorKind::invalid, std::string(name) + " must be UTF-8 text of at most 64 bytes").with_param(name);
}

Result<void> check_options(const Options& options, const Actions& actions) {
    if (!options.id) return Error(ErrorKind::invalid, "a device needs its id").with_param("id");
    if (!actions.send) return Error(ErrorKind::invalid, "a device needs a way to send").with_param("send");
    if (options.deliveries_at_once == 0 || options.deliveries_at_once > 100 || options.waiting_at_most > 1000) {
        return Error(ErrorKind::invalid, "deliveries_at_once is 1 to 100, waiting_at_most 0 to 1000");
    }
    JZ_CHECK(check_text(options.firmware, "firmware"));
    JZ_CHECK(check_text(options.sim.iccid, "iccid"));
    JZ_CHECK(check_text(options.sim.imsi, "imsi"));
    return check_text(options.sim.imei, "imei");
}

Error not_authentic(std::string_view what) {
    return {ErrorKind::unauthenticated, "the answer to the claim " + std::string(what) + "; do not use it"};
}

}  // namespace

Result<Identity> make_identity(const crypto::KeyPair& key) {
    JZ_TRY(auto signer, crypto::make_signer(key));
    return Identity{std::move(signer), protocol::credential_id(key.suite, key.public_key)};
}

// ---- life

DeviceClient::Impl::Impl(Options options, State& state, Actions actions, const Clock& clock)
    : options_(std::move(options)),
      actions_(std::move(actions)),
      wire_([this](const Bytes& envelope) { effect(actions_.send, envelope); }, counters_),
      state_(&state),
      clock_(&clock) {}

Result<void> DeviceClient::Impl::prepare() {
    JZ_CHECK(check_options(options_, actions_));
    if (!state_->data()) {
        StoredState fresh;
        fresh.device = options_.id;
        fresh.key = crypto::generate_key(options_.suite);
        state_->data() = std::move(fresh);
        if (auto stored = state_->commit(); !stored.ok()) {
            state_->data().reset();
            return stored;
        }
    }
    if (data().device != options_.id) {
        return Error(ErrorKind::conflict, "this state belongs to " + data().device.to_string() + ", not to " +
                                              options_.id.to_string() + "; every device needs its own");
    }
    JZ_TRY(identity_, make_identity(data().key));
    if (data().next_key) {
        JZ_TRY(next_identity_, make_identity(*data().next_key));
    }
    if (data().enrolment) JZ_CHECK(use_server_key(*data().enrolment));
    last_device_ms_ = device_ms();
    recover_requests();
    return recover_commands();
}

Result<void> DeviceClient::Impl::use_server_key(const Enrolment& enrolment) {
    JZ_TRY(server_, crypto::make_verifier(enrolment.server_suite, enrolment.server_key));
    server_kid_ = protocol::credential_id(enrolment.server_suite, enrolment.server_key);
    return {};
}

void DeviceClient::Impl::connected() {
    disconnected();
    connected_ = true;
    hellos_unanswered_ = 0;
    next_hello_ = Timer();
    say_hello_if_due();
}

void DeviceClient::Impl::disconnected() {
    connected_ = false;
    session_.reset();
    hello_.reset();
}

void DeviceClient::Impl::tick() {
    wire_.flush();
    watch_clock();
    next_turn();
    if (!unreported_.empty() && next_commit_.due(now())) ignore_error(commit(), "told to the host; tried again");
    if (!connected_) return;
    if (session_) {
        const bool expired = server_time_.now_ms(device_ms()) >= session_->expires_ms;
        const Duration heartbeat = session_->heartbeat;
        // A server that was restarted does not answer heartbeats of sessions that it has forgotten.
        const bool silence = now() - session_->last_heard > heartbeat + heartbeat + heartbeat;
        if (expired || silence) end_session();
    }
    if (!session_) return say_hello_if_due();
    if (session_->next_heartbeat.due(now())) {
        session_->next_heartbeat = Timer(now(), session_->heartbeat);
        send_once(protocol::Heartbeat{status(), std::nullopt});
    }
    pump();
}

Timestamp DeviceClient::Impl::next_deadline() const {
    constexpr Timestamp never{std::numeric_limits<std::uint64_t>::max()};
    if (wire_.holds()) return now();
    // A waiting command may expire at any moment of the server's clock: look often.
    Timestamp next = waiting_.empty() ? never : now() + milliseconds(100);
    if (!connected_ || !is_claimed()) return next;
    if (!session_) return std::min(next, next_hello_.when());
    next = std::min(next, session_->next_heartbeat.when());
    for (const Outgoing& outgoing : outgoing_) {
        if (!held_by_fault(outgoing)) next = std::min(next, outgoing.next.when());
    }
    const std::int64_t left_ms = session_->expires_ms - server_time_.now_ms(device_ms());
    return std::min(next, now() + milliseconds(std::clamp<std::int64_t>(left_ms, 0, 86'400'000)));
}

void DeviceClient::Impl::set_faults(const Faults& faults) {
    wire_.set(faults);
    if (!faults.reorder) wire_.flush();
    pump();
}

Result<void> DeviceClient::Impl::commit() {
    auto stored = state_->commit();
    if (!stored.ok()) {
        ++counters_.state_failures;
        effect(actions_.trouble, stored.error());
        next_commit_ = Timer(now(), commit_again_after);
        return stored;
    }
    report_what_is_stored();
    return stored;
}

void DeviceClient::Impl::refused(protocol::RefusalCode code, const std::string& message,
                                 std::optional<PaymentId> payment) {
    effect(actions_.refused, code, message, payment);
}

void DeviceClient::Impl::run_effects() {
    if (running_effects_) return;
    running_effects_ = true;
    while (!effects_.empty()) {
        const auto next = std::move(effects_.front());
        effects_.pop_front();
        next();
    }
    running_effects_ = false;
}

// ---- enrolment

Result<Bytes> DeviceClient::Impl::claim_envelope(const std::string& code) {
    if (code.empty()) return Error(ErrorKind::invalid, "the claim code is empty").with_param("code");
    JZ_CHECK(check_text(code, "code"));
    if (code == claim_code_) return claim_;
    const crypto::KeyPair& key = data().key;
    const protocol::Message claim{.device = data().device,
                                  .session = std::nullopt,
                                  .seq = 1,
                                  .time_ms = wire_ms(),
                                  .body = protocol::Claim{.code = code,
                                                          .suite = key.suite,
                                                          .public_key = key.public_key,
                                                          .iccid = options_.sim.iccid,
                                                          .imsi = options_.sim.imsi,
                                                          .imei = options_.sim.imei}};
    JZ_TRY(claim_, protocol::seal(claim, *identity_.signer, {}));
    claim_code_ = code;
    return claim_;
}

Result<void> DeviceClient::Impl::claimed(ByteView answer) {
    JZ_TRY(const auto envelope, protocol::peek(answer, protocol::Direction::down));
    if (!envelope.is_signed()) return not_authentic("is not signed");
    JZ_TRY(const protocol::Message message, protocol::open(envelope));
    if (message.device != data().device) return not_authentic("is for another device");
    if (const auto* const error = std::get_if<protocol::ErrorAnswer>(&message.body)) {
        // Not verified: the server's key is not known yet. It is only shown.
        return Error(ErrorKind::forbidden, "the server refused the claim: " + error->message)
            .with_code(protocol::name_of(error->code));
    }
    const auto* const body = std::get_if<protocol::Claimed>(&message.body);
    if (body == nullptr) return Error(ErrorKind::malformed, "this is no answer to a claim");
    if (options_.server_key && *options_.server_key != body->server_key) {
        return not_authentic("comes from another server than the one expected");
    }
    JZ_TRY(const auto server, crypto::make_verifier(body->server_suite, body->server_key));
    if (!equal(server.public_key(), body->server_key)) return not_authentic("brings a key in no canonical form");
    const auto server_kid = protocol::credential_id(body->server_suite, body->server_key);
    if (!equal(envelope.kid(), server_kid)) return not_authentic("is signed by another key than it brings");
    JZ_CHECK(protocol::verify(envelope, server));
    JZ_TRY(const auto certificate, protocol::verify_certificate(body->certificate, server));
    const crypto::KeyPair& key = data().key;
    if (body->credential != identity_.kid || certificate.credential != identity_.kid ||
        certificate.device != data().device || certificate.public_key != key.public_key) {
        return not_authentic("is about another key than this device's");
    }
    if (is_claimed() && data().enrolment->server_key != body->server_key) {
        return Error(ErrorKind::conflict,
                     "this device is another server's; remove its state file to make it a new device");
    }
    auto previous = std::exchange(
        data().enrolment, Enrolment{body->server_suite, body->server_key, body->mqtt_password, body->certificate});
    if (auto stored = commit(); !stored.ok()) {
        data().enrolment = std::move(previous);
        return stored;
    }
    return use_server_key(*data().enrolment);
}

// ---- the public face: what was put off runs when the state is whole again

DeviceClient::DeviceClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DeviceClient::~DeviceClient() = default;

Result<std::unique_ptr<DeviceClient>> DeviceClient::create(Options options, State& state, Actions actions,
                                                           const Clock& clock) {
    auto impl = std::make_unique<Impl>(std::move(options), state, std::move(actions), clock);
    JZ_CHECK(impl->prepare());
    impl->run_effects();
    return std::unique_ptr<DeviceClient>(new DeviceClient(std::move(impl)));
}

Result<Bytes> DeviceClient::claim_envelope(const std::string& code) {
    return impl_->claim_envelope(code);
}
Result<void> DeviceClient::claimed(ByteView answer) {
    auto result = impl_->claimed(answer);
    impl_->run_effects();
    return result;
}
bool DeviceClient::is_claimed() const noexcept {
    return impl_->is_claimed();
}
const std::string& DeviceClient::mqtt_password() const {
    return impl_->mqtt_password();
}
void DeviceClient::connected() {
    impl_->connected();
    impl_->run_effects();
}
void DeviceClient::disconnected() {
    impl_->disconnected();
}
void DeviceClient::receive(ByteView envelope) {
    impl_->receive(envelope);
    impl_->run_effects();
}
void DeviceClient::refused_by_carrier(protocol::RefusalCode code) {
    impl_->on_error({.code = code, .message = "over HTTPS", .seq = std::nullopt, .server_time_ms = 0}, Trust::carrier);
    impl_->run_effects();
}
void DeviceClient::tick() {
    impl_->tick();
    impl_->run_effects();
}
Timestamp DeviceClient::next_deadline() const {
    return impl_->next_deadline();
}
Result<PaymentId> DeviceClient::pay(protocol::PayRequest request) {
    auto result = impl_->pay(std::move(request));
    impl_->run_effects();
    return result;
}
void DeviceClient::request_catalogue() {
    impl_->request_catalogue();
    impl_->run_effects();
}
void DeviceClient::request_balance() {
    impl_->request_balance();
    impl_->run_effects();
}
Result<PaymentId> DeviceClient::request_qr(PaymentId payment, std::uint32_t slot, std::uint32_t quantity) {
    auto result = impl_->request_qr(payment, slot, quantity);
    impl_->run_effects();
    return result;
}
Result<void> DeviceClient::run_errand(Bytes errand) {
    auto result = impl_->run_errand(std::move(errand));
    impl_->run_effects();
    return result;
}
void DeviceClient::give_up_errand() {
    impl_->drop_errand();
}
Result<void> DeviceClient::rotate(crypto::Suite suite) {
    auto result = impl_->rotate(suite);
    impl_->run_effects();
    return result;
}
Result<void> DeviceClient::delivered(PaymentId payment, DeliveryResult result, std::uint32_t units,
                                     std::string detail) {
    auto outcome = impl_->delivered(payment, result, units, std::move(detail));
    impl_->run_effects();
    return outcome;
}
void DeviceClient::set_out_of_service(bool out) noexcept {
    impl_->out_of_service_ = out;
}
void DeviceClient::set_faults(const Faults& faults) {
    impl_->set_faults(faults);
    impl_->run_effects();
}
const Faults& DeviceClient::faults() const noexcept {
    return impl_->wire_.faults();
}
bool DeviceClient::in_session() const noexcept {
    return impl_->session_.has_value();
}
DeviceId DeviceClient::id() const noexcept {
    return impl_->options_.id;
}
const Counters& DeviceClient::counters() const noexcept {
    return impl_->counters_;
}

Result<std::vector<ByteView>> split_envelopes(ByteView body) {
    constexpr std::size_t most = 64;  // what a server keeps for a device (section 1.1)
    std::vector<ByteView> envelopes;
    while (!body.empty()) {
        if (envelopes.size() == most) return Error(ErrorKind::too_large, "more envelopes than a server keeps");
        codec::CborReader reader(
            body,
            {.max_bytes = most * protocol::max_envelope_down, .max_depth = 4, .max_items = 16, .allow_floats = false});
        JZ_TRY(const ByteView item, reader.raw());
        envelopes.push_back(item);
        body = body.subspan(item.size());
    }
    return envelopes;
}

}  // namespace jiaozi::device
