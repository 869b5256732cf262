// The table of routes.
#pragma once

#include <array>
#include <functional>
#include <string_view>
#include <vector>

#include "context.hpp"

namespace jiaozi::http {

using HandlerFunction = void (*)(Call&&);

struct Route {
    Method method = Method::get;
    std::string_view pattern;   // "/v1/people/{person}"
    std::string_view resource;  // scope: resource and action; empty: no key needed
    std::string_view action;    // read or write
    Repeat repeat = Repeat::none;
    HandlerFunction handler = nullptr;
    std::string_view produces = "application/json";
    std::string_view consumes = "application/json";  // of bodies
    bool checks_key_itself = false;                  // the event stream takes tokens besides keys
    bool rest = false;                               // the last {…} takes the rest of the path, slashes included
};

class Router {
  public:
    struct Match {
        const Route* route = nullptr;  // nullptr: see known_path
        std::size_t index = 0;
        std::array<std::string_view, 2> params;
        bool known_path = false;
        std::string allow;  // methods of a known path: "GET, HEAD, POST"
    };

    void add(const Route& route);
    // HEAD finds GET.
    Match find(Method method, std::string_view path) const;
    const std::vector<Route>& routes() const noexcept { return routes_; }

  private:
    std::vector<Route> routes_;
    std::vector<std::vector<std::string_view>> segments_;  // of each route's pattern
};

// Each file of handlers adds its own.
void add_people_routes(Router& router);
void add_group_routes(Router& router);
void add_wallet_routes(Router& router);
void add_merchant_routes(Router& router);
void add_device_routes(Router& router);
void add_payment_routes(Router& router);
void add_event_routes(Router& router);
void add_webhook_routes(Router& router);
void add_key_routes(Router& router);
void add_sandbox_routes(Router& router);
void add_service_routes(Router& router);
void add_proof_routes(Router& router);
void add_purse_routes(Router& router);

}  // namespace jiaozi::http
