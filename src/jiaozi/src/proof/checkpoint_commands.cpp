#include <charconv>
#include <iostream>
#include <memory>
#include <variant>

#include <boost/json.hpp>

#include <jiaozi/client/http_client.hpp>
#include <jiaozi/crypto/merkle.hpp>
#include <jiaozi/proof/add_checkpoint.hpp>
#include <jiaozi/proof/note.hpp>

#include "commands.hpp"
#include "files.hpp"
#include "http_tiles.hpp"
#include "quorum.hpp"

namespace jiaozi::proofs {
namespace {

using cli::say;

struct Compare {
    std::string before;
    std::string after;
    std::string key;
    bool json = false;
};

Result<client::HttpClient> open_client(const cli::Connection& connection) {
    // Checkpoints and tiles are open to everybody: no key is sent.
    return client::HttpClient::create({.base_url = connection.url, .key = {}, .timeout = seconds(30)});
}

Result<> print_newest(const cli::Connection& connection, const std::string& out) {
    JZ_TRY(auto client, open_client(connection));
    JZ_TRY(const std::string note, get(client, "/checkpoint"));
    return write_text(out, note);
}

void print(const proof::Checkpoint& checkpoint, bool json) {
    if (json) {
        boost::json::object out;
        out["object"] = "checkpoint";
        out["log"] = checkpoint.origin;
        out["size"] = std::to_string(checkpoint.size);
        out["root"] = to_hex(checkpoint.root);
        std::cout << boost::json::serialize(out) << '\n';
        return;
    }
    std::cout << say("signed by ", "签名者 ") << checkpoint.origin << say(": ", "：") << checkpoint.size
              << say(" commands, root ", " 条命令，根 ") << to_hex(checkpoint.root) << '\n';
}

Result<> verify_checkpoint(const std::string& file, const std::string& key_text, const QuorumOptions& quorum,
                           bool json) {
    JZ_TRY(const proof::NoteKey key, read_note_key(key_text));
    JZ_TRY(const std::string note, read_text(file));
    JZ_TRY(const proof::Checkpoint checkpoint, proof::open_checkpoint(note, key));
    JZ_CHECK(demand_quorum(quorum, key, note));
    print(checkpoint, json);
    return {};
}

struct Cosign {
    std::string key;
    std::string witness;      // its verifier key
    std::string witness_url;  // POST <url>/add-checkpoint
    std::string out;          // where what is cosigned is kept; it says where the witness was last time
    bool json = false;
};

// What the witness cosigned last, as far as `out` says. A file of another log, or none, says nothing.
std::uint64_t remembered_size(const Cosign& options, const proof::NoteKey& key) {
    if (options.out == "-") return 0;
    const auto kept = read_text(options.out);
    if (!kept.ok()) return 0;
    const auto checkpoint = proof::open_checkpoint(*kept, key);
    return checkpoint.ok() ? checkpoint->size : 0;
}

// One request; the size that the witness says it is at when it says that, or its answer.
Result<std::variant<std::uint64_t, std::string>> ask_witness(client::HttpClient& client, const std::string& url,
                                                             const proof::AddCheckpoint& asked) {
    client::Request request;
    request.method = "POST";
    request.path = "/add-checkpoint";
    request.content_type = "text/plain";
    request.body = asked.to_string();
    JZ_TRY(const client::Response response, client.send(request));
    if (response.status == 200) return response.body;
    std::uint64_t size = 0;
    const char* const end = response.body.data() + response.body.size();
    const bool tells = response.status == 409 && response.content_type.starts_with(proof::tlog_size_type);
    if (tells && std::from_chars(response.body.data(), end, size).ptr != response.body.data()) return size;
    const ErrorKind kind = response.status == 422 ? ErrorKind::corrupt : ErrorKind::conflict;
    return Error(response.status >= 500 ? ErrorKind::unavailable : kind, "the witness at " + url + " refuses (" +
                                                                             std::to_string(response.status) +
                                                                             "): " + response.body.substr(0, 300));
}

// The newest checkpoint with the cosignature of a witness that is asked for it.
Result<> cosign(const Cosign& options, const cli::Connection& connection) {
    JZ_TRY(const proof::NoteKey key, read_note_key(options.key));
    JZ_TRY(const proof::NoteKey witness, read_note_key(options.witness));
    JZ_TRY(auto client, open_client(connection));
    JZ_TRY(auto asking,
           client::HttpClient::create({.base_url = options.witness_url, .key = {}, .timeout = seconds(30)}));
    JZ_TRY(const std::string text, get(client, "/checkpoint"));
    JZ_TRY(const proof::Checkpoint newest, proof::open_checkpoint(text, key));
    JZ_TRY(const proof::Note note, proof::Note::parse(text));
    HttpTiles tiles(client, newest.size);
    std::uint64_t old_size = remembered_size(options, key);
    for (int tries = 0; tries < 3; ++tries) {
        if (old_size > newest.size) {
            return Error(ErrorKind::conflict, "the witness has cosigned " + std::to_string(old_size) +
                                                  " commands of this log, which has " + std::to_string(newest.size) +
                                                  ": it was set back. Find out how before anything is signed");
        }
        proof::AddCheckpoint asked{old_size, {}, text};
        if (old_size > 0) {
            JZ_TRY(asked.proof, crypto::merkle::consistency_proof(tiles, old_size, newest.size));
        }
        JZ_TRY(const auto answer, ask_witness(asking, options.witness_url, asked));
        if (const auto* size = std::get_if<std::uint64_t>(&answer)) {
            if (*size == old_size) break;  // the same size and another root: two histories
            old_size = *size;
            continue;
        }
        JZ_TRY(const proof::Note cosigned, proof::with_answer(note, witness, std::get<std::string>(answer)));
        JZ_CHECK(write_text(options.out, cosigned.to_string()));
        if (options.out != "-") print(newest, options.json);
        return {};
    }
    return Error(ErrorKind::corrupt, "the witness has cosigned another history of " + std::to_string(old_size) +
                                         " commands. Keep its checkpoint (GET /checkpoint) and ours");
}

// The newer checkpoint's log begins with the older one's: nothing was taken out or changed between them.
Result<> compare(const Compare& options, const cli::Connection& connection) {
    JZ_TRY(const proof::NoteKey key, read_note_key(options.key));
    JZ_TRY(const std::string before_note, read_text(options.before));
    JZ_TRY(auto client, open_client(connection));
    JZ_TRY(const std::string after_note, options.after.empty() ? get(client, "/checkpoint") : read_text(options.after));
    JZ_TRY(proof::Checkpoint before, proof::open_checkpoint(before_note, key));
    JZ_TRY(proof::Checkpoint after, proof::open_checkpoint(after_note, key));
    if (before.size > after.size) std::swap(before, after);
    HttpTiles tiles(client, after.size);
    JZ_TRY(const bool consistent, begins_with(tiles, before, after));
    if (!consistent) {
        return Error(
            ErrorKind::corrupt,
            "the log of " + std::to_string(after.size) + " commands does not begin with the one of " +
                std::to_string(before.size) +
                ": both are signed, so its keeper has shown two histories, or the tiles are not the log's. Keep "
                "both checkpoints");
    }
    if (options.json) {
        std::cout << R"({"object":"consistency","from":")" << before.size << R"(","to":")" << after.size << "\"}\n";
    } else {
        std::cout << say("consistent: the first ", "一致：前 ") << before.size
                  << say(" commands of ", " 条命令未变，共 ") << after.size << say(" are unchanged\n", " 条\n");
    }
    return {};
}

}  // namespace

void add_checkpoint_commands(CLI::App& root, cli::Connection& connection, cli::Exit& exit) {
    CLI::App* noun =
        root.add_subcommand("checkpoint", say("signed statements of what the journal is", "对账本日志现状的签名声明"));
    noun->require_subcommand(1);
    noun->group(say("Proofs", "证明"));

    CLI::App* fetch =
        noun->add_subcommand("get", say("the newest checkpoint, a signed note", "取得最新检查点（签名文本）"));
    auto out = std::make_shared<std::string>("-");
    fetch->add_option("--out", *out, say("file to write; - is standard output", "写入的文件；- 为标准输出"))
        ->capture_default_str();
    cli::add_connection_options(*fetch, connection);
    fetch->callback([out, &connection, &exit] {
        if (const auto done = print_newest(connection, *out); !done.ok()) exit = fail(done.error());
    });

    const char* const key_help = say("the log's verifier key, or a file with it", "日志的验证公钥，或含公钥的文件");
    const char* const json_help = say("print the result as JSON", "以 JSON 输出");
    CLI::App* check =
        noun->add_subcommand("verify", say("check a checkpoint's signature, offline", "离线验证检查点签名"));
    auto file = std::make_shared<std::string>();
    auto key = std::make_shared<std::string>();
    auto json = std::make_shared<bool>(false);
    check->add_option("file", *file, say("the checkpoint; - is standard input", "检查点文件；- 为标准输入"))
        ->required();
    check->add_option("--key", *key, key_help)->required();
    check->add_flag("--json", *json, json_help);
    const auto quorum = add_quorum_options(*check);
    check->callback([file, key, quorum, json, &exit] {
        if (const auto done = verify_checkpoint(*file, *key, *quorum, *json); !done.ok()) exit = fail(done.error());
    });

    CLI::App* both = noun->add_subcommand(
        "compare", say("check that a newer log begins with an older one, by the tiles of the server",
                       "以服务器的哈希块验证新日志以旧日志开头"));
    auto options = std::make_shared<Compare>();
    both->add_option("before", options->before, say("a checkpoint kept from earlier", "先前保存的检查点"))->required();
    both->add_option("after", options->after,
                     say("another; without it the server's newest", "另一检查点；缺省为服务器的最新检查点"));
    both->add_option("--key", options->key, key_help)->required();
    cli::add_connection_options(*both, connection);
    both->callback([options, &connection, &exit] {
        options->json = connection.json;
        if (const auto done = compare(*options, connection); !done.ok()) exit = fail(done.error());
    });

    CLI::App* ask = noun->add_subcommand(
        "cosign", say("ask a witness for its cosignature of the newest checkpoint (C2SP tlog-witness)",
                      "请见证者联署最新检查点（C2SP tlog-witness）"));
    auto wanted = std::make_shared<Cosign>();
    ask->add_option("--key", wanted->key, key_help)->required();
    ask->add_option("--witness", wanted->witness,
                    say("the witness's verifier key, or a file with it", "见证者的验证公钥，或含公钥的文件"))
        ->required();
    ask->add_option("--witness-url", wanted->witness_url,
                    say("where the witness is; /add-checkpoint is added", "见证者的地址；自动附加 /add-checkpoint"))
        ->required();
    ask->add_option("--out", wanted->out,
                    say("the cosigned checkpoint is written here; kept from time to time it spares a request; - is "
                        "standard output",
                        "联署后的检查点写入此文件；保留此文件可省一次请求；- 为标准输出"))
        ->default_val("-");
    cli::add_connection_options(*ask, connection);
    ask->callback([wanted, &connection, &exit] {
        wanted->json = connection.json;
        if (const auto done = cosign(*wanted, connection); !done.ok()) exit = fail(done.error());
    });
}

}  // namespace jiaozi::proofs
