// The HTTP interface as a command uses it: JSON in, JSON out, and every answer that is not 2xx an Error.
#pragma once

#include <string>

#include <boost/json.hpp>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/client/http_client.hpp>

namespace jiaozi::cli {

// Blocking; not thread-safe.
class Operator {
  public:
    static Result<Operator> connect(const std::string& url, const std::string& key);
    // The Error carries the problem's code, and its detail as the message. POSTs carry a fresh Idempotency-Key unless
    // one is given, so that a repeated one makes nothing twice.
    Result<boost::json::object> call(const std::string& method, const std::string& path,
                                     const boost::json::object& body = {}, const std::string& idempotency_key = {});
    // One message of a device over HTTPS; the answer's envelopes.
    Result<Bytes> post_envelope(ByteView envelope);

  private:
    explicit Operator(client::HttpClient client) : client_(std::move(client)) {}
    client::HttpClient client_;
};

// An answer that is not 2xx: the problem's code and detail, or what came instead.
Error error_of(const std::string& what, const client::Response& response);

// A text field of an object that the server sent; empty where it is missing or null.
std::string text_of(const boost::json::object& object, std::string_view name);

}  // namespace jiaozi::cli
