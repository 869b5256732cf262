// Errors as HTTP shows them: RFC 9457 problem documents with the closed list of codes of docs/errors.md.
#pragma once

#include <string>
#include <string_view>

#include <jiaozi/base/error.hpp>
#include <jiaozi/http/message.hpp>

namespace jiaozi::http {

struct Problem {
    int status = 500;
    std::string code;
    std::string detail;
    std::string param;    // empty: none
    std::string payment;  // JSON of the payment that was declined or failed; empty: none
};

// Which status each kind of Error is, and the few codes that HTTP names otherwise than the service that gave them.
Problem problem_of(const Error& error);
Response problem_response(const Problem& problem, std::string_view request_id);

}  // namespace jiaozi::http
