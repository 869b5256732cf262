#include "sim_command.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>

#include <jiaozi/mqtt/address.hpp>

#include "../cli/operator.hpp"
#include "device_run.hpp"
#include "registration.hpp"

namespace jiaozi::sim {
namespace {

using cli::say;

struct SimOptions {
    DeviceKind kind = DeviceKind::vending;
    std::string device;
    std::string code;
    std::string state = "sim";
    std::string mqtt = "127.0.0.1:1883";
    bool over_https = false;
    bool wants_registration = false;
    std::string suite = "ed25519";
    device::SimIdentity sim;
    // A device that pays.
    std::string at;
    std::uint32_t slot = 1;
    std::uint32_t quantity = 1;
    std::uint32_t every = 20;
    std::optional<std::uint32_t> delivery_ms;
    std::uint32_t seconds = 0;
    std::uint32_t settled = 0;
    PurseSlotOptions purse_slot;  // used when it has a carrier
    // Faults, in seconds where they are times.
    simulators::Faults faults;
    std::int64_t clock_skew = 0;
    std::uint32_t offline_every = 0;
    std::uint32_t offline_for = 5;
    std::uint32_t crash_every = 0;
};

constexpr std::size_t max_code = 64;

// The one-time code itself, or where it stands: an argument can be read by every user of the machine.
Result<std::string> read_code(const std::string& given) {
    std::string text = given;
    if (given == "-") {
        std::getline(std::cin, text);
    } else if (given.starts_with('@')) {
        std::ifstream file(given.substr(1));
        if (!file) return Error(ErrorKind::not_found, "cannot read the file " + given.substr(1)).with_param("code");
        std::getline(file, text);
    }
    if (text.size() > max_code)
        return Error(ErrorKind::too_large, "a one-time code is at most 64 characters").with_param("code");
    return text;
}

simulators::Faults faults_from(const SimOptions& options) {
    simulators::Faults faults = options.faults;
    faults.device.clock_skew = seconds(options.clock_skew);
    faults.offline_every = seconds(options.offline_every);
    faults.offline_for = seconds(options.offline_for);
    faults.crash_every = seconds(options.crash_every);
    return faults;
}

class Preparation {
  public:
    Preparation(const SimOptions& options, const cli::Connection& connection)
        : options_(options), connection_(connection) {}

    Result<DeviceRun> run() {
        JZ_TRY(const auto registration, find_registration());
        if (options_.device.empty() && !registration) {
            return Error(ErrorKind::invalid,
                         "which device? give --device and its --code, or --register to make one in a sandbox")
                .with_param("device");
        }
        DeviceRun run;
        run.seconds = options_.seconds;
        run.settled = options_.settled;
        run.json = connection_.json;
        if (!options_.purse_slot.carrier.empty()) {
            run.purse_slot = options_.purse_slot;
            run.url = connection_.url;
            run.key = cli::read_key(connection_);
        }
        run.scans = options_.kind == DeviceKind::terminal;
        if (registration && registration->seller) {
            JZ_TRY(auto seller, common(registration->seller, seller_for(options_.kind), true));
            run.devices.push_back(std::move(seller));
        }
        JZ_TRY(const DeviceId id,
               registration ? Result<DeviceId>(registration->device) : DeviceId::parse(options_.device));
        JZ_TRY(auto device, common(id, options_.kind, registration.has_value()));
        JZ_TRY(device.suite, crypto::parse_suite(options_.suite));
        device.sim = options_.sim;
        device.faults = faults_from(options_);
        if (options_.delivery_ms) device.delivery_time = milliseconds(*options_.delivery_ms);
        if (pays_by_itself(options_.kind)) {
            JZ_TRY(device.pays, payment_plan(registration));
        }
        run.devices.push_back(std::move(device));
        if (registration) introduce(*registration);
        return run;
    }

  private:
    Result<std::optional<Registration>> find_registration() {
        if (!options_.device.empty()) return std::optional<Registration>();
        JZ_TRY(auto known, load_registration(options_.state, options_.kind));
        if (known && known->url == connection_.url) return known;
        if (!options_.wants_registration) return std::optional<Registration>();
        JZ_CHECK(connect());
        JZ_TRY(auto made, register_device(*op_, connection_.url, options_.kind, options_.at.empty()));
        JZ_CHECK(store_registration(options_.state, options_.kind, made));
        return std::optional(std::move(made));
    }

    Result<> connect() {
        if (op_) return {};
        JZ_TRY(auto op, cli::Operator::connect(connection_.url, cli::read_key(connection_)));
        op_.emplace(std::move(op));
        return {};
    }

    // What every device of this run has in common. `ours`: registered by us, so that we may ask for a code.
    Result<simulators::Options> common(DeviceId id, DeviceKind kind, bool ours) {
        simulators::Options options;
        options.device = id;
        options.kind = kind;
        options.states = options_.state;
        options.url = connection_.url;
        JZ_TRY(const auto broker, mqtt::parse_broker_url("mqtt://" + options_.mqtt));
        options.mqtt_host = broker.host;
        options.mqtt_port = broker.port;
        options.over_https = options_.over_https;
        if (simulators::Simulator::is_enrolled(options_.state, id)) return options;
        if (ours) {
            JZ_CHECK(connect());
            JZ_TRY(options.code, new_enrolment_code(*op_, id));
        } else {
            JZ_TRY(options.code, read_code(options_.code));
        }
        return options;
    }

    Result<std::optional<simulators::PaysAt>> payment_plan(const std::optional<Registration>& registration) const {
        simulators::PaysAt plan{
            .machine = {}, .slot = options_.slot, .quantity = options_.quantity, .every = seconds(options_.every)};
        if (!options_.at.empty()) {
            JZ_TRY(plan.machine, DeviceId::parse(options_.at));
        } else if (registration && registration->seller) {
            plan.machine = registration->seller;
        } else {
            return Error(ErrorKind::invalid, "where does it pay? give --at and a machine's id").with_param("at");
        }
        return std::optional(plan);
    }

    // On standard error, so that --json stays JSON.
    void introduce(const Registration& registration) const {
        std::cerr << say("device  ", "设备  ") << registration.device.to_string() << '\n';
        if (pays_by_itself(options_.kind)) return;
        std::cerr << say("try     ", "试试  ");
        if (options_.kind == DeviceKind::terminal) {
            std::cerr << "jiaozi payments code --wallet " << registration.wallet << " --member " << registration.member
                      << say("   and type its digits here\n", "   然后在此输入其数字\n");
        } else {
            std::cerr << "jiaozi payments create --kind machine --payer-wallet " << registration.wallet
                      << " --payer-member " << registration.member << " --device " << registration.device.to_string()
                      << " --slot 1\n";
        }
    }

    const SimOptions& options_;
    const cli::Connection& connection_;
    std::optional<cli::Operator> op_;
};

Result<> run(const SimOptions& options, const cli::Connection& connection) {
    JZ_TRY(const DeviceRun prepared, Preparation(options, connection).run());
    return run_devices(prepared);
}

void add_faults(CLI::App& verb, SimOptions& options) {
    const char* group = say("What goes wrong", "故障");
    device::Faults& faults = options.faults.device;
    verb.add_flag("--fail-drop", faults.fail_drop, say("nothing ever falls", "从不出货"))->group(group);
    verb.add_flag("--partial", options.faults.device.partial, say("delivers one unit less than ordered", "少出一件"))
        ->group(group);
    verb.add_flag("--nack", faults.nack, say("refuses every command", "拒绝所有指令"))->group(group);
    verb.add_flag("--silent", faults.silent, say("hears nothing and says nothing", "不听也不答"))->group(group);
    verb.add_flag("--silent-after-ack", faults.silent_after_ack,
                  say("acknowledges, delivers and never reports", "确认后不上报结果"))
        ->group(group);
    verb.add_flag("--duplicate", faults.duplicate, say("sends every message twice", "每条消息发两次"))->group(group);
    verb.add_flag("--reorder", faults.reorder, say("sends messages in the wrong order", "打乱消息顺序"))->group(group);
    verb.add_option("--lose", faults.drop_percent,
                    say("percent of messages that are lost, both ways", "双向丢失消息的百分比"))
        ->check(CLI::Range(0, 100))
        ->group(group);
    verb.add_option("--clock-skew", options.clock_skew,
                    say("seconds by which its clock is wrong, either way", "时钟误差（秒，可为负）"))
        ->group(group);
    verb.add_option("--offline-every", options.offline_every,
                    say("loses its signal every so many seconds", "每隔若干秒断网"))
        ->group(group);
    verb.add_option("--offline-for", options.offline_for, say("for so many seconds", "断网时长（秒）"))
        ->capture_default_str()
        ->group(group);
    verb.add_option("--crash-every", options.crash_every,
                    say("loses its power every so many seconds", "每隔若干秒断电重启"))
        ->group(group);
    verb.add_option("--seed", faults.seed, say("which messages are lost", "丢失哪些消息的随机种子"))
        ->capture_default_str()
        ->group(group);
}

// A machine that goes on selling while its network is cut.
void add_purse_slot(CLI::App& verb, PurseSlotOptions& slot) {
    const char* group = say("Purses while it is offline", "离线时接受钱袋");
    verb.add_option("--purse-carrier", slot.carrier,
                    say("tcp:127.0.0.1:PORT or unix:PATH: where payers hold their purses to",
                        "付款方接入处：tcp:127.0.0.1:端口 或 unix:路径"))
        ->group(group);
    verb.add_option("--purse", slot.purse.folder, say("the machine's own purse", "机器自己的钱袋"))
        ->envname("JIAOZI_PURSE")
        ->capture_default_str()
        ->group(group);
    verb.add_option("--passphrase-file", slot.purse.passphrase_file,
                    say("file with its passphrase, mode 0600", "含口令的文件（权限 0600）"))
        ->group(group);
    verb.add_option("--purse-price", slot.price, say("what one sale costs, in minor units", "每次售价（最小货币单位）"))
        ->capture_default_str()
        ->group(group);
}

void add_kind(CLI::App& noun, DeviceKind kind, const char* help, cli::Connection& connection, cli::Exit& exit) {
    CLI::App* verb = noun.add_subcommand(std::string(name_of(kind)), help);
    auto options = std::make_shared<SimOptions>();
    options->kind = kind;
    verb->add_option("--device", options->device,
                     say("the id of a device that is registered already", "已登记设备的 id"));
    verb->add_option("--code", options->code,
                     say("its one-time code, @FILE or - for standard input; the first time only",
                         "一次性注册码，或 @文件，或 - 表示标准输入；仅首次需要"))
        ->envname("JIAOZI_ENROLMENT_CODE");
    verb->add_flag(
        "--register", options->wants_registration,
        say("register it first, with all that it needs (sandbox); the next time it goes on with the same one",
            "先在沙盒中登记设备及所需的一切；下次继续使用"));
    verb->add_option("--state", options->state,
                     say("folder for its key and memory; made if missing", "密钥与状态的目录，不存在则创建"))
        ->capture_default_str();
    verb->add_option("--mqtt", options->mqtt, say("host:port of the broker", "MQTT 代理 host:port"))
        ->envname("JIAOZI_MQTT")
        ->capture_default_str();
    verb->add_flag("--https", options->over_https,
                   say("no MQTT: posts its messages, and asks every second", "不用 MQTT：以 HTTP 发送并每秒询问"));
    verb->add_option("--suite", options->suite, "ed25519, p256, sm2")
        ->check(CLI::IsMember({"ed25519", "p256", "sm2"}))
        ->capture_default_str();
    verb->add_option("--imei", options->sim.imei,
                     say("told when it claims; must be the one on record", "注册时上报，须与登记一致"));
    verb->add_option("--iccid", options->sim.iccid, say("the same", "同上"));
    verb->add_option("--imsi", options->sim.imsi, say("the same", "同上"));
    if (pays_by_itself(kind)) {
        verb->add_option("--at", options->at, say("the machine it pays at", "在哪台机器付款"));
        verb->add_option("--slot", options->slot, say("and for what", "购买的货道"))->capture_default_str();
        verb->add_option("--quantity", options->quantity, say("and how many", "数量"))->capture_default_str();
        verb->add_option("--every", options->every, say("seconds between payments", "付款间隔（秒）"))
            ->check(CLI::Range(1, 86'400))
            ->capture_default_str();
    } else {
        verb->add_option("--delivery-ms", options->delivery_ms, say("how long a delivery takes", "出货耗时（毫秒）"));
    }
    verb->add_option("--seconds", options->seconds,
                     say("end after so long; 0: at Ctrl-C", "运行若干秒后结束；0：直到 Ctrl-C"))
        ->capture_default_str();
    verb->add_option("--settled", options->settled,
                     say("end after so many deliveries are settled", "结算若干次后结束"));
    if (!pays_by_itself(kind)) add_purse_slot(*verb, options->purse_slot);
    add_faults(*verb, *options);
    cli::add_connection_options(*verb, connection);
    verb->callback([options, &connection, &exit] {
        const auto ended = run(*options, connection);
        if (ended.ok()) return;
        std::cerr << "jiaozi: " << ended.error().to_string() << '\n';
        exit = cli::exit_for(ended.error());
    });
}

}  // namespace

void add_sim_commands(CLI::App& root, cli::Connection& connection, cli::Exit& exit) {
    CLI::App* noun = root.add_subcommand("sim", say("simulated devices, with faults to order", "模拟设备，可指定故障"));
    noun->require_subcommand(1);
    noun->group(say("Development", "开发"));
    add_kind(*noun, DeviceKind::vending, say("a vending machine", "售货机"), connection, exit);
    add_kind(*noun, DeviceKind::gate, say("a car park's gate", "停车场道闸"), connection, exit);
    add_kind(*noun, DeviceKind::charger, say("a charging station", "充电桩"), connection, exit);
    add_kind(*noun, DeviceKind::terminal,
             say("a till that takes payment codes, one a line", "收银终端：每行输入一个付款码"), connection, exit);
    add_kind(*noun, DeviceKind::car, say("a car that pays at a gate by itself", "在道闸自动付款的汽车"), connection,
             exit);
    add_kind(*noun, DeviceKind::meter, say("a meter that pays for its energy by itself", "自动缴费的电表"), connection,
             exit);
    add_kind(*noun, DeviceKind::phone, say("a phone that buys at a machine by itself", "自动购物的手机"), connection,
             exit);
    add_fleet_command(*noun, connection, exit);
    add_trigger_command(root, connection, exit);
}

}  // namespace jiaozi::sim
