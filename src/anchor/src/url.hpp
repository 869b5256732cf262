// A whole URL asked again and again, with errors that a person can act on and that show no more of the URL than its
// host: its path and its user may be a secret.
#pragma once

#include <cstddef>
#include <stop_token>
#include <string>
#include <string_view>

#include <jiaozi/base/clock.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/client/http_client.hpp>

namespace jiaozi::anchor {

// "https://host:port" of a URL, and what may stand before the host. Error invalid.
Result<std::string> url_origin(std::string_view url);
// "host:port" of one.
std::string host_of(std::string_view origin);

class UrlClient {
  public:
    static Result<UrlClient> open(const std::string& url, Duration timeout, std::size_t max_response_bytes,
                                  std::stop_token stop = {});
    // Any status. Errors: unavailable, timeout, too_large.
    Result<client::Response> send(const std::string& method, const std::string& body, const std::string& content_type,
                                  const std::string& idempotency_key = {});
    Error refused(long status) const;

  private:
    UrlClient(client::HttpClient client, std::string host, std::string path)
        : client_(std::move(client)), host_(std::move(host)), path_(std::move(path)) {}
    client::HttpClient client_;
    std::string host_;
    std::string path_;
};

}  // namespace jiaozi::anchor
