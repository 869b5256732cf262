#include <cerrno>
#include <system_error>

#include <jiaozi/base/assert.hpp>
#include <jiaozi/base/error.hpp>

namespace jiaozi {

std::string_view name_of(ErrorKind kind) noexcept {
    switch (kind) {
        case ErrorKind::malformed:
            return "malformed";
        case ErrorKind::invalid:
            return "invalid";
        case ErrorKind::too_large:
            return "too_large";
        case ErrorKind::unauthenticated:
            return "unauthenticated";
        case ErrorKind::forbidden:
            return "forbidden";
        case ErrorKind::not_found:
            return "not_found";
        case ErrorKind::conflict:
            return "conflict";
        case ErrorKind::declined:
            return "declined";
        case ErrorKind::rate_limited:
            return "rate_limited";
        case ErrorKind::unavailable:
            return "unavailable";
        case ErrorKind::timeout:
            return "timeout";
        case ErrorKind::io:
            return "io";
        case ErrorKind::corrupt:
            return "corrupt";
        case ErrorKind::internal:
            return "internal";
    }
    JZ_ASSERT(false && "an ErrorKind outside its enum");
}

std::string Error::to_string() const {
    std::string text = code_;
    text += ": ";
    if (!param_.empty()) {
        text += param_;
        text += ": ";
    }
    text += message_;
    return text;
}

Error errno_error(std::string_view doing) {
    return errno_error(doing, errno);
}

Error errno_error(std::string_view doing, int error_number) {
    return Error(ErrorKind::io, std::generic_category().message(error_number)).in(doing);
}

}  // namespace jiaozi
