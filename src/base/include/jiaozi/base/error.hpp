// The environment, or the caller's input, failed. Three kinds of "no" are kept apart in this program
// (docs/architecture.md): a refusal is a business outcome and a closed enum of its own; an Error is this type; a bug is
// JZ_ASSERT.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace jiaozi {

// What a caller can do about it decides the kind; the gateways map kinds to HTTP statuses and exit codes.
enum class ErrorKind : std::uint8_t {
    malformed,        // bytes or text that do not parse; the sender must change them
    invalid,          // parses, but a value is out of its documented range
    too_large,        // over a documented size, depth or count limit
    unauthenticated,  // no proof of identity, or a wrong one
    forbidden,        // identity known, permission missing
    not_found,        //
    conflict,         // contradicts what is stored (same id, other content; wrong state)
    declined,         // a business refusal, carried outwards
    rate_limited,     // try later
    unavailable,      // a part we need is down or shutting down; safe to retry
    timeout,          // the outcome is unknown
    io,               // the operating system said no
    corrupt,          // stored bytes fail their checks; a person must look
    internal,         // ours
};

// The stable name of a kind, e.g. "malformed". Static storage.
std::string_view name_of(ErrorKind kind) noexcept;

// An error says which item failed and why, in words a person can act on. Messages never carry secrets.
class [[nodiscard]] Error {
  public:
    Error(ErrorKind kind, std::string message) : kind_(kind), code_(name_of(kind)), message_(std::move(message)) {}

    ErrorKind kind() const noexcept { return kind_; }
    // A stable token from the closed list in docs/errors.md; the kind's name unless with_code said more.
    const std::string& code() const noexcept { return code_; }
    const std::string& message() const noexcept { return message_; }
    // The name of the field or argument at fault; empty where there is none.
    const std::string& param() const noexcept { return param_; }

    Error&& with_code(std::string_view code) && {
        code_ = code;
        return std::move(*this);
    }
    Error&& with_param(std::string_view param) && {
        param_ = param;
        return std::move(*this);
    }
    // Puts what was being done in front: "open journal: No space left on device".
    Error&& in(std::string_view doing) && {
        message_.insert(0, ": ");
        message_.insert(0, doing);
        return std::move(*this);
    }

    // "malformed: amount: not a decimal integer", for logs and terminals.
    std::string to_string() const;

  private:
    ErrorKind kind_;
    std::string code_;
    std::string message_;
    std::string param_;
};

// The Error for a failed system call: kind io, "doing: strerror". Reads errno unless a number is given.
Error errno_error(std::string_view doing);
Error errno_error(std::string_view doing, int error_number);

}  // namespace jiaozi
