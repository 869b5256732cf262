#include "ledger_command.hpp"

#include <iostream>
#include <memory>
#include <string>

#include <boost/json.hpp>

#include "ledger_rates.hpp"
#include "server_process.hpp"
#include "sql_ledgers.hpp"

namespace jiaozi::bench {
namespace {

using cli::say;
namespace json = boost::json;

struct Options {
    LedgerRatesOptions rates;
    bool compare = false;
    bool json = false;
};

void progress(const char* english, const char* chinese) {
    std::cerr << "  " << say(english, chinese) << std::endl;  // NOLINT(performance-avoid-endl): progress is for now
}

// A number of units with three decimal places, from thousandths, as JSON wants it.
std::string thousandths(std::uint64_t value) {
    const std::string part = std::to_string(value % 1000);
    return std::to_string(value / 1000) + "." + std::string(3 - part.size(), '0') + part;
}
std::string seconds_text(std::uint64_t us) {
    return thousandths(us / 1000);
}

struct Figures {
    LedgerFigures ledger;
    std::optional<SqlFigures> sql;
};

std::string or_null(const std::optional<std::uint64_t>& value) {
    return value ? std::to_string(*value) : "null";
}

void print_json(const LedgerFigures& f, const std::optional<SqlFigures>& sql) {
    std::cout << "{\"transfers_per_s\":" << f.transfers_per_s << ",\"pairs_per_s\":" << f.pairs_per_s
              << ",\"chains_per_s\":" << f.chains_per_s << ",\"zipf_transfers_per_s\":" << f.zipf_transfers_per_s
              << ",\"singles\":{\"rate\":" << f.singles.rate << ",\"p50_us\":" << f.singles.p50_us
              << ",\"p99_us\":" << f.singles.p99_us << ",\"fdatasync_p99_us\":" << f.singles.fdatasync_p99_us
              << ",\"one_caller_p50_us\":" << f.singles.one_caller_p50_us
              << ",\"one_caller_p99_us\":" << f.singles.one_caller_p99_us
              << "},\"worst_stall_ms\":" << thousandths(f.worst_stall_us)
              << ",\"longest_write_ms\":" << thousandths(f.longest_write_us)
              << ",\"bytes_per_transfer\":" << f.bytes_per_transfer << ",\"rss_bytes\":" << f.rss_bytes
              << ",\"recovery_s\":" << seconds_text(f.recovery_us)
              << ",\"recovery_snapshot_s\":" << seconds_text(f.recovery_snapshot_us)
              << ",\"queries\":{\"transfers_per_s\":" << f.queries.transfers_per_s
              << ",\"lookup_p50_us\":" << f.queries.lookup_p50_us << ",\"lookup_p99_us\":" << f.queries.lookup_p99_us
              << ",\"statement_p50_us\":" << f.queries.statement_p50_us
              << ",\"statement_p99_us\":" << f.queries.statement_p99_us << '}';
    if (sql) {
        std::cout << ",\"compare\":{\"postgres_singles_per_s\":" << or_null(sql->postgres_singles_per_s)
                  << ",\"postgres_batched_per_s\":" << or_null(sql->postgres_batched_per_s)
                  << ",\"sqlite_singles_per_s\":" << sql->sqlite_singles_per_s
                  << ",\"sqlite_batched_per_s\":" << sql->sqlite_batched_per_s << '}';
    }
    std::cout << "}\n";
}

void print_table(const LedgerFigures& f, const std::optional<SqlFigures>& sql) {
    json::object lines;
    const auto per_s = [](std::uint64_t number) { return std::to_string(number) + say("/s", " 笔/秒"); };
    const auto us = [](std::uint64_t p50, std::uint64_t p99) {
        return "p50 " + std::to_string(p50) + " us, p99 " + std::to_string(p99) + " us";
    };
    const auto ms = [](std::uint64_t time_us) { return thousandths(time_us) + " ms"; };
    lines[say("transfers", "转账")] = per_s(f.transfers_per_s);
    lines[say("pairs (hold, post)", "冻结并入账")] = per_s(f.pairs_per_s);
    lines[say("linked chains of three", "三笔一组的关联转账")] = per_s(f.chains_per_s);
    lines[say("transfers, few hot accounts (Zipf)", "转账，少数热点账户（Zipf）")] = per_s(f.zipf_transfers_per_s);
    lines[say("single transfers, open loop", "逐笔转账，开环")] = per_s(f.singles.rate);
    lines[say("  latency from the intended arrival", "  自应到时刻起的延迟")] = us(f.singles.p50_us, f.singles.p99_us);
    lines[say("  the disk's own 4 KiB write and fdatasync", "  磁盘自身 4 KiB 写入与 fdatasync")] =
        "p99 " + std::to_string(f.singles.fdatasync_p99_us) + " us";
    lines[say("single transfers, one caller", "逐笔转账，单个调用方")] =
        us(f.singles.one_caller_p50_us, f.singles.one_caller_p99_us);
    lines[say("worst time between two answers", "两次答复之间最长间隔")] = ms(f.worst_stall_us);
    lines[say("  while a snapshot was made", "  生成快照期间")] = ms(f.snapshot_stall_us);
    lines[say("  the disk's part: one entry took at most", "  其中磁盘：写入一条最长不超过")] = ms(f.longest_write_us);
    lines[say("disk", "磁盘占用")] = std::to_string(f.bytes_per_transfer) + say(" bytes a transfer", " 字节/笔");
    lines[say("resident memory, generator included", "常驻内存（含负载生成）")] =
        std::to_string(f.rss_bytes >> 20) + " MiB";
    lines[say("recovery, whole journal", "恢复，完整日志")] = seconds_text(f.recovery_us) + " s";
    lines[say("recovery, from a snapshot", "恢复，从快照")] = seconds_text(f.recovery_snapshot_us) + " s";
    lines[say("written while queries were asked", "查询期间的写入")] = per_s(f.queries.transfers_per_s);
    lines[say("  lookup by id", "  按 id 查询")] = us(f.queries.lookup_p50_us, f.queries.lookup_p99_us);
    lines[say("  statement of 100", "  100 行对账单")] = us(f.queries.statement_p50_us, f.queries.statement_p99_us);
    const auto beside = [&](const char* name, const std::optional<std::uint64_t>& others) {
        if (!others) return;
        const std::string times = *others == 0 ? "" : " (" + std::to_string(f.transfers_per_s / *others) + "x)";
        lines[name] = per_s(*others) + times;
    };
    if (sql) {
        beside(say("PostgreSQL, a transaction each", "PostgreSQL，每笔一个事务"), sql->postgres_singles_per_s);
        beside(say("PostgreSQL, batches as sets", "PostgreSQL，批量集合操作"), sql->postgres_batched_per_s);
        beside(say("SQLite, a transaction each", "SQLite，每笔一个事务"), sql->sqlite_singles_per_s);
        beside(say("SQLite, batches of 8,190", "SQLite，每批 8,190 笔"), sql->sqlite_batched_per_s);
    }
    std::cout << cli::render(lines);
}

}  // namespace

void add_ledger(CLI::App& noun, cli::Exit& exit) {
    CLI::App* verb =
        noun.add_subcommand("ledger", say("durable transfers per second, latency, size and recovery of the ledger",
                                          "账本的每秒持久转账数、延迟、占用空间与恢复时间"));
    auto options = std::make_shared<Options>();
    verb->add_option("--transfers", options->rates.transfers,
                     say("transfers in the main run; others take a part of it", "主要测试的转账数；其余按比例"))
        ->check(CLI::Range(std::uint64_t{1000}, std::uint64_t{10'000'000'000}))
        ->capture_default_str();
    verb->add_option("--accounts", options->rates.accounts, say("accounts", "账户数"))
        ->check(CLI::Range(2, 1'000'000'000))
        ->capture_default_str();
    verb->add_option("--singles", options->rates.singles, say("single transfers", "逐笔转账数"))
        ->check(CLI::Range(100, 1'000'000'000))
        ->capture_default_str();
    verb->add_option("--singles-per-second", options->rates.singles_per_s,
                     say("arrivals a second in the open loop", "开环每秒到达数"))
        ->check(CLI::Range(1, 100'000'000))
        ->capture_default_str();
    verb->add_flag(
        "--compare", options->compare,
        say("the same double entry in PostgreSQL and SQLite beside it", "并列测试 PostgreSQL 与 SQLite 上的同样记账"));
    verb->add_flag("--json", options->json, say("print the figures as JSON", "以 JSON 输出"));
    verb->callback([options, &exit] {
        const auto run = [&]() -> Result<Figures> {
            JZ_TRY(const auto scratch, ScratchDirectory::make());
            options->rates.directory = scratch.path() / "ledger";
            Figures both;
            JZ_TRY(both.ledger, measure_ledger(options->rates, progress));
            if (!options->compare) return both;
            SqlLoad load;
            load.directory = scratch.path();
            load.accounts = options->rates.accounts;
            JZ_TRY(both.sql, measure_sql_ledgers(load, progress));
            return both;
        };
        const auto figures = run();
        if (!figures.ok()) {
            std::cerr << "jiaozi: " << figures.error().to_string() << '\n';
            exit = cli::exit_for(figures.error());
            return;
        }
        if (options->json)
            print_json(figures->ledger, figures->sql);
        else
            print_table(figures->ledger, figures->sql);
        if (figures->ledger.refused != 0) {
            std::cerr << "jiaozi: " << figures->ledger.refused
                      << say(" transfers were refused; the figures mean nothing", " 笔转账被拒绝，数据无效") << '\n';
            exit = cli::Exit::failed;
        }
    });
}

}  // namespace jiaozi::bench
