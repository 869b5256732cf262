// new, show, forget, verify-proof.
#include <algorithm>
#include <iostream>

#include <boost/json.hpp>

#include <jiaozi/terminal/evidence.hpp>
#include <jiaozi/terminal/open_deals.hpp>
#include <jiaozi/terminal/proof_file.hpp>

#include "../proof/files.hpp"
#include "commands.hpp"
#include "common.hpp"

namespace jiaozi::purses {
namespace {

namespace json = boost::json;
using cli::say;

struct NewOptions {
    PurseChoice purse;
    terminal::KeyChoice key;
    std::string place = "file";
    std::string suite = "ed25519";
    std::string anchor;
};

Result<> make_purse(NewOptions& options) {
    JZ_TRY(options.key.place, terminal::parse_key_place(options.place));
    JZ_TRY(options.key.suite, crypto::parse_suite(options.suite));
    crypto::SecretBytes secret;
    if (options.key.place != terminal::KeyPlace::card) {
        JZ_TRY(secret, read_passphrase(options.purse, true));
    }
    JZ_CHECK(terminal::PurseFolder::create(options.purse.folder, options.key, options.anchor, secret));
    JZ_TRY(const terminal::Settings made, terminal::PurseFolder::read_settings(options.purse.folder));
    json::object out{{"object", "new_purse"},
                     {"folder", options.purse.folder},
                     {"key", terminal::name_of(made.key.place)},
                     {"suite", crypto::name_of(made.key.suite)},
                     {"public_key", to_hex(made.public_key)},
                     {"anchor", made.anchor}};
    if (options.purse.json) {
        std::cout << json::serialize(out) << '\n';
        return {};
    }
    std::cout << cli::render(out);
    std::cerr << say("Next, with a network: `jiaozi purse load --wallet wal_… --amount … --asset CNY`.\n",
                     "下一步（有网络时）：`jiaozi purse load --wallet wal_… --amount … --asset CNY`。\n");
    if (!made.anchor.empty()) {
        std::cerr << say("Leave the anchor's folder out of backups: it is what notices an older copy.\n",
                         "请勿备份 anchor 文件夹：它用来发现被恢复的旧副本。\n");
    }
    return {};
}

const char* state_words(jz_state state) {
    switch (state) {
        case JZ_ACTIVE:
            return say("active", "正常");
        case JZ_STATE_SUSPECT:
            return say("SUSPECT: sync it", "存疑：请同步");
        case JZ_STATE_FROZEN:
            return say("frozen", "已冻结");
        case JZ_STATE_LOST:
            return say("lost", "已挂失");
    }
    return "";
}

const char* state_name(jz_state state) {
    constexpr const char* names[] = {"", "active", "suspect", "frozen", "lost"};
    return names[state];
}

json::object machine_view(terminal::PurseFolder& folder, const std::vector<terminal::Purchase>& open) {
    const jz_info info = folder.purse().info();
    const jz_trust_info trust = folder.purse().trust_info();
    json::array issuers;
    for (const auto& issuer : folder.settings().issuers) issuers.emplace_back(terminal::to_text(issuer));
    json::array lots;
    for (const auto& lot : terminal::lots_of(folder.purse())) {
        lots.push_back(json::object{{"serial", lot.serial},
                                    {"amount", std::to_string(lot.amount)},
                                    {"expires", lot.expires},
                                    {"directed", lot.directed}});
    }
    json::array purchases;
    for (const terminal::Purchase& one : open) {
        purchases.push_back(json::object{{"device", one.order.device},
                                         {"slot", one.order.slot},
                                         {"quantity", one.order.quantity},
                                         {"way", one.online ? "online" : "purse"},
                                         {"amount", std::to_string(one.amount)},
                                         {"asset", one.asset}});
    }
    return {{"object", "purse"},
            {"purse", info.purse},
            {"state", state_name(info.state)},
            {"class", static_cast<unsigned>(folder.key().assurance())},
            {"asset", terminal::asset_of(folder.purse())},
            {"spendable", std::to_string(info.spendable)},
            {"unknown", std::to_string(info.unknown)},
            {"payments_unknown", info.payments_unknown},
            {"void_held", std::to_string(info.void_held)},
            {"received_not_settled", std::to_string(info.received)},
            {"notes_held", info.notes_held},
            {"requests_open", info.requests_open},
            {"seq", info.seq},
            {"blacklist", info.list_version},
            {"two_lists", trust.two_lists != 0},
            {"carried", trust.carried},
            {"last_sync", terminal::sync_state_of(folder.purse()).last_sync},
            {"wrong_pins", info.wrong_pins},
            {"wallet", folder.settings().wallet},
            {"issuers", issuers},
            {"lots", lots},
            {"purchases_unknown", purchases}};
}

// Every amount says what it is: unknown is not failed, received is not settled.
json::object person_view(terminal::PurseFolder& folder, const std::vector<terminal::Purchase>& open) {
    const jz_info info = folder.purse().info();
    const std::string asset = terminal::asset_of(folder.purse());
    json::object view;
    view[say("purse", "钱袋")] = std::to_string(info.purse);
    view[say("state", "状态")] = state_words(info.state);
    view[say("to spend", "可用")] = amount_text(info.spendable, asset);
    view[say("unknown", "未知")] = amount_text(info.unknown, asset) +
                                   say("  sent; whether it was taken is not known", "  已发出；是否被接受尚不知道");
    view[say("voided", "已作废")] =
        amount_text(info.void_held, asset) + say("  locked until a sync gives it back", "  锁定，同步后退回");
    view[say("received", "已收")] = amount_text(info.received, asset) +
                                    say("  accepted, not settled; spent on or not", "  已接受、未结算；含已再次付出的");
    view[say("requests open", "未完成请求")] = std::to_string(info.requests_open);
    view[say("wallet", "钱包")] = folder.settings().wallet;
    const jz_trust_info trust = folder.purse().trust_info();
    if (trust.carried != 0) {
        view[say("carried for others", "代他人携带")] =
            std::to_string(trust.carried) + say("  sealed; handed in with the next sync", "  份，密封；下次同步时上交");
    }
    if (trust.two_lists != 0) {
        view[say("alarm", "警报")] = say("the issuer's key has signed two blacklists with one version: sync it",
                                         "发行方密钥以同一版本号签署了两份黑名单：请同步");
    }
    for (const terminal::Purchase& one : open) {
        if (!one.online) continue;  // by the purse: counted above
        view[say("online, unknown", "在线、未知")] =
            amount_text(one.amount, one.asset) + say("  at ", "  在 ") + one.order.device;
    }
    return view;
}

Result<> show_purse(const PurseChoice& choice) {
    JZ_TRY(auto folder, open_enrolled(choice));
    JZ_TRY(const auto open, terminal::read_purchases(folder->path() / terminal::purchases_name));
    if (choice.json) {
        std::cout << json::serialize(machine_view(*folder, open)) << '\n';
    } else {
        std::cout << cli::render(person_view(*folder, open));
    }
    return {};
}

struct ForgetOptions {
    PurseChoice purse;
    terminal::Order order;
    bool sure = false;
};

// A purchase whose online outcome nobody will ever tell: its key was revoked, say. Never by itself, because the same
// order then pays anew.
Result<> forget_purchase(const ForgetOptions& options) {
    JZ_TRY(auto folder, open_enrolled(options.purse));  // and nobody else has it open
    const auto book = folder->path() / terminal::purchases_name;
    JZ_TRY(std::vector<terminal::Purchase> open, terminal::read_purchases(book));
    const auto found = std::ranges::find_if(open, [&](const terminal::Purchase& one) {
        return one.online && one.order.device == options.order.device && one.order.slot == options.order.slot &&
               one.order.quantity == options.order.quantity;
    });
    if (found == open.end()) {
        return Error(ErrorKind::not_found, say("no online purchase of unknown outcome is like that; `show` lists them",
                                               "没有这样的结果未知的在线购买；`show` 会列出"));
    }
    const std::string amount = amount_text(found->amount, found->asset);
    if (!options.sure) {
        return Error(ErrorKind::invalid,
                     amount + say(" may have been paid. With --sure it is forgotten, and the same purchase pays again",
                                  " 可能已付。加 --sure 后将不再记得，同样的购买会再次付款"))
            .with_param("sure");
    }
    open.erase(found);
    JZ_CHECK(terminal::write_purchases(book, open));
    std::cout << say("forgotten: ", "已遗忘：") << amount << '\n';
    return {};
}

struct VerifyOptions {
    std::string file;
    std::vector<std::string> issuers;
    bool json = false;
};

Result<> verify_proof(const VerifyOptions& options) {
    std::vector<terminal::IssuerKey> issuers;
    for (const std::string& text : options.issuers) {
        JZ_TRY(issuers.emplace_back(), terminal::parse_issuer_key(text));
    }
    JZ_TRY(const std::string file, proofs::read_text(options.file));
    JZ_TRY(const Bytes proof, terminal::read_proof(as_bytes(file)));
    JZ_TRY(const terminal::ProvenFork fork, terminal::check_proof(proof, issuers));
    json::array notes;
    for (const terminal::ProvenNote& note : fork.notes) {
        notes.push_back(
            json::object{{"object", "note"},
                         {"note", to_hex(note.id)},
                         {"seq", note.seq},
                         {"payee", note.payee},
                         {"amount", options.json ? std::to_string(note.amount) : amount_text(note.amount, fork.asset)},
                         {"time", proofs::time_text(std::uint64_t{note.time} * 1'000'000'000)}});
    }
    if (options.json) {
        std::cout << json::serialize(json::object{{"object", "verified_fork"},
                                                  {"purse", fork.purse},
                                                  {"serial", fork.serial},
                                                  {"asset", fork.asset},
                                                  {"why", fork.same_number ? "same_number" : "overlap"},
                                                  {"notes", notes}})
                  << '\n';
        return {};
    }
    std::cout << say("genuine: purse ", "真实：钱袋 ") << fork.purse
              << (fork.same_number ? say(" has signed two notes under one number.\n", " 以同一序号签署了两张票据。\n")
                                   : say(" has spent the same money twice.\n", " 将同一笔钱花了两次。\n"))
              << say("Nobody else could have signed them; the issuer's key is all that was trusted.\n",
                     "他人无法签署；验证仅信任发行方公钥。\n")
              << cli::render(json::value{{"object", "list"}, {"data", notes}, {"has_more", false}});
    return {};
}

void add_new(CLI::App& noun, cli::Exit& exit) {
    auto options = std::make_shared<NewOptions>();
    CLI::App* command =
        noun.add_subcommand("new", say("make a purse: a folder with a key", "新建钱袋：一个含密钥的文件夹"));
    add_purse_options(*command, options->purse);
    command
        ->add_option("--key", options->place,
                     say("where the key lives: file, pkcs11, tpm, card (docs/keystores.md)",
                         "密钥所在：file、pkcs11、tpm、card（docs/keystores.md）"))
        ->capture_default_str();
    command
        ->add_option("--suite", options->suite,
                     say("ed25519, p256 or sm2; a TPM's is p256, a card has its own",
                         "ed25519、p256 或 sm2；TPM 为 p256，卡片自定"))
        ->capture_default_str();
    command->add_option(
        "--anchor", options->anchor,
        say("folder of the counter that notices an older copy; file and pkcs11 (default: beside the purse)",
            "用于发现旧副本的计数器文件夹；file 与 pkcs11（默认在钱袋旁）"));
    command->add_option("--module", options->key.module, say("pkcs11: the token's library", "pkcs11：令牌的库文件"));
    command->add_option("--token", options->key.token, say("pkcs11: the token's label", "pkcs11：令牌标签"));
    command->add_option("--label", options->key.label, say("pkcs11: the key's label", "pkcs11：密钥标签"))
        ->capture_default_str();
    command->add_option("--tcti", options->key.tcti, say("tpm: how to reach it", "tpm：访问方式"))
        ->capture_default_str();
    command->add_option("--reader", options->key.reader,
                        say("card: a part of the reader's name", "card：读卡器名称的一部分"));
    command->callback([options, &exit] {
        if (const auto done = make_purse(*options); !done.ok()) exit = fail(done.error());
    });
}

}  // namespace

void add_folder_commands(CLI::App& noun, cli::Exit& exit) {
    add_new(noun, exit);
    auto shown = std::make_shared<PurseChoice>();
    CLI::App* show =
        noun.add_subcommand("show", say("what is in the purse, and what is not known", "钱袋中有什么，什么尚不知道"));
    add_purse_options(*show, *shown);
    show->callback([shown, &exit] {
        if (const auto done = show_purse(*shown); !done.ok()) exit = fail(done.error());
    });

    auto forgotten = std::make_shared<ForgetOptions>();
    CLI::App* forget = noun.add_subcommand("forget", say("give up an online purchase whose outcome nobody can tell",
                                                         "放弃一笔永远无法得知结果的在线购买"));
    add_purse_options(*forget, forgotten->purse);
    forget->add_option("--at", forgotten->order.device, say("the machine's id", "机器 id"))->required();
    forget->add_option("--slot", forgotten->order.slot, say("what was bought", "购买的货道"))->capture_default_str();
    forget->add_option("--quantity", forgotten->order.quantity, say("and how many", "数量"))->capture_default_str();
    forget->add_flag("--sure", forgotten->sure, say("it may have been paid; I have asked", "可能已付；我已核实"));
    forget->callback([forgotten, &exit] {
        if (const auto done = forget_purchase(*forgotten); !done.ok()) exit = fail(done.error());
    });

    auto options = std::make_shared<VerifyOptions>();
    CLI::App* verify =
        noun.add_subcommand("verify-proof", say("check a proof that a purse spent twice; needs the issuer's "
                                                "key and nothing else",
                                                "验证钱袋双花的证明；只需发行方公钥"));
    verify->add_option("file", options->file, say("the proof; - is standard input", "证明文件；- 为标准输入"))
        ->required();
    verify
        ->add_option("--issuer", options->issuers,
                     say("the issuer's key, SUITE:HEX; keys inside the file are not trusted",
                         "发行方公钥，SUITE:HEX；不信任文件内所附公钥"))
        ->required();
    verify->add_flag("--json", options->json, say("print the result as JSON", "以 JSON 输出"));
    verify->callback([options, &exit] {
        if (const auto done = verify_proof(*options); !done.ok()) exit = fail(done.error());
    });
}

}  // namespace jiaozi::purses
