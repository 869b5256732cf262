#include <chrono>
#include <csignal>
#include <functional>
#include <iostream>
#include <memory>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/json.hpp>

#include <jiaozi/base/clock.hpp>
#include <jiaozi/client/http_client.hpp>
#include <jiaozi/http/server.hpp>
#include <jiaozi/proof/witness.hpp>

#include "commands.hpp"
#include "files.hpp"
#include "http_tiles.hpp"
#include "witness_server.hpp"

namespace jiaozi::proofs {
namespace {

namespace json = boost::json;
using cli::say;

struct Run {
    std::string folder;
    std::string url;
    std::string checkpoint;  // a file instead of the log's newest
    std::string out;
    std::uint32_t every_s = 0;  // 0: once
    bool json = false;
};

Result<> make(const std::string& folder, const std::string& name, const std::string& log, bool as_json) {
    JZ_TRY(const proof::NoteKey log_key, read_note_key(log));
    JZ_TRY(const proof::NoteKey key, proof::Witness::make(folder, name, log_key, storage::system_disk()));
    if (as_json) {
        std::cout << json::serialize(
                         json::object{{"object", "witness"}, {"key", key.to_string()}, {"log", log_key.to_string()}})
                  << '\n';
    } else {
        std::cout << key.to_string() << '\n';
        std::cerr << say("hand this key on to those who are to demand its cosignatures; it follows ",
                         "请将此公钥交给需要其联署的各方；所见证的日志为 ")
                  << log_key.name << '\n';
    }
    return {};
}

Result<> cosign_once(const Run& run, proof::Witness& witness, client::HttpClient& client) {
    JZ_TRY(const std::string note, run.checkpoint.empty() ? get(client, "/checkpoint") : read_text(run.checkpoint));
    // Its size bounds which tiles are asked for, so its signature comes first.
    JZ_TRY(const proof::Checkpoint next, proof::open_checkpoint(note, witness.log()));
    HttpTiles tiles(client, next.size);
    JZ_TRY(const std::string cosigned, witness.cosign(note, tiles, SystemClock().now()));
    if (!run.out.empty()) JZ_CHECK(write_text(run.out, cosigned));
    if (run.json) {
        std::cout << json::serialize(json::object{{"object", "cosignature"},
                                                  {"witness", witness.key().name},
                                                  {"log", next.origin},
                                                  {"size", std::to_string(next.size)},
                                                  {"root", to_hex(next.root)}})
                  << std::endl;  // NOLINT(performance-avoid-endl): a script may wait for this line
    } else if (run.out != "-") {
        std::cout << say("cosigned: ", "已联署：") << next.size << say(" commands of ", " 条命令，日志 ") << next.origin
                  << std::endl;  // NOLINT(performance-avoid-endl): as above
    }
    return {};
}

Result<> follow(const Run& run) {
    JZ_TRY(auto witness, proof::Witness::open(run.folder, storage::system_disk()));
    JZ_TRY(auto client, client::HttpClient::create({.base_url = run.url, .key = {}, .timeout = seconds(30)}));
    for (;;) {
        auto done = cosign_once(run, witness, client);
        if (run.every_s == 0) return done;
        if (!done.ok()) {
            // A log that is away comes back; one with two histories must not scroll by.
            const ErrorKind kind = done.error().kind();
            if (kind != ErrorKind::unavailable && kind != ErrorKind::timeout && kind != ErrorKind::not_found)
                return done;
            std::cerr << "jiaozi: " << done.error().to_string() << '\n';
        }
        std::this_thread::sleep_for(std::chrono::seconds(run.every_s));
    }
}

struct Serve {
    std::string folder;
    std::string listen = "127.0.0.1";
    std::uint16_t port = 8099;
    std::string ready_file;
    bool json = false;
};

void tell_cosigned(const proof::Checkpoint& checkpoint, bool as_json) {
    if (as_json) {
        std::cout << json::serialize(json::object{{"object", "cosignature"},
                                                  {"log", checkpoint.origin},
                                                  {"size", std::to_string(checkpoint.size)},
                                                  {"root", to_hex(checkpoint.root)}})
                  << std::endl;  // NOLINT(performance-avoid-endl): a script may wait for this line
    } else {
        std::cout << say("cosigned: ", "已联署：") << checkpoint.size << say(" commands of ", " 条命令，日志 ")
                  << checkpoint.origin << std::endl;  // NOLINT(performance-avoid-endl): as above
    }
}

Result<> serve(const Serve& options) {
    JZ_TRY(auto witness, proof::Witness::open(options.folder, storage::system_disk()));
    const SystemClock clock;
    boost::asio::io_context io(1);
    WitnessServer handler(witness, clock, [&](const proof::Checkpoint& one) { tell_cosigned(one, options.json); });
    JZ_TRY(const auto server, http::Server::listen(io, {.address = options.listen, .port = options.port}, handler));
    boost::asio::signal_set signals(io, SIGINT, SIGTERM);
    signals.async_wait([&](const boost::system::error_code&, int) {
        server->stop();
        io.stop();
    });
    const bool v6 = options.listen.find(':') != std::string::npos;
    const std::string url =
        "http://" + (v6 ? "[" + options.listen + "]" : options.listen) + ":" + std::to_string(server->port());
    if (!options.ready_file.empty()) JZ_CHECK(write_text(options.ready_file, url + "\n"));
    std::cerr << say("logs may ask at ", "日志可在此请求联署：") << url << "/add-checkpoint\n";
    io.run();
    return {};
}

void add_serve(CLI::App& noun, const char* folder_help, const std::function<void(const Result<>&)>& ends) {
    CLI::App* verb = noun.add_subcommand(
        "serve", say("let the log ask for cosignatures (C2SP tlog-witness), instead of looking for its checkpoints",
                     "由日志主动请求联署（C2SP tlog-witness），而非自行查看其检查点"));
    auto options = std::make_shared<Serve>();
    verb->add_option("folder", options->folder, folder_help)->required();
    verb->add_option("--listen", options->listen, say("the address to listen on", "监听地址"))->capture_default_str();
    verb->add_option("--port", options->port, say("the port; 0: any free one", "端口；0 为任意空闲端口"))
        ->capture_default_str();
    verb->add_option("--ready-file", options->ready_file,
                     say("written with the URL when it listens: for scripts", "开始监听时写入 URL，供脚本使用"));
    verb->add_flag("--json", options->json, say("print what it cosigns as JSON lines", "以 JSON 行输出所联署者"));
    verb->callback([=] { ends(serve(*options)); });
}

}  // namespace

void add_witness_commands(CLI::App& root, cli::Exit& exit) {
    CLI::App* noun = root.add_subcommand("witness", say("follow somebody's log, and cosign it as long as it only grows",
                                                        "见证他人的日志：仅在其只增不改时联署"));
    noun->require_subcommand(1);
    noun->group(say("Proofs", "证明"));
    const auto ends = [&exit](const Result<>& done) {
        if (!done.ok()) exit = fail(done.error());
    };
    const char* const folder_help = say("the witness's folder", "见证者的目录");

    CLI::App* first = noun->add_subcommand("init", say("make a witness, and its key", "创建见证者及其密钥"));
    auto folder = std::make_shared<std::string>();
    auto name = std::make_shared<std::string>();
    auto log = std::make_shared<std::string>();
    auto as_json = std::make_shared<bool>(false);
    first->add_option("folder", *folder, folder_help)->required();
    first
        ->add_option("--name", *name,
                     say("its name, for example witness.example.org/1", "名称，例如 witness.example.org/1"))
        ->required();
    first
        ->add_option(
            "--log", *log,
            say("the verifier key of the log it follows, or a file with it", "所见证日志的验证公钥，或含公钥的文件"))
        ->required();
    first->add_flag("--json", *as_json, say("print the result as JSON", "以 JSON 输出"));
    first->callback([=] { ends(make(*folder, *name, *log, *as_json)); });

    CLI::App* second = noun->add_subcommand(
        "run",
        say("verify the newest checkpoint against what it remembers, and cosign it", "以所记状态核对最新检查点并联署"));
    auto run = std::make_shared<Run>();
    second->add_option("folder", run->folder, folder_help)->required();
    second->add_option("--url", run->url, say("where the log's server is", "日志服务的地址"))
        ->envname("JIAOZI_URL")
        ->default_val("http://127.0.0.1:8080");
    second->add_option("--checkpoint", run->checkpoint,
                       say("a checkpoint from this file instead of the log's newest; - is standard input",
                           "改用此文件中的检查点；- 为标准输入"));
    second->add_option("--out", run->out,
                       say("where the cosigned checkpoint is written; - is standard output; it is in the folder too",
                           "联署后的检查点写入此处；- 为标准输出；目录中亦保存一份"));
    auto* every = second
                      ->add_option("--every", run->every_s,
                                   say("seconds after which it looks again; it ends when the log forks",
                                       "再次检查的间隔（秒）；日志分叉时结束"))
                      ->check(CLI::Range(1, 86'400));
    second->add_flag("--once")
        ->description(say("look once and end, as without --every", "只检查一次（缺省）"))
        ->excludes(every);
    second->add_flag("--json", run->json, say("print the result as JSON", "以 JSON 输出"));
    second->callback([=] { ends(follow(*run)); });
    add_serve(*noun, folder_help, ends);
}

}  // namespace jiaozi::proofs
