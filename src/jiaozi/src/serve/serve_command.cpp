#include "serve_command.hpp"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <jiaozi/base/log.hpp>
#include <jiaozi/base/short_turns.hpp>

#include "../proof/anchor_places.hpp"
#include "platform.hpp"

namespace jiaozi::serve {
namespace {

using cli::say;

// Written under another name and renamed, so that whoever waits for it never reads half of it.
Result<> write_ready_file(const std::string& path, const Addresses& at) {
    const std::string temporary = path + ".new";
    std::ofstream file(temporary);
    file << R"({"url":")" << at.url << R"(","mqtt_host":")" << at.mqtt_host << R"(","mqtt_port":)" << at.mqtt_port
         << "}\n";
    file.close();
    if (!file || std::rename(temporary.c_str(), path.c_str()) != 0)
        return Error(ErrorKind::io, "cannot write " + path).with_param("ready-file");
    return {};
}

constexpr std::uint32_t demo_hold_s = 15;

// Only a demo prints its key: its money is play money, and the person who started it is the one who reads this.
void greet(const Platform& platform, const ServeOptions& options) {
    if (!options.demo) return;
    const std::string& url = platform.addresses().url;
    std::cout << '\n'
              << say("  Jiaozi is running. Open this page:\n\n    ", "  交子已启动，请打开：\n\n    ") << url
              << "/#key=" << platform.operator_key() << "\n\n"
              << say("  API   ", "  接口  ") << url << "/v1\n"
              << say("  key   ", "  密钥  ") << platform.operator_key() << say("   (demo only)\n", "   （仅供演示）\n")
              << say("  MQTT  ", "  MQTT  ") << platform.addresses().mqtt_host << ':' << platform.addresses().mqtt_port
              << '\n'
              << say("  data  ", "  数据  ") << std::filesystem::absolute(options.data).string() << "\n\n"
              << say("  Try in another terminal:  build/release/bin/jiaozi payments list\n  Ctrl-C stops it; starting "
                     "it again continues.\n",
                     "  可在另一终端执行：build/release/bin/jiaozi payments list\n  按 Ctrl-C 停止；再次启动会继续。\n")
              << std::endl;  // NOLINT(performance-avoid-endl): a script may wait for this line
}

Result<> run(const ServeOptions& options) {
    boost::asio::io_context io(1);
    JZ_TRY(auto platform, Platform::start(io, options));
    boost::asio::signal_set signals(io, SIGINT, SIGTERM);
    signals.async_wait([&](const boost::system::error_code& error, int) {
        if (error) return;
        log::info("stopping");
        platform->stop_taking_requests();
        // Answers under way get a moment; everything else is safe to cut, because what was answered is in the journal.
        auto timer = std::make_shared<boost::asio::steady_timer>(io, std::chrono::milliseconds(300));
        timer->async_wait([&io, timer](const boost::system::error_code&) { io.stop(); });
    });
    if (!options.ready_file.empty()) JZ_CHECK(write_ready_file(options.ready_file, platform->addresses()));
    greet(*platform, options);
    const ShortTurns turns;  // payments and people wait for this thread
    io.run();
    platform.reset();
    log::info("stopped");
    return {};
}

bool set_log_level(const std::string& name) {
    for (const auto& [text, level] : {std::pair{"debug", log::Level::debug},
                                      {"info", log::Level::info},
                                      {"warn", log::Level::warn},
                                      {"error", log::Level::error}}) {
        if (name == text) {
            log::set_level(level);
            return true;
        }
    }
    return false;
}

// CLI11 reads a configuration file of the whole program, never one of a subcommand. What the command line or the
// environment gives goes before the file. Throws CLI11's errors, as an option that is wrong on the command line does.
void read_config(CLI::App& command, const std::string& path) {
    CLI::ConfigTOML format;
    for (const CLI::ConfigItem& item : format.from_file(path)) {
        if (item.name == "++" || item.name == "--") continue;  // where a section begins and ends
        const bool ours = item.parents.empty() || item.parents == std::vector<std::string>{command.get_name()};
        CLI::Option* const option = ours ? command.get_option_no_throw("--" + item.name) : nullptr;
        if (option == nullptr || !option->get_configurable())
            throw CLI::ConfigError(path + ": there is no setting " + item.fullname());
        if (option->count() > 0) continue;
        if (option->get_items_expected_min() == 0) {
            option->add_result(option->get_flag_value(item.name, format.to_flag(item)));
        } else {
            option->add_result(item.inputs);
        }
        option->run_callback();
    }
}

}  // namespace

void add_serve_command(CLI::App& root, ServeOptions& options, cli::Exit& exit) {
    CLI::App* command = root.add_subcommand("serve", say("run the platform", "运行平台"));
    command->group(say("The server", "服务器"));
    command->add_option("--data", options.data, say("data directory; made if missing", "数据目录，不存在则创建"))
        ->envname("JIAOZI_DATA")
        ->capture_default_str();
    command
        ->add_option("--listen", options.listen,
                     say("address of the HTTP interface; put a TLS proxy in front before it leaves loopback",
                         "HTTP 监听地址；离开本机前请加 TLS 代理"))
        ->capture_default_str();
    command
        ->add_option("--port", options.port,
                     say("port of the HTTP interface; 0 takes a free one", "HTTP 端口；0 表示任选"))
        ->capture_default_str();
    command
        ->add_option("--database", options.database,
                     say("postgresql:// URL; SQLite in the data directory by default",
                         "postgresql:// 网址；默认使用数据目录中的 SQLite"))
        ->envname("JIAOZI_DATABASE");
    command
        ->add_option("--broker", options.broker,
                     say("mqtt:// URL of a broker of yours; without it Mosquitto is started on loopback",
                         "自备 MQTT 代理的 mqtt:// 网址；默认在本机启动 Mosquitto"))
        ->envname("JIAOZI_BROKER");
    command->add_option("--broker-file", options.broker_file,
                        say("a file with that URL, if it holds a password", "含该网址的文件（网址含密码时使用）"));
    command
        ->add_option("--broker-port", options.broker_port,
                     say("port of the Mosquitto we start; 0 takes a free one", "所启动 Mosquitto 的端口；0 表示任选"))
        ->capture_default_str();
    command->add_option("--origin", options.origin,
                        say("name of the transparency log, for example pay.example.com/journal; for ever",
                            "透明日志的名称，例如 pay.example.com/journal；一经使用不可更改"));
    command->add_option("--anchors", options.anchors,
                        say("publish checkpoints to this file, URL or eip155:CHAIN:CONTRACT/PUBLISHER; may be repeated",
                            "定期把检查点发布到此文件、网址或 eip155:链:合约/发布者；可重复"));
    command
        ->add_option("--anchors-every", options.anchors_every_s,
                     say("seconds between two checkpoints to the same place", "向同一处发布检查点的间隔（秒）"))
        ->check(CLI::Range(1, 30 * 86'400))
        ->capture_default_str();
    proofs::add_rpc_option(*command, options.rpc);
    command->add_flag(
        "--sandbox", options.sandbox,
        say("play money: deposits from nowhere, a clock that can be moved", "沙盒：可凭空充值、可拨动时钟"));
    command->add_flag("--demo", options.demo,
                      say("a sandbox with a family, a car, machines and payments in it; prints its key",
                          "演示：含家庭、汽车、机器与付款的沙盒，并打印密钥"));
    const CLI::Option* hold = command
                                  ->add_option("--hold", options.payments.hold_s,
                                               say("seconds that money is held for a delivery; 15 in a demo",
                                                   "为出货冻结金额的秒数；演示中为 15"))
                                  ->check(CLI::Range(5, 86'400))
                                  ->capture_default_str();
    command
        ->add_option("--heartbeat", options.heartbeat_s,
                     say("seconds between a device's signs of life; after three without one it shows as offline",
                         "设备心跳间隔（秒）；连续三次未收到即显示离线"))
        ->check(CLI::Range(1, 86'400))
        ->capture_default_str();
    command
        ->add_option("--snapshot-every", options.snapshot_every_mib,
                     say("MiB of journal after which a snapshot of the ledger is made, so that starting is quick; 0: "
                         "never",
                         "日志每增长多少 MiB 生成一次账本快照以加快启动；0 表示从不"))
        ->check(CLI::Range(0, 1 << 20))
        ->capture_default_str();
    command
        ->add_option("--archive", options.archive,
                     say("move journal segments that snapshots make unnecessary to this folder; by default they stay",
                         "把快照之前的日志段移入此目录；默认保留在原处"))
        ->envname("JIAOZI_ARCHIVE");
    command->add_option("--ready-file", options.ready_file,
                        say("write addresses as JSON here once everything listens", "就绪后把地址以 JSON 写入此文件"));
    command->add_option("--log-level", options.log_level, "debug, info, warn, error")
        ->check([](const std::string& name) { return set_log_level(name) ? "" : "use debug, info, warn or error"; })
        ->capture_default_str();
    auto config = std::make_shared<std::string>();
    command
        ->add_option(
            "--config", *config,
            say("read these options from a TOML file; keep it readable by the server alone if it holds a secret",
                "从 TOML 文件读取这些选项；若含机密，应仅服务器可读"))
        ->configurable(false);
    command->callback([&options, &exit, hold, config, command] {
        if (!config->empty()) read_config(*command, *config);
        options.sandbox = options.sandbox || options.demo;
        // Who makes a machine fall silent wants to see the money come back.
        if (options.demo && hold->count() == 0) options.payments.hold_s = demo_hold_s;
        // The machine may not begin after its command's end, and the hold must outlast that by the time a report may
        // take.
        const auto third = seconds(options.payments.hold_s / 3);
        if (third < options.payments.command_lifetime) options.payments.command_lifetime = third;
        const auto ended = run(options);
        if (ended.ok()) return;
        log::error(ended.error().to_string());
        exit = cli::exit_for(ended.error());
    });
}

}  // namespace jiaozi::serve
