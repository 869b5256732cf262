// A device's side of the device protocol (docs/protocol/device.md): our reference for other people's, and what the
// simulators run. A state machine without I/O and without threads: bytes go in by receive(), out by Actions::send; time
// comes from the Clock and passes when tick() is called.
//
//   auto state = StateFile::open("machine.state");
//   auto client = DeviceClient::create(options, **state, actions, clock);
//   if (!client->is_claimed()) client->claimed(post("/device/v1/messages", client->claim_envelope(code)));
//   ... connect to the broker with the device id and mqtt_password() ...
//   client->connected();                                     // says hello
//   on message: client->receive(bytes);   every 100 ms: client->tick();
//
// Callbacks run at the end of the call that caused them and may call the client again (deliver may call delivered()),
// but must not destroy it. Errors: Result for what the host asked wrongly; what the network does wrong is counted.
// Not thread-safe: one thread, or a strand.
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
#include <jiaozi/device/faults.hpp>
#include <jiaozi/device/state.hpp>
#include <jiaozi/protocol/messages.hpp>

namespace jiaozi::device {

struct SimIdentity {
    std::string iccid;  // empty: not told; the same for the others
    std::string imsi;
    std::string imei;
};

struct Options {
    DeviceId id;
    crypto::Suite suite = crypto::Suite::ed25519;  // of the key that is made when the state has none
    SimIdentity sim{};
    std::string firmware{};        // at most 64 bytes
    bool sign_everything = false;  // Sign1 on every message instead of the session's MAC
    std::size_t deliveries_at_once = 1;
    std::size_t waiting_at_most = 16;   // accepted commands whose turn has not come; one more is refused as busy
    std::optional<Bytes> server_key{};  // if given, claimed() accepts no other (Ed25519, 32 bytes)
};

// What the host does when the client says so. All but `send` may be empty.
struct Actions {
    // One envelope to the carrier, now.
    std::function<void(ByteView envelope)> send;
    // Begin to deliver; call delivered() when it is over, at once or later. Never called twice for a payment, nor after
    // the command's expiry. Empty: a device that delivers nothing; every command is refused.
    std::function<void(const protocol::Command&)> deliver;
    // Called by create() for a delivery that was begun when the power was cut: what the drop sensor counted. Empty:
    // failed, "restarted during delivery". README.md says why.
    std::function<Drop(const protocol::Command&)> recover;
    // A command will not be delivered after all: cancelled or expired while it waited.
    std::function<void(PaymentId)> cancelled;
    std::function<void(const protocol::PayAnswer&)> paid;
    std::function<void(const protocol::ReportAck&)> settled;
    std::function<void(const std::vector<protocol::CatalogueItem>&)> catalogue;  // whole, by slot
    std::function<void(const std::vector<protocol::WalletBalance>&)> balance;
    std::function<void(const protocol::Qr&)> qr;
    // The answer to run_errand(), whole; or the server will never do it: its token and words.
    std::function<void(const Bytes&)> errand_done;
    std::function<void(const Error&)> errand_refused;
    std::function<void()> in_session;
    std::function<void()> rotated;  // the new key is in use; a hello under it follows
    // The server refused something: a pay request (its payment), else a message or the device as a whole.
    std::function<void(protocol::RefusalCode, const std::string& message, std::optional<PaymentId>)> refused;
    // The state could not be stored: nothing was begun or sent that needs it.
    std::function<void(const Error&)> trouble;
};

struct Counters {
    std::uint64_t sent = 0;      // given to the carrier, resent ones included
    std::uint64_t resent = 0;    // the same bytes again
    std::uint64_t received = 0;  // everything the carrier brought
    std::uint64_t bad = 0;       // not for us, not authentic, not in form
    std::uint64_t duplicates = 0;
    std::uint64_t hellos = 0;
    std::uint64_t sessions = 0;
    std::uint64_t commands = 0;  // new ones, accepted or not
    std::uint64_t begun = 0;
    std::uint64_t settled = 0;  // reports that were acknowledged
    std::uint64_t errors = 0;   // authentic error answers
    std::uint64_t lost_by_fault = 0;
    std::uint64_t state_failures = 0;
};

class DeviceClient {
  public:
    // Gives an empty state its id and key. Errors: conflict (the state is another device's), invalid (an option, a
    // stored key), and those of State::commit. `state` and `clock` must outlive the client.
    static Result<std::unique_ptr<DeviceClient>> create(Options options, State& state, Actions actions,
                                                        const Clock& clock);
    ~DeviceClient();
    DeviceClient(const DeviceClient&) = delete;
    DeviceClient& operator=(const DeviceClient&) = delete;

    // Enrolment, which the host carries over HTTPS. A repeated claim with the same code is the same bytes' meaning.
    Result<Bytes> claim_envelope(const std::string& code);
    // Checks signature, certificate and key. Error unauthenticated; forbidden with the protocol's code when the server
    // refused; conflict when it is another server's than the one stored.
    Result<void> claimed(ByteView answer);
    bool is_claimed() const noexcept;
    const std::string& mqtt_password() const;  // JZ_ASSERT is_claimed()

    // The carrier. disconnected() ends the session: the next connected() says hello.
    void connected();
    void disconnected();
    void receive(ByteView envelope);
    // The server's answer to a POST that is no envelope: 4xx problem+json with this code (trusted as TLS is).
    void refused_by_carrier(protocol::RefusalCode code);
    // Resends, heartbeats, the turn of waiting commands. Call every 100 ms, or at next_deadline().
    void tick();
    Timestamp next_deadline() const;

    // Requests. They are kept and resent until answered; pay requests are on disk before they are sent. A request whose
    // payment is "none" gets an id. The same id again is the same request (conflict if it differs and is unanswered).
    Result<PaymentId> pay(protocol::PayRequest request);
    void request_catalogue();
    void request_balance();
    Result<PaymentId> request_qr(PaymentId payment, std::uint32_t slot, std::uint32_t quantity);
    // What an offline purse asks the ledger (docs/protocol/device.md, 4.1; bytes of protocol::Errand): sent in pieces,
    // and on from where the server is after any cut, until one of the two actions says how it ended. Not on disk: given
    // again after a restart, the same bytes go on where they were. Errors: too_large, conflict (one at a time).
    Result<void> run_errand(Bytes errand);
    void give_up_errand();
    // A new key, of any suite; the old one stays until the server has accepted the new one.
    Result<void> rotate(crypto::Suite suite);

    // The outcome of a delivery that Actions::deliver began. Errors: not_found (never begun, or over), invalid (units
    // do not fit the result and the command's quantity).
    Result<void> delivered(PaymentId payment, DeliveryResult result, std::uint32_t units, std::string detail = {});
    void set_out_of_service(bool out) noexcept;

    void set_faults(const Faults& faults);
    const Faults& faults() const noexcept;
    bool in_session() const noexcept;
    DeviceId id() const noexcept;
    const Counters& counters() const noexcept;

  private:
    class Impl;
    explicit DeviceClient(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

// The envelopes of an HTTPS answer's body (a CBOR sequence, RFC 8742), views into it. Errors: malformed, too_large.
Result<std::vector<ByteView>> split_envelopes(ByteView body);

}  // namespace jiaozi::device
