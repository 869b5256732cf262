#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json.hpp>

#include <jiaozi/client/http_client.hpp>
#include <jiaozi/simulators/fleet.hpp>
#include <jiaozi/simulators/simulator.hpp>

namespace jiaozi::simulators {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

constexpr auto beat = std::chrono::milliseconds(10);  // requests of one beat leave together
constexpr auto look_every = std::chrono::seconds(2);
constexpr auto connect_patience = std::chrono::seconds(60);

struct Asked {
    std::chrono::steady_clock::time_point at;
    PaymentState told = PaymentState::pending;  // the last that a device was told
    bool ended = false;                         // captured, declined or failed, told by the server to a device
};

bool is_final(PaymentState state) {
    return state != PaymentState::pending && state != PaymentState::authorized;
}

class Load {
  public:
    explicit Load(const FleetOptions& options) : options_(options), timer_(io_) {}

    Result<FleetReport> run() {
        JZ_TRY(http_, connected_client());
        JZ_CHECK(start_all());
        JZ_CHECK(wait_online());
        if (options_.all_online) options_.all_online();
        began_ = std::chrono::steady_clock::now();
        ended_ = began_;
        send();
        io_.run();
        if (failure_) return std::move(*failure_);
        report_.elapsed = nanoseconds(std::chrono::nanoseconds(ended_ - began_).count());
        measure();
        const auto looked_up = look_up_all();
        devices_.clear();
        JZ_CHECK(looked_up);
        return report_;
    }

  private:
    Result<std::unique_ptr<client::HttpClient>> connected_client() const {
        JZ_TRY(auto http,
               client::HttpClient::create({.base_url = options_.url, .key = options_.key, .timeout = seconds(30)}));
        return std::make_unique<client::HttpClient>(std::move(http));
    }

    Result<> start_all() {
        for (const FleetPair& pair : options_.pairs) {
            JZ_CHECK(add(pair.gate, DeviceKind::gate));
            JZ_CHECK(add(pair.car, DeviceKind::car));
            cars_.push_back(devices_.back().get());
        }
        return {};
    }

    Result<> add(const FleetDevice& device, DeviceKind kind) {
        Options options;
        options.device = device.device;
        options.kind = kind;
        options.code = device.code;
        options.url = options_.url;
        options.mqtt_host = options_.mqtt_host;
        options.mqtt_port = options_.mqtt_port;
        options.delivery_time = Duration{};
        options.deliveries_at_once = 100;
        options.waiting_at_most = 1000;
        options.tick = milliseconds(250);
        options.faults.device.seed = options_.seed + devices_.size();
        if (kind == DeviceKind::gate) options.faults.chaos_percent = options_.fault_percent;
        options.faults.device.duplicate = options_.fault_percent > 0 && devices_.size() % 4 == 0;
        JZ_TRY(auto simulator,
               Simulator::create(io_, clock_, std::move(options), [this](const Note& note) { hear(note); }));
        JZ_CHECK(simulator->start());
        devices_.push_back(std::move(simulator));
        return {};
    }

    Result<> wait_online() {
        const auto deadline = std::chrono::steady_clock::now() + connect_patience;
        while (!std::ranges::all_of(devices_, [](const auto& device) { return device->in_session(); })) {
            if (std::chrono::steady_clock::now() > deadline)
                return Error(ErrorKind::timeout, "not all devices came online within a minute; use fewer");
            io_.run_for(beat);
        }
        return {};
    }

    // Keeps to the rate over the whole time, whatever a single beat managed.
    void send() {
        const auto since = std::chrono::steady_clock::now() - began_;
        const auto lasting = std::chrono::nanoseconds(options_.lasting.ns);
        const auto due =
            static_cast<std::uint64_t>(std::min(since, lasting).count()) * options_.per_second / 1'000'000'000U;
        while (report_.asked < due) ask();
        if (since >= lasting) {
            drain_until_ = std::chrono::steady_clock::now() + std::chrono::nanoseconds(options_.patience.ns);
            drain();
            return;
        }
        timer_.expires_after(beat);
        timer_.async_wait([this](const boost::system::error_code&) { send(); });
    }

    void ask() {
        const std::size_t pair = turn_++ % cars_.size();
        ++report_.asked;
        const auto payment = cars_[pair]->pay_at(options_.pairs[pair].gate.device, 1, 1);
        // A car keeps only so many requests without an answer; one that it refused never left it.
        if (payment.ok())
            payments_.emplace(*payment, Asked{std::chrono::steady_clock::now()});
        else
            ++report_.not_sent;
    }

    // Devices go on until every payment ended, or patience did. A gate that never reports is told nothing, so what is
    // left is asked of the server now and then.
    void drain() {
        if (failure_) return io_.stop();
        const auto now = std::chrono::steady_clock::now();
        if (now - looked_ > look_every) {
            looked_ = now;
            if (auto looked = look_at_open(); !looked.ok()) failure_ = std::move(looked).error();
        }
        const bool all = std::ranges::all_of(payments_, [](const auto& entry) { return entry.second.ended; });
        if (all || now > drain_until_) return io_.stop();
        timer_.expires_after(std::chrono::milliseconds(100));
        timer_.async_wait([this](const boost::system::error_code&) { drain(); });
    }

    Result<> look_at_open() {
        for (auto& [payment, asked] : payments_) {
            if (asked.ended) continue;
            JZ_TRY(const auto found, fetch(payment));
            asked.ended = found && is_final(found->state);
        }
        return {};
    }

    void hear(const Note& note) {
        if (note.what == What::trouble) return;
        if (note.what == What::dropped && note.units == 0) ++report_.faults;
        if (note.what == What::crashed || note.what == What::jammed || note.what == What::offline) ++report_.faults;
        if (note.what != What::answered && note.what != What::settled) return;
        const auto found = payments_.find(note.payment);
        if (found == payments_.end()) return;
        Asked& asked = found->second;
        if (is_final(note.state) || asked.told == PaymentState::pending) asked.told = note.state;
        if (asked.ended || !is_final(note.state)) return;
        asked.ended = true;
        ended_ = std::chrono::steady_clock::now();
        if (note.state == PaymentState::captured) latencies_.push_back(ended_ - asked.at);
    }

    void measure() {
        if (latencies_.empty()) return;
        std::ranges::sort(latencies_);
        const auto at = [this](std::size_t percent) {
            const auto ns = latencies_[(latencies_.size() - 1) * percent / 100].count();
            return static_cast<std::uint64_t>(ns) / 1'000;
        };
        report_.p50_us = at(50);
        report_.p99_us = at(99);
    }

    Result<> look_up_all() {
        for (const auto& [payment, asked] : payments_) {
            JZ_TRY(const auto found, fetch(payment));
            if (!found) {
                ++report_.unknown;
                continue;
            }
            if (is_final(asked.told) && asked.told != found->state) ++report_.contradicted;
            report_.captured_minor += found->captured;
            count(found->state);
        }
        return {};
    }

    void count(PaymentState state) {
        switch (state) {
            case PaymentState::captured:
                ++report_.captured;
                return;
            case PaymentState::voided:
                ++report_.voided;
                return;
            case PaymentState::declined:
                ++report_.declined;
                return;
            case PaymentState::failed:
                ++report_.failed;
                return;
            case PaymentState::pending:
            case PaymentState::authorized:
                ++report_.open;
                return;
        }
    }

    struct Found {
        PaymentState state = PaymentState::pending;
        uint128 captured = 0;
    };
    // nullopt: the server does not know it.
    Result<std::optional<Found>> fetch(PaymentId payment) {
        client::Request request;
        request.path = "/v1/payments/" + payment.to_string();
        JZ_TRY(const auto response, http_->send(request));
        if (response.status == 404) return std::optional<Found>();
        boost::system::error_code failed;
        const json::value body = json::parse(response.body, failed);
        const auto* object = failed || response.status != 200 ? nullptr : body.if_object();
        if (object == nullptr)
            return Error(ErrorKind::unavailable,
                         "cannot look up " + payment.to_string() + ": HTTP " + std::to_string(response.status));
        Found found;
        JZ_TRY(found.state, parse_payment_state(text_of(*object, "state")));
        JZ_TRY(found.captured, parse_decimal(text_of(*object, "captured")));
        return std::optional<Found>(found);
    }

    static std::string text_of(const json::object& object, std::string_view name) {
        const auto* value = object.if_contains(name);
        return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
    }

    const FleetOptions& options_;
    asio::io_context io_{1};
    SystemClock clock_;
    asio::steady_timer timer_;
    std::unique_ptr<client::HttpClient> http_;
    std::vector<std::unique_ptr<Simulator>> devices_;
    std::vector<Simulator*> cars_;
    std::unordered_map<PaymentId, Asked> payments_;
    std::vector<std::chrono::nanoseconds> latencies_;
    std::chrono::steady_clock::time_point began_;
    std::chrono::steady_clock::time_point ended_;
    std::chrono::steady_clock::time_point drain_until_;
    std::chrono::steady_clock::time_point looked_;
    std::optional<Error> failure_;
    std::size_t turn_ = 0;
    FleetReport report_;
};

}  // namespace

Result<FleetReport> run_fleet(const FleetOptions& options) {
    if (options.pairs.empty() || options.per_second == 0)
        return Error(ErrorKind::invalid, "a fleet has at least one pair, and a rate above zero");
    return Load(options).run();
}

}  // namespace jiaozi::simulators
