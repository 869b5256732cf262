#include <iostream>
#include <memory>

#include <jiaozi/http/query.hpp>
#include <jiaozi/model/ids.hpp>
#include <jiaozi/proof/disclosure.hpp>

#include "commands.hpp"
#include "files.hpp"
#include "offline.hpp"

namespace jiaozi::proofs {
namespace {

using cli::say;

struct Wanted {
    std::string wallet;
    std::string from;
    std::string to;
    std::string out = "-";
};

Result<> run(const std::string& data, const Wanted& wanted) {
    JZ_TRY(const auto keys, open_log_keys(data));
    JZ_TRY(const auto own, own_checkpoint(data, keys));
    proof::DisclosureOptions options;
    options.journal = files_of(data).journal;
    options.salt_key = to_bytes(keys.salt.view());
    options.checkpoint = own.note;
    options.key = own.key;
    if (!wanted.wallet.empty()) {
        JZ_TRY(const WalletId wallet, WalletId::parse(wanted.wallet));
        options.account = wallet.value;
    }
    if (!wanted.from.empty()) {
        JZ_TRY(const Timestamp from, http::parse_rfc3339(wanted.from));
        options.from_ns = from.ns;
    }
    if (!wanted.to.empty()) {
        JZ_TRY(const Timestamp to, http::parse_rfc3339(wanted.to));
        options.to_ns = to.ns;
    }
    JZ_TRY(const proof::Receipt receipt, proof::make_disclosure(options, storage::system_disk()));
    JZ_CHECK(write_text(wanted.out, receipt.to_json() + "\n"));
    std::cerr << receipt.commands.size()
              << say(" commands; whoever has the log's key checks them with `jiaozi receipt verify`\n",
                     " 条命令；持有日志公钥者可用 `jiaozi receipt verify` 验证\n");
    return {};
}

}  // namespace

void add_disclose_command(CLI::App& root, cli::Exit& exit) {
    CLI::App* command = root.add_subcommand(
        "disclose", say("for an auditor: one wallet, or one period, with proofs and nothing of others",
                        "供审计：单个钱包或时段的记录及证明，不含他人内容"));
    command->group(say("Proofs", "证明"));
    const auto data = add_data_option(*command);
    auto wanted = std::make_shared<Wanted>();
    command->add_option("--wallet", wanted->wallet,
                        say("only transfers of this wallet; without it, everything in the period",
                            "仅此钱包的转账；缺省为时段内全部内容"));
    command->add_option("--from", wanted->from, say("from this time, RFC 3339", "起始时间（RFC 3339）"));
    command->add_option("--to", wanted->to, say("before this time, RFC 3339", "截止时间（RFC 3339，不含）"));
    command->add_option("--out", wanted->out, say("file to write; - is standard output", "写入的文件；- 为标准输出"))
        ->capture_default_str();
    command->callback([data, wanted, &exit] {
        if (const auto done = run(*data, *wanted); !done.ok()) exit = fail(done.error());
    });
}

}  // namespace jiaozi::proofs
