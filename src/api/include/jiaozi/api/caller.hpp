// Who is calling: what an API key stands for. Implemented by the service `identity`. Application thread only.
#pragma once

#include <memory>
#include <string_view>

#include <jiaozi/base/result.hpp>
#include <jiaozi/model/records.hpp>

namespace jiaozi::api {

// One key that was good when it was presented. Immutable; shared by the requests under way.
class Caller {
  public:
    virtual ~Caller() = default;
    virtual ApiKeyId key() const = 0;
    // Zero: an operator's key, which may act for everybody.
    virtual PersonId person() const = 0;
    // `scope` is one of those in docs/api.md, "payments:write".
    virtual bool may(std::string_view scope) const = 0;
};

class Authenticator {
  public:
    virtual ~Authenticator() = default;
    // Error unauthenticated: no such key, or revoked. Answers from memory: it is asked on every request.
    virtual Result<std::shared_ptr<const Caller>> authenticate(std::string_view key_text) = 0;
};

}  // namespace jiaozi::api
