#include "vopr_command.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <utility>

#include <boost/json.hpp>

#include <jiaozi/base/log.hpp>
#include <jiaozi/sim/world.hpp>

namespace jiaozi::vopr {
namespace {

using cli::say;

struct VoprOptions {
    std::uint64_t seed = 0;
    std::uint64_t worlds = 0;
    std::uint64_t batches = 0;
    bool json = false;
    bool log = false;
};

volatile std::sig_atomic_t interrupted = 0;

class Interruptible {
  public:
    Interruptible() : before_(std::signal(SIGINT, [](int) { interrupted = 1; })) {}
    Interruptible(const Interruptible&) = delete;
    Interruptible& operator=(const Interruptible&) = delete;
    ~Interruptible() { static_cast<void>(std::signal(SIGINT, before_)); }

  private:
    void (*before_)(int);
};

struct Row {
    const char* key;
    const char* chinese;
    std::uint64_t sim::WorldReport::* count;
};
constexpr std::array rows = {
    Row{"batches", "批次", &sim::WorldReport::batches},
    Row{"events", "事件", &sim::WorldReport::events},
    Row{"refusals", "被拒绝的事件", &sim::WorldReport::refusals},
    Row{"journal_entries", "日志条目", &sim::WorldReport::entries},
    Row{"disk_operations", "磁盘操作", &sim::WorldReport::operations},
    Row{"recoveries", "恢复次数", &sim::WorldReport::opens},
    Row{"power_failures", "断电", &sim::WorldReport::power_failures},
    Row{"kills", "进程被杀", &sim::WorldReport::kills},
    Row{"clean_ends", "正常结束", &sim::WorldReport::clean_ends},
    Row{"disk_errors", "磁盘错误", &sim::WorldReport::disk_errors},
    Row{"disk_full", "磁盘满", &sim::WorldReport::disk_full},
    Row{"read_errors", "读取错误", &sim::WorldReport::read_errors},
    Row{"in_flight_survived", "崩溃时在途、已落盘", &sim::WorldReport::survivors},
    Row{"in_flight_vanished", "崩溃时在途、未落盘", &sim::WorldReport::vanished},
    Row{"holds_expired", "到期的冻结", &sim::WorldReport::expired},
    Row{"ticks", "空闲时的到期", &sim::WorldReport::ticks},
    Row{"checkpoints_shown", "公开过的检查点", &sim::WorldReport::checkpoints},
    Row{"log_stops", "透明日志停止", &sim::WorldReport::log_stops},
    Row{"snapshots", "快照", &sim::WorldReport::snapshots},
    Row{"recoveries_from_snapshots", "由快照恢复", &sim::WorldReport::from_snapshots},
    Row{"history_runs", "余额历史文件", &sim::WorldReport::history_runs},
    Row{"segments_pruned", "归档的日志段", &sim::WorldReport::pruned},
    Row{"damage_refused", "损坏被发现", &sim::WorldReport::damage_refused},
    Row{"damage_harmless", "无害的损坏", &sim::WorldReport::damage_harmless},
};

void report(const sim::WorldReport& all, std::uint64_t first, std::uint64_t worlds, std::uint64_t failed, bool json) {
    boost::json::object object;
    object["object"] = "vopr";
    object["first_seed"] = first;
    object["worlds"] = worlds;
    for (const Row& row : rows) object[json ? row.key : say(row.key, row.chinese)] = all.*row.count;
    object["result"] = all.failure.empty() ? "well" : "failed";
    if (!all.failure.empty()) {
        object["failed_seed"] = failed;
        object["failure"] = all.failure;
    }
    std::cout << (json ? boost::json::serialize(object) + "\n" : cli::render(object));
}

void show_progress(std::uint64_t seed, std::uint64_t worlds, const sim::WorldReport& all,
                   std::chrono::duration<double> t) {
    std::cerr << say("world ", "世界 ") << worlds << say(" (seed ", "（种子 ") << seed << say("): ", "）：")
              << all.batches << say(" batches, ", " 批次，") << all.opens << say(" recoveries, ", " 次恢复，")
              << static_cast<std::uint64_t>(static_cast<double>(all.batches) / t.count())
              << say(" batches/s\n", " 批次/秒\n");
}

cli::Exit run(const VoprOptions& options) {
    if (!options.log) log::set_level(log::Level::off);  // every crash has its warning
    const Interruptible signals;
    using Clock = std::chrono::steady_clock;
    const auto begin = Clock::now();
    auto shown = begin;
    sim::WorldReport all;
    std::uint64_t seed = options.seed;
    std::uint64_t worlds = 0;
    const auto more = [&] {
        if (interrupted != 0 || !all.failure.empty()) return false;
        if (options.worlds != 0 && worlds >= options.worlds) return false;
        return options.batches == 0 || all.batches < options.batches;
    };
    while (more()) {
        all.add(sim::run_world({.seed = seed}));
        ++worlds;
        if (all.failure.empty()) ++seed;
        if (Clock::now() - shown >= std::chrono::seconds(2)) {
            shown = Clock::now();
            show_progress(seed, worlds, all, shown - begin);
        }
    }
    report(all, options.seed, worlds, seed, options.json);
    if (all.failure.empty()) return cli::Exit::ok;
    std::cerr << say("repeat it: ", "重现：") << "jiaozi vopr --seed " << seed << " --worlds 1\n";
    return cli::Exit::failed;
}

}  // namespace

void add_vopr_command(CLI::App& root, cli::Exit& exit) {
    CLI::App* verb = root.add_subcommand(
        "vopr", say("run the engine in simulated worlds, where disks fail and power goes, until something is found",
                    "在磁盘会出错、会断电的模拟世界中运行引擎，直到发现问题"));
    verb->group(say("Development", "开发"));
    auto options = std::make_shared<VoprOptions>();
    options->seed = std::random_device{}();
    verb->add_option("--seed", options->seed,
                     say("the first world's seed, and the next one's is one more; random if left out",
                         "第一个世界的种子，其后逐一加一；省略则随机"));
    verb->add_option("--worlds", options->worlds,
                     say("end after so many worlds; 0: at Ctrl-C", "运行若干个世界后结束；0：直到 Ctrl-C"))
        ->capture_default_str();
    verb->add_option("--batches", options->batches,
                     say("end after so many batches; 0: at Ctrl-C", "运行若干批次后结束；0：直到 Ctrl-C"))
        ->capture_default_str();
    verb->add_flag("--log", options->log, say("show what the engine logs", "显示引擎日志"));
    verb->add_flag("--json", options->json, say("print the report as JSON", "以 JSON 输出报告"));
    verb->callback([options, &exit] { exit = run(*options); });
}

}  // namespace jiaozi::vopr
