#include "world.hpp"

#include <filesystem>
#include <future>
#include <stdexcept>
#include <thread>
#include <unordered_map>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <jiaozi/api/event_fanout.hpp>
#include <jiaozi/codec/base_n.hpp>
#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/crypto/signature.hpp>
#include <jiaozi/http/api.hpp>
#include <jiaozi/http/server.hpp>
#include <jiaozi/payments/archive.hpp>
#include <jiaozi/payments/payments.hpp>
#include <jiaozi/payments/projector.hpp>
#include <jiaozi/purse_host/issuer.hpp>
#include <jiaozi/registry/registry.hpp>
#include <jiaozi/settlement/projector.hpp>
#include <jiaozi/settlement/settlement.hpp>

namespace jiaozi::http::test {
namespace {

namespace asio = boost::asio;

class AsioApp final : public api::AppThread {
  public:
    explicit AsioApp(asio::io_context& io) : io_(io) {}
    void post(Task task) override {
        asio::post(io_, [held = std::make_shared<Task>(std::move(task))] { (*held)(); });
    }
    TimerId call_after(Duration delay, Task task) override {
        const TimerId id = ++last_;
        auto& timer = timers_.emplace(id, asio::steady_timer(io_, std::chrono::nanoseconds(delay.ns))).first->second;
        timer.async_wait([this, id, held = std::make_shared<Task>(std::move(task))](boost::system::error_code error) {
            if (error || timers_.erase(id) == 0) return;
            (*held)();
        });
        return id;
    }
    void cancel(TimerId id) override { timers_.erase(id); }

  private:
    asio::io_context& io_;
    TimerId last_ = 0;
    std::unordered_map<TimerId, asio::steady_timer> timers_;
};

struct FakeSandbox final : api::SandboxDevices, api::SandboxClock {
    explicit FakeSandbox(TestClock& test_clock) : clock(test_clock) {}
    std::vector<api::SandboxDevice> list() const override { return {simulated}; }
    Result<api::SandboxDevice> set_fault(DeviceId device, api::SandboxFault fault) override {
        if (device != simulated.device)
            return Error(ErrorKind::not_found, "no such simulated device").with_code("device_not_found");
        simulated.fault = fault;
        return simulated;
    }
    Timestamp advance(Duration by) override {
        clock.advance(by);
        return clock.now();
    }
    TestClock& clock;
    api::SandboxDevice simulated;
};

template <class T>
T take(Result<T> result) {
    if (!result.ok()) throw std::runtime_error(result.error().to_string());
    return std::move(result).value();
}

// A log that has one checkpoint, one tile, and a receipt for every payment.
class FakeLog final : public api::Proofs {
  public:
    Result<std::string> checkpoint() const override {
        return std::string("a log\n1\nroot\n\n\u2014 a log signature\n");
    }
    Result<Bytes> tile(std::string_view path) const override {
        if (path == "0/x001/000.p/7") return Bytes(224);
        return Error(ErrorKind::not_found, "no such tile").with_code("tile_not_found");
    }
    Result<std::string> receipt(PaymentId) override {
        return std::string(R"({"format":"jiaozi/receipt/1","subject":"","checkpoint":"","commands":[]})");
    }
};

}  // namespace

// Members are destroyed from the last to the first.
struct World::Parts {
    std::filesystem::path folder;
    TestClock clock;
    asio::io_context io{1};
    AsioApp app{io};
    api::EventFanout events;
    FakeSandbox sandbox{clock};
    FakeLog log;
    std::unique_ptr<crypto::Signer> server_key;
    const crypto::SecretBytes password_key = crypto::SecretBytes::random(32);
    std::unique_ptr<registry::Store> store;
    std::vector<std::unique_ptr<registry::Session>> sessions;
    std::unique_ptr<engine::Engine> engine;
    std::unique_ptr<ReadPool> reads;
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
    std::unique_ptr<purse_host::PurseSigner> purse_issuer;
    const settlement::MuleOpener mules = take(settlement::MuleOpener::make(Bytes(32, 7)));
    std::unique_ptr<settlement::Projector> purse_projector;
    std::unique_ptr<settlement::Settlement> purses;
    std::unique_ptr<Api> api;
    std::unique_ptr<Server> server;
    std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work;
    std::thread thread;

    registry::Session& session() {
        sessions.push_back(take(store->session()));
        return *sessions.back();
    }

    void open(const WorldOptions& options) {
        if (server_key == nullptr) server_key = take(crypto::make_signer(crypto::generate_key(crypto::Suite::ed25519)));
        store =
            take(registry::Store::open({.url = "sqlite:" + (folder / "registry.db").string(), .seal = {}, .open = {}}));
        engine::Options ledger;
        ledger.directory = folder / "journal";
        engine = take(engine::Engine::open(ledger, clock));
        reads = take(ReadPool::start(*store, app));
        endpoints = std::make_unique<webhooks::Endpoints>(session(), clock);
        keys = take(identity::ApiKeys::load(session(), clock, events));
        devices = take(identity::DeviceService::load({session(), clock, events, *server_key, password_key}));
        groups = take(groups::GroupService::load({session(), *engine, clock, app, events}));
        merchants = take(merchants::MerchantService::load({session(), *engine, clock, app, events, *devices,
                                                           [this](const Wallet& wallet) { groups->adopt(wallet); }}));
        device_sessions = std::make_unique<identity::Sessions>(*devices, *server_key, clock);
        projector = take(payments::Projector::start(*engine, *store, &events));
        archive = std::make_unique<payments::RegistryArchive>(take(store->session()), *projector);
        payments =
            take(payments::PaymentService::recover({*engine, app, clock, *groups, *merchants, *devices, *archive}));
        gateway = std::make_unique<devices::Gateway>(
            devices::Parts{*devices, *device_sessions, *groups, *merchants, *groups, clock, app});
        gateway->attach(payments.get());
        payments->start(*gateway);
        if (purse_issuer == nullptr) {
            purse_issuer =
                purse_host::key_signer(take(crypto::make_signer(crypto::generate_key(crypto::Suite::ed25519))));
        }
        purse_projector = take(settlement::Projector::start(*store, &events));
        purses = take(settlement::Settlement::recover(
            {*engine, app, clock, {purse_issuer.get()}, purse_projector.get(), &mules}));
        ApiOptions api_options;
        api_options.sandbox = options.sandbox;
        api_options.requests_per_s = options.requests_per_s;
        api_options.requests_burst = options.requests_burst;
        api_options.cors_origins = options.cors_origins;
        api_options.static_files = {
            {"/index.html", "text/html; charset=utf-8", "\"one\"", "<!doctype html><title>page</title>", {}, false},
            {"/assets/app.js", "text/javascript", "\"two\"", "let plain;", "GZIPPED", true},
            {"/assets/purse.wasm.worker-1.js", "text/javascript", "\"three\"", "let purse;", {}, true, true}};
        http::Parts parts{app,        clock,     session(),  *reads,   *keys,   *devices, *groups,
                          *merchants, *payments, *endpoints, *gateway, nullptr, nullptr};
        parts.proofs = &log;
        parts.purses = purses.get();
        parts.purse_payments = purse_projector.get();
        if (options.sandbox) {
            parts.sandbox_devices = &sandbox;
            parts.sandbox_clock = &sandbox;
        }
        api = std::make_unique<Api>(parts, std::move(api_options));
        events.add(api->event_signal());
        ServerOptions server_options;
        server_options.port = 0;
        server_options.request_timeout = milliseconds(options.request_timeout_ms);
        server_options.idle_timeout = milliseconds(options.idle_timeout_ms);
        server_options.max_connections = options.max_connections;
        server = take(Server::listen(io, server_options, *api));
        work.emplace(io.get_executor());
        thread = std::thread([this] { io.run(); });
    }

    void close() {
        // On the application thread, as the program does it.
        std::promise<void> done;
        asio::post(io, [&] {
            server.reset();
            api.reset();
            purses.reset();
            gateway->attach(static_cast<api::Payments*>(nullptr));
            done.set_value();
        });
        done.get_future().wait();
        work.reset();
        io.stop();
        thread.join();
        io.restart();
        gateway.reset();
        payments.reset();
        device_sessions.reset();
        merchants.reset();
        groups.reset();
        devices.reset();
        keys.reset();
        archive.reset();
        projector.reset();
        purse_projector.reset();
        endpoints.reset();
        reads.reset();
        engine.reset();
        sessions.clear();
        store.reset();
    }
};

World::World(WorldOptions options) : parts_(std::make_unique<Parts>()), options_(std::move(options)) {
    std::string pattern = (std::filesystem::temp_directory_path() / "jiaozi-http-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a temporary folder");
    parts_->folder = pattern;
    parts_->open(options_);
    on_app([this] {
        identity::NewApiKey wanted;
        wanted.id = crypto::new_id<ApiKeyId>(parts_->clock);
        wanted.name = "operator";
        wanted.scopes = {"*"};
        operator_key = take(parts_->keys->create(wanted, nullptr)).secret;
    });
}

World::~World() {
    parts_->close();
    std::filesystem::remove_all(parts_->folder);
}

void World::restart() {
    parts_->close();
    parts_->open(options_);
}

std::uint16_t World::port() const {
    return parts_->server->port();
}

Answer World::call(std::string_view method, std::string_view target, std::string_view body, Headers headers) {
    bool has_key = false;
    bool has_type = false;
    for (const auto& [name, value] : headers) {
        has_key = has_key || name == "Authorization";
        has_type = has_type || name == "Content-Type";
    }
    std::erase_if(headers, [](const auto& header) { return header.first == "Authorization" && header.second.empty(); });
    if (!has_key) headers.emplace_back("Authorization", "Bearer " + operator_key);
    if (!has_type && !body.empty()) headers.emplace_back("Content-Type", "application/json");
    Connection connection(port());
    connection.send(request_text(method, target, headers, body));
    return connection.receive(method == "HEAD");
}

Answer World::must(std::string_view method, std::string_view target, std::string_view body, Headers headers) {
    Answer answer = call(method, target, body, std::move(headers));
    EXPECT_TRUE(answer.status >= 200 && answer.status < 300)
        << method << ' ' << target << " → " << answer.status << ' ' << answer.body;
    return answer;
}

void World::on_app(std::function<void()> work) {
    std::promise<void> done;
    parts_->app.post([&] {
        work();
        done.set_value();
    });
    done.get_future().wait();
}

Marks World::marks() {
    settle();
    Marks marks;
    const auto session = take(parts_->store->session());
    marks.newest_event = take(registry::newest_event_position(*session));
    marks.journal_sequence = parts_->engine->last_sequence();
    return marks;
}

void World::settle() {
    // What follows of a deposit (proofs, sweeps, a new list) is journaled in commands of its own.
    for (bool idle = false; !idle;) {
        on_app([&] { idle = parts_->purses->idle(); });
    }
    EXPECT_TRUE(parts_->purse_projector->wait_until_written(seconds(30)));
    EXPECT_TRUE(parts_->projector->wait_for(parts_->engine->last_sequence(), seconds(20)));
}

void World::advance_clock(std::int64_t by_s) {
    parts_->clock.advance(seconds(by_s));
}

void World::add_event(std::string_view type) {
    Event added;
    added.id = crypto::new_id<EventId>(parts_->clock);
    added.type = type;
    added.object_id = "pay_00000000000000000000000001";
    added.data = "{}";
    added.created = parts_->clock.now();
    const auto session = take(parts_->store->session());
    if (!registry::append_many(*session, std::span(&added, 1)).ok()) throw std::runtime_error("cannot append an event");
    parts_->events.stored_up_to(take(registry::newest_event_position(*session)));
}

void World::populate() {
    ann = must("POST", "/v1/people", R"({"name":"Ann"})").at("id");
    bob = must("POST", "/v1/people", R"({"name":"Bob","locale":"zh-CN"})").at("id");
    stranger = must("POST", "/v1/people", R"({"name":"Stranger"})").at("id");
    group = must("POST", "/v1/groups", R"({"kind":"family","name":"The Li family","owner":")" + ann + "\"}").at("id");
    bob_member =
        must("POST", "/v1/groups/" + group + "/members", R"({"person":")" + bob + R"(","role":"member"})").at("id");
    const Answer members = get("/v1/groups/" + group + "/members");
    ann_member = members.at("data[0].person") == ann ? members.at("data[0].id") : members.at("data[1].id");
    ann_wallet = must("POST", "/v1/groups/" + group + "/wallets", R"({"name":"Main","asset":"CNY"})").at("id");
    bob_wallet = must("POST", "/v1/groups/" + group + "/wallets", R"({"name":"Bob's","asset":"CNY"})").at("id");
    must("POST", "/v1/wallets/" + ann_wallet + "/deposits", R"({"amount":"100000","asset":"CNY"})");
    const Answer shop = must("POST", "/v1/merchants", R"({"name":"Corner shop"})");
    merchant = shop.at("id");
    merchant_wallet = shop.at("wallet");
    product = must("POST", "/v1/products",
                   R"({"merchant":")" + merchant + R"(","name":"Water","name_zh":"水","category":"drinks"})")
                  .at("id");
    machine =
        must("POST", "/v1/devices", R"({"kind":"vending","name":"Machine 1","merchant":")" + merchant + "\"}").at("id");
    must("PUT", "/v1/devices/" + machine + "/slots",
         R"({"slots":[{"slot":1,"product":")" + product + R"(","price":"350","asset":"CNY"}]})");
    limit = must("POST", "/v1/limits",
                 R"({"member":")" + bob_member + R"(","kind":"per_payment","amount":"5000","asset":"CNY"})")
                .at("id");
    endpoint = must("POST", "/v1/webhook_endpoints", R"({"url":"http://127.0.0.1:9/hook"})").at("id");
    spare_key = must("POST", "/v1/api_keys", R"({"name":"spare","scopes":["payments:read"]})").at("id");
    ann_key = must("POST", "/v1/api_keys", R"({"name":"Ann's","scopes":["*"],"person":")" + ann + "\"}").at("key");
    stranger_key =
        must("POST", "/v1/api_keys", R"({"name":"Stranger's","scopes":["*"],"person":")" + stranger + "\"}").at("key");
    read_key = must("POST", "/v1/api_keys", R"({"name":"nothing","scopes":["nothing:read"]})").at("key");
    payment = must("POST", "/v1/payments",
                   R"({"kind":"person","payer_wallet":")" + ann_wallet + R"(","payer_member":")" + ann_member +
                       R"(","payee_wallet":")" + bob_wallet + R"(","amount":"500","asset":"CNY"})")
                  .at("id");
    make_purses();
    settle();
    event = get("/v1/events?limit=1").at("data[0].id");
    on_app([this] { parts_->sandbox.simulated.device = *DeviceId::parse(machine); });
}

// One purse that is well, and one that has signed two notes over one range.
void World::make_purses() {
    const auto enrol = [&](const crypto::Signer& signer, const std::string& wallet) {
        return must("POST", "/v1/purses",
                    R"({"wallet":")" + wallet + R"(","suite":1,"key":")" + to_hex(signer.public_key()) + "\"}")
            .at("ordinal");
    };
    const auto honest = take(crypto::make_signer(crypto::generate_key(crypto::Suite::ed25519)));
    auto cheat = take(crypto::make_signer(crypto::generate_key(crypto::Suite::ed25519)));
    purse = enrol(*honest, bob_wallet);
    const std::string cheats =
        must("POST", "/v1/groups", R"({"kind":"shop","name":"Cheats","owner":")" + ann + "\"}").at("id");
    const std::string wallet =
        must("POST", "/v1/groups/" + cheats + "/wallets", R"({"name":"Purse","asset":"CNY"})").at("id");
    must("POST", "/v1/wallets/" + wallet + "/deposits", R"({"amount":"2000","asset":"CNY"})");
    culprit = enrol(*cheat, wallet);
    const Answer load = must("POST", "/v1/purses/" + culprit + "/loads", R"({"amount":"1000","asset":"CNY"})");
    const Bytes certificate = take(codec::decode_base64(load.at("certificate")));
    const auto signer = purse_host::key_signer(std::move(cheat));
    std::string items;
    for (std::uint32_t seq = 1; seq <= 2; ++seq) {
        const Bytes note = purse_host::sign_object(*signer, note_payload(culprit, purse, seq, certificate, 0, 10));
        items += (items.empty() ? "\"" : ",\"") + codec::encode_base64(note) + '"';
    }
    const Answer answer = must("POST", "/v1/purses/deposits", R"({"items":[)" + items + "]}");
    EXPECT_EQ(answer.at("data[1].reason"), "ok") << answer.body;
    must("POST", "/v1/purses/deposits", R"({"items":["AAAA"]})");
}

Bytes World::note_payload(const std::string& payer, const std::string& payee, std::uint32_t seq, ByteView certificate,
                          std::uint64_t offset, std::uint64_t amount) const {
    purse::Note note;
    note.payer = static_cast<std::uint32_t>(std::stoul(payer));
    note.seq = seq;
    note.payee = static_cast<std::uint32_t>(std::stoul(payee));
    crypto::random_bytes(note.request);
    note.sources = 1;
    note.source[0] = {purse_host::object_id(purse_host::real_cryptography(), certificate), offset, amount};
    note.time = static_cast<std::uint32_t>(parts_->clock.now().s());
    note.hop = 1;
    std::array<std::uint8_t, purse::max_payload> room{};
    return to_bytes(purse::write_payload(note, room));
}

std::string World::id_for(std::string_view parameter) const {
    const std::map<std::string_view, std::string> ids = {{"{person}", ann},
                                                         {"{group}", group},
                                                         {"{member}", bob_member},
                                                         {"{wallet}", ann_wallet},
                                                         {"{limit}", limit},
                                                         {"{merchant}", merchant},
                                                         {"{device}", machine},
                                                         {"{payment}", payment},
                                                         {"{event}", event},
                                                         {"{endpoint}", endpoint},
                                                         {"{key}", spare_key},
                                                         {"{delivery}", unknown("{delivery}")},
                                                         {"{tile}", "0/x001/000.p/7"},
                                                         {"{purse}", culprit}};
    return ids.at(parameter);
}

namespace {
template <class Replace>
std::string fill(std::string_view pattern, Replace replace) {
    std::string path;
    while (!pattern.empty()) {
        const std::size_t open = std::min(pattern.find('{'), pattern.size());
        path += pattern.substr(0, open);
        pattern.remove_prefix(open);
        if (pattern.empty()) break;
        const std::size_t close = pattern.find('}') + 1;
        path += replace(pattern.substr(0, close));
        pattern.remove_prefix(close);
    }
    return path;
}
}  // namespace

std::string World::filled(std::string_view pattern) const {
    return fill(pattern, [this](std::string_view parameter) { return id_for(parameter); });
}

std::string World::unknown(std::string_view pattern) const {
    static const std::map<std::string_view, std::string_view> prefixes = {
        {"{person}", "per"},   {"{group}", "grp"},    {"{member}", "mem"},  {"{wallet}", "wal"}, {"{limit}", "lim"},
        {"{merchant}", "mer"}, {"{device}", "dev"},   {"{payment}", "pay"}, {"{event}", "evt"},  {"{endpoint}", "whe"},
        {"{key}", "key"},      {"{delivery}", "whd"}, {"{tile}", "0/000"},  {"{purse}", "nr"}};
    return fill(pattern, [](std::string_view parameter) {
        return std::string(prefixes.at(parameter)) + "_00000000000000000000000007";
    });
}

std::vector<RouteInfo> World::routes() {
    std::vector<RouteInfo> routes;
    for (const RouteName& route : parts_->api->routes())
        routes.push_back({std::string(name_of(route.method)), std::string(route.pattern)});
    return routes;
}

std::string_view World::openapi() {
    return openapi_json();
}

}  // namespace jiaozi::http::test
