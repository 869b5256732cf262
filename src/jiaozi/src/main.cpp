// The program: `jiaozi <noun> <verb>`. Only wiring: what each command does is in serve/, cli/, sim/ and bench/.
#include <iostream>
#include <string>

#include <CLI/CLI.hpp>

#include <jiaozi/http/api.hpp>

#include "backup/backup_command.hpp"
#include "bench/bench_command.hpp"
#include "cli/api_commands.hpp"
#include "cli/completion.hpp"
#include "cli/journal_commands.hpp"
#include "cli/listen.hpp"
#include "cli/terminal.hpp"
#include "cli/tools.hpp"
#include "proof/commands.hpp"
#include "purse/commands.hpp"
#include "serve/serve_command.hpp"
#include "sim/sim_command.hpp"
#include "vopr/vopr_command.hpp"

namespace {

using jiaozi::cli::say;

void add_epilogue(CLI::App& root) {
    root.footer(
        say("Exit codes: 0 done; 2 wrong words; 3 not found; 4 declined; 5 conflict; 6 no permission; 7 not reachable, "
            "retry; 1 else.\n"
            "Begin with `jiaozi serve --demo`, then `jiaozi payments list`. `jiaozi <noun> --help` lists verbs.",
            "退出码：0 成功；2 用法错误；3 未找到；4 被拒绝；5 冲突；6 无权限；7 不可达，可重试；1 其他。\n"
            "先执行 `jiaozi serve --demo`，再执行 `jiaozi payments list`。`jiaozi <名词> --help` 列出动词。"));
}

int run(int argc, char** argv) {
    CLI::App app(
        say("Jiaozi: wallets and payments for people and connected devices", "交子：面向人与联网设备的钱包与支付"),
        "jiaozi");
    app.require_subcommand(1);
    app.set_version_flag("--version", "jiaozi 0.1.0");
    app.get_formatter()->column_width(34);
    jiaozi::cli::Exit exit = jiaozi::cli::Exit::ok;
    jiaozi::cli::Connection connection;
    jiaozi::serve::ServeOptions serve;
    jiaozi::cli::ListenOptions listen;

    jiaozi::serve::add_serve_command(app, serve, exit);
    jiaozi::backup::add_backup_commands(app, exit);
    jiaozi::cli::add_journal_commands(app, exit);
    jiaozi::cli::add_tool_commands(app, exit);
    jiaozi::cli::add_api_commands(app, jiaozi::http::openapi_json(), connection, exit);
    jiaozi::cli::add_listen_command(app, listen, connection, exit);
    jiaozi::sim::add_sim_commands(app, connection, exit);
    jiaozi::purses::add_purse_commands(app, connection, exit);
    jiaozi::proofs::add_receipt_commands(app, connection, exit);
    jiaozi::proofs::add_checkpoint_commands(app, connection, exit);
    jiaozi::proofs::add_anchor_commands(app, exit);
    jiaozi::proofs::add_witness_commands(app, exit);
    jiaozi::proofs::add_audit_command(app, exit);
    jiaozi::proofs::add_liability_commands(app, exit);
    jiaozi::proofs::add_disclose_command(app, exit);
    jiaozi::bench::add_bench_command(app, exit);
    jiaozi::vopr::add_vopr_command(app, exit);
    jiaozi::cli::add_completion_command(app);
    add_epilogue(app);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const int code = app.exit(error);
        return code == 0 ? 0 : static_cast<int>(jiaozi::cli::Exit::usage);
    }
    std::cout.flush();
    return static_cast<int>(exit);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        // Our own code reports by Result; this is the standard library out of memory, or a bug.
        std::cerr << "jiaozi: " << error.what() << '\n';
        return static_cast<int>(jiaozi::cli::Exit::failed);
    }
}
