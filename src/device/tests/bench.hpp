// A device on a bench: its client, what it sent and what it asked its host to do, and a scripted server beside it.
#pragma once

#include <deque>
#include <filesystem>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include <jiaozi/device/client.hpp>

#include "scripted_server.hpp"

namespace jiaozi::device::test {

inline const DeviceId bench_device{make_uint128(0x0190'0000'0000'7000, 0x8000'0000'0000'0001)};

inline PaymentId payment(std::uint64_t number) {
    return PaymentId(make_uint128(0x0190'0000'0000'7000, number));
}

// This machine scanned a payer's code.
inline protocol::PayRequest scanned(std::uint64_t number) {
    protocol::PayRequest request;
    request.payment = payment(number);
    request.kind = PaymentKind::payment_code;
    request.slot = 1;
    request.code = "284712";
    return request;
}

class Bench {
  public:
    explicit Bench(crypto::Suite suite = crypto::Suite::ed25519) { options.suite = suite; }

    TestClock clock;         // the device's
    TestClock server_clock;  // the server's
    ScriptedServer server{server_clock};
    Options options{.id = bench_device};
    MemoryState memory;
    State* state = &memory;
    std::unique_ptr<DeviceClient> client;

    std::deque<Bytes> sent;
    std::vector<protocol::Command> deliveries;
    std::vector<PaymentId> cancelled;
    std::vector<protocol::PayAnswer> paid;
    std::vector<protocol::ReportAck> settled;
    std::vector<std::vector<protocol::CatalogueItem>> catalogues;
    std::vector<std::vector<protocol::WalletBalance>> balances;
    std::vector<protocol::Qr> qrs;
    std::vector<std::pair<protocol::RefusalCode, std::optional<PaymentId>>> refusals;
    std::vector<std::string> troubles;
    std::vector<Bytes> errands;
    std::vector<Error> refused_errands;
    int sessions = 0;
    int rotations = 0;
    std::function<Drop(const protocol::Command&)> recover;

    Actions actions() {
        Actions out;
        out.send = [this](ByteView envelope) { sent.push_back(to_bytes(envelope)); };
        out.deliver = [this](const protocol::Command& command) { deliveries.push_back(command); };
        out.recover = recover;
        out.cancelled = [this](PaymentId id) { cancelled.push_back(id); };
        out.paid = [this](const protocol::PayAnswer& answer) { paid.push_back(answer); };
        out.settled = [this](const protocol::ReportAck& ack) { settled.push_back(ack); };
        out.catalogue = [this](const auto& items) { catalogues.push_back(items); };
        out.balance = [this](const auto& wallets) { balances.push_back(wallets); };
        out.qr = [this](const protocol::Qr& qr) { qrs.push_back(qr); };
        out.errand_done = [this](const Bytes& answer) { errands.push_back(answer); };
        out.errand_refused = [this](const Error& error) { refused_errands.push_back(error); };
        out.in_session = [this] { ++sessions; };
        out.rotated = [this] { ++rotations; };
        out.refused = [this](protocol::RefusalCode code, const std::string&, std::optional<PaymentId> id) {
            refusals.emplace_back(code, id);
        };
        out.trouble = [this](const Error& error) { troubles.push_back(error.to_string()); };
        return out;
    }

    void start() {
        client.reset();
        auto made = DeviceClient::create(options, *state, actions(), clock);
        ASSERT_TRUE(made.ok()) << made.error().to_string();
        client = std::move(made).value();
    }
    void claim() {
        start();
        const auto claimed = client->claimed(server.answer_claim(client->claim_envelope("K7QX-2M4P").value()));
        ASSERT_TRUE(claimed.ok()) << claimed.error().to_string();
    }
    // Claimed, connected, in session.
    void open() {
        claim();
        connect();
    }
    void connect() {
        client->connected();
        welcome();
        ASSERT_TRUE(client->in_session());
    }
    void welcome() { client->receive(server.welcome(expect<protocol::Hello>().message)); }
    void pass(Duration by) {
        clock.advance(by);
        server_clock.advance(by);
        client->tick();
    }

    // The oldest message sent, which must be of this type.
    template <class Body>
    ScriptedServer::Heard expect() {
        EXPECT_FALSE(sent.empty()) << "nothing was sent";
        if (sent.empty()) return {};
        auto heard = server.hear(sent.front());
        sent.pop_front();
        EXPECT_TRUE(heard.has_value()) << "a server would refuse this";
        if (!heard) return {};
        EXPECT_TRUE(std::holds_alternative<Body>(heard->message.body))
            << "it is a " << protocol::name_of(protocol::type_of(heard->message.body));
        return std::move(*heard);
    }
    template <class Body>
    Body body() {
        auto heard = expect<Body>();
        return std::holds_alternative<Body>(heard.message.body) ? std::get<Body>(heard.message.body) : Body{};
    }
    void say(protocol::Body what) { client->receive(server.say(std::move(what))); }

    protocol::Command command(std::uint64_t number, std::uint32_t quantity = 1, Duration valid = seconds(10)) const {
        return {.payment = payment(number),
                .number = 1,
                .slot = 3,
                .quantity = quantity,
                .amount = 350,
                .asset = "CNY",
                .expires_ms = (server_clock.now() + valid).ms(),
                .product = ProductId(make_uint128(1, 9))};
    }
};

class Folder {
  public:
    Folder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "jiaozi-device-XXXXXX").string();
        EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
        path_ = pattern;
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    std::filesystem::path file() const { return path_ / "device.state"; }

  private:
    std::filesystem::path path_;
};

}  // namespace jiaozi::device::test
