// `jiaozi trigger EVENT`: not a made-up event but the thing itself, done with a simulated device of a sandbox, so that
// webhooks, streams and lists show what they will show in earnest.
#include <chrono>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <boost/json.hpp>

#include "../cli/operator.hpp"
#include "sim_command.hpp"

namespace jiaozi::sim {
namespace {

namespace json = boost::json;
using cli::Operator;
using cli::say;
using cli::text_of;

constexpr auto look_every = std::chrono::milliseconds(200);
constexpr auto patience = std::chrono::seconds(90);  // longer than a hold
constexpr const char* pocket_money = "10000";        // 100.00 in the wallet's asset

struct Shopper {
    std::string wallet;
    std::string member;
    std::string asset;
};
struct Shelf {
    std::string device;
    std::int64_t slot = 0;
    std::string asset;
    std::string fault;  // what the machine did wrong before
};

Result<Shelf> find_shelf(Operator& op) {
    JZ_TRY(const auto machines, op.call("GET", "/v1/sandbox/devices"));
    for (const json::value& value : machines.at("data").as_array()) {
        const json::object& machine = value.as_object();
        if (text_of(machine, "kind") != "vending" || !machine.at("online").as_bool()) continue;
        JZ_TRY(const auto slots, op.call("GET", "/v1/devices/" + text_of(machine, "device") + "/slots"));
        const json::array& sold = slots.at("data").as_array();
        if (sold.empty()) continue;
        const json::object& slot = sold.front().as_object();
        return Shelf{text_of(machine, "device"), slot.at("slot").to_number<std::int64_t>(), text_of(slot, "asset"),
                     text_of(machine, "fault")};
    }
    return Error(
        ErrorKind::unavailable,
        "no simulated vending machine is online: start the server with `jiaozi serve --demo`, and wait a moment");
}

// A person without limits who can pay, first; the oldest group is the demo's family.
Result<Shopper> find_shopper(Operator& op, const std::string& asset) {
    JZ_TRY(const auto wallets, op.call("GET", "/v1/wallets?limit=100"));
    for (const json::value& value : wallets.at("data").as_array()) {
        const json::object& wallet = value.as_object();
        const std::string group = text_of(wallet, "group");
        if (group.empty() || text_of(wallet, "asset") != asset || wallet.at("frozen").as_bool()) continue;
        JZ_TRY(const auto members, op.call("GET", "/v1/groups/" + group + "/members?limit=100"));
        for (const json::value& each : members.at("data").as_array()) {
            const json::object& member = each.as_object();
            if (text_of(member, "person").empty() || text_of(member, "role") != "owner") continue;
            return Shopper{text_of(wallet, "id"), text_of(member, "id"), asset};
        }
    }
    return Error(ErrorKind::not_found,
                 "nobody here has a wallet in " + asset + ": start the server with `jiaozi serve --demo`");
}

// Puts the machine's behaviour back, however the trigger ends.
class Behaviour {
  public:
    Behaviour(Operator& op, Shelf shelf) : op_(op), shelf_(std::move(shelf)) {}
    Behaviour(const Behaviour&) = delete;
    Behaviour& operator=(const Behaviour&) = delete;
    ~Behaviour() {
        ignore_error(set(shelf_.fault), "the person sees the trigger's own error; `jiaozi sandbox fault` mends it");
    }
    Result<json::object> set(const std::string& fault) {
        return op_.call("POST", "/v1/sandbox/devices/" + shelf_.device + "/faults", {{"fault", fault}});
    }

  private:
    Operator& op_;
    Shelf shelf_;
};

json::object order(const Shopper& shopper, const Shelf& shelf, std::int64_t quantity) {
    return {{"kind", "machine"},
            {"payer_wallet", shopper.wallet},
            {"payer_member", shopper.member},
            {"device", shelf.device},
            {"slot", shelf.slot},
            {"quantity", quantity}};
}

Result<json::object> until_ended(Operator& op, const std::string& payment) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (std::chrono::steady_clock::now() < deadline) {
        JZ_TRY(auto now, op.call("GET", "/v1/payments/" + payment));
        if (const std::string state = text_of(now, "state"); state != "pending" && state != "authorized") return now;
        std::this_thread::sleep_for(look_every);
    }
    return Error(ErrorKind::timeout, payment + " has not ended; `jiaozi payments show` follows it");
}

Result<json::object> sell(Operator& op, const char* fault, const char* wanted) {
    JZ_TRY(const Shelf shelf, find_shelf(op));
    JZ_TRY(const Shopper shopper, find_shopper(op, shelf.asset));
    Behaviour behaviour(op, shelf);
    JZ_CHECK(behaviour.set(fault));
    JZ_TRY(const auto payment, op.call("POST", "/v1/payments", order(shopper, shelf, 1)));
    JZ_TRY(auto ended, until_ended(op, text_of(payment, "id")));
    if (text_of(ended, "state") != wanted)
        return Error(ErrorKind::conflict, "the payment ended " + text_of(ended, "state") + ", not " + wanted);
    return ended;
}

Result<json::object> capture(Operator& op) {
    return sell(op, "none", "captured");
}
Result<json::object> void_one(Operator& op) {
    return sell(op, "fail_drop", "voided");
}

Result<json::object> refund(Operator& op) {
    JZ_TRY(const auto payment, capture(op));
    return op.call("POST", "/v1/payments/" + text_of(payment, "id") + "/refunds");
}

// Nobody has the money for so many.
Result<json::object> decline(Operator& op) {
    JZ_TRY(const Shelf shelf, find_shelf(op));
    JZ_TRY(const Shopper shopper, find_shopper(op, shelf.asset));
    const auto taken = op.call("POST", "/v1/payments", order(shopper, shelf, 1000));
    if (taken.ok())
        return Error(ErrorKind::conflict,
                     "the wallet had enough for a thousand; its payment is " + text_of(*taken, "id"));
    if (taken.error().kind() != ErrorKind::declined) return taken.error();
    // The list is a view that follows the journal by some milliseconds.
    for (int i = 0; i < 100; ++i) {
        JZ_TRY(auto declined, op.call("GET", "/v1/payments?state=declined&limit=1"));
        const json::array& rows = declined.at("data").as_array();
        if (!rows.empty()) return rows.front().as_object();
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return Error(ErrorKind::unavailable,
                 "declined (" + taken.error().code() + "); the list of payments does not show it yet");
}

Result<json::object> deposit(Operator& op) {
    JZ_TRY(const Shopper shopper, find_shopper(op, "CNY"));
    return op.call("POST", "/v1/wallets/" + shopper.wallet + "/deposits",
                   {{"amount", pocket_money}, {"asset", shopper.asset}});
}

struct Trigger {
    const char* event;
    const char* en;
    const char* zh;
    Result<json::object> (*make)(Operator&);
};
constexpr Trigger triggers[] = {
    {"payment.captured", "a drink is bought, drops and is paid", "买一瓶饮料：出货并扣款", capture},
    {"payment.voided", "a drink is bought, nothing drops, the money comes back", "买一瓶饮料：未出货，款项退回",
     void_one},
    {"payment.declined", "a thousand drinks are asked for, for which nobody has the money", "要买一千瓶：余额不足被拒",
     decline},
    {"payment.refunded", "a drink is bought, and given its money back", "买一瓶饮料后退款", refund},
    {"wallet.deposited", "play money comes to a wallet", "向钱包充值", deposit},
};

std::string list_of_triggers() {
    std::string text = say("Events:\n", "事件：\n");
    for (const Trigger& trigger : triggers)
        text += std::string("  ") + trigger.event + "  " + say(trigger.en, trigger.zh) + '\n';
    return text;
}

Result<json::object> run(const std::string& event, const cli::Connection& connection) {
    JZ_TRY(auto op, Operator::connect(connection.url, cli::read_key(connection)));
    for (const Trigger& trigger : triggers) {
        if (event == trigger.event) return trigger.make(op);
    }
    return Error(ErrorKind::invalid, "there is no trigger for that; `jiaozi trigger --help` lists them")
        .with_param("event");
}

}  // namespace

void add_trigger_command(CLI::App& root, cli::Connection& connection, cli::Exit& exit) {
    CLI::App* verb =
        root.add_subcommand("trigger", say("make an event really happen in a sandbox", "在沙盒中真实触发一个事件"));
    verb->group(say("Development", "开发"));
    verb->footer(list_of_triggers());
    auto event = std::make_shared<std::string>();
    std::vector<std::string> names;
    for (const Trigger& trigger : triggers) names.emplace_back(trigger.event);
    verb->add_option("event", *event, say("which", "事件类型"))->required()->check(CLI::IsMember(names));
    cli::add_connection_options(*verb, connection);
    verb->callback([event, &connection, &exit] {
        const auto made = run(*event, connection);
        if (!made.ok()) {
            std::cerr << "jiaozi: " << made.error().to_string() << '\n';
            exit = cli::exit_for(made.error());
        } else if (connection.json) {
            std::cout << json::serialize(*made) << '\n';
        } else {
            std::cout << cli::render(*made);
        }
    });
}

}  // namespace jiaozi::sim
