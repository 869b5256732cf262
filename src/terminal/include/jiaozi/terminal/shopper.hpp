// A person who buys at a machine: online while there is a network, with the purse while there is none, by the same
// call. Paid once, whenever the network or the power goes (docs/adr/0024-the-payer-chooses-the-way.md):
//
//   - the purse pays only while the online payment is known not to have happened: it was never asked for, or the server
//     says that it ended without money
//   - an online payment whose answer was lost is asked for again under its key; until that is answered it is unknown,
//     and so is a note that nobody has acknowledged
//   - what is unknown is in a file before it can become so. The same order again goes on with it, and pays anew only
//     when it is known not to be paid.
//
// One thread at a time; what is passed in outlives the shopper. Errors: those of OnlineRoute, carriers and
// open_deals.hpp; declined (not_agreed, or the purse's status). After any Error nothing was paid by this call; what was
// unknown before it still is.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <jiaozi/terminal/online_route.hpp>
#include <jiaozi/terminal/payment.hpp>

namespace jiaozi::terminal {

struct Bought {
    Outcome outcome = Outcome::nothing;  // paid, unknown; nothing or voided: not paid
    bool online = false;                 // and settled, if paid
    bool earlier = false;                // of a purchase that an earlier call had begun
    std::uint64_t amount = 0;
    std::string asset;
    std::uint32_t payee = 0;  // by the purse
    std::string payment;      // online
    std::string reason;       // online, not paid
    jz_status status = JZ_OK;
};

class Shopper {
  public:
    // The machine, once somebody has to go there: a link to its slot for purses.
    using Machine = std::function<Result<std::unique_ptr<carriers::Link>>()>;
    // What the holder says to a price. `payee` 0: online.
    using Agree = std::function<Decision(std::uint64_t amount, const std::string& asset, std::uint32_t payee)>;

    Shopper(purse_host::HostPurse& purse, std::filesystem::path book, OnlineRoute& network, Agree agree,
            Favours* favours = nullptr)
        : purse_(purse), book_(std::move(book)), network_(network), agree_(std::move(agree)), favours_(favours) {}

    Result<Bought> buy(const Order& order, const Machine& machine, const Patience& patience = {});

  private:
    Purchase* find(const Order& order);
    Result<void> keep(Purchase purchase);
    Result<void> drop(const Order& order);
    Result<void> end(const Order& order, Outcome outcome);
    Result<std::optional<Bought>> go_on_with_purse(const Purchase& open, const Machine& machine,
                                                   const Patience& patience);
    Result<Bought> pay_online(const Purchase& open, bool earlier, const Machine& machine, const Patience& patience);
    Result<Bought> pay_with_purse(const Order& order, const Machine& machine, const Patience& patience);

    purse_host::HostPurse& purse_;
    std::filesystem::path book_;
    OnlineRoute& network_;
    Agree agree_;
    Favours* favours_;
    std::vector<Purchase> open_;
};

// After a RESUME or a sync: forgets the purchases of which the purse knows by now what became of them, so that the same
// order is a new one.
Result<void> forget_decided(purse_host::HostPurse& purse, const std::filesystem::path& book);

}  // namespace jiaozi::terminal
