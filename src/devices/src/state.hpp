// The gateway's inside. One object, because answers find their way by the same table of links that requests fill; cut
// by topic into intake.cpp (what comes in), requests.cpp (what is asked), delivery.cpp (what goes out) and probes.cpp.
#pragma once

#include <limits>

#include <jiaozi/base/token_bucket.hpp>
#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/devices/gateway.hpp>

#include "transfers.hpp"

namespace jiaozi::devices {

// Amounts on the wire have 64 bits, in fen some 10^17 yuan. What is more is shown as the most.
inline std::uint64_t wire_amount(uint128 minor) {
    constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
    return minor > most ? most : low64(minor);
}

enum class Way : std::uint8_t { none, mqtt, https };

// An HTTPS request that is held until something waits for the device.
struct HeldRequest {
    std::uint64_t number = 0;
    api::AppThread::TimerId timer = 0;
    std::move_only_function<void(HttpsAnswer)> done;
};

struct ProbeWaiter {
    std::uint64_t number = 0;
    api::AppThread::TimerId timer = 0;
    std::move_only_function<void(bool)> done;
};

// All who ask at the same time share one nonce: its answer serves them all.
struct PendingProbe {
    protocol::ProbeNonce nonce{};
    std::vector<ProbeWaiter> waiters;
};

struct Link {
    LinkInfo info;
    Way way = Way::none;
    TokenBucket messages;
    TokenBucket errors;
    TokenBucket claims;
    std::deque<Bytes> mailbox;           // HTTPS: sealed, waiting to be fetched
    std::uint32_t answers_underway = 0;  // requests whose answer is still being made
    std::optional<HeldRequest> held;
    std::optional<PendingProbe> probe;
};

// Who asked, for the answer: kept by value, since the answer may come later.
struct Asker {
    DeviceId device;
    std::uint64_t seq = 0;
    bool is_signed = false;
};

struct Gateway::State : std::enable_shared_from_this<Gateway::State> {
    State(Parts given, GatewayOptions chosen)
        : parts(given), options(chosen), transfers(chosen.transfer_bytes, chosen.transfer_kept) {}

    // intake.cpp
    void receive_mqtt(DeviceId topic, ByteView envelope);
    void receive_https(ByteView envelope, Duration wait, std::move_only_function<void(HttpsAnswer)> done);
    std::optional<identity::Refusal> take(const identity::Authenticated& message, Way way);
    std::expected<Bytes, identity::Refusal> claim(const protocol::Message& message, ByteView envelope);
    void count(const identity::Refusal& refusal);
    std::optional<Bytes> sealed_error(DeviceId device, const identity::Refusal& refusal);

    // requests.cpp
    void dispatch(const identity::Authenticated& message);
    void handle(const Asker& asker, const protocol::Hello& body, const protocol::Message& message);
    void handle(const Asker& asker, const protocol::Heartbeat& body);
    void handle(const Asker& asker, const protocol::CatalogueRequest& body);
    void handle(const Asker& asker, const protocol::PayRequest& body);
    void handle(const Asker& asker, const protocol::CommandAck& body);
    void handle(const Asker& asker, const protocol::DeliveryReport& body);
    void handle(const Asker& asker, const protocol::BalanceRequest& body);
    void handle(const Asker& asker, const protocol::QrRequest& body);
    void handle(const Asker& asker, const protocol::Rotate& body);
    void handle(const Asker& asker, const protocol::PursePiece& body);
    void handle(const Asker& asker, const protocol::PurseMore& body);
    void go_on(const Asker& asker, const protocol::TransferId& transfer, Transfers::Step step);
    Result<api::NewPayment> new_payment(DeviceId sender, const protocol::PayRequest& body) const;
    void refuse_request(const Asker& asker, const Error& error);
    void answer_hellos();

    // delivery.cpp
    void answer(const Asker& asker, protocol::Body body);
    void push(DeviceId device, protocol::Body body, bool as_signed = false);
    void deliver(DeviceId device, Bytes envelope);
    void hold(DeviceId device, Duration wait, std::move_only_function<void(HttpsAnswer)> done);
    void release(Link& link);

    // probes.cpp
    void probe(DeviceId device, Duration patience, std::move_only_function<void(bool)> done);
    void probe_answered(Link& link, const protocol::ProbeNonce& nonce);
    void probe_gave_up(DeviceId device, std::uint64_t number);

    void sweep_now_and_then();

    struct WaitingHello {
        DeviceId device;
        protocol::Welcome welcome;
    };
    // A claim that is sent again because its answer was lost gets the same answer: the code is used by then.
    struct AnsweredClaim {
        crypto::Digest envelope{};
        Timestamp until;
        Bytes answer;
    };

    Parts parts;
    GatewayOptions options;
    api::Payments* payments = nullptr;
    Carrier* mqtt = nullptr;
    api::PurseErrands* errands = nullptr;
    Transfers transfers;
    GatewayCounters counters;
    std::unordered_map<DeviceId, Link> links;  // known devices only: strangers must not make it grow
    std::vector<WaitingHello> hellos;
    std::deque<AnsweredClaim> answered_claims;
    std::uint64_t next_number = 1;
    api::AppThread::TimerId sweep_timer = 0;
};

}  // namespace jiaozi::devices
