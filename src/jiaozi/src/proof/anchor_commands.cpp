#include <iostream>
#include <memory>

#include <boost/json.hpp>

#include <jiaozi/anchor/contract.hpp>
#include <jiaozi/anchor/places.hpp>
#include <jiaozi/client/http_client.hpp>

#include "anchor_places.hpp"
#include "commands.hpp"
#include "files.hpp"
#include "http_tiles.hpp"
#include "offline.hpp"

namespace jiaozi::proofs {
namespace {

namespace json = boost::json;
using cli::say;

// Where the newest checkpoint comes from.
struct Source {
    std::shared_ptr<std::string> data;
    std::string server;  // if any, instead of the data directory
    std::string key;
    bool json = false;
};

struct Newest {
    proof::NoteKey key;
    anchor::SignedCheckpoint signed_checkpoint;
};

struct Chain {
    std::string rpc;
    std::string contract;
    std::string from;
    std::uint64_t confirmations = 1;
    std::uint32_t timeout_s = 120;
};

Result<client::HttpClient> open_server(const std::string& url) {
    return client::HttpClient::create({.base_url = url, .key = {}, .timeout = seconds(30)});
}

Result<Newest> newest_of(const Source& source) {
    Newest out;
    if (source.server.empty()) {
        const DataFiles files = files_of(*source.data);
        JZ_TRY(out.key, read_note_key(source.key.empty() ? (files.log / "vkey").string() : source.key));
        JZ_TRY(out.signed_checkpoint.note, read_text((files.log / "checkpoint").string()));
    } else {
        if (source.key.empty()) {
            return Error(ErrorKind::invalid, "--server needs --key: the log's verifier key, or a file with it")
                .with_param("key");
        }
        JZ_TRY(out.key, read_note_key(source.key));
        JZ_TRY(auto client, open_server(source.server));
        JZ_TRY(out.signed_checkpoint.note, get(client, "/checkpoint"));
    }
    JZ_TRY(out.signed_checkpoint.checkpoint, proof::open_checkpoint(out.signed_checkpoint.note, out.key));
    return out;
}

void print_anchored(const Source& source, const Newest& newest, bool already, json::object where) {
    const proof::Checkpoint& checkpoint = newest.signed_checkpoint.checkpoint;
    if (source.json) {
        json::object out{{"object", "anchor"},
                         {"log", checkpoint.origin},
                         {"size", std::to_string(checkpoint.size)},
                         {"root", to_hex(checkpoint.root)},
                         {"already", already}};
        for (const auto& [name, value] : where) out[name] = value;
        std::cout << json::serialize(out) << '\n';
        return;
    }
    std::cout << (already ? say("anchored before: ", "此前已锚定：") : say("anchored: ", "已锚定：")) << checkpoint.size
              << say(" commands of ", " 条命令，日志 ") << checkpoint.origin << say(", root ", "，根 ")
              << to_hex(checkpoint.root) << '\n';
    where.erase("kind");
    std::cout << cli::render(where);
}

Result<> to_file(const Source& source, const std::string& path) {
    JZ_TRY(const Newest newest, newest_of(source));
    JZ_TRY(const bool appended, anchor::append_to_file(path, newest.signed_checkpoint, newest.key));
    print_anchored(source, newest, !appended, json::object{{"kind", "file"}, {"place", path}});
    return {};
}

// `remembered`: a file of what the place took, for places that can't be asked.
Result<> to_url(const Source& source, const std::string& url, const std::string& remembered) {
    JZ_TRY(const Newest newest, newest_of(source));
    if (!remembered.empty()) {
        JZ_TRY(const bool unknown, anchor::file_lacks(remembered, newest.signed_checkpoint.checkpoint, newest.key));
        if (!unknown) {
            print_anchored(source, newest, true, json::object{{"kind", "url"}, {"place", url}});
            return {};
        }
    }
    JZ_TRY(const bool posted, anchor::post_to_url(url, newest.signed_checkpoint, newest.key, seconds(30)));
    if (!remembered.empty()) JZ_CHECK(anchor::append_to_file(remembered, newest.signed_checkpoint, newest.key));
    print_anchored(source, newest, !posted, json::object{{"kind", "url"}, {"place", url}});
    return {};
}

anchor::Patience patience_of(const Chain& chain) {
    return {.confirmations = chain.confirmations, .limit = std::chrono::seconds(chain.timeout_s)};
}

Result<anchor::EvmNode> open_node(const Chain& chain) {
    JZ_TRY(auto transport, anchor::http_transport(chain.rpc, seconds(30)));
    return anchor::EvmNode(std::move(transport));
}

Result<> to_evm(const Source& source, const Chain& chain) {
    JZ_TRY(const Newest newest, newest_of(source));
    anchor::EvmPlace place;
    JZ_TRY(place.contract, anchor::Address::parse(chain.contract));
    JZ_TRY(place.publisher, anchor::Address::parse(chain.from));
    JZ_TRY(auto node, open_node(chain));
    JZ_TRY(place.chain, node.chain_id());
    anchor::AnchorList list(node, place.contract, place.publisher, newest.key.name);
    JZ_TRY(const auto published, list.publish(newest.signed_checkpoint.checkpoint, patience_of(chain)));
    json::object where{{"kind", "evm"}, {"place", place.to_string()}, {"chain_id", place.chain}};
    where["transaction"] =
        published.transaction ? json::value(anchor::hex_data(*published.transaction)) : json::value();
    where["block"] = published.block ? json::value(*published.block) : json::value();
    print_anchored(source, newest, published.already, std::move(where));
    return {};
}

Result<> deploy(const Chain& chain, bool as_json) {
    JZ_TRY(const anchor::Address from, anchor::Address::parse(chain.from));
    JZ_TRY(auto node, open_node(chain));
    JZ_TRY(const std::uint64_t id, node.chain_id());
    JZ_TRY(const anchor::Deployed deployed, anchor::deploy_contract(node, from, patience_of(chain)));
    const json::object out{{"object", "anchor_contract"},
                           {"chain_id", id},
                           {"contract", deployed.contract.to_string()},
                           {"transaction", anchor::hex_data(deployed.transaction)},
                           {"block", deployed.block}};
    std::cout << (as_json ? json::serialize(out) + "\n" : cli::render(out));
    return {};
}

// From outside, without the data: every anchored root against the newest checkpoint of a running server, by its tiles.
Result<bool> check(const PlaceOptions& options, const Source& source) {
    JZ_TRY(const Newest newest, newest_of(source));
    const proof::Checkpoint& now = newest.signed_checkpoint.checkpoint;
    JZ_TRY(const auto places, read_places(options, newest.key.name));
    JZ_TRY(auto client, open_server(source.server));
    HttpTiles tiles(client, now.size);
    json::array findings;
    std::uint64_t good = 0;
    const auto find = [&](const proof::AnchorPlace& place, const std::string& what, json::value size,
                          json::value root) {
        findings.push_back(json::object{
            {"place", place.name}, {"size", std::move(size)}, {"anchored_root", std::move(root)}, {"message", what}});
    };
    for (const proof::AnchorPlace& place : places) {
        std::vector<proof::AnchoredRoot> roots = place.roots;
        for (const std::string& note : place.notes) {
            const auto opened = proof::open_checkpoint(note, newest.key);
            if (opened.ok()) {
                roots.push_back({opened->size, opened->root});
            } else {
                find(place, opened.error().message(), nullptr, nullptr);
            }
        }
        if (roots.empty()) find(place, "nothing of this log is anchored there", nullptr, nullptr);
        for (const proof::AnchoredRoot& root : roots) {
            JZ_TRY(const bool same, begins_with(tiles, {now.origin, root.size, root.root}, now));
            if (same) {
                ++good;
                continue;
            }
            find(place,
                 root.size > now.size
                     ? "the log has " + std::to_string(now.size) + " commands, but " + std::to_string(root.size) +
                           " are anchored: it has shrunk"
                     : "the log of " + std::to_string(now.size) + " commands does not begin with the " +
                           std::to_string(root.size) + " that were anchored: it was rewritten or forked",
                 json::value(std::to_string(root.size)), json::value(to_hex(root.root)));
        }
    }
    if (source.json) {
        std::cout << json::serialize(json::object{{"object", "anchor_check"},
                                                  {"ok", findings.empty()},
                                                  {"log", now.origin},
                                                  {"size", std::to_string(now.size)},
                                                  {"anchors", good},
                                                  {"findings", findings}})
                  << '\n';
        return findings.empty();
    }
    for (const json::value& finding : findings) {
        std::cout << say("WRONG: ", "异常：") << finding.at("place").as_string().c_str() << ": "
                  << finding.at("message").as_string().c_str() << '\n';
    }
    std::cout << good
              << say(" anchored checkpoints are the beginning of the log of ", " 个锚定检查点与日志一致，日志共 ")
              << now.size << say(" commands\n", " 条命令\n");
    return findings.empty();
}

std::shared_ptr<Source> add_source_options(CLI::App& command) {
    auto source = std::make_shared<Source>();
    source->data = add_data_option(command);
    command.add_option("--server", source->server,
                       say("a running server, instead of a data directory", "改从运行中的服务取得（而非数据目录）"));
    command.add_option("--key", source->key,
                       say("the log's verifier key, or a file with it; `vkey` of the data directory by default",
                           "日志的验证公钥或含公钥的文件；缺省为数据目录中的 vkey"));
    command.add_flag("--json", source->json, say("print the result as JSON", "以 JSON 输出"));
    return source;
}

void add_chain_options(CLI::App& command, Chain& chain) {
    add_rpc_option(command, chain.rpc);
    command
        .add_option("--from", chain.from,
                    say("the account that pays and publishes; the node, or a signer behind it, holds its key",
                        "付费并发布的账户；密钥由节点或其后的签名器保管"))
        ->required();
    command
        .add_option("--confirmations", chain.confirmations,
                    say("blocks to wait for, the transaction's own counted", "等待的确认区块数（含交易所在区块）"))
        ->check(CLI::Range(1, 10'000))
        ->capture_default_str();
    command
        .add_option("--timeout", chain.timeout_s,
                    say("seconds to wait for them; then run the command again", "等待的秒数；超时后可重新执行"))
        ->check(CLI::Range(1, 86'400))
        ->capture_default_str();
}

}  // namespace

void add_anchor_commands(CLI::App& root, cli::Exit& exit) {
    CLI::App* noun =
        root.add_subcommand("anchor", say("keep the newest checkpoint where the log's keeper can't take it back",
                                          "把最新检查点锚定到日志保管者无法撤回之处"));
    noun->require_subcommand(1);
    noun->group(say("Proofs", "证明"));
    const auto ends = [&exit](const Result<>& done) {
        if (!done.ok()) exit = fail(done.error());
    };

    CLI::App* file = noun->add_subcommand(
        "file", say("append it to a file, on another disk or machine", "追加到文件（宜在另一磁盘或机器上）"));
    auto path = std::make_shared<std::string>();
    file->add_option("file", *path, say("the file; made if missing", "文件；不存在则创建"))->required();
    const auto file_source = add_source_options(*file);
    file->callback([=] { ends(to_file(*file_source, *path)); });

    CLI::App* url = noun->add_subcommand("url", say("send it there by HTTP POST", "以 HTTP POST 发送"));
    auto address = std::make_shared<std::string>();
    auto remembered = std::make_shared<std::string>();
    url->add_option("url", *address, say("the address: http://… or https://…", "地址：http://… 或 https://…"))
        ->required();
    url->add_option(
        "--remember", *remembered,
        say("a file of what was sent, for places that can't be read", "记录已发送内容的文件，用于无法读取的地址"));
    const auto url_source = add_source_options(*url);
    url->callback([=] { ends(to_url(*url_source, *address, *remembered)); });

    CLI::App* evm = noun->add_subcommand(
        "evm", say("write its size and root into a contract on an EVM chain", "把大小与根写入 EVM 链上的合约"));
    auto chain = std::make_shared<Chain>();
    evm->add_option("--contract", chain->contract, say("the contract: 0x…", "合约地址：0x…"))->required();
    add_chain_options(*evm, *chain);
    const auto evm_source = add_source_options(*evm);
    evm->callback([=] { ends(to_evm(*evm_source, *chain)); });

    CLI::App* make = noun->add_subcommand("deploy", say("make such a contract, once", "部署该合约（一次即可）"));
    auto made = std::make_shared<Chain>();
    auto as_json = std::make_shared<bool>(false);
    add_chain_options(*make, *made);
    make->add_flag("--json", *as_json, say("print the result as JSON", "以 JSON 输出"));
    make->callback([=] { ends(deploy(*made, *as_json)); });

    CLI::App* verb =
        noun->add_subcommand("check", say("from outside: hold a running server's log against what is anchored",
                                          "从外部核对运行中服务的日志与锚定内容"));
    const auto places = add_place_options(*verb, true);
    auto checked = std::make_shared<Source>();
    verb->add_option("--server", checked->server, say("the server", "服务地址"))
        ->envname("JIAOZI_URL")
        ->default_val("http://127.0.0.1:8080");
    verb->add_option("--key", checked->key,
                     say("the log's verifier key, or a file with it", "日志的验证公钥，或含公钥的文件"))
        ->required();
    verb->add_flag("--json", checked->json, say("print the result as JSON", "以 JSON 输出"));
    verb->callback([=, &exit] {
        const auto sound = check(*places, *checked);
        if (!sound.ok()) {
            exit = fail(sound.error());
        } else if (!*sound) {
            exit = cli::Exit::failed;
        }
    });
}

}  // namespace jiaozi::proofs
