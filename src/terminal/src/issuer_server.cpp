#include <algorithm>

#include <boost/json.hpp>

#include <jiaozi/codec/base_n.hpp>
#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/terminal/evidence.hpp>
#include <jiaozi/terminal/issuer_server.hpp>

namespace jiaozi::terminal {
namespace {

namespace json = boost::json;
constexpr std::size_t max_items = 100;

std::string text_in(const json::object& object, std::string_view name) {
    const json::value* const found = object.if_contains(name);
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}
std::uint64_t number_in(const json::object& object, std::string_view name) {
    const json::value* const found = object.if_contains(name);
    if (found == nullptr) return 0;
    const auto value = json::try_value_to<std::uint64_t>(*found);
    return value.has_value() ? *value : 0;
}

Error not_understood(std::string_view what) {
    return {ErrorKind::malformed, "the server's answer has no " + std::string(what) + "; is it of another version?"};
}

Result<Bytes> bytes_in(const json::object& object, std::string_view name) {
    auto bytes = codec::decode_base64(text_in(object, name));
    if (!bytes.ok()) return not_understood(name);
    return bytes;
}

Result<std::vector<IssuerKey>> issuers_in(const json::object& answer) {
    const json::value* const list = answer.if_contains("issuers");
    if (list == nullptr || !list->is_array() || list->get_array().empty()) return not_understood("issuers");
    std::vector<IssuerKey> issuers;
    for (const json::value& entry : list->get_array()) {
        if (!entry.is_object()) return not_understood("issuers");
        IssuerKey issuer;
        JZ_TRY(issuer.suite, crypto::suite_from_number(number_in(entry.get_object(), "suite")));
        JZ_TRY(const Bytes key, from_hex(text_in(entry.get_object(), "key")));
        JZ_TRY(issuer.key, crypto::canonical_public_key(issuer.suite, key));
        issuers.push_back(std::move(issuer));
    }
    return issuers;
}

// As many as a purse trusts; those of its own suite before others. (std::stable_partition is deprecated within
// libstdc++ 12.)
std::vector<IssuerKey> ours_first(const std::vector<IssuerKey>& keys, crypto::Suite suite) {
    constexpr std::size_t most = 4;
    std::vector<IssuerKey> sorted;
    for (const bool ours : {true, false}) {
        for (const IssuerKey& key : keys) {
            if ((key.suite == suite) == ours && sorted.size() < most) sorted.push_back(key);
        }
    }
    return sorted;
}

// Empty: this server has none.
Result<Bytes> deposit_key_in(const json::object& root) {
    JZ_TRY(Bytes key, from_hex(text_in(root, "deposit_key")));
    if (!key.empty() && key.size() != 32) return not_understood("deposit_key");
    return key;
}

std::string path_of(std::uint32_t purse, std::string_view what) {
    return "/v1/purses/" + std::to_string(purse) + "/" + std::string(what);
}

// The same call again is the same request.
std::string key_of(std::string_view what, ByteView content) {
    return std::string(what) + "-" + to_hex(ByteView(crypto::sha256(content)).first(16));
}

}  // namespace

struct IssuerServer::Answer {
    json::object object;
};

Result<IssuerServer::Answer> IssuerServer::send(const std::string& method, const std::string& path,
                                                const std::string& body, const std::string& key,
                                                std::string_view doing) {
    client::Request request;
    request.method = method;
    request.path = path;
    request.body = body;
    request.idempotency_key = key;
    JZ_TRY(const client::Response response, client_.send(request));
    boost::system::error_code failed;
    const json::value parsed = json::parse(response.body, failed);
    const bool good = response.status >= 200 && response.status < 300;
    if (failed || !parsed.is_object()) {
        return Error(good ? ErrorKind::malformed : client::kind_of_status(response.status),
                     std::string(doing) + ": the server answered " + std::to_string(response.status) + " without JSON");
    }
    if (good) return Answer{parsed.get_object()};
    std::string detail = text_in(parsed.get_object(), "detail");
    if (detail.empty()) detail = text_in(parsed.get_object(), "title");
    const std::string code = text_in(parsed.get_object(), "code");
    const ErrorKind kind = client::kind_of_status(response.status, code);
    return Error(kind, std::string(doing) + ": " + detail).with_code(code.empty() ? name_of(kind) : code);
}

Result<void> IssuerServer::enrol(PurseFolder& folder, const std::string& wallet, const std::vector<IssuerKey>& issuers,
                                 const std::string& device) {
    JZ_TRY(const Answer root, send("GET", "/v1/purses/root", {}, {}, "ask for the issuer's keys"));
    JZ_TRY(std::vector<IssuerKey> known, issuers_in(root.object));
    for (const IssuerKey& wanted : issuers) {
        if (std::ranges::find(known, wanted) != known.end()) continue;
        return Error(ErrorKind::unauthenticated,
                     "this server does not sign with " + to_text(wanted) + ": it is another issuer's");
    }
    if (!issuers.empty()) known = issuers;
    known = ours_first(known, folder.key().suite());
    json::object wish{{"wallet", wallet},
                      {"suite", static_cast<unsigned>(folder.key().suite())},
                      {"key", to_hex(folder.key().public_key())},
                      {"class", static_cast<unsigned>(folder.key().assurance())}};
    if (!device.empty()) wish["device"] = device;
    const std::string body = json::serialize(wish);
    JZ_TRY(const Bytes deposit_key, deposit_key_in(root.object));
    JZ_TRY(const Answer purse, send("POST", "/v1/purses", body, key_of("purse", as_bytes(body)), "enrol the purse"));
    const std::uint64_t ordinal = number_in(purse.object, "ordinal");
    if (ordinal == 0 || ordinal > 0xFFFFFFFF) return not_understood("ordinal");
    JZ_CHECK(folder.enrol(static_cast<std::uint32_t>(ordinal), known, wallet));
    JZ_CHECK(folder.speak_by(device));
    return folder.learn_deposit_key(deposit_key);
}

Result<void> IssuerServer::load(PurseFolder& folder, std::uint64_t amount, const std::string& asset,
                                const std::string& key) {
    const json::object wish{{"amount", std::to_string(amount)}, {"asset", asset}};
    JZ_TRY(const Answer loaded,
           send("POST", path_of(folder.settings().purse, "loads"), json::serialize(wish), key, "load the purse"));
    JZ_TRY(const Bytes certificate, bytes_in(loaded.object, "certificate"));
    JZ_CHECK(folder.load(certificate));
    Synced unused;
    return take_list(folder, unused);
}

Result<void> IssuerServer::take_list(PurseFolder& folder, Synced& synced) {
    const std::uint32_t have = folder.purse().info().list_version;
    JZ_TRY(const Answer list,
           send("GET", "/v1/purses/blacklist?from=" + std::to_string(have), {}, {}, "ask for the blacklist"));
    synced.list_version = static_cast<std::uint32_t>(number_in(list.object, "version"));
    // One with our version is looked at too: two that differ are an alarm.
    if (synced.list_version < have) return {};
    JZ_TRY(const Bytes head, bytes_in(list.object, "head"));
    JZ_TRY(const Bytes body, bytes_in(list.object, "body"));
    return folder.install_list(head, body);
}

Result<void> IssuerServer::deposit(std::uint32_t purse, const std::vector<Bytes>& items, Synced& synced) {
    for (std::size_t from = 0; from < items.size(); from += max_items) {
        json::array encoded;
        for (std::size_t i = from; i < std::min(items.size(), from + max_items); ++i) {
            encoded.emplace_back(codec::encode_base64(items[i]));
        }
        const std::string body = json::serialize(json::object{{"purse", purse}, {"items", encoded}});
        JZ_TRY(const Answer answer, send("POST", "/v1/purses/deposits", body, {}, "hand in what was received"));
        const json::value* const rows = answer.object.if_contains("data");
        if (rows == nullptr || !rows->is_array()) return not_understood("data");
        for (const json::value& row : rows->get_array()) {
            const std::string reason = row.is_object() ? text_in(row.get_object(), "reason") : std::string();
            ++synced.deposited;
            if (reason != "ok") synced.refused.push_back(reason);
        }
    }
    return {};
}

Result<IssuerServer::Synced> IssuerServer::sync(PurseFolder& folder) {
    Synced synced;
    purse_host::HostPurse& purse = folder.purse();
    const std::uint32_t ordinal = folder.settings().purse;
    JZ_CHECK(deposit(ordinal, items_to_deposit(purse), synced));
    const jz_info info = purse.info();
    json::object wish{{"last_seen", sync_state_of(purse).last_sync}};
    if (info.state == JZ_STATE_SUSPECT) {
        wish["suspect"] = true;
        wish["highest_seq"] = std::max(info.seq, folder.anchor_counter());
    }
    JZ_TRY(const Answer answer, send("POST", path_of(ordinal, "sync"), json::serialize(wish), {}, "sync the purse"));
    JZ_TRY(const Bytes acknowledgement, bytes_in(answer.object, "acknowledgement"));
    JZ_CHECK(folder.sync(acknowledgement));
    JZ_CHECK(take_list(folder, synced));
    const auto favour = [&](auto done, auto& told) {
        if (done.ok()) {
            told = *done;
        } else {
            synced.put_off.push_back(done.error().to_string());
        }
    };
    favour(hand_in_carried(purse), synced.carried);
    favour(hand_in_alarm(purse), synced.two_lists);
    ignore_error(learn_deposit_key(folder), "the next sync may");
    return synced;
}

Result<void> IssuerServer::learn_deposit_key(PurseFolder& folder) {
    if (!folder.settings().deposit_key.empty()) return {};
    JZ_TRY(const Answer root, send("GET", "/v1/purses/root", {}, {}, "ask for the issuer's keys"));
    JZ_TRY(const Bytes key, deposit_key_in(root.object));
    return folder.learn_deposit_key(key);
}

Result<std::size_t> IssuerServer::hand_in_carried(purse_host::HostPurse& purse) {
    static constexpr std::size_t most_at_a_time = 16;
    JZ_TRY(const std::vector<Bytes> sealed, carried_by(purse));
    if (sealed.empty()) return std::size_t{0};
    for (std::span<const Bytes> rest = sealed; !rest.empty();) {
        const std::size_t count = std::min(rest.size(), most_at_a_time);
        JZ_CHECK(hand_in(rest.first(count)));
        rest = rest.subspan(count);
    }
    JZ_CHECK(forget_carried(purse));
    return sealed.size();
}

Result<void> IssuerServer::hand_in(std::span<const Bytes> sealed) {
    json::array items;
    for (const Bytes& message : sealed) items.emplace_back(codec::encode_base64(message));
    const std::string body = json::serialize(json::object{{"items", std::move(items)}});
    JZ_TRY(const Answer answer, send("POST", "/v1/purses/carried", body, {}, "hand in what is carried for others"));
    const json::value* const rows = answer.object.if_contains("data");
    if (rows == nullptr || !rows->is_array() || rows->get_array().size() != sealed.size())
        return not_understood("data");
    for (const json::value& row : rows->get_array()) {
        const std::string reason = row.is_object() ? text_in(row.get_object(), "reason") : std::string();
        if (finished(reason)) continue;
        return Error(ErrorKind::rate_limited,
                     "hand in what is carried for others: " + reason + "; it is brought again with the next sync");
    }
    return {};
}

// With every sync, because a server may have lost it; it is one alarm however often.
Result<bool> IssuerServer::hand_in_alarm(purse_host::HostPurse& purse) {
    JZ_TRY(const Bytes heads, alarm_of(purse));
    if (heads.empty()) return false;
    const std::string body = json::serialize(json::object{{"heads", codec::encode_base64(heads)}});
    JZ_TRY(const Answer answer, send("POST", "/v1/purses/alarms", body, {}, "hand in two blacklists with one version"));
    const json::value* const told = answer.object.if_contains("contradiction");
    if (told == nullptr || !told->is_bool()) return not_understood("contradiction");
    return true;
}

Result<void> IssuerServer::lost(std::uint32_t purse) {
    JZ_CHECK(send("POST", path_of(purse, "lost"), "{}", "lost-" + std::to_string(purse), "declare the purse lost"));
    return {};
}

}  // namespace jiaozi::terminal
