#include <limits>

#include <boost/json.hpp>

#include <jiaozi/terminal/settings.hpp>

#include "members.hpp"

namespace jiaozi::terminal {
namespace {

namespace json = boost::json;
constexpr std::string_view format = "jiaozi-purse-1";
constexpr std::size_t max_issuers = 4;
constexpr std::size_t deposit_key_size = 32;
constexpr std::string_view file = "purse.json";

Result<std::vector<IssuerKey>> issuers_in(const json::value* list) {
    if (list == nullptr || !list->is_array() || list->get_array().size() > max_issuers)
        return wrong_member(file, "issuers");
    std::vector<IssuerKey> issuers;
    for (const json::value& entry : list->get_array()) {
        if (!entry.is_object()) return wrong_member(file, "issuers");
        Members members(file, entry.get_object());
        IssuerKey issuer{
            .suite = members.suite("suite"), .key = members.hex("key"), .revoked = members.truth("revoked")};
        JZ_CHECK(members.finish());
        if (!crypto::canonical_public_key(issuer.suite, issuer.key).ok()) return wrong_member(file, "issuers");
        issuers.push_back(std::move(issuer));
    }
    return issuers;
}

}  // namespace

Result<IssuerKey> parse_issuer_key(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) {
        return Error(ErrorKind::invalid, "an issuer's key is written ed25519:HEX, p256:HEX or sm2:HEX")
            .with_param("issuer");
    }
    IssuerKey key;
    JZ_TRY(key.suite, crypto::parse_suite(text.substr(0, colon)));
    JZ_TRY(const Bytes bytes, from_hex(text.substr(colon + 1)));
    JZ_TRY(key.key, crypto::canonical_public_key(key.suite, bytes));
    return key;
}

std::string to_text(const IssuerKey& key) {
    return std::string(crypto::name_of(key.suite)) + ":" + to_hex(key.key);
}

std::string encode_settings(const Settings& settings) {
    json::array issuers;
    for (const IssuerKey& issuer : settings.issuers) {
        issuers.push_back(json::object{
            {"suite", static_cast<unsigned>(issuer.suite)}, {"key", to_hex(issuer.key)}, {"revoked", issuer.revoked}});
    }
    const KeyChoice& key = settings.key;
    const json::object all{{"format", format},
                           {"key", name_of(key.place)},
                           {"suite", static_cast<unsigned>(key.suite)},
                           {"public_key", to_hex(settings.public_key)},
                           {"module", key.module},
                           {"token", key.token},
                           {"label", key.label},
                           {"tcti", key.tcti},
                           {"reader", key.reader},
                           {"anchor", settings.anchor},
                           {"purse", settings.purse},
                           {"wallet", settings.wallet},
                           {"issuers", issuers},
                           {"device", settings.device},
                           {"deposit_key", to_hex(settings.deposit_key)}};
    return json::serialize(all) + "\n";
}

Result<Settings> decode_settings(std::string_view text) {
    if (text.size() > max_settings) return Error(ErrorKind::too_large, "purse.json has more than 64 KiB");
    boost::system::error_code error;
    const json::value parsed = json::parse(text, error);
    if (error || !parsed.is_object()) return Error(ErrorKind::malformed, "purse.json is no JSON object");
    Members members(file, parsed.get_object());
    if (members.text("format") != format) return wrong_member(file, "format");
    Settings settings;
    JZ_TRY(settings.key.place, parse_key_place(members.text("key")));
    settings.key.suite = members.suite("suite");
    settings.public_key = members.hex("public_key");
    settings.key.module = members.text("module");
    settings.key.token = members.text("token");
    settings.key.label = members.text("label");
    settings.key.tcti = members.text("tcti");
    settings.key.reader = members.text("reader");
    settings.anchor = members.text("anchor");
    settings.purse = static_cast<std::uint32_t>(members.number("purse", std::numeric_limits<std::uint32_t>::max()));
    settings.wallet = members.text("wallet");
    JZ_TRY(settings.issuers, issuers_in(members.find("issuers")));
    // Folders of earlier versions have neither.
    if (members.find("device") != nullptr) settings.device = members.text("device");
    if (members.find("deposit_key") != nullptr) settings.deposit_key = members.hex("deposit_key");
    if (!settings.deposit_key.empty() && settings.deposit_key.size() != deposit_key_size) members.fail("deposit_key");
    JZ_CHECK(members.finish());
    return settings;
}

}  // namespace jiaozi::terminal
