#include <algorithm>
#include <charconv>

#include <jiaozi/mqtt/address.hpp>

namespace jiaozi::mqtt {
namespace {

constexpr std::size_t url_max = 1024;

Error malformed(std::string_view what) {
    return Error(ErrorKind::malformed,
                 "broker address: " + std::string(what) + "; it should look like mqtt://user:password@host:1883");
}

Result<std::string> percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        unsigned value = 0;
        const char* digits = text.data() + i + 1;
        if (i + 2 >= text.size() || std::from_chars(digits, digits + 2, value, 16).ptr != digits + 2) {
            return malformed("% must be followed by two hexadecimal digits");
        }
        if (value == 0) return malformed("%00 cannot be part of a name or password");
        out += static_cast<char>(value);
        i += 2;
    }
    return out;
}

Result<> take_port(std::string_view text, BrokerAddress& address) {
    const char* const begin = text.data();
    const char* const end = begin + text.size();
    const auto [stopped, failure] = std::from_chars(begin, end, address.port);
    if (failure != std::errc{} || stopped != end || address.port == 0) return malformed("the port must be 1 to 65535");
    return {};
}

Result<> take_host_and_port(std::string_view text, BrokerAddress& address) {
    std::string_view port;
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == std::string_view::npos) return malformed("missing ]");
        address.host = text.substr(1, close - 1);
        port = text.substr(close + 1);
        if (!port.empty() && !port.starts_with(':')) return malformed("only a port may follow ]");
    } else {
        const auto colon = text.find(':');
        address.host = text.substr(0, colon);
        port = colon == std::string_view::npos ? std::string_view() : text.substr(colon);
    }
    const auto is_host_char = [](unsigned char c) {
        return c > ' ' && c < 0x7f && c != '/' && c != '?' && c != '#' && c != '@';
    };
    if (address.host.empty() || !std::ranges::all_of(address.host, is_host_char))
        return malformed("no usable host name");
    return port.empty() ? Result<>() : take_port(port.substr(1), address);
}

}  // namespace

Result<BrokerAddress> parse_broker_url(std::string_view url) {
    if (url.size() > url_max) return malformed("too long");
    BrokerAddress address;
    if (url.starts_with("mqtt://")) {
        url.remove_prefix(7);
    } else if (url.starts_with("mqtts://")) {
        url.remove_prefix(8);
        address.tls = true;
        address.port = 8883;
    } else {
        return malformed("must begin with mqtt:// or mqtts://");
    }
    if (url.ends_with('/')) url.remove_suffix(1);
    if (const auto at = url.rfind('@'); at != std::string_view::npos) {
        const std::string_view login = url.substr(0, at);
        url.remove_prefix(at + 1);
        const auto colon = login.find(':');
        JZ_TRY(address.user, percent_decoded(login.substr(0, colon)));
        if (address.user.empty()) return malformed("no user name before @");
        if (colon != std::string_view::npos) {
            JZ_TRY(address.password, percent_decoded(login.substr(colon + 1)));
        }
    }
    JZ_CHECK(take_host_and_port(url, address));
    return address;
}

std::string display(const BrokerAddress& address) {
    const bool is_v6 = address.host.find(':') != std::string::npos;
    return (address.tls ? "mqtts://" : "mqtt://") + (address.user.empty() ? "" : address.user + "@") +
           (is_v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

}  // namespace jiaozi::mqtt
