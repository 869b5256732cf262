#include <cstring>
#include <limits>

#include <jiaozi/crypto/x25519.hpp>
#include <jiaozi/identity/sessions.hpp>

namespace jiaozi::identity {
namespace {

using protocol::Envelope;
using protocol::MessageType;
using protocol::RefusalCode;

std::unexpected<Refusal> refuse(RefusalCode code, std::string text, DeviceId proven = {},
                                std::optional<std::uint64_t> seq = std::nullopt) {
    return std::unexpected(Refusal{code, std::move(text), proven, seq});
}

RefusalCode code_of(const Error& error) {
    return error.kind() == ErrorKind::too_large ? RefusalCode::too_large : RefusalCode::malformed;
}

std::uint64_t max_hello_ms() {
    return std::numeric_limits<std::uint64_t>::max() / 1'000'000;
}

}  // namespace

Sessions::Sessions(DeviceService& devices, const crypto::Signer& server_key, const Clock& clock, SessionOptions options)
    : devices_(&devices),
      server_key_(&server_key),
      server_kid_(protocol::credential_id(server_key.suite(), server_key.public_key())),
      clock_(&clock),
      options_(options) {
    devices.on_change([this](DeviceId device) { end(device); });
}

Sessions::Key Sessions::key_of(ByteView session) noexcept {
    Key key = 0;
    if (session.size() == sizeof key) std::memcpy(&key, session.data(), sizeof key);
    return key;
}

Sessions::Session* Sessions::live(Key key) {
    const auto found = by_id_.find(key);
    if (found == by_id_.end()) return nullptr;
    if (found->second.expires > clock_->now()) return &found->second;
    end(found->second.device);
    return nullptr;
}

std::expected<Authenticated, Refusal> Sessions::open(std::optional<DeviceId> topic, ByteView bytes) {
    const auto envelope = protocol::peek(bytes, protocol::Direction::up);
    if (!envelope.ok()) return refuse(code_of(envelope.error()), envelope.error().message());
    if (!envelope->is_signed()) return open_mac(topic, *envelope);
    return envelope->kid().empty() ? open_claim(topic, *envelope) : open_signed(topic, *envelope);
}

std::expected<Authenticated, Refusal> Sessions::open_claim(std::optional<DeviceId> topic, const Envelope& envelope) {
    auto message = protocol::open(envelope);
    if (!message.ok()) return refuse(code_of(message.error()), message.error().message());
    if (topic && message->device != *topic)
        return refuse(RefusalCode::unknown_device, "the claim is for another device than the topic");
    const auto& claim = std::get<protocol::Claim>(message->body);
    const auto key = crypto::make_verifier(claim.suite, claim.public_key);
    if (!key.ok() || !equal(key->public_key(), claim.public_key)) {
        return refuse(RefusalCode::malformed, "public_key is not a key of its suite in canonical form");
    }
    if (!protocol::verify(envelope, *key).ok())
        return refuse(RefusalCode::bad_signature, "the claim is not signed by the key it brings");
    return Authenticated{std::move(message).value(), true, false};
}

std::expected<Authenticated, Refusal> Sessions::open_signed(std::optional<DeviceId> topic, const Envelope& envelope) {
    const Device* const device = devices_->find_by_credential(envelope.kid());
    if (device == nullptr) return refuse(RefusalCode::unknown_device, "no device has this credential: enrol");
    if (topic && device->id != *topic) return refuse(RefusalCode::unknown_device, "the topic is another device's");
    const crypto::Verifier* const key = devices_->verifier(device->id);
    if (key == nullptr || !protocol::verify(envelope, *key).ok()) {
        return refuse(RefusalCode::bad_signature, "the signature does not verify under the device's credential");
    }
    return admit(device->id, envelope);
}

std::expected<Authenticated, Refusal> Sessions::open_mac(std::optional<DeviceId> topic, const Envelope& envelope) {
    const Session* const session = live(key_of(envelope.kid()));
    if (session == nullptr) return refuse(RefusalCode::session_unknown, "no such session: say hello");
    if (topic && session->device != *topic) return refuse(RefusalCode::unknown_device, "the topic is another device's");
    if (!protocol::verify(envelope, session->keys.up).ok()) {
        return refuse(RefusalCode::bad_signature, "the MAC does not verify under the session's key");
    }
    return admit(session->device, envelope);
}

// The sender is certain; what it says, and whether it may speak now, is not.
std::expected<Authenticated, Refusal> Sessions::admit(DeviceId id, const Envelope& envelope) {
    auto message = protocol::open(envelope);
    if (!message.ok()) return refuse(code_of(message.error()), message.error().message(), id);
    const std::uint64_t seq = message->seq;
    if (message->device != id) return refuse(RefusalCode::unknown_device, "the payload names another device", id, seq);
    const Device* const device = devices_->find(id);
    if (device == nullptr || device->state != DeviceState::active) {
        return refuse(RefusalCode::device_not_active, "the device is not active", id, seq);
    }
    Authenticated result{std::move(message).value(), envelope.is_signed(), false};
    if (!result.message.session) return result;  // hello: its time is looked at by begin()

    const Session* const session = live(key_of(*result.message.session));
    if (session == nullptr || session->device != id) {
        return refuse(RefusalCode::session_unknown, "no such session: say hello", id, seq);
    }
    switch (session->window.look(seq)) {
        case protocol::SeqWindow::Verdict::fresh:
            return result;
        case protocol::SeqWindow::Verdict::seen:
            result.duplicate = true;
            return result;
        case protocol::SeqWindow::Verdict::too_old:
            break;
    }
    return refuse(RefusalCode::replayed, "seq is too far below the newest", id, seq);
}

void Sessions::mark_seen(const protocol::Message& message) {
    if (!message.session) return;
    if (Session* const session = live(key_of(*message.session))) session->window.mark(message.seq);
}

Result<protocol::Welcome> Sessions::begin(const protocol::Message& hello) {
    const auto& body = std::get<protocol::Hello>(hello.body);
    const Device* const device = devices_->find(hello.device);
    JZ_ASSERT(device != nullptr);
    if (hello.time_ms > max_hello_ms()) {
        return Error(ErrorKind::malformed, "time_ms is beyond any calendar")
            .with_code(protocol::name_of(RefusalCode::malformed));
    }
    const auto kid = protocol::key_id_from(device->credential_id);
    if (!kid.ok()) return kid.error();
    const crypto::X25519KeyPair ephemeral = crypto::generate_x25519();
    protocol::SessionId id{};
    do crypto::random_bytes(id);
    while (by_id_.contains(key_of(id)));
    auto keys =
        protocol::derive_session_keys(ephemeral.private_key.view(), body.ephemeral, body.nonce, id, hello.device, *kid);
    if (!keys.ok()) {
        return Error(ErrorKind::malformed, "ephemeral is not a usable key")
            .with_code(protocol::name_of(RefusalCode::malformed));
    }
    // Last, because it is remembered.
    if (!devices_->advance_hello(hello.device, Timestamp{hello.time_ms * 1'000'000})) {
        return Error(ErrorKind::conflict, "hello's time is not above the last one's")
            .with_code(protocol::name_of(RefusalCode::stale_hello));
    }
    end(hello.device);
    const Timestamp expires = clock_->now() + options_.lifetime;
    by_id_.emplace(
        key_of(id),
        Session{
            .device = hello.device, .keys = std::move(keys).value(), .window = {}, .next_down = 1, .expires = expires});
    by_device_[hello.device] = key_of(id);
    return protocol::Welcome{.ephemeral = ephemeral.public_key,
                             .nonce = body.nonce,
                             .session = id,
                             .expires_ms = expires.ms(),
                             .heartbeat_s = options_.heartbeat_s,
                             .hello_seq = hello.seq};
}

void Sessions::end(DeviceId device) {
    const auto found = by_device_.find(device);
    if (found == by_device_.end()) return;
    by_id_.erase(found->second);  // HmacKey wipes itself
    by_device_.erase(found);
}

bool Sessions::has(DeviceId device) const {
    const auto found = by_device_.find(device);
    return found != by_device_.end() && by_id_.at(found->second).expires > clock_->now();
}

void Sessions::sweep() {
    const Timestamp now = clock_->now();
    std::erase_if(by_device_, [&](const auto& entry) {
        if (by_id_.at(entry.second).expires > now) return false;
        by_id_.erase(entry.second);
        return true;
    });
}

Result<Bytes> Sessions::seal(DeviceId device, protocol::Body body, bool as_signed) {
    const MessageType type = protocol::type_of(body);
    protocol::Message message{
        .device = device, .session = {}, .seq = 1, .time_ms = clock_->now().ms(), .body = std::move(body)};
    if (!protocol::needs_session(type)) return protocol::seal(message, *server_key_, server_kid_);

    const auto found = by_device_.find(device);
    Session* const session = found == by_device_.end() ? nullptr : live(found->second);
    if (session == nullptr) {
        return Error(ErrorKind::not_found, "the device has no session")
            .with_code(protocol::name_of(RefusalCode::session_unknown));
    }
    protocol::SessionId& id = message.session.emplace();
    std::memcpy(id.data(), &by_device_.at(device), id.size());
    message.seq = session->next_down++;
    if (as_signed || protocol::always_signed(type)) return protocol::seal(message, *server_key_, server_kid_);
    return protocol::seal(message, session->keys.down);
}

}  // namespace jiaozi::identity
