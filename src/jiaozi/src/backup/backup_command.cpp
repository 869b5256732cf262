#include "backup_command.hpp"

#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <boost/json.hpp>

#include <jiaozi/api/json.hpp>
#include <jiaozi/base/log.hpp>
#include <jiaozi/http/query.hpp>

#include "backup.hpp"

namespace jiaozi::backup {
namespace {

using cli::say;

struct Words {
    std::string folder;
    std::string data = "data";
    std::string database;
    std::string until;
    std::optional<std::uint64_t> until_sequence;
    bool json = false;
};

void print(const boost::json::object& object, bool json) {
    std::cout << (json ? boost::json::serialize(object) + "\n" : cli::render(object));
}

boost::json::object shown(const Verified& verified, std::string_view kind) {
    return {{"object", kind},
            {"entries", verified.entries},
            {"sequence", std::to_string(verified.sequence)},
            {"last_entry_at", api::rfc3339(verified.last_entry_at)},
            {"last_hash", verified.last_hash},
            {"state_digest", verified.state_digest},
            {"files", verified.files}};
}

Result<> run_backup(const Words& words) {
    JZ_TRY(const Made made, make(words.data, words.database, words.folder));
    const Manifest& manifest = made.manifest;
    print({{"object", "backup"},
           {"folder", words.folder},
           {"entries", manifest.entries},
           {"last_entry_at", api::rfc3339(manifest.last_entry_at)},
           {"last_hash", manifest.last_hash},
           {"segments_copied", made.segments_copied},
           {"segments_kept", made.segments_kept},
           {"registry", manifest.registry}},
          words.json);
    if (!manifest.registry) {
        std::cerr << say("the registry is not in it: copy its PostgreSQL database with pg_dump, before this backup\n",
                         "不含注册库：请在备份之前用 pg_dump 备份 PostgreSQL 数据库\n");
    }
    return {};
}

Result<> run_verify(const Words& words) {
    JZ_TRY(const Verified verified, verify(words.folder));
    print(shown(verified, "verification"), words.json);
    return {};
}

Result<> run_restore(const Words& words) {
    Until until;
    if (!words.until.empty()) {
        auto time = http::parse_rfc3339(words.until);
        if (!time.ok()) return std::move(time).error().in("--until");
        until.time = *time;
    }
    until.sequence = words.until_sequence;
    if (until.time && until.sequence) {
        return Error(ErrorKind::invalid, "give --until or --until-sequence, not both").with_param("until");
    }
    JZ_TRY(const Verified verified, restore(words.folder, words.data, until));
    print(shown(verified, "restoration"), words.json);
    std::cerr << say("put keystore.key back beside the keystore before you start the server\n",
                     "启动服务前，请将 keystore.key 放回 keystore 旁边\n");
    return {};
}

template <class Run>
void answer(CLI::App& verb, const std::shared_ptr<Words>& words, cli::Exit& exit, Run run) {
    verb.add_flag("--json", words->json, say("print the result as JSON", "以 JSON 输出"));
    verb.group(say("The server", "服务器"));
    verb.callback([words, &exit, run] {
        log::set_level(log::Level::error);  // replaying says things that concern a server, not a copy
        const auto done = run(*words);
        if (done.ok()) return;
        std::cerr << "jiaozi: " << done.error().to_string() << '\n';
        exit = cli::exit_for(done.error());
    });
}

void add_data(CLI::App& verb, Words& words, const char* help) {
    verb.add_option("--data", words.data, help)->envname("JIAOZI_DATA")->capture_default_str();
}

}  // namespace

void add_backup_commands(CLI::App& root, cli::Exit& exit) {
    {
        CLI::App* verb = root.add_subcommand(
            "backup", say("copy a server's data, also while it runs; again into the same folder brings it up to date",
                          "备份服务数据（可在运行中进行）；再次备份到同一目录则增量更新"));
        auto words = std::make_shared<Words>();
        verb->add_option("folder", words->folder, say("where to", "备份目录"))->required();
        add_data(*verb, *words, say("the server's data directory", "服务的数据目录"));
        verb->add_option("--database", words->database, say("as given to serve", "与 serve 相同"))
            ->envname("JIAOZI_DATABASE");
        answer(*verb, words, exit, run_backup);
    }
    {
        CLI::App* verb = root.add_subcommand(
            "verify", say("check a backup, or the data of a stopped server, from the first byte to the last balance",
                          "从首字节到最后一笔余额，校验备份或已停止服务的数据"));
        auto words = std::make_shared<Words>();
        verb->add_option("folder", words->folder, say("the backup, or the data directory", "备份或数据目录"))
            ->required();
        answer(*verb, words, exit, run_verify);
    }
    CLI::App* verb =
        root.add_subcommand("restore", say("make a new data directory from a backup, also as it was at a moment before",
                                           "由备份生成新的数据目录，可恢复到此前某一时刻"));
    auto words = std::make_shared<Words>();
    verb->add_option("folder", words->folder, say("the backup", "备份目录"))->required();
    add_data(*verb, *words, say("the new data directory", "新的数据目录"));
    verb->add_option(
        "--until", words->until,
        say("no later than this time, e.g. 2026-11-21T08:15:30Z", "不晚于此时间，如 2026-11-21T08:15:30Z"));
    verb->add_option("--until-sequence", words->until_sequence,
                     say("no later than this command of the journal", "不晚于日志中的此序号"));
    answer(*verb, words, exit, run_restore);
}

}  // namespace jiaozi::backup
