// pay, receive.
#include <algorithm>
#include <iostream>

#include <boost/json.hpp>
#include <unistd.h>

#include <jiaozi/terminal/evidence.hpp>
#include <jiaozi/terminal/payment.hpp>
#include <jiaozi/terminal/shopper.hpp>

#include "commands.hpp"
#include "common.hpp"
#include "tap.hpp"

namespace jiaozi::purses {
namespace {

namespace json = boost::json;
using cli::say;
using terminal::Outcome;

struct PaymentOptions {
    PurseChoice purse;
    std::string carrier;
    std::uint32_t timeout = 60;
    // pay
    std::uint64_t at_most = 0;
    bool verified = false;
    std::string pin_file;
    bool resume = false;
    bool cancel = false;
    // pay at a machine, online or with the purse
    terminal::Order order;
    // receive
    std::uint64_t amount = 0;
    bool answer = false;
    bool void_after = false;
};

const char* words_of(Outcome outcome) {
    switch (outcome) {
        case Outcome::nothing:
            return say("nothing was paid", "未付款");
        case Outcome::credited:
            return say("credited: accepted, not settled; it is in the wallet after a sync",
                       "已入袋：已接受、未结算；同步后进入钱包");
        case Outcome::paid:
            return say("paid: the payee's receipt is here", "已付：已取得收款方回执");
        case Outcome::unknown:
            return say(
                "unknown: sent, and nobody answered. Neither paid nor failed. Try `jiaozi purse pay --resume` with the "
                "same payee",
                "未知：已发出，无人应答。既非成功也非失败。请对同一收款方执行 `jiaozi purse pay --resume`");
        case Outcome::voided:
            return say("voided: it will never be credited; the amount is locked until a sync gives it back",
                       "已作废：永不入账；金额锁定，同步后退回");
    }
    return "";
}

cli::Exit exit_of(Outcome outcome) {
    if (outcome == Outcome::unknown) return cli::Exit::unavailable;
    return outcome == Outcome::paid || outcome == Outcome::credited ? cli::Exit::ok : cli::Exit::declined;
}

void print(const PaymentOptions& options, Outcome outcome, jz_status status, std::uint64_t amount,
           const std::string& asset, std::uint32_t peer) {
    if (options.purse.json) {
        json::object out{
            {"object", "purse_payment"},        {"outcome", terminal::name_of(outcome)}, {"settled", false},
            {"status", jz_status_name(status)}, {"amount", std::to_string(amount)},      {"asset", asset}};
        if (peer != 0) out["payee"] = peer;
        std::cout << json::serialize(out) << '\n';
        return;
    }
    if (amount != 0) std::cout << amount_text(amount, asset) << ' ';
    if (peer != 0) std::cout << say("to purse ", "付给钱袋 ") << peer << ' ';
    std::cout << words_of(outcome) << '\n';
    if (status != JZ_OK) std::cerr << "jiaozi: " << purses::words_of(status) << '\n';
}

// --at-most answers for the holder; otherwise the holder is asked.
bool agrees(const PaymentOptions& options, std::uint64_t amount, const std::string& asset, const std::string& to) {
    if (options.at_most != 0) return amount <= options.at_most;
    const std::string price = amount_text(amount, asset);
    std::cerr << say("Pay ", "向 ") << (cli::chinese() ? to : price) << say(" to ", " 支付 ")
              << (cli::chinese() ? price : to) << say("? [y/N] ", "？[y/N] ") << std::flush;
    std::string line;
    std::getline(std::cin, line);
    return line == "y" || line == "Y" || line == "yes";
}

std::string purse_text(std::uint32_t number) {
    return say("purse ", "钱袋 ") + std::to_string(number);
}

carriers::Terminal codes() {
    return {.screen = &std::cerr, .scanner = STDIN_FILENO};
}

// What the machine's server says of a purchase, or the purse: one way of two, and the person did nothing differently.
void print(const PaymentOptions& options, const terminal::Bought& bought) {
    const bool settled = bought.online && bought.outcome == Outcome::paid;
    if (options.purse.json) {
        json::object out{{"object", "purse_payment"},
                         {"way", bought.online ? "online" : "purse"},
                         {"outcome", terminal::name_of(bought.outcome)},
                         {"settled", settled},
                         {"earlier", bought.earlier},
                         {"status", jz_status_name(bought.status)},
                         {"amount", std::to_string(bought.amount)},
                         {"asset", bought.asset}};
        if (bought.payee != 0) out["payee"] = bought.payee;
        if (!bought.payment.empty()) out["payment"] = bought.payment;
        if (!bought.reason.empty()) out["reason"] = bought.reason;
        std::cout << json::serialize(out) << '\n';
        return;
    }
    if (bought.earlier) std::cerr << say("What had been begun before:\n", "先前已开始的付款：\n");
    if (bought.amount != 0) std::cout << amount_text(bought.amount, bought.asset) << ' ';
    if (!bought.online) {
        std::cout << words_of(bought.outcome) << '\n';
    } else if (settled) {
        std::cout << say("paid online: settled", "已在线付款：已结算") << '\n';
    } else if (bought.outcome == Outcome::unknown) {
        std::cout
            << say("unknown: asked for online, and nobody can say. Neither paid nor failed; the purse does not pay "
                   "meanwhile. The same command asks again",
                   "未知：已在线请求，尚无结果。既非成功也非失败；在此期间钱袋不会付款。请重复同一命令查询")
            << '\n';
    } else {
        std::cout << say("not paid: ", "未付款：") << bought.reason << '\n';
    }
    if (bought.status != JZ_OK) std::cerr << "jiaozi: " << purses::words_of(bought.status) << '\n';
}

Result<bool> is_verified(const PaymentOptions& options, terminal::PurseFolder& folder) {
    if (options.pin_file.empty()) return options.verified;
    PurseChoice pin = options.purse;
    pin.passphrase_file = options.pin_file;
    JZ_TRY(const crypto::SecretBytes typed, read_passphrase(pin));
    JZ_CHECK(folder.verify_holder(typed));
    return true;
}

// Two devices that are joined talk on after the payment. Codes and files would have to be carried to and fro for it.
bool may_talk(const std::string& carrier) {
    if (is_tap(carrier)) return false;
    const auto place = carriers::parse_place(carrier);
    return place.ok() && place->kind != carriers::Kind::file && place->kind != carriers::Kind::qr;
}

// A machine that the server knows: online while there is a network, with the purse while there is none.
Result<cli::Exit> buy(const PaymentOptions& options, const cli::Connection& connection) {
    JZ_TRY(const carriers::Place place, carriers::parse_place(options.carrier));
    JZ_TRY(auto folder, open_enrolled(options.purse));
    JZ_TRY(const bool cvm, is_verified(options, *folder));
    const terminal::Patience patience{.total = seconds(options.timeout), .answer = seconds(5), .resumes = 3};
    JZ_TRY(auto client, client::HttpClient::create({.base_url = connection.url,
                                                    .key = cli::read_key(connection),
                                                    .timeout = std::min(patience.total, seconds(10)),
                                                    .max_response_bytes = std::size_t{1} << 20,
                                                    .stop = {}}));
    terminal::HttpRoute network(std::move(client));
    terminal::Favours favours = folder->favours();
    terminal::Shopper shopper(
        folder->purse(), folder->path() / terminal::purchases_name, network,
        [&](std::uint64_t amount, const std::string& asset, std::uint32_t payee) {
            const std::string to = payee == 0 ? options.order.device : purse_text(payee);
            return terminal::Decision{agrees(options, amount, asset, to), cvm};
        },
        may_talk(options.carrier) ? &favours : nullptr);
    terminal::Order order = options.order;
    if (order.wallet.empty()) order.wallet = folder->settings().wallet;
    const auto machine = [&] { return carriers::open_link(place, carriers::Side::payer, patience.total, codes()); };
    JZ_TRY(const terminal::Bought bought, shopper.buy(order, machine, patience));
    print(options, bought);
    if (!folder->key_refusal().empty()) std::cerr << "jiaozi: " << folder->key_refusal() << '\n';
    return exit_of(bought.outcome);
}

// Whatever carries it.
Result<Outcome> pay_over(const PaymentOptions& options, terminal::Payer& payer) {
    const terminal::Patience patience{.total = seconds(options.timeout), .answer = seconds(5), .resumes = 3};
    if (is_tap(options.carrier)) {
        if (options.resume || options.cancel) {
            return Error(ErrorKind::invalid, say("on a reader nothing is asked: put the purse on the same reader again",
                                                 "读卡器上无需恢复：请把钱袋再次放到同一读卡器上"))
                .with_param("carrier");
        }
        return give_tap(payer, patience.total);
    }
    JZ_TRY(const carriers::Place place, carriers::parse_place(options.carrier));
    JZ_TRY(const auto link, carriers::open_link(place, carriers::Side::payer, patience.total, codes()));
    const bool again = options.resume || options.cancel;
    return again ? payer.resume(*link, patience, options.cancel) : payer.pay(*link, patience);
}

Result<cli::Exit> pay(const PaymentOptions& options) {
    const bool again = options.resume || options.cancel;
    if (options.carrier.starts_with("qr:") && options.at_most == 0 && !again) {
        return Error(ErrorKind::invalid, say("with qr: the scanner types on standard input, so give --at-most",
                                             "使用 qr: 时标准输入被扫码器占用，请给出 --at-most"))
            .with_param("at-most");
    }
    if (!is_tap(options.carrier)) JZ_CHECK(carriers::parse_place(options.carrier));
    JZ_TRY(auto folder, open_enrolled(options.purse));
    JZ_TRY(const bool cvm, is_verified(options, *folder));
    terminal::Favours favours = folder->favours();
    terminal::Payer payer(
        folder->purse(),
        [&](const jz_offer& offer) {
            return terminal::Decision{agrees(options, offer.amount, offer.asset, purse_text(offer.payee)), cvm};
        },
        may_talk(options.carrier) ? &favours : nullptr);
    auto outcome = pay_over(options, payer);
    const auto& offer = payer.offer();
    JZ_CHECK(terminal::forget_decided(folder->purse(), folder->path() / terminal::purchases_name));
    if (!outcome.ok()) {
        if (outcome.error().kind() != ErrorKind::declined || payer.status() == JZ_OK) return outcome.error();
        outcome = Outcome::nothing;
    }
    print(options, *outcome, payer.status(), offer ? offer->amount : 0, terminal::asset_of(folder->purse()),
          offer ? offer->payee : 0);
    if (!folder->key_refusal().empty()) std::cerr << "jiaozi: " << folder->key_refusal() << '\n';
    if (again && *outcome == Outcome::nothing) {
        std::cerr << say("nothing is unknown\n", "没有结果未知的付款\n");
        return cli::Exit::ok;
    }
    return exit_of(*outcome);
}

// Payers come and go until one has paid; each is told the same request.
Result<Outcome> wait_for_payer(const std::string& carrier, terminal::Payee& payee, const terminal::Patience& patience) {
    if (is_tap(carrier)) return take_tap(payee, carrier, patience.total);
    JZ_TRY(const carriers::Place place, carriers::parse_place(carrier));
    if (place.kind != carriers::Kind::tcp && place.kind != carriers::Kind::unix_socket) {
        JZ_TRY(const auto link, carriers::open_link(place, carriers::Side::payee, patience.total, codes()));
        return payee.serve(*link, patience, place.kind == carriers::Kind::serial);
    }
    JZ_TRY(const auto listener, carriers::listen(place));
    const carriers::Place bound = listener->place();
    if (bound.kind == carriers::Kind::tcp) {
        std::cerr << say("waiting at tcp:", "等待于 tcp:") << bound.where << ':' << bound.port << std::endl;
    }
    while (true) {
        JZ_TRY(const auto link, listener->accept(patience.total));
        auto outcome = payee.serve(*link, patience);
        if (payee.outcome() != Outcome::nothing) return payee.outcome();
        if (!outcome.ok() && outcome.error().kind() == ErrorKind::timeout) return outcome;
    }
}

Result<cli::Exit> receive(const PaymentOptions& options) {
    if (!is_tap(options.carrier)) JZ_CHECK(carriers::parse_place(options.carrier));
    if (options.answer == (options.amount != 0)) {
        return Error(ErrorKind::invalid, say("give --amount, or --answer to serve payers of earlier requests only",
                                             "请给出 --amount，或用 --answer 仅应答先前请求的付款方"))
            .with_param("amount");
    }
    JZ_TRY(auto folder, open_enrolled(options.purse));
    const std::string asset = terminal::asset_of(folder->purse());
    const terminal::Patience patience{.total = seconds(options.timeout), .answer = seconds(2), .resumes = 0};
    auto payee = options.answer ? Result<terminal::Payee>(terminal::Payee::answering(folder->purse()))
                                : terminal::Payee::ask(folder->purse(), options.amount);
    if (!payee.ok()) return std::move(payee).error();
    terminal::Favours favours = folder->favours();
    if (may_talk(options.carrier)) payee->with(&favours);
    const auto served = wait_for_payer(options.carrier, *payee, patience);
    if (payee->outcome() == Outcome::nothing && !served.ok() && served.error().kind() != ErrorKind::timeout) {
        return served.error();
    }
    if (payee->outcome() == Outcome::nothing && options.void_after) {
        JZ_CHECK(payee->give_up());
        print(options, Outcome::voided, payee->status(), options.amount, asset, 0);
        return cli::Exit::declined;
    }
    print(options, payee->outcome(), payee->status(), options.amount, asset, 0);
    if (payee->outcome() == Outcome::nothing && !options.answer) {
        std::cerr << say(
            "The request stays open for a payer that comes back: `receive --answer`. --void would end it.\n",
            "该请求仍有效，付款方可稍后返回：`receive --answer`。用 --void 可作废。\n");
    }
    return exit_of(payee->outcome());
}

void add_carrier(CLI::App& command, PaymentOptions& options) {
    add_purse_options(command, options.purse);
    command
        .add_option("carrier", options.carrier,
                    say("tcp:127.0.0.1:7700, unix:PATH, serial:PATH, file:DIR, qr:[DIR] or nfc:[READER]",
                        "tcp:127.0.0.1:7700、unix:路径、serial:路径、file:目录、qr:[目录] 或 nfc:[读卡器]"))
        ->required();
    command.add_option("--timeout", options.timeout, say("seconds to wait for the other side", "等待对方的秒数"))
        ->capture_default_str();
}

// Where the machine is, for the server; --url and --key-file as everywhere.
void add_machine(CLI::App& pays, PaymentOptions& options, cli::Connection& connection) {
    const char* group = say("At a machine that the server knows", "在服务器已登记的机器处");
    terminal::Order& order = options.order;
    pays.add_option("--at", order.device,
                    say("the machine's id: paid online while there is a network, with the purse while there is none",
                        "机器 id：有网络时在线付款，无网络时用钱袋付款"))
        ->group(group);
    pays.add_option("--slot", order.slot, say("what is bought", "购买的货道"))
        ->check(CLI::Range(1, 999))
        ->capture_default_str()
        ->group(group);
    pays.add_option("--quantity", order.quantity, say("and how many", "数量"))
        ->check(CLI::Range(1, 1000))
        ->capture_default_str()
        ->group(group);
    pays.add_option("--wallet", order.wallet,
                    say("that pays online (default: the purse's)", "在线付款的钱包（默认：钱袋所属）"))
        ->group(group);
    pays.add_option("--member", order.member, say("in whose name it pays online", "以哪位成员的名义在线付款"))
        ->group(group);
    cli::add_server_options(pays, connection, group);
}

}  // namespace

void add_payment_commands(CLI::App& noun, cli::Connection& connection, cli::Exit& exit) {
    auto paying = std::make_shared<PaymentOptions>();
    CLI::App* pays = noun.add_subcommand("pay", say("pay what the other purse asks for", "支付对方钱袋请求的金额"));
    add_carrier(*pays, *paying);
    pays->add_option(
        "--at-most", paying->at_most,
        say("agree up to this amount (minor units) without asking", "不超过此金额（最小货币单位）时不再询问"));
    pays->add_flag(
        "--verified", paying->verified,
        say("the holder was verified for this payment (PIN, fingerprint)", "本次付款已验证持有人（PIN、指纹）"));
    pays->add_option("--pin-file", paying->pin_file,
                     say("file with a card's PIN, mode 0600", "含卡片 PIN 的文件（权限 0600）"));
    auto* resume = pays->add_flag("--resume", paying->resume,
                                  say("ask what became of payments whose outcome is unknown", "询问结果未知的付款"));
    pays->add_flag("--cancel", paying->cancel,
                   say("have them voided if they were not credited; a sync gives the amount back",
                       "若尚未入账则作废；同步后退回金额"))
        ->excludes(resume);
    add_machine(*pays, *paying, connection);
    pays->footer(say("Exit codes: 0 paid; 4 refused or voided; 7 unknown: resume, with the same payee.",
                     "退出码：0 已付；4 被拒或作废；7 未知：请对同一收款方恢复。"));
    pays->callback([paying, &connection, &exit] {
        const bool at_machine = !paying->order.device.empty() && !paying->resume && !paying->cancel;
        const auto done = at_machine ? buy(*paying, connection) : pay(*paying);
        exit = done.ok() ? *done : fail(done.error());
    });

    auto receiving = std::make_shared<PaymentOptions>();
    CLI::App* receives = noun.add_subcommand("receive", say("ask for an amount and take it", "请求并收取一笔金额"));
    add_carrier(*receives, *receiving);
    receives->add_option("--amount", receiving->amount,
                         say("in minor units: 350 is 3.50 CNY", "最小货币单位：350 即 3.50 CNY"));
    receives->add_flag("--answer", receiving->answer,
                       say("ask for nothing; answer payers that come back", "不发起请求，仅应答返回的付款方"));
    receives->add_flag("--void", receiving->void_after,
                       say("if nobody pays in time, end the request for good", "若超时无人付款，则永久作废该请求"));
    receives->callback([receiving, &exit] {
        const auto done = receive(*receiving);
        exit = done.ok() ? *done : fail(done.error());
    });
}

}  // namespace jiaozi::purses
