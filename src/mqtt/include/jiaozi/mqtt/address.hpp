// Where a broker is and who we are there. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <jiaozi/base/result.hpp>

namespace jiaozi::mqtt {

struct BrokerAddress {
    std::string host;
    std::uint16_t port = 1883;
    std::string user;  // empty: anonymous
    std::string password;
    bool tls = false;
    std::string ca_file;  // with tls; empty: the system's certificate authorities
};

// mqtt://user:password@host:port or mqtts://…; ports default to 1883 and 8883; user and password percent-encoded; an
// IPv6 address in brackets. At most 1,024 bytes. Error malformed; its message never shows the password.
Result<BrokerAddress> parse_broker_url(std::string_view url);

// Without the password: for logs.
std::string display(const BrokerAddress& address);

}  // namespace jiaozi::mqtt
