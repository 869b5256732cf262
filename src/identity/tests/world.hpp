// The services with a real registry in a folder of its own, and a device that speaks to them. Shared with the tests of
// the library `devices`.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include <jiaozi/api/json.hpp>
#include <jiaozi/identity/devices.hpp>
#include <jiaozi/identity/sessions.hpp>
#include <jiaozi/protocol/protocol.hpp>
#include <jiaozi/registry/registry.hpp>

namespace jiaozi::identity::testing {

template <class T>
T must(Result<T> result) {
    if (!result.ok()) {
        ADD_FAILURE() << result.error().to_string();
        std::abort();
    }
    return std::move(result).value();
}
inline void must(const Result<>& result) {
    ASSERT_TRUE(result.ok()) << result.error().to_string();
}

// The code of an error, "ok" when it was none.
template <class T>
std::string code_of(const Result<T>& result) {
    return result.ok() ? "ok" : result.error().code();
}

struct Folder {
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "jiaozi-identity-XXXXXX").string();
        path = ::mkdtemp(name.data());
    }
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    std::filesystem::path path;
};

struct Signal final : api::EventSignal {
    void stored_up_to(std::uint64_t to) override { position = to; }
    std::uint64_t position = 0;
};

struct Broker final : api::BrokerCredentials {
    void reset(std::span<const api::BrokerAccount> accounts) override {
        passwords.clear();
        for (const auto& account : accounts) passwords[account.device] = account.password;
    }
    void put(DeviceId device, std::string_view password) override { passwords[device] = password; }
    void remove(DeviceId device) override { passwords.erase(device); }
    std::map<DeviceId, std::string> passwords;
};

inline const SimIdentity good_sim{"89860123456789012348", "460001234567890", "490154203237518"};

struct World {
    World()
        : store(must(registry::Store::open(
              {.url = "sqlite:" + (folder.path / "registry.db").string(), .seal = {}, .open = {}}))),
          server_pair(crypto::generate_key(crypto::Suite::ed25519)),
          server_signer(must(crypto::make_signer(server_pair))) {
        start();
    }

    // As after a crash: memory is gone, what is stored stays.
    void start() {
        sessions.reset();
        devices.reset();
        session = must(store->session());
        devices = must(DeviceService::load({*session, clock, signal, *server_signer, password_key}));
        devices->set_broker(&broker);
        sessions = std::make_unique<Sessions>(*devices, *server_signer, clock);
    }

    DeviceWithCode add(SimIdentity sim = {}) {
        return must(
            devices->create({crypto::new_id<DeviceId>(clock), DeviceKind::vending, "machine", {}, std::move(sim)}));
    }

    // Everything that a refused message must leave as it was: records, events, passwords, sessions.
    std::string everything() {
        std::string all;
        must(registry::for_each_device(*session, [&](const Device& device) {
            all += api::json_of(device) + to_hex(device.enrolment_code_hash) + '\n';
            const Device* const cached = devices->find(device.id);
            all += cached == nullptr ? "not cached" : api::json_of(*cached);
            all += sessions->has(device.id) ? " in session\n" : " no session\n";
            return Result<>();
        }));
        all += std::to_string(must(registry::newest_event_position(*session))) + '\n';
        for (const auto& [device, password] : broker.passwords) all += device.to_string() + ' ' + password + '\n';
        return all;
    }

    std::string newest_event() {
        const auto listing =
            must(registry::list_events(*session, {}, {.limit = 1, .starting_after = {}, .ending_before = {}}));
        return listing.data.empty() ? "" : listing.data.front().type;
    }

    Folder folder;
    TestClock clock;
    Signal signal;
    Broker broker;
    std::unique_ptr<registry::Store> store;
    std::unique_ptr<registry::Session> session;
    crypto::SecretBytes password_key = crypto::SecretBytes::random(32);
    crypto::KeyPair server_pair;
    std::unique_ptr<crypto::Signer> server_signer;
    std::unique_ptr<DeviceService> devices;
    std::unique_ptr<Sessions> sessions;
};

// The device's end, written from the specification and nothing else.
class Machine {
  public:
    explicit Machine(DeviceId device, crypto::Suite suite = crypto::Suite::ed25519) : id(device) {
        take_key(crypto::generate_key(suite));
    }

    void take_key(crypto::KeyPair made) {
        pair = std::move(made);
        signer = must(crypto::make_signer(pair));
        kid = protocol::credential_id(pair.suite, pair.public_key);
    }

    Bytes claim(std::string code, const SimIdentity& sim = {}) const {
        return must(protocol::seal(
            message(protocol::Claim{std::move(code), pair.suite, pair.public_key, sim.iccid, sim.imsi, sim.imei}, 1, 1),
            *signer, {}));
    }
    Bytes hello(std::uint64_t time_ms) {
        ephemeral = crypto::generate_x25519();
        crypto::random_bytes(nonce);
        return must(
            protocol::seal(message(protocol::Hello{ephemeral.public_key, nonce, "test 1"}, 7, time_ms), *signer, kid));
    }
    void welcome(const protocol::Welcome& body) {
        ASSERT_EQ(body.nonce, nonce);
        ASSERT_EQ(body.hello_seq, 7U);
        session = body.session;
        keys.emplace(
            must(protocol::derive_session_keys(ephemeral.private_key.view(), body.ephemeral, nonce, session, id, kid)));
        next = 1;
    }

    protocol::Message in_session(protocol::Body body, std::uint64_t seq = 0) {
        protocol::Message result = message(std::move(body), seq == 0 ? next++ : seq, 1);
        result.session = session;
        return result;
    }
    Bytes mac(protocol::Body body, std::uint64_t seq = 0) {
        return must(protocol::seal(in_session(std::move(body), seq), keys->up));
    }
    Bytes sign(protocol::Body body, std::uint64_t seq = 0) {
        return must(protocol::seal(in_session(std::move(body), seq), *signer, kid));
    }

    // Says hello to the sessions directly, and is welcomed.
    void connect(World& world) {
        const auto opened = world.sessions->open(id, hello(world.clock.now().ms() + ++hellos));
        ASSERT_TRUE(opened.has_value()) << opened.error().text;
        welcome(must(world.sessions->begin(opened->message)));
        must(world.devices->store_hellos());
    }

    // What the server sent, verified.
    Result<protocol::Message> read(ByteView bytes, const World& world) const {
        JZ_TRY(const auto envelope, protocol::peek(bytes, protocol::Direction::down));
        if (envelope.is_signed()) {
            JZ_TRY(const auto verifier, crypto::make_verifier(world.server_pair.suite, world.server_pair.public_key));
            JZ_CHECK(protocol::verify(envelope, verifier));
        } else {
            if (!keys) return Error(ErrorKind::unauthenticated, "no session");
            JZ_CHECK(protocol::verify(envelope, keys->down));
        }
        return protocol::open(envelope);
    }

    protocol::Message message(protocol::Body body, std::uint64_t seq, std::uint64_t time_ms) const {
        return {.device = id, .session = {}, .seq = seq, .time_ms = time_ms, .body = std::move(body)};
    }

    DeviceId id;
    crypto::KeyPair pair;
    std::unique_ptr<crypto::Signer> signer;
    protocol::KeyId kid{};
    crypto::X25519KeyPair ephemeral;
    protocol::HelloNonce nonce{};
    protocol::SessionId session{};
    std::optional<protocol::SessionKeys> keys;
    std::uint64_t next = 1;
    std::uint64_t hellos = 0;
};

inline Machine enrolled(World& world, crypto::Suite suite = crypto::Suite::ed25519) {
    const DeviceWithCode made = world.add();
    Machine machine(made.device.id, suite);
    must(world.devices->claim(machine.id, {made.code, suite, machine.pair.public_key, "", "", ""}));
    return machine;
}

inline constexpr crypto::Suite all_suites[] = {crypto::Suite::ed25519, crypto::Suite::p256, crypto::Suite::sm2};

}  // namespace jiaozi::identity::testing
