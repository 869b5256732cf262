// What a benchmark pays with and at, made through the HTTP interface as an operator would.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <boost/json.hpp>

#include <jiaozi/base/result.hpp>
#include <jiaozi/client/http_client.hpp>
#include <jiaozi/model/ids.hpp>

namespace jiaozi::bench {

// Requests whose answer must be 2xx.
class Operator {
  public:
    static Result<Operator> connect(const std::string& url, const std::string& key);
    Result<boost::json::object> call(const std::string& method, const std::string& path, const boost::json::object& body);
    // One message of a device over HTTPS; the answer's envelopes.
    Result<Bytes> post_envelope(ByteView envelope);

  private:
    explicit Operator(client::HttpClient client) : client_(std::move(client)) {}
    client::HttpClient client_;
};

struct NewMachine {
    DeviceId id;
    std::string code;
};

struct Wallets {
    std::string member;
    std::vector<std::string> wallets;
};

// A family with one member and several funded wallets.
Result<Wallets> make_wallets(Operator& op, std::uint32_t count);
// Gates that sell one thing for 1.00 CNY, and cars of one funded family.
struct Fleet {
    std::vector<NewMachine> gates;
    std::vector<NewMachine> cars;
};
Result<Fleet> make_fleet(Operator& op, std::uint32_t pairs);

}  // namespace jiaozi::bench
