// Paying a machine through the server: what a buyer's device does while there is a network. Blocking; one thread.
#pragma once

#include <cstdint>
#include <string>

#include <jiaozi/base/clock.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/client/http_client.hpp>
#include <jiaozi/terminal/open_deals.hpp>

namespace jiaozi::terminal {

struct Price {
    std::uint64_t amount = 0;
    std::string asset;
};

class OnlineRoute {
  public:
    virtual ~OnlineRoute() = default;

    // What the order costs. Moves nothing: after any error no payment has been asked for. Errors unavailable, timeout,
    // rate_limited: there is no network to speak of; not_found: the machine does not sell that; the server's refusals.
    virtual Result<Price> price(const Order& order) = 0;

    enum class Answer : std::uint8_t {
        captured,      // paid, and delivered
        refused,       // by the rules of the wallet, or nothing was delivered: no money moved, nor will it
        machine_away,  // the same, because the server does not reach the machine
        unknown,       // asked for, and nobody can say
    };
    struct Paid {
        Answer answer = Answer::unknown;
        std::string payment;  // its id, if the server told it
        std::string reason;   // docs/payments.md, if refused
    };
    // The same key is the same payment, however often it is asked for. An Error: the server refuses the request itself
    // (key, ids, words), so this call has made no payment.
    virtual Result<Paid> pay(const Order& order, const Price& price, const std::string& key, Duration patience) = 0;
};

// Over the HTTP interface (docs/openapi.yaml, create_payment).
class HttpRoute final : public OnlineRoute {
  public:
    explicit HttpRoute(client::HttpClient client) : client_(std::move(client)) {}
    Result<Price> price(const Order& order) override;
    Result<Paid> pay(const Order& order, const Price& price, const std::string& key, Duration patience) override;

  private:
    client::HttpClient client_;
};

}  // namespace jiaozi::terminal
