#include <jiaozi/http/message.hpp>

#include "text.hpp"

namespace jiaozi::http {

std::string_view name_of(Method method) noexcept {
    switch (method) {
        case Method::get:
            return "GET";
        case Method::head:
            return "HEAD";
        case Method::post:
            return "POST";
        case Method::put:
            return "PUT";
        case Method::patch:
            return "PATCH";
        case Method::del:
            return "DELETE";
        case Method::options:
            return "OPTIONS";
        case Method::other:
            break;
    }
    return "OTHER";
}

std::string_view Request::header(std::string_view name) const noexcept {
    for (const Header& each : headers) {
        if (same_ignoring_case(each.name, name)) return each.value;
    }
    return {};
}

}  // namespace jiaozi::http
