// What the command line says and how it ends: language, tables, exit codes.
#pragma once

#include <string>
#include <string_view>

#include <boost/json/value.hpp>

#include <jiaozi/base/error.hpp>

namespace jiaozi::cli {

// Exit codes, documented in docs/cli.md. Scripts may rely on them.
enum class Exit : int {
    ok = 0,
    failed = 1,        // anything not listed here
    usage = 2,         // the command's words are off
    not_found = 3,     //
    declined = 4,      // a payment or refund was declined, or its machine did not answer
    conflict = 5,      // contradicts what is stored; the same idempotency key with other words
    unauthorized = 6,  // key missing, wrong, revoked or without the scope
    unavailable = 7,   // nothing answers, or not now; safe to retry with the same idempotency key
};

Exit exit_for(const Error& error);
Exit exit_for_status(long status, std::string_view code);

// True where the person's locale (LC_ALL, LC_MESSAGES, LANG) begins with zh.
bool chinese();
// The text in the person's language.
inline const char* say(const char* english, const char* simplified_chinese) {
    return chinese() ? simplified_chinese : english;
}

// A list as an aligned table, an object as aligned lines; wide characters count two columns. Ends with a newline.
std::string render(const boost::json::value& value);

}  // namespace jiaozi::cli
