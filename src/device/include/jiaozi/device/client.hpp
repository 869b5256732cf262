// The device's side of the protocol (docs/protocol/device.md) as a state machine without I/O: says hello, keeps the
// session, beats, answers probes, stores and resends what must be answered, and delivers each payment's command once.
//
//   DeviceClient client(config, store, handlers);        // remembers what an earlier one saved
//   client.connected(now);                               // the carrier can send: hello follows
//   client.receive(envelope, now);                       // for each envelope from the server
//   client.tick(now);                                    // at client.next_due() at the latest
//
// Handlers are called from inside these functions; they may call the client's requests, not destroy it. Not
// thread-safe. Errors: what the server or the network does wrong is never an Error here, it is dropped and counted.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/clock.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/signature.hpp>
#include <jiaozi/device/store.hpp>
#include <jiaozi/protocol/protocol.hpp>

namespace jiaozi::device {

// What the machine is ordered to do wrong; may be changed at any time. All off: an honest machine.
struct Faults {
    bool fail_drop = false;                        // nothing falls: reports failed, without asking the owner to deliver
    std::optional<std::uint32_t> deliver_at_most;  // fewer units than asked: partial
    bool nack = false;                             // refuses commands
    bool silent = false;                           // hears, and says nothing
    bool silent_after_ack = false;                 // acknowledges the command, delivers, and says nothing more
    bool duplicate = false;                        // says everything twice
    bool reorder = false;                          // says each second message before the first
    Duration delay;                                // says everything this much later
    Duration clock_skew;                           // its clock is wrong by this
};

struct Config {
    DeviceId device;
    std::shared_ptr<const crypto::Signer> key;
    crypto::Suite server_suite = crypto::Suite::ed25519;
    Bytes server_key;
    std::string firmware;  // told in hello; may be empty
};

struct Outcome {
    DeliveryResult result = DeliveryResult::delivered;
    std::uint32_t delivered = 0;  // units
    std::string detail;           // at most 64 bytes; may be empty
};

// All but `send` may be empty.
struct Handlers {
    std::function<void(Bytes envelope)> send;
    // Deliver now; answer with DeviceClient::delivered(), now or later. Called once for a payment id, ever.
    std::function<void(const protocol::Command&)> deliver;
    // A text: the machine refuses this command (sold out, door open). Asked once, before `deliver`.
    std::function<std::optional<std::string>(const protocol::Command&)> refuse;
    // The server asks not to deliver what `deliver` was told: stop if possible; delivered() is still due.
    std::function<void(PaymentId)> cancel;
    std::function<void(const protocol::Welcome&)> online;  // a session has begun
    std::function<void(const protocol::PayAnswer&)> pay_answer;
    std::function<void(const protocol::ReportAck&)> report_ack;
    std::function<void(const std::vector<protocol::CatalogueItem>&)> catalogue;  // all pages together
    std::function<void(const protocol::BalanceAnswer&)> balance;
    std::function<void(const protocol::Qr&)> qr;
    std::function<void(const protocol::Rotated&)> rotated;  // the new key is in use: keep it, forget the old one
    std::function<void(const protocol::ErrorAnswer&)> error;
};

struct Counters {
    std::uint64_t sent = 0;      // envelopes handed to `send`, resends and duplicates included
    std::uint64_t received = 0;  // authentic ones
    std::uint64_t dropped = 0;   // not authentic, malformed, or of another session
    std::uint64_t hellos = 0;
    std::uint64_t sessions = 0;
    std::uint64_t delivered = 0;  // times `deliver` was called, or a fault stood in for it
};

class DeviceClient {
  public:
    // Reads the store. Error corrupt: the store's bytes are not ours. Invalid: the server's key is not a key.
    static Result<std::unique_ptr<DeviceClient>> open(Config config, Store& store, Handlers handlers);
    ~DeviceClient();
    DeviceClient(const DeviceClient&) = delete;
    DeviceClient& operator=(const DeviceClient&) = delete;

    // The carrier's state. Without it nothing is sent or heard.
    void connected(Timestamp now);
    void disconnected();
    void receive(ByteView envelope, Timestamp now);
    void tick(Timestamp now);
    // When tick() has something to do next; nullopt: nothing until something else happens.
    std::optional<Timestamp> next_due() const;

    bool online() const noexcept;  // connected, with a session
    void set_status(protocol::DeviceStatus status) noexcept;
    Faults& faults() noexcept;
    const Counters& counters() const noexcept;
    // Of the payments stored: requests and reports that the server has not answered.
    std::size_t unanswered() const noexcept;

    // Stored before it is sent, resent until answered, across restarts. Error io: not stored, not sent.
    Result<> pay(protocol::PayRequest request, Timestamp now);
    // Stored before it is sent. A payment that was not being delivered is Error not_found.
    Result<> delivered(PaymentId payment, Outcome outcome, Timestamp now);
    // Asked a few times until answered, and forgotten by a restart.
    void request_catalogue(Timestamp now);
    void request_balance(Timestamp now);
    void request_qr(PaymentId payment, std::uint32_t slot, std::uint32_t quantity, Timestamp now);
    void rotate(std::shared_ptr<const crypto::Signer> next, Timestamp now);

  private:
    class Impl;
    explicit DeviceClient(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace jiaozi::device
