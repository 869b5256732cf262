// A machine that sells (vending machine, transit gate) with two ways to be paid: online while there is a network, from
// a purse while there is none. The person does nothing differently, and pays once, whenever the network comes or goes:
//
//   online, and the answer is lost    the sale's outcome is unknown until the same key is asked again; no purse is
//   asked
//                                     for it meanwhile (the next sale may well be paid from one)
//   a purse, and the network is back  the request is voided before anything is asked online: a note that comes later is
//                                     answered with the VOID, and its amount goes back to the payer with a sync
//
// What purses have paid is accepted, not settled; deposit() hands it in once the network is back. One thread at a time;
// what is passed in outlives the till.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <jiaozi/carriers/link.hpp>
#include <jiaozi/terminal/payment.hpp>

namespace jiaozi::simulators {

// The network, as a machine sees it.
class OnlineRoute {
  public:
    virtual ~OnlineRoute() = default;
    // Asked right before a payment: is anybody there?
    virtual bool reachable() = 0;
    enum class Answer : std::uint8_t { captured, declined, unknown };
    // The same key is the same payment, however often it is asked.
    virtual Answer pay(const std::string& key, std::uint64_t amount) = 0;
    // Hands in what purses paid. Error unavailable while there is no network.
    virtual Result<void> deposit() = 0;
};

enum class Sold : std::uint8_t {
    online,    // captured
    purse,     // credited: accepted, not settled
    declined,  // online, by the rules of the wallet
    nobody,    // no payer came, or would not pay; nothing was promised
    unknown,   // online, and the answer was lost
};
std::string_view name_of(Sold sold) noexcept;

class PurseTill {
  public:
    // A payer that came: its link, or the error of waiting (timeout: nobody).
    using Payers = std::function<Result<std::unique_ptr<carriers::Link>>(Duration patience)>;
    PurseTill(purse_host::HostPurse& purse, OnlineRoute& network, Payers payers)
        : purse_(purse), network_(network), payers_(std::move(payers)) {}

    // One sale; `key` names it and is never used for another. Delivers nothing itself: online and purse mean "deliver".
    Sold sell(const std::string& key, std::uint64_t amount, Duration patience);
    // Asks again for the sales whose outcome is unknown, and hands in what purses paid. The sales that turned out paid.
    std::vector<std::string> network_is_back();

    std::uint64_t sold_online() const noexcept { return sold_online_; }
    std::uint64_t sold_to_purses() const noexcept { return sold_to_purses_; }
    const std::vector<std::string>& unknown_sales() const noexcept { return unknown_; }

  private:
    Sold sell_online(const std::string& key, std::uint64_t amount);
    Sold sell_to_purse(const std::string& key, std::uint64_t amount, Duration patience);

    purse_host::HostPurse& purse_;
    OnlineRoute& network_;
    Payers payers_;
    std::vector<std::string> unknown_;
    std::vector<std::uint64_t> unknown_amounts_;
    std::uint64_t sold_online_ = 0;
    std::uint64_t sold_to_purses_ = 0;
};

}  // namespace jiaozi::simulators
