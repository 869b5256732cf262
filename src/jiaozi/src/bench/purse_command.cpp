#include "purse_command.hpp"

#include <algorithm>
#include <atomic>
#include <iomanip>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <jiaozi/base/assert.hpp>
#include <jiaozi/purse_bench/junk.hpp>
#include <jiaozi/purse_bench/population.hpp>
#include <jiaozi/purse_bench/settling.hpp>
#include <jiaozi/purse_host/campaign.hpp>

namespace jiaozi::bench {
namespace {

using cli::say;

struct Options {
    purse_bench::SettlingOptions settling;
    purse_bench::PopulationOptions population;
    purse_bench::JunkOptions junk;
    std::uint64_t campaign = 1'000'000;
    bool json = false;
};

struct Figures {
    crypto::Suite suite = crypto::Suite::ed25519;
    purse_bench::SettlingFigures settling;
    purse_bench::Sizes sizes;
};

void progress(const std::string& line) {
    std::cerr << "  " << line << std::endl;  // NOLINT(performance-avoid-endl): progress is for now
}

const char* text_of(purse_bench::Step step) {
    switch (step) {
        case purse_bench::Step::enrol:
            return say("enrolling and loading purses", "登记钱包并充值");
        case purse_bench::Step::sign:
            return say("writing notes", "签发票据");
        case purse_bench::Step::verify:
            return say("verifying signatures, nothing else", "仅验证签名");
        case purse_bench::Step::settle:
            return say("settling", "结算");
    }
    JZ_ASSERT(false && "a step of the benchmark");
}

std::string thousandths(std::uint64_t value) {
    const std::string part = std::to_string(value % 1000);
    return std::to_string(value / 1000) + "." + std::string(3 - part.size(), '0') + part;
}

std::string member(const char* name, std::uint64_t value) {
    return std::string("\"") + name + "\":" + std::to_string(value);
}

// What a reader compares first; said of each suite, and of Ed25519 also for the whole.
std::string headline_of(const Figures& f) {
    return member("settle_per_s", f.settling.settle_per_s) + "," + member("bytes_hop1", f.sizes.first_meeting) + "," +
           member("bytes_repeat", f.sizes.repeat) + "," + member("fork_proof_bytes", f.sizes.fork_proof);
}

std::string json_of(const Figures& f) {
    return "\"" + std::string(crypto::name_of(f.suite)) + "\":{\"ratio\":" + thousandths(f.settling.ratio_per_mille) +
           "," + member("verify_per_s_core", f.settling.verify_per_s_core) + "," +
           member("verify_together_per_s_core", f.settling.verify_together_per_s_core) + "," +
           member("settle_per_s_core", f.settling.settle_per_s_core) +
           ",\"verify_share\":" + thousandths(f.settling.verify_share_per_mille) + "," +
           member("overhead_ns_per_note", f.settling.overhead_ns_per_note) + "," +
           member("memory_bytes_per_note", f.settling.memory_bytes_per_note) + "," +
           member("disk_bytes_per_note", f.settling.disk_bytes_per_note) + "," + headline_of(f) + "}";
}

void print_table(const std::vector<Figures>& all) {
    for (const Figures& f : all) {
        std::cout << std::left << std::setw(9) << crypto::name_of(f.suite) << std::right << say("verify ", "验证 ")
                  << std::setw(7) << f.settling.verify_per_s_core << say("/s a core one by one, ", "/秒/核（逐个），")
                  << std::setw(7) << f.settling.verify_together_per_s_core
                  << say(" together; settle ", "（成批）；结算 ") << std::setw(7) << f.settling.settle_per_s_core
                  << say("/s a core, ", "/秒/核，") << f.settling.settle_per_s << say("/s in all; ", "/秒（总计）；")
                  << f.settling.verify_share_per_mille / 10 << '.' << f.settling.verify_share_per_mille % 10
                  << say(" % of processor time is verification", " % 的处理器时间用于验证") << '\n'
                  << "         " << say("a payment ", "一次付款 ") << f.sizes.first_meeting
                  << say(" bytes, again ", " 字节，再次 ") << f.sizes.repeat << say(", fork proof ", "，双花证明 ")
                  << f.sizes.fork_proof << say("; a settled note: memory ", "；每张已结算票据：内存 ")
                  << f.settling.memory_bytes_per_note << say(", disk ", "，磁盘 ") << f.settling.disk_bytes_per_note
                  << '\n';
    }
}

Result<std::vector<Figures>> measure_all(const Options& options) {
    std::vector<Figures> all;
    for (const auto suite : {crypto::Suite::ed25519, crypto::Suite::p256, crypto::Suite::sm2}) {
        Figures figures;
        figures.suite = suite;
        purse_bench::SettlingOptions settling = options.settling;
        settling.suite = suite;
        settling.progress = [suite](purse_bench::Step step) {
            progress(std::string(crypto::name_of(suite)) + ": " + text_of(step));
        };
        JZ_TRY(figures.settling, purse_bench::measure_settling(settling));
        figures.sizes = purse_bench::measure_sizes(suite);
        all.push_back(figures);
    }
    return all;
}

void add(purse_host::CampaignResult& total, const purse_host::CampaignResult& r) {
    total.payments += r.payments;
    total.completed += r.completed;
    total.torn += r.torn;
    total.power_cuts += r.power_cuts;
    total.voids += r.voids;
    total.restores += r.restores;
    total.suspects += r.suspects;
    total.syncs += r.syncs;
    total.notes += r.notes;
    total.broken += r.broken;
    total.accused += r.accused;
}

// Worlds of 2,000 payments, seeds 1, 2, 3 …, on all processors: the same command gives the same figures on every
// machine. After a world that breaks something no other is begun.
bool run_campaign(std::uint64_t payments, bool json) {
    constexpr std::uint64_t world = 2'000;
    const std::uint64_t worlds = (payments + world - 1) / world;
    std::vector<purse_host::CampaignResult> results(worlds);
    std::atomic<std::uint64_t> begun{0};
    std::atomic<std::uint64_t> ended{0};
    std::atomic<bool> broken{false};
    const auto work = [&] {
        for (std::uint64_t i = begun++; i < worlds && !broken; i = begun++) {
            results[i] = purse_host::run_campaign({.seed = i + 1, .payments = std::min(world, payments - i * world)});
            if (results[i].broken != 0) broken = true;
            const std::uint64_t now = ++ended;
            if (now * 10 / worlds != (now - 1) * 10 / worlds)
                progress(std::to_string(now * world) + say(" payments", " 次付款"));
        }
    };
    {
        std::vector<std::jthread> threads;
        for (unsigned i = 0; i < std::max(1U, std::thread::hardware_concurrency()); ++i) threads.emplace_back(work);
    }
    purse_host::CampaignResult total;
    for (std::size_t i = 0; i < results.size(); ++i) {
        add(total, results[i]);
        if (results[i].broken == 0) continue;
        std::cerr << "jiaozi: " << say("seed ", "种子 ") << i + 1 << ": " << results[i].first_break << '\n';
    }
    if (json) {
        std::cout << "{\"payments\":" << total.payments << ",\"completed\":" << total.completed
                  << ",\"torn\":" << total.torn << ",\"power_cuts\":" << total.power_cuts
                  << ",\"voids\":" << total.voids << ",\"restores\":" << total.restores
                  << ",\"suspects\":" << total.suspects << ",\"syncs\":" << total.syncs << ",\"notes\":" << total.notes
                  << ",\"broken\":" << total.broken << ",\"accused\":" << total.accused << "}\n";
    } else {
        std::cout << total.payments << say(" payments, ", " 次付款，") << total.torn
                  << say(" torn messages, ", " 条残缺消息，") << total.power_cuts << say(" power cuts, ", " 次断电，")
                  << total.restores << say(" restored backups (", " 次恢复备份（") << total.suspects
                  << say(" noticed, the others were up to date), ", " 次被发现，其余为最新），") << total.voids
                  << say(" voids, ", " 次作废，") << total.syncs << say(" syncs: ", " 次同步：") << total.broken
                  << say(" invariants broken, ", " 个不变量被破坏，") << total.accused
                  << say(" honest purses accused", " 个诚实钱包被指控") << '\n';
    }
    return total.broken == 0 && total.accused == 0;
}

bool run_population(const purse_bench::PopulationOptions& options, bool json) {
    const auto r = purse_bench::run_population(options);
    if (json) {
        std::cout << "{\"payments\":" << r.payments << ",\"syncs\":" << r.syncs << ",\"cheaters\":" << r.cheaters
                  << ",\"found\":" << r.found << ",\"found_in_72h\":" << r.found_in_72h << ",\"late\":" << r.late
                  << ",\"median_minutes\":" << r.median_minutes << ",\"p95_minutes\":" << r.p95_minutes
                  << ",\"frauds\":" << r.frauds << ",\"accused\":" << r.accused << "}\n";
    } else {
        std::cout << r.cheaters << say(" cheaters, ", " 个作弊者，") << r.found_in_72h
                  << say(" found within 72 h, ", " 个在 72 小时内被发现，") << r.late
                  << say(" began too late to tell; median ", " 个开始太晚；中位数 ") << r.median_minutes / 60
                  << say(" h, 95 % within ", " 小时，95 % 在 ") << r.p95_minutes / 60 << say(" h; ", " 小时内；")
                  << r.frauds << say(" frauds; honest accused: ", " 次欺诈；被指控的诚实者：") << r.accused << '\n';
    }
    return r.accused == 0;
}

Result<> run_junk(const purse_bench::JunkOptions& options, bool json) {
    progress(say("honest deposits alone, then beside junk", "先只有诚实存款，再与垃圾数据并行"));
    JZ_TRY(const auto f, purse_bench::measure_junk(options));
    const bool held = std::max(f.quiet_p95_us, f.junk_p95_us) <= purse_bench::deposit_slo_us;
    if (json) {
        std::cout << "{\"junk_per_s\":" << f.junk_per_s << ",\"verified\":" << f.verified
                  << ",\"quiet_p50_us\":" << f.quiet_p50_us << ",\"quiet_p95_us\":" << f.quiet_p95_us
                  << ",\"junk_p50_us\":" << f.junk_p50_us << ",\"junk_p95_us\":" << f.junk_p95_us
                  << ",\"slo_us\":" << purse_bench::deposit_slo_us << ",\"within_slo\":" << std::boolalpha << held
                  << "}\n";
        return {};
    }
    std::cout << say("deposit and acknowledgement alone: p50 ", "单独存款与确认：p50 ") << f.quiet_p50_us << " us, p95 "
              << f.quiet_p95_us << " us\n"
              << say("beside ", "与每秒 ") << f.junk_per_s << say(" junk items a second: p50 ", " 个垃圾项并行：p50 ")
              << f.junk_p50_us << " us, p95 " << f.junk_p95_us << " us; " << f.verified
              << say(" signatures of junk were verified", " 个垃圾签名被验证") << '\n'
              << say("service level, p95 within ", "服务水平，p95 不超过 ") << purse_bench::deposit_slo_us / 1'000
              << " ms: " << (held ? say("held", "达到") : say("not held", "未达到")) << '\n';
    return {};
}

}  // namespace

void add_purse(CLI::App& noun, cli::Exit& exit) {
    CLI::App* verb =
        noun.add_subcommand("purse", say("offline purses: settling, sizes; the torn-tap campaign; a town with cheaters",
                                         "离线钱袋：结算速度与消息大小；断触测试；含作弊者的模拟城镇"));
    auto options = std::make_shared<Options>();
    verb->add_option("--notes", options->settling.notes, say("notes to settle, of each suite", "每种算法结算的票据数"))
        ->check(CLI::Range(1, 100'000'000))
        ->capture_default_str();
    verb->add_option("--purses", options->settling.purses, say("purses that wrote them", "写出票据的钱包数"))
        ->check(CLI::Range(1, 10'000'000))
        ->capture_default_str();
    verb->add_option("--threads", options->settling.threads, say("verifying threads", "验证线程数"))
        ->check(CLI::Range(1, 256))
        ->capture_default_str();
    CLI::Option* campaign = verb->add_option("--campaign", options->campaign,
                                             say("instead: this many random torn, crashed, restored payments",
                                                 "改为运行：随机的残缺、断电、恢复付款次数"))
                                ->expected(0, 1)
                                ->check(CLI::Range(1, 1'000'000'000))
                                ->capture_default_str();
    CLI::Option* population =
        verb->add_option("--population", options->population.devices,
                         say("instead: a town of this many devices", "改为运行：这么多设备的城镇"))
            ->expected(0, 1)
            ->check(CLI::Range(10, 1'000'000))
            ->capture_default_str();
    CLI::Option* junk = verb->add_option("--junk", options->junk.junk_per_s,
                                         say("instead: so many junk items a second beside honest deposits",
                                             "改为运行：与诚实存款并行的每秒垃圾项数"))
                            ->expected(0, 1)
                            ->check(CLI::Range(1, 1'000'000))
                            ->capture_default_str();
    verb->add_option("--cheaters", options->population.cheaters_per_mille,
                     say("of 1,000 devices of the town", "城镇每千台设备中的作弊者"))
        ->check(CLI::Range(0, 1'000))
        ->capture_default_str();
    verb->add_option(
            "--copies", options->population.mule_copies,
            say("of each deposit that other purses of the town carry", "城镇中由其他钱包代运的每份存款的副本数"))
        ->check(CLI::Range(0, 16))
        ->capture_default_str();
    verb->add_option("--prompt-hours", options->population.prompt_h,
                     say("mean time until a purse of the town that holds evidence meets the network",
                         "城镇中持有证据的钱包连上网络的平均小时数"))
        ->check(CLI::Range(1, 1'000))
        ->capture_default_str();
    verb->add_option("--seed", options->population.seed, say("of the town's chance", "城镇的随机种子"))
        ->capture_default_str();
    verb->add_flag("--json", options->json, say("print the figures as JSON", "以 JSON 输出"));
    verb->callback([options, campaign, population, junk, &exit] {
        if (junk->count() > 0) {
            if (const auto done = run_junk(options->junk, options->json); !done.ok()) {
                std::cerr << "jiaozi: " << done.error().to_string() << '\n';
                exit = cli::exit_for(done.error());
            }
            return;
        }
        if (campaign->count() > 0) {
            if (!run_campaign(options->campaign, options->json)) exit = cli::Exit::failed;
            return;
        }
        if (population->count() > 0) {
            if (!run_population(options->population, options->json)) exit = cli::Exit::failed;
            return;
        }
        const auto all = measure_all(*options);
        if (!all.ok()) {
            std::cerr << "jiaozi: " << all.error().to_string() << '\n';
            exit = cli::exit_for(all.error());
            return;
        }
        if (!options->json) return print_table(*all);
        std::string text;
        for (const Figures& figures : *all) text += json_of(figures) + ",";
        std::cout << "{" << text << headline_of(all->front()) << "}\n";
    });
}

}  // namespace jiaozi::bench
