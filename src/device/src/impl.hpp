// The client's inside, in five files: client.cpp (life, enrolment), session.cpp (hello, sealing, hearing, time),
// commands.cpp (what the machine delivers), requests.cpp (what the device asks for), errands.cpp (what its purse does).
#pragma once

#include <deque>
#include <map>

#include <jiaozi/crypto/x25519.hpp>
#include <jiaozi/device/client.hpp>
#include <jiaozi/protocol/credential.hpp>
#include <jiaozi/protocol/envelope.hpp>
#include <jiaozi/protocol/errand.hpp>
#include <jiaozi/protocol/session.hpp>

#include "server_time.hpp"
#include "timer.hpp"
#include "wire.hpp"

namespace jiaozi::device {

// A private key ready to sign, under the id by which the server knows it.
struct Identity {
    std::unique_ptr<crypto::Signer> signer;
    protocol::KeyId kid{};
};

Result<Identity> make_identity(const crypto::KeyPair& key);

// A hello whose welcome has not come.
struct PendingHello {
    crypto::X25519KeyPair ephemeral;
    protocol::HelloNonce nonce{};
    std::uint64_t seq = 0;
    std::uint64_t time_ms = 0;   // as sent: above every hello before
    std::int64_t device_ms = 0;  // what our clock really showed
    bool under_next_key = false;
};

struct Session {
    protocol::SessionId id{};
    protocol::SessionKeys keys;
    std::uint64_t next_up = 1;
    protocol::SeqWindow window;
    std::uint64_t began_ms = 0;  // server's time; older errors are from before
    std::int64_t expires_ms = 0;
    Duration heartbeat{};  // at least a second
    Timer next_heartbeat;
    Timestamp last_heard{};
};

// A message that waits for its answer and is sent again until it comes.
struct Outgoing {
    protocol::Body body;
    PaymentId payment;  // of a pay request, report or QR
    std::uint64_t seq = 0;
    Bytes sealed;  // empty: not sent in this session
    std::size_t times_sent = 0;
    Timer next;

    protocol::MessageType type() const noexcept { return protocol::type_of(body); }
};

// An errand of a purse, and its answer as far as it has come.
struct PurseErrand {
    protocol::TransferId id{};
    Bytes bytes;
    Bytes answer;
    protocol::AnswerCheck check{};  // of the answer's first piece
};

// How an error answer came: signed by the server, or told by the HTTPS carrier, which has no time to check.
enum class Trust : std::uint8_t { signature, carrier };

class DeviceClient::Impl {
  public:
    Impl(Options options, State& state, Actions actions, const Clock& clock);
    Result<void> prepare();

    // ---- client.cpp
    Result<Bytes> claim_envelope(const std::string& code);
    Result<void> claimed(ByteView answer);
    Result<void> use_server_key(const Enrolment& enrolment);
    const std::string& mqtt_password() const {
        JZ_ASSERT(is_claimed());
        return data().enrolment->mqtt_password;
    }
    bool is_claimed() const noexcept { return data().enrolment.has_value(); }
    void connected();
    void disconnected();
    void tick();
    Timestamp next_deadline() const;
    void set_faults(const Faults& faults);
    // Runs what was put off; the outermost call does all of it.
    void run_effects();

    // ---- session.cpp
    void receive(ByteView envelope);
    void on_error(const protocol::ErrorAnswer& error, Trust trust);
    void end_session();  // the next hello is due as soon as hellos may be
    void say_hello_if_due();
    void pump();  // sends what is due
    void send_once(const protocol::Body& body);

    // ---- commands.cpp
    Result<void> recover_commands();
    Result<void> delivered(PaymentId payment, DeliveryResult result, std::uint32_t units, std::string detail);
    void next_turn();

    // ---- requests.cpp
    void recover_requests();
    Result<PaymentId> pay(protocol::PayRequest request);
    void request_catalogue();
    void request_balance();
    Result<PaymentId> request_qr(PaymentId payment, std::uint32_t slot, std::uint32_t quantity);
    Result<void> rotate(crypto::Suite suite);

    // ---- errands.cpp
    Result<void> run_errand(Bytes errand);
    void drop_errand();

    Options options_;
    Actions actions_;
    Counters counters_;
    Wire wire_;
    bool out_of_service_ = false;
    std::optional<Session> session_;

  private:
    StoredState& data() noexcept { return *state_->data(); }
    const StoredState& data() const noexcept { return *state_->data(); }
    Timestamp now() const noexcept { return clock_->now(); }
    // The device's own idea of the time, faults included.
    std::int64_t device_ms() const noexcept;
    std::uint64_t wire_ms() const noexcept;
    // Stored, or counted and told to the host.
    Result<void> commit();
    template <class... Args, class... Values>
    void effect(const std::function<void(Args...)>& action, Values... values);
    void refused(protocol::RefusalCode code, const std::string& message, std::optional<PaymentId> payment);

    // ---- session.cpp
    std::optional<protocol::Message> authenticate(ByteView envelope);
    bool is_fresh_enough(const protocol::Message& message);
    void send_hello(bool under_next_key);
    void on(const protocol::Message& message, const protocol::Welcome& welcome);
    void on_request_refused(const protocol::ErrorAnswer& error);
    void stop_for_a_while();
    void watch_clock();
    Result<Bytes> seal(const protocol::Body& body, std::uint64_t& seq);
    void keep(protocol::Body body, PaymentId payment);
    void send_outgoing(Outgoing& outgoing);
    bool held_by_fault(const Outgoing& outgoing) const noexcept;
    Outgoing* find_outgoing(protocol::MessageType type, PaymentId payment = {});
    void answered(protocol::MessageType type, PaymentId payment = {});
    void resend_now(protocol::MessageType type, PaymentId payment);
    protocol::DeviceStatus status() const noexcept;

    // ---- commands.cpp
    void on_command(const protocol::Message& message, const protocol::Command& command);
    void on_repeated(const CommandRecord& record, std::uint32_t number);
    void on_cancel(const protocol::Cancel& cancel);
    void on_report_ack(const protocol::ReportAck& ack);
    void refuse_command(const protocol::Command& command, std::string detail);
    CommandRecord* remember(const protocol::Command& command, CommandStage stage, std::string detail = {});
    bool make_room();
    Result<void> finish_unbegun(CommandRecord& record, std::string detail);
    Result<void> finish(CommandRecord& record, Drop drop);
    void report_what_is_stored();
    void begin(const CommandRecord& record);
    void report_given_up(PaymentId payment);

    // ---- requests.cpp
    void on_pay_answer(const protocol::PayAnswer& answer);
    void on_catalogue(const protocol::Catalogue& catalogue);
    void on_balance(const protocol::BalanceAnswer& balance);
    void on_qr(const protocol::Qr& qr);
    void on_rotated(const protocol::Rotated& rotated);
    void use_next_key();
    void forget_unpaid(PaymentId payment);

    // ---- errands.cpp
    void on_purse_taken(const protocol::PurseTaken& taken);
    void on_purse_answer(const protocol::PurseAnswer& answer);
    void send_piece(std::uint32_t offset);
    void ask_for_more();

    State* state_;
    const Clock* clock_;
    std::deque<std::function<void()>> effects_;
    bool running_effects_ = false;

    Identity identity_;
    Identity next_identity_;  // with data().next_key
    std::optional<crypto::Verifier> server_;
    protocol::KeyId server_kid_{};
    std::string claim_code_;
    Bytes claim_;  // the same code gets the same bytes: the server knows a repeated claim by them

    bool connected_ = false;
    ServerTime server_time_;
    std::int64_t last_device_ms_ = 0;
    std::optional<PendingHello> hello_;
    std::uint64_t hello_seq_ = 0;
    std::size_t hellos_unanswered_ = 0;
    std::uint64_t hello_floor_ms_ = 0;
    Timer next_hello_;
    Timestamp last_hello_{};

    std::deque<Outgoing> outgoing_;
    std::optional<PurseErrand> errand_;
    std::deque<PaymentId> waiting_;  // in the order of their turn
    std::size_t begun_ = 0;
    std::vector<PaymentId> unreported_;  // done, and not on disk yet
    Timer next_commit_;
    std::map<std::uint64_t, PaymentId> finished_;  // by age: what may be forgotten
    std::vector<protocol::CatalogueItem> catalogue_;
};

template <class... Args, class... Values>
void DeviceClient::Impl::effect(const std::function<void(Args...)>& action, Values... values) {
    // The action is looked up when it runs: actions_ does not change and lives as long as this.
    if (action) effects_.emplace_back([&action, ... kept = std::move(values)] { action(kept...); });
}

}  // namespace jiaozi::device
