#include "bench_command.hpp"

#include <iostream>
#include <memory>
#include <optional>

#include <boost/json.hpp>

#include "http_load.hpp"
#include "ledger_command.hpp"
#include "ledger_load.hpp"
#include "mqtt_load.hpp"
#include "purse_command.hpp"
#include "server_process.hpp"
#include "setup.hpp"

namespace jiaozi::bench {
namespace {

using cli::say;
namespace json = boost::json;

struct Options {
    std::uint64_t payments = 100'000;
    std::uint64_t sagas = 50'000;
    std::uint64_t transfers = 500'000;
    std::uint64_t postgres = 20'000;
    std::uint32_t connections = 64;
    std::uint32_t pairs = 32;
    std::uint32_t outstanding = 8;
    bool json = false;
};

struct Figures {
    Measured http;
    Measured mqtt;
    Measured ledger;
    std::optional<Measured> postgres;  // where PostgreSQL is installed
};

void progress(const char* english, const char* chinese) {
    std::cerr << "  " << say(english, chinese) << std::endl;  // NOLINT(performance-avoid-endl): progress is for now
}

Result<Measured> measure_http(const Options& options, const ScratchDirectory& scratch) {
    const auto folder = scratch.path() / "http";
    std::filesystem::create_directory(folder);
    JZ_TRY(const auto server, ServerProcess::start(folder));
    JZ_TRY(auto op, Operator::connect(server->url(), server->key()));
    JZ_TRY(const Wallets wallets, make_wallets(op, 16));
    HttpLoad load;
    load.port = server->http_port();
    load.key = server->key();
    load.connections = options.connections;
    load.payments = options.payments;
    load.warm_up = options.payments / 10;
    for (std::size_t i = 0; i < wallets.wallets.size(); ++i) {
        load.bodies.push_back(
            json::serialize(json::object{{"kind", "person"},
                                         {"payer_wallet", wallets.wallets[i]},
                                         {"payer_member", wallets.member},
                                         {"payee_wallet", wallets.wallets[(i + 1) % wallets.wallets.size()]},
                                         {"amount", "1"},
                                         {"asset", "CNY"}}));
    }
    return run_http_load(load);
}

Result<Measured> measure_mqtt(const Options& options, const ScratchDirectory& scratch) {
    const auto folder = scratch.path() / "mqtt";
    std::filesystem::create_directory(folder);
    JZ_TRY(const auto server, ServerProcess::start(folder));
    JZ_TRY(auto op, Operator::connect(server->url(), server->key()));
    MqttLoad load;
    load.host = server->mqtt_host();
    load.port = server->mqtt_port();
    load.pairs = options.pairs;
    load.outstanding = options.outstanding;
    load.sagas = options.sagas;
    load.warm_up = options.sagas / 10;
    return run_mqtt_load(load, op);
}

Result<Figures> measure(const Options& options) {
    JZ_TRY(const auto scratch, ScratchDirectory::make());
    Figures figures;
    progress("payments over HTTP: one request, one durable answer", "HTTP 付款：一次请求，一次持久答复");
    JZ_TRY(figures.http, measure_http(options, scratch));
    progress("sagas over MQTT: request, command, report, capture", "MQTT 流程：请求、指令、报告、入账");
    JZ_TRY(figures.mqtt, measure_mqtt(options, scratch));
    progress("the ledger alone: single durable transfers", "仅账本：逐笔持久转账");
    JZ_TRY(figures.ledger, run_ledger_load({.directory = scratch.path() / "journal", .transfers = options.transfers}));
    progress("PostgreSQL: the same double entry, one transaction a payment",
             "PostgreSQL：同样的复式记账，每笔付款一个事务");
    auto postgres = run_postgres_load({.transfers = options.postgres});
    if (postgres.ok()) {
        figures.postgres = std::move(*postgres);
    } else {
        std::cerr << "  " << say("not measured: ", "未测量：") << postgres.error().to_string() << '\n';
    }
    return figures;
}

// Milliseconds with three decimal places, as JSON wants a number.
std::string ms(std::uint64_t us) {
    std::string part = std::to_string(us % 1000);
    return std::to_string(us / 1000) + "." + std::string(3 - part.size(), '0') + part;
}

void print_json(Figures& figures) {
    const auto side = [](Measured& measured) {
        return "{\"payments_per_s\":" + std::to_string(measured.per_second()) +
               ",\"p50_ms\":" + ms(measured.percentile_us(50)) + ",\"p99_ms\":" + ms(measured.percentile_us(99)) +
               ",\"failed\":" + std::to_string(measured.failed) + "}";
    };
    std::cout << "{\"mqtt\":" << side(figures.mqtt) << ",\"http\":" << side(figures.http)
              << ",\"ledger_transfers_per_s\":" << figures.ledger.per_second() << ",\"postgres_transfers_per_s\":"
              << (figures.postgres ? std::to_string(figures.postgres->per_second()) : "null") << "}\n";
}

void print_table(Figures& figures) {
    json::array rows;
    const auto row = [&](const char* name, Measured& measured) {
        json::object cells{{say("what", "项目"), name},
                           {say("a second", "每秒"), std::to_string(measured.per_second())},
                           {"p50 ms", ms(measured.percentile_us(50))},
                           {"p99 ms", ms(measured.percentile_us(99))},
                           {say("failed", "失败"), std::to_string(measured.failed)}};
        rows.push_back(std::move(cells));
    };
    row(say("payments over HTTP", "HTTP 付款"), figures.http);
    row(say("sagas over MQTT", "MQTT 流程"), figures.mqtt);
    row(say("ledger, single transfers", "账本，逐笔转账"), figures.ledger);
    if (figures.postgres) row(say("PostgreSQL, one a transaction", "PostgreSQL，每笔一个事务"), *figures.postgres);
    std::cout << cli::render(rows);
    if (!figures.postgres) return;
    const std::uint64_t tenths =
        figures.ledger.per_second() * 10 / std::max<std::uint64_t>(1, figures.postgres->per_second());
    std::cout << say("ledger / PostgreSQL: ", "账本 / PostgreSQL：") << tenths / 10 << '.' << tenths % 10 << "x\n";
}

void add_payments(CLI::App& noun, cli::Exit& exit) {
    CLI::App* verb =
        noun.add_subcommand("payments", say("durable payments per second over HTTP and MQTT, and beside PostgreSQL",
                                            "HTTP 与 MQTT 每秒持久付款数，并与 PostgreSQL 对比"));
    auto options = std::make_shared<Options>();
    verb->add_option("--payments", options->payments, say("payments over HTTP", "HTTP 付款数"))
        ->check(CLI::Range(100, 100'000'000))
        ->capture_default_str();
    verb->add_option("--sagas", options->sagas, say("sagas over MQTT", "MQTT 流程数"))
        ->check(CLI::Range(100, 100'000'000))
        ->capture_default_str();
    verb->add_option("--transfers", options->transfers, say("ledger transfers", "账本转账数"))
        ->check(CLI::Range(100, 100'000'000))
        ->capture_default_str();
    verb->add_option("--postgres", options->postgres, say("PostgreSQL transactions", "PostgreSQL 事务数"))
        ->check(CLI::Range(100, 100'000'000))
        ->capture_default_str();
    verb->add_option("--connections", options->connections, say("HTTP connections", "HTTP 连接数"))
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    verb->add_option("--pairs", options->pairs, say("cars, and as many gates", "汽车数（道闸同数）"))
        ->check(CLI::Range(1, 500))
        ->capture_default_str();
    verb->add_option("--outstanding", options->outstanding, say("sagas under way for each pair", "每对并行的流程数"))
        ->check(CLI::Range(1, 100))
        ->capture_default_str();
    verb->add_flag("--json", options->json, say("print the figures as JSON", "以 JSON 输出"));
    verb->callback([options, &exit] {
        auto figures = measure(*options);
        if (!figures.ok()) {
            std::cerr << "jiaozi: " << figures.error().to_string() << '\n';
            exit = cli::exit_for(figures.error());
            return;
        }
        if (options->json)
            print_json(*figures);
        else
            print_table(*figures);
        if (figures->http.failed + figures->mqtt.failed + figures->ledger.failed != 0) exit = cli::Exit::failed;
    });
}

}  // namespace

void add_bench_command(CLI::App& root, cli::Exit& exit) {
    CLI::App* noun = root.add_subcommand("bench", say("measure this program on this machine", "在本机测量本程序"));
    noun->require_subcommand(1);
    noun->group(say("Development", "开发"));
    add_payments(*noun, exit);
    add_ledger(*noun, exit);
    add_purse(*noun, exit);
}

}  // namespace jiaozi::bench
