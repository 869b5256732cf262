#include "idempotency.hpp"

#include <algorithm>

#include <jiaozi/base/log.hpp>
#include <jiaozi/crypto/aead.hpp>

#include "text.hpp"

namespace jiaozi::http {
namespace {

constexpr std::string_view header_name = "Idempotency-Key";
constexpr std::string_view seal_info = "jiaozi/idempotency/1";

// Whether the name, letters only and in lower case, contains "idempoten": X-Idempotency-Key, Idempotent_Key, …
bool looks_like_idempotency(std::string_view name) {
    constexpr std::string_view wanted = "idempoten";
    std::size_t matched = 0;
    for (const char raw : name) {
        const char c = lower(raw);
        if (c < 'a' || c > 'z') continue;
        if (c == wanted[matched]) {
            if (++matched == wanted.size()) return true;
        } else {
            matched = c == wanted[0] ? 1 : 0;
        }
    }
    return false;
}

// Outcomes that are worth remembering: what was decided. A request that did not get that far, or that failed here, runs
// again when it is repeated.
bool is_decided(int status) {
    switch (status) {
        case 400:
        case 401:
        case 403:
        case 413:
        case 415:
        case 429:
            return false;
        default:
            return status < 500;
    }
}

std::string seal(ByteView key, const std::string& name, std::string_view body) {
    Bytes nonce(crypto::gcm_nonce_size);
    crypto::random_bytes(nonce);
    const auto sealed = crypto::aes256_gcm_seal(key, nonce, as_bytes(name), as_bytes(body));
    return sealed.ok() ? to_hex(nonce) + to_hex(*sealed) : std::string{};
}

std::optional<std::string> open(ByteView key, const std::string& name, std::string_view stored) {
    const auto bytes = from_hex(stored);
    if (!bytes.ok() || bytes->size() < crypto::gcm_nonce_size) return std::nullopt;
    const ByteView all(*bytes);
    const auto opened = crypto::aes256_gcm_open(key, all.first(crypto::gcm_nonce_size), as_bytes(name),
                                                all.subspan(crypto::gcm_nonce_size));
    if (!opened.ok()) return std::nullopt;
    return std::string(as_text(opened->view()));
}

Error other_body() {
    return Error(ErrorKind::declined,
                 "this key was used for a request with another body; use a new key for a new request")
        .with_code("idempotency_error")
        .with_param(header_name);
}

Error in_flight() {
    return Error(ErrorKind::conflict, "the first request with this key is not answered yet; ask again")
        .with_code("request_in_flight")
        .with_param(header_name);
}

}  // namespace

crypto::Digest idempotency_digest(const identity::Principal& principal, Method method, std::string_view path,
                                  std::string_view key) {
    const std::string owner = principal.person ? principal.person.to_string() : principal.key.to_string();
    crypto::Sha256 hash;
    for (const std::string_view part :
         {std::string_view("jiaozi/id/1"), std::string_view(owner), name_of(method), path}) {
        hash.update(as_bytes(part)).update(as_bytes("\n"));
    }
    return hash.update(as_bytes(key)).finish();
}

Result<std::optional<std::string_view>> idempotency_key(const Request& request) {
    std::optional<std::string_view> key;
    for (const Header& header : request.headers) {
        if (same_ignoring_case(header.name, header_name)) {
            if (key) return Error(ErrorKind::invalid, "this header is given twice").with_param(header_name);
            key = header.value;
        } else if (looks_like_idempotency(header.name)) {
            return Error(ErrorKind::invalid, "this header is not known; the header for safe retries is Idempotency-Key")
                .with_code("unknown_idempotency_header")
                .with_param(header.name);
        }
    }
    const bool printable = !key || std::all_of(key->begin(), key->end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
    if (key && (key->empty() || key->size() > 255 || !printable)) {
        return Error(ErrorKind::invalid, "expected 1 to 255 printable ASCII characters").with_param(header_name);
    }
    return key;
}

IdempotencyClaim::~IdempotencyClaim() {
    if (!told_) owner_->release(name_);
}

void IdempotencyClaim::outcome(int status, std::string_view body) {
    told_ = true;
    if (!is_decided(status)) {
        owner_->release(name_);
    } else {
        owner_->store(name_, status, seal_key_.empty() ? std::string(body) : seal(seal_key_, name_, body));
    }
}

Result<Idempotency::Begin> Idempotency::begin(const crypto::Digest& digest, ByteView request_hash, Repeat repeat,
                                              std::string_view bearer) {
    const std::string name = to_hex(digest);
    if (const auto running = in_flight_.find(name); running != in_flight_.end()) {
        return equal(running->second, request_hash) ? in_flight() : other_body();
    }
    Bytes seal_key;
    if (repeat == Repeat::sealed) {
        seal_key = to_bytes(
            crypto::hkdf_sha256(as_bytes(bearer), digest, as_bytes(seal_info), crypto::aes256_key_size).view());
    }
    JZ_TRY(const auto found, registry::find_idempotency(*session_, name));
    if (found && found->status != 0) return replay(*found, request_hash, seal_key);
    if (found) {
        // The program ended while the first request ran. Ids are derived from the key, so running it again is safe.
        if (!equal(found->request_hash, request_hash)) return other_body();
    } else {
        registry::IdempotencyRecord record{name, to_bytes(request_hash), 0, {}, clock_->now()};
        JZ_CHECK(registry::insert(*session_, record));
    }
    in_flight_.emplace(name, to_bytes(request_hash));
    return Begin{std::nullopt, std::make_unique<IdempotencyClaim>(*this, name, std::move(seal_key))};
}

Result<Idempotency::Begin> Idempotency::replay(const registry::IdempotencyRecord& record, ByteView request_hash,
                                               ByteView seal_key) const {
    if (!equal(record.request_hash, request_hash)) return other_body();
    Remembered remembered{record.status, record.body};
    if (!seal_key.empty()) {
        auto body = open(seal_key, record.key, record.body);
        if (!body) {
            return Error(ErrorKind::conflict,
                         "the answer holds a secret and was given to another API key of the same person")
                .with_code("answered_to_another_key");
        }
        remembered.body = std::move(*body);
    }
    return Begin{std::move(remembered), nullptr};
}

void Idempotency::store(const std::string& name, int status, std::string body) {
    const auto running = in_flight_.find(name);
    if (running == in_flight_.end() || session_ == nullptr) return;
    const registry::IdempotencyRecord record{name, std::move(running->second), status, std::move(body), clock_->now()};
    in_flight_.erase(running);
    if (const auto stored = registry::update(*session_, record); !stored.ok()) {
        // The row with status 0 stays: a retry runs again and meets the same object.
        log::warn("cannot store an idempotent outcome", {{"error", stored.error().to_string()}});
    }
}

void Idempotency::release(const std::string& name) {
    in_flight_.erase(name);
    if (session_ == nullptr) return;
    ignore_error(registry::erase_idempotency(*session_, name),
                 "the row with status 0 lets a retry run, as a missing row does");
}

void Idempotency::purge() {
    const Timestamp now = clock_->now();
    if (session_ == nullptr || now.ns < static_cast<std::uint64_t>(idempotency_kept.ns)) return;
    const auto purged =
        registry::purge_idempotency(*session_, Timestamp{now.ns - static_cast<std::uint64_t>(idempotency_kept.ns)});
    if (!purged.ok()) log::warn("cannot purge idempotent outcomes", {{"error", purged.error().to_string()}});
}

void Idempotency::detach() noexcept {
    session_ = nullptr;
}

}  // namespace jiaozi::http
