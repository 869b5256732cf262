#include <iostream>
#include <memory>

#include <jiaozi/api/accounts.hpp>
#include <jiaozi/model/ids.hpp>
#include <jiaozi/proof/liabilities.hpp>
#include <jiaozi/proof/replay.hpp>

#include "commands.hpp"
#include "files.hpp"
#include "offline.hpp"

namespace jiaozi::proofs {
namespace {

using cli::say;

bool is_holder(const ledger::Account& account) {
    return account.code == api::code_wallet || account.code == api::code_merchant_wallet;
}

// The books as they were at the newest checkpoint.
Result<proof::Liabilities> at_checkpoint(const std::string& data, const proof::LogKeys& keys,
                                         const OwnCheckpoint& own) {
    ledger::Ledger ledger;
    JZ_TRY(const auto replayed, proof::replay_journal(storage::system_disk(), files_of(data).journal, ledger,
                                                      [&](const engine::Committed& committed) -> Result<bool> {
                                                          return committed.sequence < own.checkpoint.size;
                                                      }));
    if (replayed.damage || replayed.commands < own.checkpoint.size)
        return Error(ErrorKind::corrupt, "the journal does not reach to its checkpoint undamaged; run `jiaozi audit`");
    return proof::Liabilities::make(ledger, own.checkpoint, keys.salt.view(), is_holder);
}

Result<std::string> signed_statement(const proof::Liabilities& liabilities, const proof::LogKeys& keys,
                                     const OwnCheckpoint& own) {
    const std::string text = liabilities.statement().text();
    JZ_TRY(auto signature, proof::sign_note(text, proof::liabilities_key(own.key), *keys.signer));
    return proof::Note{text, {std::move(signature)}}.to_string();
}

Result<> state(const std::string& data, const std::string& out) {
    JZ_TRY(const auto keys, open_log_keys(data));
    JZ_TRY(const auto own, own_checkpoint(data, keys));
    JZ_TRY(const auto liabilities, at_checkpoint(data, keys, own));
    bool backed = true;
    for (const proof::LedgerLiability& row : liabilities.statement().ledgers) {
        const uint128 backing = liabilities.backing(row.ledger);
        backed = backed && backing == row.sum;
        std::cerr << amount_text(row.ledger, row.sum) << say(" owed to ", " 属于 ") << row.holders
                  << say(" holders, backed by ", " 个持有人，对应账户 ") << amount_text(row.ledger, backing) << '\n';
    }
    if (!backed) return Error(ErrorKind::corrupt, "what is owed and what backs it differ; run `jiaozi audit`");
    JZ_TRY(const std::string note, signed_statement(liabilities, keys, own));
    return write_text(out, note);
}

Result<> prove(const std::string& data, const std::string& wallet, const std::string& out) {
    JZ_TRY(const WalletId id, WalletId::parse(wallet));
    JZ_TRY(const auto keys, open_log_keys(data));
    JZ_TRY(const auto own, own_checkpoint(data, keys));
    JZ_TRY(const auto liabilities, at_checkpoint(data, keys, own));
    JZ_TRY(std::string note, signed_statement(liabilities, keys, own));
    JZ_TRY(const auto proof, liabilities.prove(id.value, std::move(note)));
    return write_text(out, proof.to_json() + "\n");
}

Result<> check(const std::string& file, const std::string& key_text) {
    JZ_TRY(const auto key, read_note_key(key_text));
    JZ_TRY(const std::string text, read_text(file));
    JZ_TRY(const auto proof, proof::LiabilityProof::parse(text));
    JZ_TRY(const auto verified, proof::verify(proof, key));
    std::cout << say("counted: ", "已计入：") << amount_text(proof.ledger, proof.balance) << say(" of ", "，属于 ")
              << WalletId(proof.account).to_string() << say(" are among the ", "，总额 ")
              << amount_text(proof.ledger, verified.ledger.sum) << say(" owed to ", "，共 ") << verified.ledger.holders
              << say(" holders at command ", " 个持有人，截至第 ") << verified.statement.checkpoint.size
              << say("\n", " 条命令\n");
    return {};
}

}  // namespace

void add_liability_commands(CLI::App& root, cli::Exit& exit) {
    CLI::App* noun = root.add_subcommand(
        "liabilities", say("proof of what is owed to all holders together", "对全体持有人负债总额的证明"));
    noun->require_subcommand(1);
    noun->group(say("Proofs", "证明"));
    const char* const out_help = say("file to write; - is standard output", "写入的文件；- 为标准输出");

    CLI::App* make =
        noun->add_subcommand("state", say("sign the sums at the newest checkpoint, and compare with what backs them",
                                          "对最新检查点的总额签名，并与对应账户比对"));
    const auto make_data = add_data_option(*make);
    auto make_out = std::make_shared<std::string>("-");
    make->add_option("--out", *make_out, out_help)->capture_default_str();
    make->callback([make_data, make_out, &exit] {
        if (const auto done = state(*make_data, *make_out); !done.ok()) exit = fail(done.error());
    });

    CLI::App* one = noun->add_subcommand("prove", say("that a wallet's balance is counted", "证明某钱包余额已计入"));
    const auto one_data = add_data_option(*one);
    auto wallet = std::make_shared<std::string>();
    auto one_out = std::make_shared<std::string>("-");
    one->add_option("wallet", *wallet, say("the wallet: wal_…", "钱包：wal_…"))->required();
    one->add_option("--out", *one_out, out_help)->capture_default_str();
    one->callback([one_data, wallet, one_out, &exit] {
        if (const auto done = prove(*one_data, *wallet, *one_out); !done.ok()) exit = fail(done.error());
    });

    CLI::App* verb = noun->add_subcommand("verify", say("check such a proof, offline", "离线验证该证明"));
    auto file = std::make_shared<std::string>();
    auto key = std::make_shared<std::string>();
    verb->add_option("file", *file, say("the proof; - is standard input", "证明文件；- 为标准输入"))->required();
    verb->add_option("--key", *key, say("the log's verifier key, or a file with it", "日志的验证公钥，或含公钥的文件"))
        ->required();
    verb->callback([file, key, &exit] {
        if (const auto done = check(*file, *key); !done.ok()) exit = fail(done.error());
    });
}

}  // namespace jiaozi::proofs
