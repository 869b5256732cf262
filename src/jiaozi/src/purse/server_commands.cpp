// load, sync, lost.
#include <iostream>

#include <boost/json.hpp>

#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/mqtt/address.hpp>
#include <jiaozi/simulators/errand_line.hpp>
#include <jiaozi/terminal/errands.hpp>
#include <jiaozi/terminal/evidence.hpp>
#include <jiaozi/terminal/issuer_server.hpp>
#include <jiaozi/terminal/shopper.hpp>

#include "../proof/files.hpp"
#include "commands.hpp"
#include "common.hpp"

namespace jiaozi::purses {
namespace {

namespace json = boost::json;
using cli::say;

struct ServerOptions {
    PurseChoice purse;
    std::string wallet;
    std::uint64_t amount = 0;
    std::string asset = "CNY";
    std::string key;
    std::vector<std::string> issuers;
    std::string certificate;
    std::uint32_t number = 0;
    // A device that the purse was enrolled for, and its way to the server.
    std::string device;
    std::string device_state;
    std::string mqtt = "127.0.0.1:1883";
    std::uint32_t timeout = 60;
};

Result<terminal::IssuerServer> reach(const cli::Connection& connection) {
    JZ_TRY(auto client, client::HttpClient::create({.base_url = connection.url,
                                                    .key = cli::read_key(connection),
                                                    .timeout = seconds(30),
                                                    .max_response_bytes = std::size_t{4} << 20,
                                                    .stop = {}}));
    return terminal::IssuerServer(std::move(client));
}

Result<std::vector<terminal::IssuerKey>> issuer_keys(const std::vector<std::string>& texts) {
    std::vector<terminal::IssuerKey> keys;
    for (const std::string& text : texts) {
        JZ_TRY(keys.emplace_back(), terminal::parse_issuer_key(text));
    }
    return keys;
}

// A certificate that came by another way than the network: on a disk, say.
Result<> load_from_file(terminal::PurseFolder& folder, const ServerOptions& options) {
    JZ_TRY(const auto issuers, issuer_keys(options.issuers));
    JZ_TRY(const std::string file, proofs::read_text(options.certificate));
    purse::Object object;
    purse::Certificate content;
    if (purse::read_whole(as_bytes(file), purse::Type::certificate, object) != JZ_OK ||
        purse::parse(object, content) != JZ_OK) {
        return Error(ErrorKind::malformed,
                     options.certificate + say(": this is no load certificate", "：不是充值证书"));
    }
    if (!folder.enrolled() && issuers.empty()) {
        return Error(ErrorKind::invalid, say("the first certificate needs the issuer's key: --issuer SUITE:HEX",
                                             "首张证书需要发行方公钥：--issuer SUITE:HEX"))
            .with_param("issuer");
    }
    JZ_CHECK(
        folder.enrol(content.purse, issuers.empty() ? folder.settings().issuers : issuers, folder.settings().wallet));
    return folder.load(as_bytes(file));
}

Result<> load(const ServerOptions& options, const cli::Connection& connection) {
    JZ_TRY(auto folder, open_purse(options.purse));
    if (!options.certificate.empty()) {
        JZ_CHECK(load_from_file(*folder, options));
    } else {
        JZ_TRY(auto server, reach(connection));
        if (!folder->enrolled()) {
            if (options.wallet.empty()) {
                return Error(ErrorKind::invalid, say("the first load needs --wallet: where its money comes from",
                                                     "首次充值需要 --wallet：资金来源的钱包"))
                    .with_param("wallet");
            }
            JZ_TRY(const auto issuers, issuer_keys(options.issuers));
            JZ_CHECK(server.enrol(*folder, options.wallet, issuers, options.device));
        }
        std::string key = options.key;
        if (key.empty()) {
            Bytes random(16);
            crypto::random_bytes(random);
            key = "load-" + to_hex(random);
            std::cerr << say("if this fails, repeat it with --idempotency-key ",
                             "若失败，请加此参数重试：--idempotency-key ")
                      << key << '\n';
        }
        JZ_CHECK(server.load(*folder, options.amount, options.asset, key));
    }
    const jz_info info = folder->purse().info();
    const std::string asset = terminal::asset_of(folder->purse());
    if (options.purse.json || connection.json) {
        std::cout << json::serialize(json::object{{"object", "purse_load"},
                                                  {"purse", info.purse},
                                                  {"asset", asset},
                                                  {"spendable", std::to_string(info.spendable)}})
                  << '\n';
    } else {
        std::cout << say("purse ", "钱袋 ") << info.purse << say(" can spend ", " 可用 ")
                  << amount_text(info.spendable, asset) << '\n';
    }
    return {};
}

// What was done for others, and what the issuer should hear.
void tell_favours(const terminal::IssuerServer::Synced& synced) {
    if (synced.carried != 0) {
        std::cout << say("handed in for others, sealed: ", "代他人上交（密封）：") << synced.carried
                  << say("\n", " 份\n");
    }
    if (synced.two_lists) {
        std::cout << say(
            "reported: this issuer's key has signed two blacklists with one version; somebody else may have "
            "it\n",
            "已上报：发行方密钥以同一版本号签署了两份黑名单；密钥可能已泄露\n");
    }
    for (const std::string& why : synced.put_off) {
        std::cerr << say("jiaozi: put off until the next sync: ", "jiaozi: 推迟到下次同步：") << why << '\n';
    }
}

// Over the device's own session with the broker: no API key, no HTTP.
Result<terminal::IssuerServer::Synced> sync_by_device(terminal::PurseFolder& folder, const ServerOptions& options) {
    if (folder.settings().device.empty()) {
        return Error(ErrorKind::conflict,
                     say("this purse was not enrolled for a device: `purse load --device` does it, the "
                         "first time",
                         "此钱袋未为设备登记：首次 `purse load` 时用 --device"))
            .with_param("device-state");
    }
    simulators::ErrandLineOptions line;
    line.states = options.device_state;
    JZ_TRY(line.device, DeviceId::parse(folder.settings().device));
    JZ_TRY(const auto broker, mqtt::parse_broker_url("mqtt://" + options.mqtt));
    line.mqtt_host = broker.host;
    line.mqtt_port = broker.port;
    const SystemClock clock;
    JZ_TRY(const auto open, simulators::ErrandLine::open(line, clock));
    return terminal::sync_by_errands(folder,
                                     [&](const Bytes& errand) { return open->run(errand, seconds(options.timeout)); });
}

Result<terminal::IssuerServer::Synced> sync_by_http(terminal::PurseFolder& folder, const cli::Connection& connection) {
    JZ_TRY(auto server, reach(connection));
    return server.sync(folder);
}

Result<cli::Exit> sync(const ServerOptions& options, const cli::Connection& connection) {
    JZ_TRY(auto folder, open_enrolled(options.purse));
    JZ_TRY(const auto synced,
           options.device_state.empty() ? sync_by_http(*folder, connection) : sync_by_device(*folder, options));
    JZ_CHECK(terminal::forget_decided(folder->purse(), folder->path() / terminal::purchases_name));
    const jz_info info = folder->purse().info();
    const std::string asset = terminal::asset_of(folder->purse());
    if (options.purse.json || connection.json) {
        json::array refused;
        for (const std::string& reason : synced.refused) refused.emplace_back(reason);
        json::array put_off;
        for (const std::string& why : synced.put_off) put_off.emplace_back(why);
        std::cout << json::serialize(json::object{{"object", "purse_sync"},
                                                  {"purse", info.purse},
                                                  {"deposited", synced.deposited},
                                                  {"refused", refused},
                                                  {"received_not_settled", std::to_string(info.received)},
                                                  {"spendable", std::to_string(info.spendable)},
                                                  {"unknown", std::to_string(info.unknown)},
                                                  {"blacklist", synced.list_version},
                                                  {"carried", synced.carried},
                                                  {"two_lists", synced.two_lists},
                                                  {"put_off", put_off}})
                  << '\n';
    } else {
        std::cout << say("handed in ", "已上交 ") << synced.deposited << say(" items; ", " 项；")
                  << amount_text(info.received, asset) << say(" received is not settled yet; ", " 收款尚未结算；")
                  << amount_text(info.spendable, asset) << say(" to spend\n", " 可用\n");
        for (const std::string& reason : synced.refused) {
            std::cerr << say("jiaozi: an item was not settled: ", "jiaozi: 一项未结算：") << reason << '\n';
        }
        tell_favours(synced);
    }
    return synced.refused.empty() ? cli::Exit::ok : cli::Exit::declined;
}

// A lost purse's folder is often gone with it: then its number is given.
Result<> lost(const ServerOptions& options, const cli::Connection& connection) {
    std::uint32_t number = options.number;
    if (number == 0) {
        JZ_TRY(const terminal::Settings settings, terminal::PurseFolder::read_settings(options.purse.folder));
        number = settings.purse;
    }
    if (number == 0) {
        return Error(ErrorKind::conflict,
                     say("this purse was never enrolled: nobody would take its money", "此钱袋从未登记：无需挂失"));
    }
    JZ_TRY(auto server, reach(connection));
    JZ_CHECK(server.lost(number));
    std::cout << say("purse ", "钱袋 ") << number
              << say(" is on the blacklist for good; what is left of its lots comes back when they end\n",
                     " 已永久列入黑名单；剩余额度到期后退回\n");
    return {};
}

void add_options(CLI::App& command, ServerOptions& options, cli::Connection& connection) {
    command.add_option("--purse", options.purse.folder, say("the purse's folder", "钱袋所在的文件夹"))
        ->envname("JIAOZI_PURSE")
        ->capture_default_str();
    command.add_option(
        "--passphrase-file", options.purse.passphrase_file,
        say("file with the passphrase or PIN, mode 0600; otherwise JIAOZI_PURSE_PASSPHRASE, otherwise it is "
            "asked for",
            "含口令或 PIN 的文件（权限 0600）；否则用 JIAOZI_PURSE_PASSPHRASE，再否则询问"));
    cli::add_connection_options(command, connection);
}

}  // namespace

void add_server_commands(CLI::App& noun, cli::Connection& connection, cli::Exit& exit) {
    auto loading = std::make_shared<ServerOptions>();
    CLI::App* loads = noun.add_subcommand("load", say("set money of a wallet aside for the purse", "从钱包为钱袋充值"));
    add_options(*loads, *loading, connection);
    loads->add_option("--wallet", loading->wallet, say("the first time: the wallet it belongs to", "首次：所属钱包"));
    loads
        ->add_option("--amount", loading->amount,
                     say("in minor units; 0: it can only receive", "最小货币单位；0 表示只收款"))
        ->capture_default_str();
    loads->add_option("--asset", loading->asset, say("the wallet's asset", "钱包的资产"))->capture_default_str();
    loads->add_option("--issuer", loading->issuers,
                      say("the issuer's key, SUITE:HEX, learned elsewhere; without it the server's word is taken",
                          "另行取得的发行方公钥，SUITE:HEX；不给出则采信服务器"));
    loads->add_option("--certificate", loading->certificate,
                      say("load this certificate from a file, with no network", "离线：从文件载入此证书"));
    loads->add_option("--device", loading->device,
                      say("the first time: a device of the wallet's, whose own connection may sync the purse",
                          "首次：属于该钱包的设备，可经其自身连接同步此钱袋"));
    loads->add_option("--idempotency-key", loading->key, say("repeat a load that failed", "重试失败的充值"));
    loads->callback([loading, &connection, &exit] {
        if (const auto done = load(*loading, connection); !done.ok()) exit = fail(done.error());
    });

    auto syncing = std::make_shared<ServerOptions>();
    CLI::App* syncs = noun.add_subcommand(
        "sync", say("hand in what was received; the money goes to the wallet", "上交所收款项，进入钱包"));
    add_options(*syncs, *syncing, connection);
    const char* group = say("Over a device's connection, without an API key", "经设备连接，无需 API 密钥");
    syncs
        ->add_option("--device-state", syncing->device_state,
                     say("folder with the key of the device that the purse was loaded for (`sim --state`)",
                         "钱袋所属设备的密钥目录（同 `sim --state`）"))
        ->group(group);
    syncs->add_option("--mqtt", syncing->mqtt, say("host:port of the broker", "MQTT 代理 host:port"))
        ->envname("JIAOZI_MQTT")
        ->capture_default_str()
        ->group(group);
    syncs->add_option("--timeout", syncing->timeout, say("seconds to wait for an answer", "等待答复的秒数"))
        ->capture_default_str()
        ->group(group);
    syncs->callback([syncing, &connection, &exit] {
        const auto done = sync(*syncing, connection);
        exit = done.ok() ? *done : fail(done.error());
    });

    auto losing = std::make_shared<ServerOptions>();
    CLI::App* loses =
        noun.add_subcommand("lost", say("put the purse on the blacklist for good", "挂失：永久列入黑名单"));
    add_options(*loses, *losing, connection);
    loses->add_option("--number", losing->number,
                      say("the purse's number, if its folder is gone", "钱袋编号（文件夹已丢失时）"));
    loses->callback([losing, &connection, &exit] {
        if (const auto done = lost(*losing, connection); !done.ok()) exit = fail(done.error());
    });
}

}  // namespace jiaozi::purses
