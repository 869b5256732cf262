#include <iostream>
#include <memory>

#include <boost/json.hpp>

#include <jiaozi/client/http_client.hpp>
#include <jiaozi/model/ids.hpp>
#include <jiaozi/proof/receipt.hpp>
#include <jiaozi/settlement/facts.hpp>

#include "commands.hpp"
#include "files.hpp"
#include "http_tiles.hpp"
#include "quorum.hpp"

namespace jiaozi::proofs {
namespace {

namespace json = boost::json;
using cli::say;

// What happened, in a word. A hold shows its outcome as "held"; a refused transfer the ledger's reason.
std::string what_of(const proof::TransferPart& part) {
    if (part.result != ledger::CreateTransferResult::ok) return std::string(name_of(part.result));
    const std::uint16_t flags = part.transfer.flags;
    if ((flags & ledger::transfer_flags::pending) != 0) return say("held", "冻结");
    if ((flags & ledger::transfer_flags::post_pending) != 0) return say("captured", "扣款");
    if ((flags & ledger::transfer_flags::void_pending) != 0) return say("released", "释放");
    return say("moved", "转移");
}

json::object row(std::uint64_t sequence, std::uint64_t ns, const std::string& what) {
    json::object out;
    out["sequence"] = std::to_string(sequence);
    out["time"] = time_text(ns);
    out["what"] = what;
    out["amount"] = "";
    out["from"] = "";
    out["to"] = "";
    return out;
}

// What purses signed, and what the ledger made of it.
std::string what_of(std::uint8_t flags) {
    if ((flags & settlement::note_flags::deposited) == 0) return say("seen, spent on", "已见，已转付");
    const bool final = (flags & (settlement::note_flags::by_payee | settlement::note_flags::receipt)) != 0;
    return final ? say("paid offline", "离线付款") : say("paid offline, payee not heard", "离线付款，收款方未确认");
}

// An annotation that is a row of an offline payment; nullopt: another one.
std::optional<json::object> offline_row(const proof::VerifiedCommand& command, const proof::Part& part,
                                        std::uint32_t ledger) {
    const auto* annotation = std::get_if<proof::AnnotationPart>(&part);
    if (annotation == nullptr) return std::nullopt;
    const auto fact = settlement::decode_annotation(annotation->bytes);
    if (!fact.ok() || !fact->has_value()) return std::nullopt;
    const proof::HeaderPart& header = command.header;
    if (std::holds_alternative<settlement::LapsedFact>(**fact))
        return row(header.sequence, header.timestamp_ns, say("deadline reached", "到期"));
    const auto* notes = std::get_if<settlement::NotesFact>(&**fact);
    if (notes == nullptr || notes->rows.size() != 1) return std::nullopt;
    json::object line = row(header.sequence, header.timestamp_ns, what_of(notes->rows.front().flags));
    const auto told = settlement::told_by(notes->rows.front());
    if (!told || !told->note) return line;
    const std::uint64_t amount = told->note->total();
    line["amount"] = ledger == 0 ? to_decimal(amount) : amount_text(ledger, amount);
    line["from"] = say("purse ", "离线钱袋 ") + std::to_string(told->note->payer);
    line["to"] = say("purse ", "离线钱袋 ") + std::to_string(told->note->payee);
    return line;
}

// A note does not name its asset; what was paid out for it does.
std::uint32_t ledger_of(const proof::VerifiedReceipt& verified) {
    for (const proof::VerifiedCommand& command : verified.commands) {
        for (const proof::Part& part : command.parts) {
            if (const auto* moved = std::get_if<proof::TransferPart>(&part)) return moved->transfer.ledger;
        }
    }
    return 0;
}

json::array rows_of(const proof::VerifiedReceipt& verified) {
    const std::uint32_t ledger = ledger_of(verified);
    json::array rows;
    for (const proof::VerifiedCommand& command : verified.commands) {
        bool told = false;
        for (const proof::Part& part : command.parts) {
            if (const auto* moved = std::get_if<proof::TransferPart>(&part)) {
                const ledger::Transfer& transfer = moved->transfer;
                json::object line = row(command.header.sequence, transfer.timestamp, what_of(*moved));
                if (transfer.amount != ledger::everything)
                    line["amount"] = transfer.ledger == 0 ? to_decimal(transfer.amount)
                                                          : amount_text(transfer.ledger, transfer.amount);
                if (transfer.debit_account_id != 0) line["from"] = WalletId(transfer.debit_account_id).to_string();
                if (transfer.credit_account_id != 0) line["to"] = WalletId(transfer.credit_account_id).to_string();
                rows.emplace_back(std::move(line));
            } else if (const auto* expired = std::get_if<proof::ExpiredPart>(&part)) {
                rows.emplace_back(row(command.header.sequence, expired->timestamp_ns, say("expired", "超时释放")));
            } else if (auto offline = offline_row(command, part, ledger)) {
                rows.emplace_back(std::move(*offline));
                told = true;
            }
        }
        if (!told && command.parts.size() == 1 && std::holds_alternative<proof::AnnotationPart>(command.parts.front()))
            rows.emplace_back(row(command.header.sequence, command.header.timestamp_ns, say("noted", "记录")));
    }
    return rows;
}

struct VerifyOptions {
    std::string file;
    std::string key;
    bool json = false;
};

Result<> verify_receipt(const VerifyOptions& options, const QuorumOptions& quorum) {
    JZ_TRY(const proof::NoteKey key, read_note_key(options.key));
    JZ_TRY(const std::string text, read_text(options.file));
    JZ_TRY(const proof::Receipt receipt, proof::Receipt::parse(text));
    JZ_TRY(const proof::VerifiedReceipt verified, proof::verify(receipt, key));
    JZ_CHECK(demand_quorum(quorum, key, receipt.checkpoint));
    const json::array rows = rows_of(verified);
    if (options.json) {
        json::object out;
        out["object"] = "verified_receipt";
        out["payment"] = receipt.subject == 0 ? json::value() : json::value(PaymentId(receipt.subject).to_string());
        out["log"] = verified.checkpoint.origin;
        out["size"] = std::to_string(verified.checkpoint.size);
        out["root"] = to_hex(verified.checkpoint.root);
        out["witnesses_demanded"] = quorum.witnesses.empty() ? 0
                                    : quorum.quorum != 0     ? quorum.quorum
                                                             : quorum.witnesses.size();
        out["movements"] = rows;
        std::cout << json::serialize(out) << '\n';
        return {};
    }
    std::cout << say("genuine: the journal of ", "真实：以下内容记录于 ") << verified.checkpoint.origin
              << say(" has this among its first ", " 的账本日志，位于前 ") << verified.checkpoint.size
              << say(" commands\n", " 条命令中\n");
    if (receipt.subject != 0) std::cout << say("payment  ", "付款  ") << PaymentId(receipt.subject).to_string() << '\n';
    std::cout << cli::render(json::value{{"object", "list"}, {"data", rows}, {"has_more", false}});
    return {};
}

Result<> get_receipt(const std::string& payment, const std::string& out, const cli::Connection& connection) {
    JZ_TRY(const PaymentId id, PaymentId::parse(payment));
    JZ_TRY(auto client, client::HttpClient::create(
                            {.base_url = connection.url, .key = cli::read_key(connection), .timeout = seconds(30)}));
    JZ_TRY(const std::string receipt, get(client, "/v1/payments/" + id.to_string() + "/receipt"));
    return write_text(out, receipt + "\n");
}

}  // namespace

void add_receipt_commands(CLI::App& root, cli::Connection& connection, cli::Exit& exit) {
    CLI::App* noun = root.add_subcommand(
        "receipt", say("receipts that verify without trusting the server", "无需信任服务器即可验证的收据"));
    noun->require_subcommand(1);
    noun->group(say("Proofs", "证明"));

    CLI::App* fetch = noun->add_subcommand(
        "get", say("a payment's receipt, as JSON, up to this moment", "取得付款截至此刻的收据（JSON）"));
    auto payment = std::make_shared<std::string>();
    auto out = std::make_shared<std::string>("-");
    fetch->add_option("payment", *payment, say("the payment: pay_…", "付款：pay_…"))->required();
    fetch->add_option("--out", *out, say("file to write; - is standard output", "写入的文件；- 为标准输出"))
        ->capture_default_str();
    cli::add_connection_options(*fetch, connection);
    fetch->callback([payment, out, &connection, &exit] {
        if (const auto done = get_receipt(*payment, *out, connection); !done.ok()) exit = fail(done.error());
    });

    CLI::App* check =
        noun->add_subcommand("verify", say("check a receipt or a disclosure, offline, and show what it proves",
                                           "离线验证收据或选择性披露，并显示其证明的内容"));
    auto options = std::make_shared<VerifyOptions>();
    check->add_option("file", options->file, say("the receipt; - is standard input", "收据文件；- 为标准输入"))
        ->required();
    check
        ->add_option("--key", options->key,
                     say("the log's verifier key, or a file with it", "日志的验证公钥，或含公钥的文件"))
        ->required();
    check->add_flag("--json", options->json, say("print the result as JSON", "以 JSON 输出"));
    const auto quorum = add_quorum_options(*check);
    check->callback([options, quorum, &exit] {
        if (const auto done = verify_receipt(*options, *quorum); !done.ok()) exit = fail(done.error());
    });
}

}  // namespace jiaozi::proofs
