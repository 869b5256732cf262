#include "tools.hpp"

#include <filesystem>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>

#include <boost/json.hpp>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/clock.hpp>
#include <jiaozi/codec/cbor_value.hpp>
#include <jiaozi/crypto/cose.hpp>
#include <jiaozi/engine/engine.hpp>
#include <jiaozi/payments/projector.hpp>
#include <jiaozi/registry/store.hpp>

#include "../serve/data_directory.hpp"

namespace jiaozi::cli {
namespace {

constexpr std::size_t max_decode_bytes = std::size_t{64} * 1024;

struct RebuildOptions {
    std::string data = "data";
    std::string database;
};

// Holds the data directory's lock, so that no server projects meanwhile.
Result<std::uint64_t> rebuild(const RebuildOptions& options) {
    JZ_TRY(const auto directory, serve::DataDirectory::open(options.data));
    if (!std::filesystem::exists(directory.path() / "journal")) {
        return Error(ErrorKind::not_found,
                     "there is no journal in " + directory.path().string() + "; give the server's directory by --data");
    }
    registry::Options registry;
    registry.url =
        options.database.empty() ? "sqlite:" + (directory.path() / "registry.db").string() : options.database;
    JZ_TRY(const auto store, registry::Store::open(std::move(registry)));
    SystemClock clock;
    engine::Options ledger;
    ledger.directory = directory.path() / "journal";
    JZ_TRY(const auto engine, engine::Engine::open(ledger, clock));
    std::cerr << say("replaying ", "正在重放 ") << engine->last_sequence() << say(" commands\n", " 条命令\n");
    return payments::rebuild_projections(*engine, *store);
}

Exit fail(const Error& error) {
    std::cerr << "jiaozi: " << error.to_string() << '\n';
    return exit_for(error);
}

void add_projections(CLI::App& root, Exit& exit) {
    CLI::App* noun = root.add_subcommand("projections", say("views of the journal", "账本日志的视图"));
    noun->require_subcommand(1);
    noun->group(say("The server", "服务器"));
    CLI::App* verb = noun->add_subcommand(
        "rebuild", say("drop payments and refunds and make them again from the journal; stop the server first",
                       "清空并由日志重建付款与退款；请先停止服务"));
    auto options = std::make_shared<RebuildOptions>();
    verb->add_option("--data", options->data, say("the server's data directory", "服务的数据目录"))
        ->envname("JIAOZI_DATA")
        ->capture_default_str();
    verb->add_option("--database", options->database, say("as given to serve", "与 serve 相同"))
        ->envname("JIAOZI_DATABASE");
    auto json = std::make_shared<bool>(false);
    verb->add_flag("--json", *json, say("print the result as JSON", "以 JSON 输出"));
    verb->callback([options, json, &exit] {
        const auto sequence = rebuild(*options);
        if (!sequence.ok()) {
            exit = fail(sequence.error());
        } else if (*json) {
            std::cout << R"({"object":"projection","sequence":")" << *sequence << "\"}\n";
        } else {
            std::cout << say("rebuilt up to sequence ", "已重建至序号 ") << *sequence << '\n';
        }
    });
}

// A COSE envelope with the payload inside it taken apart, or any CBOR item. Nothing is verified: this shows bytes.
Result<std::string> describe(ByteView bytes) {
    codec::CborLimits limits;
    limits.allow_floats = true;
    crypto::CoseOptions lenient;
    lenient.deterministic = false;
    std::string text;
    if (const auto envelope = crypto::decode_cose(bytes, lenient); envelope.ok()) {
        JZ_TRY(const auto outer, codec::decode_cbor(bytes, codec::CborRules::valid, limits));
        text = say("envelope  ", "信封  ") + codec::cbor_diagnostic(outer) + "\n";
        const auto payload = codec::decode_cbor(envelope->payload(), codec::CborRules::valid, limits);
        if (payload.ok()) text += say("payload   ", "载荷  ") + codec::cbor_diagnostic(*payload) + "\n";
        return text;
    }
    JZ_TRY(const auto item, codec::decode_cbor(bytes, codec::CborRules::valid, limits));
    return codec::cbor_diagnostic(item) + "\n";
}

void add_decode(CLI::App& root, Exit& exit) {
    CLI::App* verb = root.add_subcommand(
        "decode", say("show a device message (CBOR, COSE) in diagnostic notation; from standard input",
                      "以诊断记法显示设备报文（CBOR、COSE），读自标准输入"));
    verb->group(say("Development", "开发"));
    auto hex = std::make_shared<bool>(false);
    auto json = std::make_shared<bool>(false);
    verb->add_flag("--hex", *hex,
                   say("the input is hexadecimal, as mosquitto_sub -F %x prints it",
                       "输入为十六进制（如 mosquitto_sub -F %x 的输出）"));
    verb->add_flag("--json", *json, say("print as a JSON string", "以 JSON 字符串输出"));
    verb->callback([hex, json, &exit] {
        std::string input(std::istreambuf_iterator<char>(std::cin), {});
        if (input.size() > 2 * max_decode_bytes) {
            exit = fail(Error(ErrorKind::too_large, "a message is at most 64 KiB"));
            return;
        }
        if (*hex) {
            std::erase_if(input, [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; });
            const auto bytes = from_hex(input);
            if (!bytes.ok()) {
                exit = fail(bytes.error());
                return;
            }
            input = as_text(*bytes);
        }
        const auto text = describe(as_bytes(input));
        if (!text.ok()) {
            exit = fail(text.error());
            return;
        }
        if (*json) {
            boost::json::object answer;
            answer["object"] = "message";
            answer["diagnostic"] = *text;
            std::cout << boost::json::serialize(answer) << '\n';
        } else {
            std::cout << *text;
        }
    });
}

}  // namespace

void add_tool_commands(CLI::App& root, Exit& exit) {
    add_projections(root, exit);
    add_decode(root, exit);
}

}  // namespace jiaozi::cli
