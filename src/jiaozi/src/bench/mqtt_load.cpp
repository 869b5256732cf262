#include "mqtt_load.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/crypto/signature.hpp>
#include <jiaozi/crypto/x25519.hpp>
#include <jiaozi/mqtt/client.hpp>
#include <jiaozi/protocol/protocol.hpp>

namespace jiaozi::bench {
namespace {

namespace asio = boost::asio;

constexpr auto resend_after = std::chrono::milliseconds(1500);
constexpr auto give_up_after = std::chrono::seconds(10);

class Pair;

struct Shared {
    explicit Shared(const MqttLoad& l);
    ~Shared();  // where Pair is known

    const MqttLoad& load;
    asio::io_context io{1};
    SystemClock clock;
    Measured measured;
    std::uint64_t started = 0;
    std::uint64_t ended = 0;
    std::uint32_t ready = 0;
    std::vector<std::unique_ptr<Pair>> pairs;
    SteadyClock::time_point start;
    std::optional<Error> failure;

    void fail(Error error) {
        if (!failure) failure = std::move(error);
        io.stop();
    }
};

// One device: its key, its session and its connection. Only what a load needs; the full device is the library `device`.
class Endpoint {
  public:
    using Handler = std::function<void(const protocol::Body&)>;

    Endpoint(Shared& shared, const NewMachine& machine, Handler handler)
        : shared_(shared), id_(machine.id), handler_(std::move(handler)) {}

    Result<> enrol(Operator& op, const std::string& code) {
        JZ_TRY(signer_, crypto::make_signer(crypto::generate_key(crypto::Suite::ed25519)));
        protocol::Claim claim;
        claim.code = code;
        claim.public_key = to_bytes(signer_->public_key());
        protocol::Message message;
        message.device = id_;
        message.time_ms = shared_.clock.now().ms();
        message.body = claim;
        JZ_TRY(const Bytes sealed, protocol::seal(message, *signer_, {}));
        JZ_TRY(const Bytes answer, op.post_envelope(sealed));
        JZ_TRY(const auto envelope, protocol::peek(answer, protocol::Direction::down));
        JZ_TRY(const auto opened, protocol::open(envelope));
        const auto* claimed = std::get_if<protocol::Claimed>(&opened.body);
        if (claimed == nullptr) return Error(ErrorKind::internal, "the claim was not answered by `claimed`");
        credential_ = claimed->credential;
        password_ = claimed->mqtt_password;
        return {};
    }

    void connect(std::function<void()> in_session) {
        in_session_ = std::move(in_session);
        mqtt::ClientOptions options;
        options.broker = {.host = shared_.load.host,
                          .port = shared_.load.port,
                          .user = id_.to_string(),
                          .password = password_,
                          .tls = false,
                          .ca_file = {}};
        up_ = protocol::up_topic(id_);
        mqtt::ClientHandlers handlers;
        handlers.connected = [this] { hello(); };
        handlers.message = [this](std::string_view, ByteView payload) { receive(payload); };
        client_ = std::make_unique<mqtt::Client>(shared_.io, std::move(options), std::move(handlers));
        client_->subscribe(protocol::down_topic(id_));
        client_->start();
    }

    void send(protocol::Body body) {
        protocol::Message message;
        message.device = id_;
        message.session = session_;
        message.seq = ++seq_;
        message.time_ms = shared_.clock.now().ms();
        message.body = std::move(body);
        const auto sealed = protocol::seal(message, keys_->up);
        if (!sealed.ok()) return shared_.fail(sealed.error());
        client_->publish(up_, *sealed);  // lost when not connected: the saga's timer sends again
    }

    DeviceId id() const { return id_; }
    void stop() { client_.reset(); }

  private:
    void hello() {
        ephemeral_ = crypto::generate_x25519();
        protocol::Hello hello;
        hello.ephemeral = ephemeral_->public_key;
        crypto::random_bytes(hello.nonce);
        nonce_ = hello.nonce;
        protocol::Message message;
        message.device = id_;
        last_hello_ = std::max(last_hello_ + 1, shared_.clock.now().ms());
        message.time_ms = last_hello_;
        message.body = hello;
        const auto sealed = protocol::seal(message, *signer_, credential_);
        if (!sealed.ok()) return shared_.fail(sealed.error());
        client_->publish(up_, *sealed);
    }

    void receive(ByteView bytes) {
        const auto envelope = protocol::peek(bytes, protocol::Direction::down);
        if (!envelope.ok()) return shared_.fail(envelope.error());
        if (!envelope->is_signed() && (!keys_ || !protocol::verify(*envelope, keys_->down).ok())) return;
        const auto message = protocol::open(*envelope);
        if (!message.ok()) return shared_.fail(message.error());
        if (const auto* welcome = std::get_if<protocol::Welcome>(&message->body)) return begin(*welcome);
        if (const auto* error = std::get_if<protocol::ErrorAnswer>(&message->body)) {
            return shared_.fail(Error(ErrorKind::internal, "the server refused a message: " + error->message));
        }
        if (const auto* probe = std::get_if<protocol::Probe>(&message->body)) {
            protocol::Heartbeat heartbeat;
            heartbeat.probe = probe->nonce;
            return send(heartbeat);
        }
        handler_(message->body);
    }

    void begin(const protocol::Welcome& welcome) {
        auto keys = protocol::derive_session_keys(ephemeral_->private_key.view(), welcome.ephemeral, nonce_,
                                                  welcome.session, id_, credential_);
        if (!keys.ok()) return shared_.fail(keys.error());
        keys_ = std::move(*keys);
        session_ = welcome.session;
        seq_ = 0;
        if (in_session_) std::exchange(in_session_, nullptr)();
    }

    Shared& shared_;
    DeviceId id_;
    Handler handler_;
    std::unique_ptr<crypto::Signer> signer_;
    protocol::KeyId credential_{};
    std::string password_;
    std::string up_;
    std::unique_ptr<mqtt::Client> client_;
    std::optional<crypto::X25519KeyPair> ephemeral_;
    protocol::HelloNonce nonce_{};
    protocol::SessionId session_{};
    std::optional<protocol::SessionKeys> keys_;
    std::uint64_t seq_ = 0;
    std::uint64_t last_hello_ = 0;
    std::function<void()> in_session_;
};

class Pair {
  public:
    Pair(Shared& shared, const NewMachine& car, const NewMachine& gate)
        : shared_(shared),
          car_(shared, car, [this](const protocol::Body& body) { car_hears(body); }),
          gate_(shared, gate, [this](const protocol::Body& body) { gate_hears(body); }),
          timer_(shared.io) {}

    Result<> enrol(Operator& op, const NewMachine& car, const NewMachine& gate) {
        JZ_CHECK(car_.enrol(op, car.code));
        return gate_.enrol(op, gate.code);
    }

    void connect(const std::function<void()>& in_session) {
        gate_.connect([this, in_session] { car_.connect(in_session); });
    }

    void begin() {
        for (std::uint32_t i = 0; i < shared_.load.outstanding; ++i) next();
        watch();
    }

    void stop() {
        timer_.cancel();
        car_.stop();
        gate_.stop();
    }

  private:
    struct Saga {
        SteadyClock::time_point asked;
        SteadyClock::time_point sent;
        bool reported = false;
    };

    void next() {
        if (shared_.started == shared_.load.warm_up + shared_.load.sagas) return;
        ++shared_.started;
        const auto id = crypto::new_id<PaymentId>(shared_.clock);
        const auto now = SteadyClock::now();
        sagas_.emplace(id, Saga{now, now, false});
        ask(id);
    }

    void ask(PaymentId id) {
        protocol::PayRequest request;
        request.payment = id;
        request.kind = PaymentKind::device;
        request.slot = 1;
        request.machine = gate_.id();
        car_.send(request);
    }

    void report(PaymentId id) {
        protocol::DeliveryReport report;
        report.payment = id;
        report.delivered = 1;
        gate_.send(report);
    }

    void car_hears(const protocol::Body& body) {
        const auto* answer = std::get_if<protocol::PayAnswer>(&body);
        if (answer == nullptr) return;
        if (answer->state != PaymentState::authorized && answer->state != PaymentState::captured)
            end(answer->payment, false);
    }

    void gate_hears(const protocol::Body& body) {
        if (const auto* command = std::get_if<protocol::Command>(&body)) {
            if (const auto saga = sagas_.find(command->payment); saga != sagas_.end()) saga->second.reported = true;
            return report(command->payment);
        }
        if (const auto* ack = std::get_if<protocol::ReportAck>(&body))
            end(ack->payment, ack->state == PaymentState::captured);
    }

    void end(PaymentId id, bool captured) {
        const auto saga = sagas_.find(id);
        if (saga == sagas_.end()) return;  // a duplicate of an acknowledgement
        const std::uint64_t number = ++shared_.ended;
        if (number == shared_.load.warm_up) shared_.start = SteadyClock::now();
        if (number > shared_.load.warm_up) {
            Measured& measured = shared_.measured;
            measured.latencies_ns.push_back(nanoseconds_since(saga->second.asked));
            if (captured)
                ++measured.completed;
            else
                ++measured.failed;
            measured.elapsed_ns = nanoseconds_since(shared_.start);
        }
        sagas_.erase(saga);
        if (shared_.ended == shared_.load.warm_up + shared_.load.sagas) return shared_.io.stop();
        next();
    }

    // What a device does when an answer does not come: it sends again.
    void watch() {
        timer_.expires_after(std::chrono::milliseconds(500));
        timer_.async_wait([this](const boost::system::error_code& cancelled) {
            if (cancelled) return;
            std::vector<PaymentId> late;
            const auto now = SteadyClock::now();
            for (auto& [id, saga] : sagas_) {
                if (now - saga.asked > give_up_after) {
                    late.push_back(id);
                } else if (now - saga.sent > resend_after) {
                    saga.sent = now;
                    if (saga.reported)
                        report(id);
                    else
                        ask(id);
                }
            }
            for (const PaymentId id : late) end(id, false);
            watch();
        });
    }

    Shared& shared_;
    Endpoint car_;
    Endpoint gate_;
    asio::steady_timer timer_;
    std::unordered_map<PaymentId, Saga> sagas_;
};

Shared::Shared(const MqttLoad& l) : load(l) {}
Shared::~Shared() = default;

}  // namespace

Result<Measured> run_mqtt_load(const MqttLoad& load, Operator& op) {
    Shared shared(load);
    shared.start = SteadyClock::now();
    shared.measured.latencies_ns.reserve(load.sagas);
    JZ_TRY(const Fleet fleet, make_fleet(op, load.pairs));
    for (std::uint32_t i = 0; i < load.pairs; ++i) {
        shared.pairs.push_back(std::make_unique<Pair>(shared, fleet.cars[i], fleet.gates[i]));
        JZ_CHECK(shared.pairs.back()->enrol(op, fleet.cars[i], fleet.gates[i]));
    }
    for (const auto& pair : shared.pairs) {
        pair->connect([&shared] {
            if (++shared.ready < shared.pairs.size()) return;
            shared.start = SteadyClock::now();
            for (const auto& each : shared.pairs) each->begin();
        });
    }
    shared.io.run();
    for (const auto& pair : shared.pairs) pair->stop();
    if (shared.failure) return std::move(*shared.failure);
    return std::move(shared.measured);
}

}  // namespace jiaozi::bench
