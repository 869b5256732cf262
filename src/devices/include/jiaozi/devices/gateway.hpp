// The device gateway (docs/protocol/device.md): envelopes in, envelopes out, whatever carries them.
//
// MQTT: whoever speaks to the broker calls receive_mqtt() and is given a Carrier to send by. HTTPS: each request calls
// receive_https() and its answer carries what waits for the device. Messages to a device go by the carrier that its
// newest fresh message came on. Application thread only; must be destroyed there. Completions that come later are
// dropped.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <jiaozi/api/app_thread.hpp>
#include <jiaozi/api/balances.hpp>
#include <jiaozi/api/devices.hpp>
#include <jiaozi/api/groups.hpp>
#include <jiaozi/api/merchants.hpp>
#include <jiaozi/api/payments.hpp>
#include <jiaozi/api/purse_errands.hpp>
#include <jiaozi/base/clock.hpp>
#include <jiaozi/identity/devices.hpp>
#include <jiaozi/identity/sessions.hpp>
#include <jiaozi/protocol/protocol.hpp>

namespace jiaozi::devices {

// Sends to the device's `down` topic; loses what cannot be sent now, since what matters is resent. Application thread.
class Carrier {
  public:
    virtual ~Carrier() = default;
    virtual void send(DeviceId device, ByteView envelope) = 0;
};

struct GatewayOptions {
    std::uint32_t messages_per_s = 200;  // of one device, sustained
    std::uint32_t messages_burst = 400;
    std::uint32_t errors_per_s = 2;  // signed errors to one device
    std::uint32_t errors_burst = 10;
    std::uint32_t claims_per_s = 1;  // attempts for one device
    std::uint32_t claims_burst = 5;
    std::size_t mailbox_messages = 64;                   // waiting for one device over HTTPS; the oldest goes first
    Duration answer_patience = seconds(5);               // how long an HTTPS request waits for its own answer
    Duration max_wait = seconds(30);                     // the most that ?wait= can ask for
    Duration hello_batch = milliseconds(2);              // hellos are stored together, then answered
    std::size_t transfer_bytes = std::size_t{16} << 20;  // of all purses' errands and their answers
    Duration transfer_kept = seconds(600);               // after the device was last heard about it
};

// What an HTTPS request is answered: 200 with a CBOR sequence of envelopes (RFC 8742), perhaps none; or a refusal to a
// sender that proved nothing, for application/problem+json.
struct HttpsAnswer {
    std::optional<protocol::RefusalCode> refused;
    std::string text;
    Bytes envelopes;
};
// 400, 401, 403, 413 or 429.
int http_status(protocol::RefusalCode code) noexcept;

struct GatewayCounters {
    std::uint64_t received = 0;
    std::uint64_t accepted = 0;  // authentic and handled; duplicates included
    std::uint64_t duplicates = 0;
    std::uint64_t sent = 0;
    std::uint64_t unsendable = 0;                                             // no session, no carrier, or too large
    std::array<std::uint64_t, protocol::all_refusal_codes.size()> refused{};  // by RefusalCode's number
    std::uint64_t refused_as(protocol::RefusalCode code) const { return refused[static_cast<std::size_t>(code)]; }
};

// What is known of the other end of a link.
struct LinkInfo {
    Timestamp last_heard;  // zero: not since the server's start
    protocol::DeviceStatus status = protocol::DeviceStatus::ready;
    std::string firmware;
    bool over_mqtt = false;
};

// All must outlive the gateway.
struct Parts {
    identity::DeviceService& devices;
    identity::Sessions& sessions;
    const api::Groups& groups;
    const api::Merchants& merchants;
    const api::Balances& balances;
    const Clock& clock;
    api::AppThread& app;
};

class Gateway final : public api::DeviceLink {
  public:
    explicit Gateway(Parts parts, GatewayOptions options = {});
    ~Gateway() override;
    Gateway(const Gateway&) = delete;
    Gateway& operator=(const Gateway&) = delete;

    // Payments and the gateway need each other; requests that come before this are not answered. nullptr detaches.
    void attach(api::Payments* payments) noexcept;
    void attach(Carrier* mqtt) noexcept;
    // Without it purses' errands are not answered.
    void attach(api::PurseErrands* errands) noexcept;

    void receive_mqtt(DeviceId topic, ByteView envelope);
    // `done` is called once, perhaps at once, at the latest when `wait` (at most max_wait) or the patience for the
    // message's own answer has passed.
    void receive_https(ByteView envelope, Duration wait, std::move_only_function<void(HttpsAnswer)> done);

    LinkInfo link(DeviceId device) const;
    // What people are shown: two heartbeats may be lost.
    bool online(DeviceId device) const;
    const GatewayCounters& counters() const noexcept;

    // api::DeviceLink
    bool heard_within(DeviceId device, Duration fresh) const override;
    void probe(DeviceId device, Duration patience, std::move_only_function<void(bool)> done) override;
    void send(DeviceId device, const api::DeliveryCommand& command) override;
    void send_cancel(DeviceId device, PaymentId payment) override;

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace jiaozi::devices
