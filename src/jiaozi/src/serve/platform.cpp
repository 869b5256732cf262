#include "platform.hpp"

#include <fstream>
#include <vector>

#include <jiaozi_web/assets.hpp>

#include <jiaozi/anchor/publisher.hpp>
#include <jiaozi/api/event_fanout.hpp>
#include <jiaozi/base/log.hpp>
#include <jiaozi/codec/base_n.hpp>
#include <jiaozi/crypto/aead.hpp>
#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/devices/gateway.hpp>
#include <jiaozi/engine/engine.hpp>
#include <jiaozi/groups/groups.hpp>
#include <jiaozi/http/api.hpp>
#include <jiaozi/http/server.hpp>
#include <jiaozi/identity/api_keys.hpp>
#include <jiaozi/identity/devices.hpp>
#include <jiaozi/identity/sessions.hpp>
#include <jiaozi/merchants/merchants.hpp>
#include <jiaozi/mqtt/broker.hpp>
#include <jiaozi/mqtt/carrier.hpp>
#include <jiaozi/payments/payments.hpp>
#include <jiaozi/payments/projector.hpp>
#include <jiaozi/registry/registry.hpp>
#include <jiaozi/webhooks/endpoints.hpp>
#include <jiaozi/webhooks/sender.hpp>

#include "../proof/payment_log.hpp"
#include "asio_app_thread.hpp"
#include "book_keeper.hpp"
#include "data_directory.hpp"
#include "demo.hpp"
#include "metrics.hpp"
#include "purses.hpp"
#include "secrets.hpp"

namespace jiaozi::serve {
namespace {

std::vector<http::StaticFile> page() {
    std::vector<http::StaticFile> files;
    for (const web::Asset& asset : web::assets()) {
        files.push_back({asset.path, asset.content_type, asset.etag, as_text(asset.plain), as_text(asset.gzip),
                         asset.immutable, asset.wasm_worker});
    }
    return files;
}

// Moves the platform's one clock, and wakes those who wait for it.
class Sandbox final : public api::SandboxClock {
  public:
    // `purses` may be null.
    Sandbox(ShiftedClock& clock, webhooks::Sender& sender, Purses* purses)
        : clock_(clock), sender_(sender), purses_(purses) {}
    Timestamp advance(Duration by) override {
        clock_.advance(by);
        sender_.wake();
        if (purses_ != nullptr) purses_->wake();
        return clock_.now();
    }

  private:
    ShiftedClock& clock_;
    webhooks::Sender& sender_;
    Purses* const purses_;
};

Result<mqtt::BrokerAddress> external_broker(const ServeOptions& options) {
    if (options.broker_file.empty()) return mqtt::parse_broker_url(options.broker);
    std::ifstream file(options.broker_file);
    std::string url;
    if (!std::getline(file, url))
        return Error(ErrorKind::not_found, "cannot read the broker's URL from " + options.broker_file)
            .with_param("broker-file");
    return mqtt::parse_broker_url(url);
}

}  // namespace

// In the order of need: what stands below may use what stands above, and is destroyed before it.
struct Platform::Parts {
    explicit Parts(boost::asio::io_context& context, DataDirectory directory)
        : io(context), data(std::move(directory)), app(context) {}

    boost::asio::io_context& io;
    DataDirectory data;
    ShiftedClock clock;
    AsioAppThread app;
    api::EventFanout events;
    Addresses addresses;
    std::string operator_key;

    std::unique_ptr<crypto::Signer> server_key;
    crypto::SecretBytes password_key;
    IssuerKeys issuer_keys;
    std::optional<settlement::MuleOpener> mule_opener;
    std::unique_ptr<registry::Store> store;
    std::unique_ptr<engine::Engine> engine;
    std::unique_ptr<proofs::PaymentLog> log;
    std::unique_ptr<anchor::Publisher> anchors;  // if there are places to publish to
    std::vector<std::unique_ptr<registry::Session>> sessions;
    std::unique_ptr<http::ReadPool> reads;
    std::unique_ptr<webhooks::Sender> sender;
    std::unique_ptr<webhooks::Endpoints> endpoints;
    std::unique_ptr<payments::Projector> projector;
    std::unique_ptr<payments::RegistryArchive> archive;
    std::unique_ptr<identity::ApiKeys> keys;
    std::unique_ptr<identity::DeviceService> devices;
    std::unique_ptr<groups::GroupService> groups;
    std::unique_ptr<merchants::MerchantService> merchants;
    std::unique_ptr<identity::Sessions> device_sessions;
    std::unique_ptr<payments::PaymentService> payments;
    std::unique_ptr<devices::Gateway> gateway;
    std::unique_ptr<Purses> purses;  // if its journal can be read
    std::unique_ptr<BookKeeper> books;
    mqtt::ExternalCredentials no_credentials;
    std::unique_ptr<mqtt::Broker> broker;
    std::unique_ptr<mqtt::Carrier> carrier;
    std::unique_ptr<Sandbox> sandbox;
    std::unique_ptr<Demo> demo;
    std::unique_ptr<http::Api> api;
    std::unique_ptr<http::Server> server;

    std::filesystem::path engine_directory() const { return data.path() / "journal"; }

    // A session of the registry that lives as long as the platform.
    Result<registry::Session*> session() {
        JZ_TRY(auto made, store->session());
        sessions.push_back(std::move(made));
        return sessions.back().get();
    }

    Result<> open_stores(const ServeOptions& options) {
        JZ_TRY(auto keystore, data.keystore());
        JZ_TRY(server_key, identity::server_signer(keystore));
        JZ_TRY(password_key, identity::password_key(keystore));
        JZ_TRY(issuer_keys, purse_issuer_keys(keystore));
        JZ_TRY(mule_opener, purse_mule_opener(keystore));
        JZ_TRY(const auto sealer, SecretSealer::from(keystore));
        registry::Options registry;
        registry.url = options.database.empty() ? "sqlite:" + (data.path() / "registry.db").string() : options.database;
        registry.seal = [sealer](std::string_view text) { return sealer->seal(text); };
        registry.open = [sealer](std::string_view text) { return sealer->open(text); };
        JZ_TRY(store, registry::Store::open(std::move(registry)));
        engine::Options ledger;
        ledger.directory = engine_directory();
        ledger.snapshot_every_bytes = std::uint64_t{options.snapshot_every_mib} << 20;
        ledger.archive = options.archive;
        JZ_TRY(engine, engine::Engine::open(ledger, clock));
        JZ_TRY(auto log_keys, proof::make_log_keys(keystore));
        JZ_TRY(log, proofs::PaymentLog::start(*engine, std::move(log_keys), data.path() / "log", options.origin));
        return start_anchors(options);
    }

    Result<> start_anchors(const ServeOptions& options) {
        if (options.anchors.empty()) return {};
        anchor::PublisherOptions publishing;
        publishing.places = options.anchors;
        publishing.rpc = options.rpc;
        publishing.every = seconds(options.anchors_every_s);
        publishing.newest = [this] { return log->checkpoint(); };
        publishing.key = log->log().key();
        JZ_TRY(anchors, anchor::Publisher::start(std::move(publishing)));
        return {};
    }

    Result<> start_followers(const ServeOptions& options) {
        JZ_TRY(reads, http::ReadPool::start(*store, app));
        JZ_TRY(sender, webhooks::Sender::start(*store, clock, {.allow_private = options.sandbox}));
        events.add(*sender);
        JZ_TRY(auto* const endpoints_session, session());
        endpoints = std::make_unique<webhooks::Endpoints>(*endpoints_session, clock);
        endpoints->on_change([this] { sender->wake(); });
        return {};
    }

    Result<> load_services(const ServeOptions& options) {
        JZ_TRY(auto* const keys_session, session());
        JZ_TRY(keys, identity::ApiKeys::load(*keys_session, clock, events));
        JZ_TRY(auto* const devices_session, session());
        JZ_TRY(devices, identity::DeviceService::load({*devices_session, clock, events, *server_key, password_key}));
        JZ_TRY(auto* const groups_session, session());
        JZ_TRY(groups, groups::GroupService::load({*groups_session, *engine, clock, app, events}));
        JZ_TRY(auto* const merchants_session, session());
        JZ_TRY(merchants, merchants::MerchantService::load({*merchants_session, *engine, clock, app, events, *devices,
                                                            [this](const Wallet& wallet) { groups->adopt(wallet); }}));
        device_sessions = std::make_unique<identity::Sessions>(
            *devices, *server_key, clock, identity::SessionOptions{.heartbeat_s = options.heartbeat_s});
        return start_payments(options);
    }

    Result<> start_payments(const ServeOptions& options) {
        JZ_TRY(projector, payments::Projector::start(*engine, *store, &events));
        JZ_TRY(auto archive_session, store->session());
        archive =
            std::make_unique<payments::RegistryArchive>(std::move(archive_session), *projector, engine_directory());
        JZ_TRY(payments, payments::PaymentService::recover(
                             {*engine, app, clock, *groups, *merchants, *devices, *archive}, options.payments));
        gateway = std::make_unique<devices::Gateway>(
            devices::Parts{*devices, *device_sessions, *groups, *merchants, *groups, clock, app});
        gateway->attach(payments.get());
        payments->start(*gateway);
        start_purses();
        JZ_TRY(books, BookKeeper::start(*engine, *store, engine_directory()));
        return {};
    }

    // What is wrong with purses does not keep people from paying online: the rest is served without them.
    void start_purses() {
        auto started = Purses::start({*engine, *store, events, app, clock, engine_directory()}, std::move(issuer_keys),
                                     std::move(*mule_opener));
        if (started.ok()) {
            purses = std::move(*started);
            gateway->attach(&purses->errands());
        } else {
            log::error("there are no offline purses until this is mended and the program started again",
                       {{"cause", started.error().to_string()}});
        }
    }

    Result<> connect_broker(const ServeOptions& options) {
        mqtt::BrokerAddress address;
        if (options.broker.empty() && options.broker_file.empty()) {
            JZ_TRY(broker,
                   mqtt::Broker::start(
                       io, {.directory = data.path() / "broker", .port = options.broker_port, .executable = {}}));
            address = broker->address();
            devices->set_broker(broker.get());
        } else {
            JZ_TRY(address, external_broker(options));
            devices->set_broker(&no_credentials);
        }
        addresses.mqtt_host = address.host;
        addresses.mqtt_port = address.port;
        carrier = std::make_unique<mqtt::Carrier>(
            io, address, [this](DeviceId topic, ByteView envelope) { gateway->receive_mqtt(topic, envelope); });
        gateway->attach(carrier.get());
        carrier->start();
        return {};
    }

    // The first start makes the operator's key and leaves it in a file; it is shown nowhere else.
    Result<> ensure_operator_key() {
        const auto file = data.path() / "operator.key";
        if (keys->count() == 0) {
            identity::NewApiKey wanted;
            wanted.id = crypto::new_id<ApiKeyId>(clock);
            wanted.name = "operator";
            wanted.scopes = {"*"};
            JZ_TRY(const auto made, keys->create(wanted, nullptr));
            JZ_CHECK(data.write_private("operator.key", made.secret + "\n"));
        }
        std::ifstream stream(file);
        std::getline(stream, operator_key);
        return {};
    }

    Result<> listen(const ServeOptions& options) {
        if (options.sandbox) sandbox = std::make_unique<Sandbox>(clock, *sender, purses.get());
        JZ_TRY(auto* const api_session, session());
        http::ApiOptions api_options;
        api_options.sandbox = options.sandbox;
        api_options.static_files = page();
        api_options.more_metrics = [this] {
            return metrics_text({*engine, log->log(), anchors.get(), *projector, *payments, *gateway, *sender,
                                 purses ? &purses->settlement() : nullptr});
        };
        api_options.health = [this]() -> Result<> {
            const engine::Health health = engine->health();
            if (health.state == engine::Health::State::running) return {};
            return Error(ErrorKind::unavailable,
                         "the journal is stopped: " + health.cause + "; free the disk or replace it, then restart");
        };
        api = std::make_unique<http::Api>(
            http::Parts{app, clock, *api_session, *reads, *keys, *devices, *groups, *merchants, *payments, *endpoints,
                        *gateway, demo.get(), sandbox.get(), log.get(), purses ? &purses->settlement() : nullptr,
                        purses ? &purses->projector() : nullptr},
            std::move(api_options));
        events.add(api->event_signal());
        JZ_TRY(server, http::Server::listen(io, {.address = options.listen, .port = options.port}, *api));
        const bool v6 = options.listen.find(':') != std::string::npos;
        addresses.url =
            "http://" + (v6 ? "[" + options.listen + "]" : options.listen) + ":" + std::to_string(server->port());
        housekeeping();
        return {};
    }

    void housekeeping() {
        api->housekeeping();
        device_sessions->sweep();
        app.call_after(seconds(60), [this] { housekeeping(); });
    }

    Result<> start_demo(const ServeOptions& options) {
        if (!options.demo) return {};
        demo = std::make_unique<Demo>(Demo::Parts{io, app, clock, data.path() / "demo", *groups, *merchants, *devices,
                                                  *payments, purses ? &purses->settlement() : nullptr});
        return demo->seed();
    }
};

Platform::Platform(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Platform::~Platform() {
    if (parts_ == nullptr) return;
    // Threads that call into others stop before those others go.
    parts_->server.reset();
    parts_->demo.reset();
    parts_->gateway->attach(static_cast<api::Payments*>(nullptr));
    parts_->gateway->attach(static_cast<devices::Carrier*>(nullptr));
    parts_->gateway->attach(static_cast<api::PurseErrands*>(nullptr));
    if (parts_->carrier) parts_->carrier->stop();
}

Result<std::unique_ptr<Platform>> Platform::start(boost::asio::io_context& io, const ServeOptions& options) {
    JZ_TRY(auto data, DataDirectory::open(options.data));
    auto parts = std::make_unique<Parts>(io, std::move(data));
    JZ_CHECK(parts->open_stores(options));
    JZ_CHECK(parts->start_followers(options));
    JZ_CHECK(parts->load_services(options));
    JZ_CHECK(parts->connect_broker(options));
    JZ_CHECK(parts->ensure_operator_key());
    JZ_CHECK(parts->start_demo(options));
    JZ_CHECK(parts->listen(options));
    if (parts->demo) JZ_CHECK(parts->demo->start(parts->addresses));
    log::info("ready", {{"url", parts->addresses.url},
                        {"mqtt", parts->addresses.mqtt_host + ":" + std::to_string(parts->addresses.mqtt_port)},
                        {"sequence", std::to_string(parts->engine->last_sequence())}});
    return std::unique_ptr<Platform>(new Platform(std::move(parts)));
}

const Addresses& Platform::addresses() const noexcept {
    return parts_->addresses;
}

const std::string& Platform::operator_key() const noexcept {
    return parts_->operator_key;
}

void Platform::stop_taking_requests() {
    parts_->server->stop();
    if (parts_->demo) parts_->demo->stop();
}

}  // namespace jiaozi::serve
