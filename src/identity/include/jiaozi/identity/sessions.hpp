// The sessions of devices, and the gate that every message passes (docs/protocol/device.md, sections 1.2, 2 and 5).
//
// Sessions live in memory only: after a restart devices say hello again. One a device; a session ends with its time,
// with the next hello, and when the device's state or credential changes. Keys are zeroed at the end. Application
// thread only.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>

#include <jiaozi/base/clock.hpp>
#include <jiaozi/identity/devices.hpp>
#include <jiaozi/protocol/protocol.hpp>

namespace jiaozi::identity {

// Not an Error: a refusal is an outcome of its own, and nothing has changed.
struct Refusal {
    protocol::RefusalCode code = protocol::RefusalCode::malformed;
    std::string text;
    DeviceId proven;                   // the device that verified as the sender; none: the sender proved nothing
    std::optional<std::uint64_t> seq;  // of the message, where it could be believed
};

// A message whose sender is certain.
struct Authenticated {
    protocol::Message message;
    bool is_signed = false;
    bool duplicate = false;  // its number was seen in this session: answer again, change nothing
};

struct SessionOptions {
    Duration lifetime = seconds(24 * 60 * 60);
    std::uint32_t heartbeat_s = 30;
};

class Sessions {
  public:
    // All must outlive this. Registers itself with `devices`, so it must live as long.
    Sessions(DeviceService& devices, const crypto::Signer& server_key, const Clock& clock, SessionOptions options = {});
    Sessions(const Sessions&) = delete;
    Sessions& operator=(const Sessions&) = delete;

    // Everything up to "who says what": size, form, key, signature, decode, state, session, number. Marks nothing as
    // seen. `topic` is whose topic it came in on, if the carrier has topics. A claim is verified by the key it brings.
    std::expected<Authenticated, Refusal> open(std::optional<DeviceId> topic, ByteView envelope);
    // The message is taken: its number counts as seen from now on.
    void mark_seen(const protocol::Message& message);

    // An authenticated hello. Error `stale_hello` or `malformed` (a key of low order) as its code; else a new session
    // is in place of the old one. Send the welcome after DeviceService::store_hellos(); if that fails, end() the
    // session.
    Result<protocol::Welcome> begin(const protocol::Message& hello);
    void end(DeviceId device);
    bool has(DeviceId device) const;
    // How often a welcomed device tells that it is there.
    Duration heartbeat() const noexcept { return seconds(std::int64_t{options_.heartbeat_s}); }
    // Drops what has expired; call now and then.
    void sweep();
    std::size_t count() const noexcept { return by_id_.size(); }

    // Numbers and seals a message to a device: under the session's MAC key, or signed where the type asks for it or
    // `as_signed` says so. Error not_found `session_unknown`: the type needs a session and there is none.
    Result<Bytes> seal(DeviceId device, protocol::Body body, bool as_signed = false);

  private:
    struct Session {
        DeviceId device;
        protocol::SessionKeys keys;
        protocol::SeqWindow window;
        std::uint64_t next_down = 1;
        Timestamp expires;
    };
    using Key = std::uint64_t;  // the session id's bytes

    static Key key_of(ByteView session) noexcept;
    Session* live(Key key);
    std::expected<Authenticated, Refusal> open_claim(std::optional<DeviceId> topic, const protocol::Envelope& envelope);
    std::expected<Authenticated, Refusal> open_signed(std::optional<DeviceId> topic,
                                                      const protocol::Envelope& envelope);
    std::expected<Authenticated, Refusal> open_mac(std::optional<DeviceId> topic, const protocol::Envelope& envelope);
    std::expected<Authenticated, Refusal> admit(DeviceId device, const protocol::Envelope& envelope);

    DeviceService* devices_;
    const crypto::Signer* server_key_;
    protocol::KeyId server_kid_;
    const Clock* clock_;
    SessionOptions options_;
    std::unordered_map<Key, Session> by_id_;
    std::unordered_map<DeviceId, Key> by_device_;
};

}  // namespace jiaozi::identity
