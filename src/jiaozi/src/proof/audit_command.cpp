#include <filesystem>
#include <iostream>
#include <memory>
#include <vector>

#include <boost/json.hpp>

#include <jiaozi/proof/audit.hpp>

#include "anchor_places.hpp"
#include "commands.hpp"
#include "files.hpp"
#include "offline.hpp"

namespace jiaozi::proofs {
namespace {

namespace json = boost::json;
using cli::say;

const char* check_name(proof::AuditCheck check) {
    switch (check) {
        case proof::AuditCheck::journal:
            return say("journal", "日志");
        case proof::AuditCheck::replay:
            return say("replay", "重放");
        case proof::AuditCheck::balances:
            return say("balances", "余额");
        case proof::AuditCheck::tree:
            return say("tree", "哈希树");
        case proof::AuditCheck::checkpoints:
            return say("checkpoints", "检查点");
        case proof::AuditCheck::anchors:
            return say("anchors", "锚定");
    }
    return "";
}

json::value to_json(const std::optional<proof::AnchorDifference>& difference) {
    if (!difference) return {};
    json::object out;
    out["size"] = difference->anchored.size;
    out["anchored_root"] = to_hex(difference->anchored.root);
    out["journal_root"] = difference->journal ? json::value(to_hex(*difference->journal)) : json::value();
    return out;
}

json::object to_json(const proof::AuditReport& report) {
    json::object out;
    out["object"] = "audit";
    out["ok"] = report.ok();
    out["entries"] = report.journal.entries;
    out["commands"] = report.journal.commands;
    out["bytes"] = report.journal.bytes;
    out["accounts"] = report.accounts;
    out["transfers"] = report.transfers;
    out["log"] = report.key ? json::value(report.key->to_string()) : json::value();
    out["root"] = to_hex(report.root);
    out["tiles"] = report.tiles;
    out["checkpoints"] = report.checkpoints;
    out["signed_commands"] = report.signed_commands;
    out["anchors"] = report.anchors;
    json::array ledgers;
    for (const proof::LedgerTotals& totals : report.ledgers) {
        json::object row;
        row["ledger"] = totals.ledger;
        row["accounts"] = totals.accounts;
        row["debits_posted"] = to_decimal(totals.debits_posted);
        row["credits_posted"] = to_decimal(totals.credits_posted);
        row["pending"] = to_decimal(totals.pending);
        ledgers.emplace_back(std::move(row));
    }
    out["ledgers"] = std::move(ledgers);
    json::array findings;
    for (const proof::Finding& finding : report.findings) {
        json::object row;
        row["check"] = name_of(finding.check);
        row["harmless"] = finding.harmless;
        row["file"] = finding.file;
        row["offset"] = finding.offset ? json::value(*finding.offset) : json::value();
        row["exact"] = finding.exact;
        row["message"] = finding.message;
        row["difference"] = to_json(finding.difference);
        findings.emplace_back(std::move(row));
    }
    out["findings"] = std::move(findings);
    return out;
}

void print(const proof::AuditReport& report) {
    std::cout << say("journal      ", "日志    ") << report.journal.entries << say(" entries, ", " 条记录，")
              << report.journal.commands << say(" commands, ", " 条命令，") << report.journal.bytes
              << say(" bytes: every hash and link read, every command applied again\n",
                     " 字节：已逐条核对哈希与链接，并重新执行\n");
    std::cout << say("balances     ", "余额    ") << report.accounts << say(" accounts, ", " 个账户，")
              << report.transfers << say(" transfers\n", " 笔转账\n");
    for (const proof::LedgerTotals& totals : report.ledgers) {
        std::cout << "             " << amount_text(totals.ledger, totals.debits_posted) << say(" debited, ", " 借方，")
                  << amount_text(totals.ledger, totals.credits_posted) << say(" credited, ", " 贷方，")
                  << amount_text(totals.ledger, totals.pending) << say(" held\n", " 冻结\n");
    }
    if (report.key) {
        std::cout << say("tree         root ", "哈希树  根 ") << to_hex(report.root) << say(", ", "，") << report.tiles
                  << say(" stored tiles\n", " 个存储块\n");
        std::cout << say("checkpoints  ", "检查点  ") << report.checkpoints << say(" of ", " 个，签名者 ")
                  << report.key->name << say(", up to command ", "，至第 ") << report.signed_commands
                  << say("\n", " 条命令\n");
    }
    if (report.anchors != 0) {
        std::cout << say("anchors      ", "锚定    ") << report.anchors
                  << say(" roots kept elsewhere are the journal's\n", " 个他处保存的根与日志一致\n");
    }
    for (const proof::Finding& finding : report.findings) {
        std::cout << (finding.harmless ? say("note: ", "提示：") : say("WRONG: ", "异常："))
                  << check_name(finding.check);
        if (!finding.file.empty()) std::cout << ": " << finding.file;
        if (finding.offset) {
            std::cout << (finding.exact ? say(", byte at offset ", "，字节偏移 ")
                                        : say(", from offset ", "，起始偏移 "))
                      << *finding.offset;
        }
        std::cout << ": " << finding.message << '\n';
    }
    std::cout << (report.ok() ? say("sound\n", "通过\n") : say("NOT SOUND\n", "未通过\n"));
}

Result<bool> run(const std::string& data, const std::vector<std::string>& kept, const PlaceOptions& places,
                 bool as_json) {
    proof::AuditOptions options;
    const DataFiles files = files_of(data);
    options.journal = files.journal;
    options.log = files.log;
    if (const auto keys = open_log_keys(data); keys.ok()) {
        options.salt_key = to_bytes(keys->salt.view());
    } else if (std::filesystem::exists(options.log)) {
        std::cerr << "jiaozi: " << say("the log's keys: ", "透明日志的密钥：") << keys.error().to_string() << '\n';
    }
    for (const std::string& path : kept) {
        JZ_TRY(std::string note, read_text(path));
        options.witnesses.push_back(std::move(note));
    }
    if (!places.places.empty()) {
        // Contracts know a log by its name; the audit then holds the key against what was signed.
        JZ_TRY(const proof::NoteKey key, read_note_key((files.log / "vkey").string()));
        JZ_TRY(options.anchors, read_places(places, key.name));
    }
    JZ_TRY(const proof::AuditReport report, proof::audit(options));
    if (as_json) {
        std::cout << json::serialize(to_json(report)) << '\n';
    } else {
        print(report);
    }
    return report.ok();
}

}  // namespace

void add_audit_command(CLI::App& root, cli::Exit& exit) {
    CLI::App* command = root.add_subcommand(
        "audit", say("check journal, balances, tree, checkpoints and anchors from nothing; changes nothing",
                     "从零核对日志、余额、哈希树、检查点与锚定；不作任何改动"));
    command->group(say("Proofs", "证明"));
    const auto data = add_data_option(*command);
    auto kept = std::make_shared<std::vector<std::string>>();
    auto as_json = std::make_shared<bool>(false);
    command->add_option("--checkpoint", *kept,
                        say("a checkpoint kept elsewhere, to hold the journal against; may be repeated",
                            "另处保存的检查点，用于比对日志；可重复"));
    const auto places = add_place_options(*command);
    command->add_flag("--json", *as_json, say("print the report as JSON", "以 JSON 输出报告"));
    command->callback([data, kept, places, as_json, &exit] {
        const auto sound = run(*data, *kept, *places, *as_json);
        if (!sound.ok()) {
            exit = fail(sound.error());
        } else if (!*sound) {
            exit = cli::Exit::failed;
        }
    });
}

}  // namespace jiaozi::proofs
