// The settings of a purse's folder: docs/formats/purse-folder.md. Pure but for read and write.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <jiaozi/terminal/keys.hpp>

namespace jiaozi::terminal {

struct IssuerKey {
    crypto::Suite suite = crypto::Suite::ed25519;
    Bytes key;
    bool revoked = false;
    bool operator==(const IssuerKey&) const = default;
};
// "ed25519:HEX", "p256:HEX", "sm2:HEX".
Result<IssuerKey> parse_issuer_key(std::string_view text);
std::string to_text(const IssuerKey& key);

struct Settings {
    KeyChoice key;
    Bytes public_key;
    std::string anchor;
    std::uint32_t purse = 0;  // 0 before enrolment
    std::string wallet;
    std::vector<IssuerKey> issuers;
    std::string device;  // that may sync it over its own session; empty: none
    Bytes deposit_key;   // the issuer's, 32 bytes: what mules carry is sealed to it; empty: not known
};

inline constexpr std::size_t max_settings = std::size_t{64} * 1024;
std::string encode_settings(const Settings& settings);
// Error malformed, with the member at fault.
Result<Settings> decode_settings(std::string_view json);

}  // namespace jiaozi::terminal
