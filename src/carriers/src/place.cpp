#include <charconv>

#include <arpa/inet.h>

#include <jiaozi/carriers/link.hpp>

#include "links.hpp"

namespace jiaozi::carriers {
namespace {

Error bad_place(std::string_view text, std::string_view why) {
    return Error(ErrorKind::invalid, "'" + std::string(text) + "' is no carrier: " + std::string(why) +
                                         ". Use tcp:127.0.0.1:7700, unix:PATH, serial:PATH, file:DIR or qr:")
        .with_param("carrier");
}

Result<Place> parse_tcp(std::string_view text, std::string_view rest) {
    const std::size_t colon = rest.rfind(':');
    if (colon == std::string_view::npos) return bad_place(text, "tcp needs an address and a port");
    Place place{.kind = Kind::tcp, .where = std::string(rest.substr(0, colon)), .port = 0};
    in_addr address{};
    if (::inet_pton(AF_INET, place.where.c_str(), &address) != 1) {
        return bad_place(text, "the address must be a number, like 127.0.0.1");
    }
    const std::string_view port = rest.substr(colon + 1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), place.port);
    if (error != std::errc() || end != port.data() + port.size()) return bad_place(text, "the port is 0 to 65535");
    return place;
}

}  // namespace

Result<Place> parse_place(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return bad_place(text, "it has no kind before a colon");
    const std::string_view kind = text.substr(0, colon);
    const std::string_view rest = text.substr(colon + 1);
    if (kind == "tcp") return parse_tcp(text, rest);
    if (kind == "qr") return Place{.kind = Kind::qr, .where = std::string(rest)};
    if (rest.empty()) return bad_place(text, "the path is missing");
    if (kind == "unix") return Place{.kind = Kind::unix_socket, .where = std::string(rest)};
    if (kind == "serial") return Place{.kind = Kind::serial, .where = std::string(rest)};
    if (kind == "file") return Place{.kind = Kind::file, .where = std::string(rest)};
    return bad_place(text, "this kind is not known");
}

Result<std::unique_ptr<Link>> open_link(const Place& place, Side side, Duration patience, const Terminal& terminal) {
    switch (place.kind) {
        case Kind::tcp:
        case Kind::unix_socket:
            if (side == Side::payer) return connect_stream(place, patience);
            return Error(ErrorKind::invalid, "the payee listens for this carrier");
        case Kind::serial:
            return open_serial(place.where);
        case Kind::file:
            return open_folder(place.where, side);
        case Kind::qr:
            return open_codes(place.where, terminal);
    }
    return Error(ErrorKind::internal, "a carrier without code");
}

}  // namespace jiaozi::carriers
