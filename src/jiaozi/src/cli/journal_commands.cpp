#include "journal_commands.hpp"

#include <atomic>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>

#include <boost/json.hpp>

#include <jiaozi/engine/engine.hpp>
#include <jiaozi/engine/prune.hpp>
#include <jiaozi/engine/snapshot.hpp>
#include <jiaozi/settlement/book_snapshot.hpp>

namespace jiaozi::cli {
namespace {

struct Words {
    std::string data = "data";
    std::string archive;
    bool json = false;
};

Result<std::filesystem::path> journal_of(const Words& words) {
    auto journal = std::filesystem::path(words.data) / "journal";
    if (std::filesystem::exists(journal / "format")) return journal;
    return Error(ErrorKind::not_found,
                 "there is no journal in " + words.data + "; give the server's directory by --data")
        .with_param("data");
}

// The lock's own words name the process; what to do about it depends on the command.
template <class Done>
Result<Done> unless_running(Result<Done> done, const char* advice) {
    if (done.ok() || done.error().kind() != ErrorKind::conflict) return done;
    return std::move(done).error().in(advice);
}

void print(const boost::json::object& object, bool json) {
    std::cout << (json ? boost::json::serialize(object) + "\n" : render(object));
}

// What the server's start would otherwise read the journal for.
Result<settlement::BookKept> keep_book(const std::filesystem::path& journal) {
    engine::Options options;
    options.directory = journal;
    options.snapshot_every_bytes = 0;
    const TestClock clock(Timestamp{});  // no hold runs out: that is left to the next start of the server
    JZ_TRY(const auto engine, engine::Engine::open(options, clock));
    const std::atomic<bool> never{false};
    auto kept = settlement::keep_book(*engine, journal, never);
    if (!kept.ok()) return std::move(kept).error().in("keep the settlement book");
    return kept;
}

Result<> snapshot(const Words& words) {
    JZ_TRY(const auto journal, journal_of(words));
    JZ_TRY(const auto made, unless_running(engine::make_snapshot(journal),
                                           "a running server makes snapshots by itself (serve --snapshot-every)"));
    JZ_TRY(const auto book, keep_book(journal));
    print({{"object", "snapshot"},
           {"sequence", std::to_string(made.sequence)},
           {"base_sequence", std::to_string(made.base_sequence)},
           {"entries_replayed", made.entries_replayed},
           {"bytes", made.bytes},
           {"book_bytes", book.bytes}},
          words.json);
    if (made.bytes == 0) std::cerr << say("there was one of this moment already\n", "此刻已有快照\n");
    return {};
}

// The book first: made from what is pruned it would need the archive at the server's next start.
Result<> prune(const Words& words) {
    JZ_TRY(const auto journal, journal_of(words));
    constexpr const char* advice = "stop the server first, or let it prune by itself (serve --archive)";
    JZ_CHECK(unless_running(keep_book(journal), advice));
    JZ_TRY(const auto done, unless_running(engine::prune(journal, words.archive), advice));
    print({{"object", "prune"},
           {"first_kept_entry", done.first_kept},
           {"snapshot_sequence", std::to_string(done.snapshot_sequence)},
           {"segments_archived", done.segments_archived},
           {"segments_removed", done.segments_removed}},
          words.json);
    return {};
}

std::shared_ptr<Words> add_words(CLI::App& verb) {
    verb.group(say("The server", "服务器"));
    auto words = std::make_shared<Words>();
    verb.add_option("--data", words->data, say("the server's data directory", "服务的数据目录"))
        ->envname("JIAOZI_DATA")
        ->capture_default_str();
    verb.add_flag("--json", words->json, say("print the result as JSON", "以 JSON 输出"));
    return words;
}

void answer(CLI::App& verb, Exit& exit, std::shared_ptr<Words> words, Result<> (*run)(const Words&)) {
    verb.callback([words = std::move(words), &exit, run] {
        const auto done = run(*words);
        if (done.ok()) return;
        std::cerr << "jiaozi: " << done.error().to_string() << '\n';
        exit = exit_for(done.error());
    });
}

}  // namespace

void add_journal_commands(CLI::App& root, Exit& exit) {
    CLI::App* verb = root.add_subcommand(
        "snapshot",
        say("make a snapshot of the ledger of a stopped server, so that it starts without replaying the journal",
            "为已停止的服务生成账本快照，使其启动时无需重放日志"));
    answer(*verb, exit, add_words(*verb), snapshot);
    verb = root.add_subcommand(
        "prune", say("move the journal's older part, which snapshots make unnecessary, to an archive; every segment is "
                     "verified there before it is removed",
                     "把快照之前的旧日志移入归档；每段在归档中核验后才移除"));
    const auto words = add_words(*verb);
    verb->add_option("--archive", words->archive,
                     say("the archive's folder; made if missing; by default that of the last time",
                         "归档目录，不存在则创建；默认为上次的目录"))
        ->envname("JIAOZI_ARCHIVE");
    answer(*verb, exit, words, prune);
}

}  // namespace jiaozi::cli
