#include <array>
#include <charconv>

#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/webhooks/signature.hpp>

namespace jiaozi::webhooks {
namespace {

crypto::Digest digest(std::string_view secret, std::string_view time, std::string_view body) {
    const crypto::HmacKey key(as_bytes(secret));
    return key.mac({as_bytes(time), as_bytes("."), as_bytes(body)});
}

std::string_view next_part(std::string_view& rest, char separator) {
    const std::size_t end = rest.find(separator);
    const std::string_view part = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    return part;
}

std::int64_t parse_seconds(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size() ? value : -1;
}

}  // namespace

std::string signature_header(std::span<const std::string> secrets, Timestamp time, std::string_view body) {
    const std::string t = std::to_string(time.s());
    std::string header = "t=" + t;
    for (const std::string& secret : secrets) header += ",v1=" + to_hex(digest(secret, t, body));
    return header;
}

Result<> verify_signature(std::string_view header, std::string_view secret, std::string_view body, Timestamp now,
                          Duration tolerance) {
    std::string_view time;
    bool matched = false;
    for (std::string_view rest = header; !rest.empty();) {
        std::string_view part = next_part(rest, ',');
        const std::string_view name = next_part(part, '=');
        if (name == "t") time = part;
        if (name != "v1") continue;
        const auto given = from_hex(part);
        if (given.ok() && crypto::constant_time_equal(*given, digest(secret, time, body))) matched = true;
    }
    const std::int64_t signed_at = parse_seconds(time);
    if (signed_at < 0) return Error(ErrorKind::unauthenticated, "the signature header has no time");
    if (!matched) return Error(ErrorKind::unauthenticated, "no v1 signature matches the secret and body");
    const std::int64_t age = static_cast<std::int64_t>(now.s()) - signed_at;
    if (age > tolerance.s() || age < -tolerance.s())
        return Error(ErrorKind::unauthenticated, "the signature is too old, or from the future");
    return {};
}

std::string new_secret() {
    constexpr std::string_view alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    std::string secret = "whsec_";
    while (secret.size() < 6 + 32) {
        std::array<std::uint8_t, 32> random{};
        crypto::random_bytes(random);
        for (const std::uint8_t byte : random) {
            // 248 is the largest multiple of 62 below 256: no letter is likelier than another.
            if (byte < 248 && secret.size() < 6 + 32) secret += alphabet[byte % 62];
        }
    }
    return secret;
}

std::vector<std::string> secrets_in_force(std::string_view stored, Timestamp now) {
    const std::string_view newest = next_part(stored, ' ');
    const std::string_view before = next_part(stored, ' ');
    std::vector<std::string> secrets{std::string(newest)};
    const std::int64_t ends = parse_seconds(stored);
    if (!before.empty() && ends > static_cast<std::int64_t>(now.s())) secrets.emplace_back(before);
    return secrets;
}

std::string rotated_secret(std::string_view stored, std::string_view fresh, Timestamp overlap_ends) {
    std::string rotated(fresh);
    rotated += ' ';
    rotated += next_part(stored, ' ');
    rotated += ' ';
    rotated += std::to_string(overlap_ends.s());
    return rotated;
}

}  // namespace jiaozi::webhooks
