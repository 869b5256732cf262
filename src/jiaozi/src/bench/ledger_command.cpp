#include "ledger_command.hpp"

#include <iomanip>
#include <iostream>
#include <memory>
#include <string>

#include "ledger_rates.hpp"
#include "server_process.hpp"
#include "sql_ledgers.hpp"

namespace jiaozi::bench {
namespace {

using cli::say;

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
              << "},\"worst_stall_ms\":" << thousandths(f.worst_stall_us)
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
    const auto row = [](const char* name, const std::string& value, const char* unit) {
        std::cout << std::left << std::setw(46) << name << std::right << std::setw(14) << value << ' ' << unit << '\n';
    };
    row("transfers", std::to_string(f.transfers_per_s), "/s");
    row("pairs (hold, post)", std::to_string(f.pairs_per_s), "/s");
    row("linked chains of three", std::to_string(f.chains_per_s), "/s");
    row("transfers, few hot accounts (Zipf)", std::to_string(f.zipf_transfers_per_s), "/s");
    row("single transfers, open loop", std::to_string(f.singles.rate), "/s");
    row("  latency from the intended arrival, p50", std::to_string(f.singles.p50_us), "us");
    row("  p99", std::to_string(f.singles.p99_us), "us");
    row("  the disk's own 4 KiB write and fdatasync, p99", std::to_string(f.singles.fdatasync_p99_us), "us");
    row("worst time between two answers", thousandths(f.worst_stall_us), "ms");
    row("  while a snapshot was made", thousandths(f.snapshot_stall_us), "ms");
    row("disk", std::to_string(f.bytes_per_transfer), "bytes a transfer");
    row("resident memory, generator included", std::to_string(f.rss_bytes >> 20), "MiB");
    row("recovery, whole journal", seconds_text(f.recovery_us), "s");
    row("recovery, from a snapshot", seconds_text(f.recovery_snapshot_us), "s");
    row("written while queries were asked", std::to_string(f.queries.transfers_per_s), "/s");
    row("  lookup by id, p50", std::to_string(f.queries.lookup_p50_us), "us");
    row("  p99", std::to_string(f.queries.lookup_p99_us), "us");
    row("  statement of 100, p50", std::to_string(f.queries.statement_p50_us), "us");
    row("  p99", std::to_string(f.queries.statement_p99_us), "us");
    if (!sql) return;
    const auto beside = [&](const char* name, std::uint64_t per_s) {
        const std::string times = per_s == 0 ? "" : " (" + std::to_string(f.transfers_per_s / per_s) + "x)";
        row(name, std::to_string(per_s), ("/s" + times).c_str());
    };
    if (sql->postgres_singles_per_s) beside("PostgreSQL, a transaction each", *sql->postgres_singles_per_s);
    if (sql->postgres_batched_per_s) beside("PostgreSQL, batches as sets", *sql->postgres_batched_per_s);
    beside("SQLite, a transaction each", sql->sqlite_singles_per_s);
    beside("SQLite, batches of 8,190", sql->sqlite_batched_per_s);
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
