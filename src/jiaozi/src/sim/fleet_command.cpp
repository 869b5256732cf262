#include <iostream>
#include <memory>

#include <boost/json.hpp>

#include <jiaozi/mqtt/address.hpp>
#include <jiaozi/simulators/fleet.hpp>

#include "../bench/setup.hpp"
#include "../cli/operator.hpp"
#include "sim_command.hpp"

namespace jiaozi::sim {
namespace {

namespace json = boost::json;
using cli::say;

struct FleetCommand {
    std::uint32_t devices = 20;
    std::uint32_t rate = 10;
    std::uint32_t seconds = 10;
    std::uint32_t patience = 90;
    std::uint32_t faults = 0;
    std::uint64_t seed = 1;
    std::string mqtt = "127.0.0.1:1883";
};

// The money itself, beside what the payments say of it. Minor units.
struct Books {
    uint128 payer = 0;  // the family's: available and held
    uint128 held = 0;
    uint128 merchant = 0;
};

Result<uint128> minor_of(const json::object& wallet, const char* field) {
    return parse_decimal(cli::text_of(wallet, field));
}

Result<Books> read_books(cli::Operator& op, const bench::Fleet& fleet) {
    Books books;
    JZ_TRY(const auto payer, op.call("GET", "/v1/wallets/" + fleet.wallet));
    JZ_TRY(const auto merchant, op.call("GET", "/v1/wallets/" + fleet.merchant_wallet));
    JZ_TRY(const uint128 available, minor_of(payer, "available"));
    JZ_TRY(books.held, minor_of(payer, "held"));
    books.payer = available + books.held;
    JZ_TRY(books.merchant, minor_of(merchant, "available"));
    return books;
}

struct Outcome {
    simulators::FleetReport report;
    uint128 paid = 0;
    uint128 received = 0;
    uint128 held = 0;  // at the end
    bool balanced() const {
        return report.unaccounted() == 0 && held == 0 && paid == report.captured_minor &&
               received == report.captured_minor;
    }
};

Result<Outcome> run(const FleetCommand& command, const cli::Connection& connection) {
    JZ_TRY(const auto broker, mqtt::parse_broker_url("mqtt://" + command.mqtt));
    const std::string key = cli::read_key(connection);
    JZ_TRY(auto op, cli::Operator::connect(connection.url, key));
    JZ_TRY(const bench::Fleet fleet, bench::make_fleet(op, std::max(1U, command.devices / 2)));
    JZ_TRY(const Books before, read_books(op, fleet));
    simulators::FleetOptions options;
    for (std::size_t i = 0; i < fleet.cars.size(); ++i) {
        options.pairs.push_back(
            {.car = {fleet.cars[i].id, fleet.cars[i].code}, .gate = {fleet.gates[i].id, fleet.gates[i].code}});
    }
    options.url = connection.url;
    options.key = key;
    options.mqtt_host = broker.host;
    options.mqtt_port = broker.port;
    options.per_second = command.rate;
    options.lasting = seconds(command.seconds);
    options.patience = seconds(command.patience);
    options.fault_percent = command.faults;
    options.seed = command.seed;
    options.all_online = [] { std::cerr << say("all online\n", "全部在线\n"); };
    Outcome outcome;
    JZ_TRY(outcome.report, simulators::run_fleet(options));
    JZ_TRY(const Books after, read_books(op, fleet));
    outcome.paid = before.payer - after.payer;
    outcome.received = after.merchant - before.merchant;
    outcome.held = after.held;
    return outcome;
}

void print_text(const Outcome& outcome) {
    const simulators::FleetReport& report = outcome.report;
    const auto row = [](const char* name, const auto& value) { std::cout << name << "  " << value << '\n'; };
    row(say("asked        ", "请求      "), report.asked);
    row(say("captured     ", "已扣款    "), report.captured);
    row(say("voided       ", "已撤销    "), report.voided);
    row(say("declined     ", "被拒绝    "), report.declined);
    row(say("failed       ", "未开始    "), report.failed);
    row(say("not sent     ", "未发出    "), report.not_sent);
    row(say("still open   ", "未结束    "), report.open);
    row(say("unknown      ", "服务器不知"), report.unknown);
    row(say("contradicted ", "前后不一  "), report.contradicted);
    row(say("faults       ", "故障      "), report.faults);
    row(say("paid         ", "付出      "), to_decimal(outcome.paid));
    row(say("received     ", "收到      "), to_decimal(outcome.received));
    row(say("still held   ", "仍冻结    "), to_decimal(outcome.held));
    row(say("p50 (us)     ", "p50（微秒）"), report.p50_us);
    row(say("p99 (us)     ", "p99（微秒）"), report.p99_us);
    std::cout << (outcome.balanced() ? say("every payment is accounted for\n", "每笔付款均已对账\n")
                                     : say("NOT every payment is accounted for\n", "有付款未能对账\n"));
}

void print_json(const Outcome& outcome) {
    const simulators::FleetReport& report = outcome.report;
    json::object line{{"object", "fleet_report"},
                      {"asked", report.asked},
                      {"captured", report.captured},
                      {"voided", report.voided},
                      {"declined", report.declined},
                      {"failed", report.failed},
                      {"not_sent", report.not_sent},
                      {"open", report.open},
                      {"unknown", report.unknown},
                      {"contradicted", report.contradicted},
                      {"faults", report.faults},
                      {"captured_minor", to_decimal(report.captured_minor)},
                      {"paid_minor", to_decimal(outcome.paid)},
                      {"received_minor", to_decimal(outcome.received)},
                      {"held_minor", to_decimal(outcome.held)},
                      {"p50_us", report.p50_us},
                      {"p99_us", report.p99_us},
                      {"elapsed_ms", report.elapsed.ms()},
                      {"accounted", outcome.balanced()}};
    std::cout << json::serialize(line) << '\n';
}

}  // namespace

void add_fleet_command(CLI::App& noun, cli::Connection& connection, cli::Exit& exit) {
    CLI::App* verb =
        noun.add_subcommand("fleet", say("many cars at many gates; fails unless every payment is accounted for",
                                         "大量汽车与道闸；若有付款无法对账则失败"));
    auto command = std::make_shared<FleetCommand>();
    verb->add_option("--devices", command->devices, say("half of them cars, half gates", "汽车与道闸各半"))
        ->check(CLI::Range(2, 20'000))
        ->capture_default_str();
    verb->add_option("--rate", command->rate, say("payments a second, all together", "每秒付款总数"))
        ->check(CLI::Range(1, 100'000))
        ->capture_default_str();
    verb->add_option("--seconds", command->seconds, say("how long", "持续秒数"))
        ->check(CLI::Range(1, 86'400))
        ->capture_default_str();
    verb->add_option("--faults", command->faults,
                     say("percent of deliveries that go wrong: nothing falls, a jam, power cut, lost signal",
                         "出错的出货百分比：未出货、卡货、断电、断网"))
        ->check(CLI::Range(0, 100))
        ->capture_default_str();
    verb->add_option("--patience", command->patience,
                     say("seconds to wait for the last to end; longer than the server's hold",
                         "等待结束的秒数，应长于服务器的冻结时间"))
        ->capture_default_str();
    verb->add_option("--seed", command->seed, say("which ones", "随机种子"))->capture_default_str();
    verb->add_option("--mqtt", command->mqtt, say("host:port of the broker", "MQTT 代理 host:port"))
        ->envname("JIAOZI_MQTT")
        ->capture_default_str();
    cli::add_connection_options(*verb, connection);
    verb->callback([command, &connection, &exit] {
        const auto outcome = run(*command, connection);
        if (!outcome.ok()) {
            std::cerr << "jiaozi: " << outcome.error().to_string() << '\n';
            exit = cli::exit_for(outcome.error());
            return;
        }
        connection.json ? print_json(*outcome) : print_text(*outcome);
        if (!outcome->balanced()) exit = cli::Exit::failed;
    });
}

}  // namespace jiaozi::sim
