// The names are those of docs/formats/keystore.md.
#include <algorithm>

#include <sodium.h>

#include <jiaozi/codec/cbor.hpp>
#include <jiaozi/crypto/aead.hpp>
#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/crypto/keystore.hpp>
#include <jiaozi/crypto/private_file.hpp>

#include "sodium_ready.hpp"

namespace jiaozi::crypto {
namespace {

using codec::CborLimits;
using codec::CborMapReader;
using codec::CborReader;
using codec::CborWriter;

constexpr std::string_view magic = "JIAOZI-KEYSTORE1";
constexpr std::size_t max_file_bytes = std::size_t{1024} * 1024;
constexpr std::size_t key_size = 32;
constexpr std::size_t check_size = 16;
constexpr std::size_t max_secret_size = 4096;
constexpr std::uint64_t max_passes = 16;
constexpr std::uint64_t max_memory_bytes = 1024ULL * 1024 * 1024;
constexpr CborLimits limits{.max_bytes = max_file_bytes, .max_depth = 4, .max_items = 32 * 1024};

Error corrupt(const std::filesystem::path& path, std::string_view what) {
    return {ErrorKind::corrupt, path.string() + ": " + std::string(what) + "; restore it from a backup"};
}

struct Kdf {
    std::uint64_t passes = 0;
    std::uint64_t memory_bytes = 0;
    std::array<std::uint8_t, crypto_pwhash_SALTBYTES> salt{};
};

struct Header {
    std::uint64_t unlock = 0;
    std::optional<Kdf> kdf;
    Bytes nonce;
    Bytes check;
};

Bytes encode_header(const Header& header) {
    CborWriter out;
    out.map(header.kdf ? 4 : 3).integer(1).uint(header.unlock);
    if (header.kdf) {
        out.integer(2).map(3).integer(1).uint(header.kdf->passes).integer(2).uint(header.kdf->memory_bytes);
        out.integer(3).bytes(header.kdf->salt);
    }
    out.integer(3).bytes(header.nonce).integer(4).bytes(header.check);
    return out.take();
}

Result<Bytes> sized_bytes(CborMapReader& map, std::int64_t key, std::string_view name, std::size_t size) {
    JZ_TRY(const ByteView bytes, map.bytes(key, name));
    if (bytes.size() != size) return Error(ErrorKind::malformed, std::string(name) + " has the wrong size");
    return to_bytes(bytes);
}

Result<Kdf> decode_kdf(CborReader& reader) {
    JZ_TRY(auto map, CborMapReader::open(reader));
    Kdf kdf;
    JZ_TRY(kdf.passes, map.uint(1, "passes"));
    JZ_TRY(kdf.memory_bytes, map.uint(2, "memory"));
    JZ_TRY(const Bytes salt, sized_bytes(map, 3, "salt", kdf.salt.size()));
    std::ranges::copy(salt, kdf.salt.begin());
    JZ_CHECK(map.finish());
    if (kdf.passes < crypto_pwhash_OPSLIMIT_MIN || kdf.passes > max_passes ||
        kdf.memory_bytes < crypto_pwhash_MEMLIMIT_MIN || kdf.memory_bytes > max_memory_bytes) {
        return Error(ErrorKind::malformed, "the cost of the passphrase is out of range");
    }
    return kdf;
}

Result<Header> decode_header(ByteView bytes) {
    CborReader reader(bytes, limits);
    JZ_TRY(auto map, CborMapReader::open(reader));
    Header header;
    JZ_TRY(header.unlock, map.uint(1, "unlock"));
    JZ_TRY(const bool has_kdf, map.optional(2));
    if (has_kdf) {
        JZ_TRY(header.kdf, decode_kdf(reader));
    }
    JZ_TRY(header.nonce, sized_bytes(map, 3, "nonce", gcm_nonce_size));
    JZ_TRY(header.check, sized_bytes(map, 4, "check", check_size));
    JZ_CHECK(map.finish());
    JZ_CHECK(reader.finish());
    if (header.unlock < 1 || header.unlock > 2 || has_kdf != (header.unlock == 1)) {
        return Error(ErrorKind::malformed, "the way to unlock it is unknown");
    }
    return header;
}

Result<SecretBytes> stretch(ByteView passphrase, const Kdf& kdf) {
    require_sodium();
    SecretBytes master(key_size);
    const auto* const text = reinterpret_cast<const char*>(passphrase.data());
    if (crypto_pwhash(master.mutable_view().data(), master.size(), text, passphrase.size(), kdf.salt.data(), kdf.passes,
                      static_cast<std::size_t>(kdf.memory_bytes), crypto_pwhash_ALG_ARGON2ID13) != 0) {
        return Error(ErrorKind::unavailable, "not enough memory to check the passphrase: " +
                                                 std::to_string(kdf.memory_bytes / (1024 * 1024)) + " MiB are needed");
    }
    return master;
}

Kdf new_kdf(KdfStrength strength) {
    Kdf kdf{.passes = crypto_pwhash_OPSLIMIT_MODERATE, .memory_bytes = crypto_pwhash_MEMLIMIT_MODERATE};
    if (strength == KdfStrength::interactive) {
        kdf.passes = crypto_pwhash_OPSLIMIT_INTERACTIVE;
        kdf.memory_bytes = crypto_pwhash_MEMLIMIT_INTERACTIVE;
    }
    random_bytes(kdf.salt);
    return kdf;
}

SecretBytes derive(const SecretBytes& master, std::string_view info, std::size_t size) {
    return hkdf_sha256(master.view(), {}, as_bytes(info), size);
}
SecretBytes seal_key(const SecretBytes& master) {
    return derive(master, "jiaozi keystore seal", aes256_key_size);
}
Bytes check_of(const SecretBytes& master) {
    return to_bytes(derive(master, "jiaozi keystore check", check_size).view());
}

Bytes additional_data(ByteView header) {
    Bytes bytes = to_bytes(as_bytes(magic));
    append(bytes, header);
    return bytes;
}

Digest sum_of(ByteView header, ByteView sealed) {
    return Sha256().update(as_bytes(magic)).update(header).update(sealed).finish();
}

bool is_name(std::string_view name) noexcept {
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    };
    return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, allowed);
}

Result<void> check_entry(EntryKind kind, ByteView value) {
    if (kind == EntryKind::secret) {
        if (!value.empty() && value.size() <= max_secret_size) return {};
        return Error(ErrorKind::invalid, "a secret has 1 to 4096 bytes").with_param("value");
    }
    if (value.size() != key_size) return Error(ErrorKind::invalid, "a private key has 32 bytes").with_param("value");
    if (kind == EntryKind::x25519) return {};
    JZ_CHECK(key_from_private(static_cast<Suite>(kind), value));
    return {};
}

using Entries = std::map<std::string, KeystoreEntry, std::less<>>;

SecretBytes encode_body(const Entries& entries) {
    codec::CborMapWriter map;
    for (const auto& [name, entry] : entries) {
        map.field(name).array(2).uint(static_cast<std::uint64_t>(entry.kind)).bytes(entry.value.view());
    }
    CborWriter out;
    map.write_to(out);
    Bytes body = out.take();
    return SecretBytes::absorb(body);
}

Result<Entries> decode_body(ByteView body) {
    CborReader reader(body, limits);
    Entries entries;
    JZ_TRY(const std::uint64_t count, reader.map());
    for (std::uint64_t i = 0; i < count; ++i) {
        JZ_TRY(const std::string_view name, reader.text());
        JZ_CHECK(reader.array_of(2));
        JZ_TRY(const std::uint64_t kind, reader.uint());
        JZ_TRY(const ByteView value, reader.bytes());
        if (!is_name(name) || kind < 1 || kind > 5)
            return Error(ErrorKind::malformed, "an entry is not of this format");
        JZ_CHECK(check_entry(static_cast<EntryKind>(kind), value));
        entries.emplace(name, KeystoreEntry{static_cast<EntryKind>(kind), SecretBytes(value)});
    }
    JZ_CHECK(reader.finish());
    return entries;
}

}  // namespace

KeystoreUnlock KeystoreUnlock::passphrase(SecretBytes text, KdfStrength strength) {
    return {Kind::passphrase, std::move(text), strength};
}

Result<KeystoreUnlock> KeystoreUnlock::key_file(const std::filesystem::path& path) {
    JZ_TRY(SecretBytes content, read_private_file(path, key_size));
    if (content.size() != key_size) return Error(ErrorKind::invalid, path.string() + " must have exactly 32 bytes");
    return KeystoreUnlock(Kind::key_file, std::move(content), KdfStrength::moderate);
}

Result<void> KeystoreUnlock::create_key_file(const std::filesystem::path& path) {
    return write_private_file(path, SecretBytes::random(key_size).view(), Existing::refuse);
}

struct Keystore::State {
    std::filesystem::path path;
    std::uint64_t unlock = 0;
    std::optional<Kdf> kdf;
    SecretBytes master;
    Entries entries;

    Result<void> save(Existing existing) const {
        Header header{.unlock = unlock, .kdf = kdf, .nonce = Bytes(gcm_nonce_size), .check = check_of(master)};
        random_bytes(header.nonce);
        const Bytes head = encode_header(header);
        const SecretBytes body = encode_body(entries);
        JZ_TRY(const Bytes sealed,
               aes256_gcm_seal(seal_key(master).view(), header.nonce, additional_data(head), body.view()));
        CborWriter item;
        item.array(3).bytes(head).bytes(sealed).bytes(sum_of(head, sealed));
        Bytes file = to_bytes(as_bytes(magic));
        append(file, item.view());
        if (file.size() > max_file_bytes) return Error(ErrorKind::too_large, "a keystore has up to 1 MiB");
        return write_private_file(path, file, existing);
    }

    // A change is undone when it cannot be written, so that memory and disk tell the same.
    Result<void> change(Entries::node_type removed, const std::string& name) {
        auto saved = save(Existing::replace);
        if (saved.ok()) return saved;
        if (removed) {
            entries.insert(std::move(removed));
        } else {
            entries.erase(name);
        }
        return saved;
    }

    Result<const KeystoreEntry*> find(std::string_view name) const {
        const auto found = entries.find(name);
        if (found != entries.end()) return &found->second;
        return Error(ErrorKind::not_found, path.string() + " has no entry named " + std::string(name))
            .with_param("name");
    }
};

Keystore::Keystore(std::unique_ptr<State> state) : state_(std::move(state)) {}
Keystore::Keystore(Keystore&&) noexcept = default;
Keystore& Keystore::operator=(Keystore&&) noexcept = default;
Keystore::~Keystore() = default;

Result<Keystore> Keystore::create(const std::filesystem::path& path, const KeystoreUnlock& unlock) {
    if (unlock.value_.empty())
        return Error(ErrorKind::invalid, "an empty passphrase protects nothing").with_param("passphrase");
    auto state = std::make_unique<State>();
    state->path = path;
    state->unlock = static_cast<std::uint64_t>(unlock.kind_);
    if (unlock.kind_ == KeystoreUnlock::Kind::passphrase) {
        state->kdf = new_kdf(unlock.strength_);
        JZ_TRY(state->master, stretch(unlock.value_.view(), *state->kdf));
    } else {
        state->master = unlock.value_.clone();
    }
    JZ_CHECK(state->save(Existing::refuse));
    return Keystore(std::move(state));
}

Result<Keystore> Keystore::open(const std::filesystem::path& path, const KeystoreUnlock& unlock) {
    JZ_TRY(const SecretBytes file, read_private_file(path, max_file_bytes));
    const ByteView content = file.view();
    if (content.size() < magic.size() || as_text(content.first(magic.size())) != magic) {
        return corrupt(path, "this is not a keystore");
    }
    CborReader reader(content.subspan(magic.size()), limits);
    const auto part = [&]() { return reader.bytes(); };
    if (!reader.array_of(3).ok()) return corrupt(path, "the file is damaged");
    const auto head = part();
    const auto sealed = head.ok() ? part() : head;
    const auto sum = sealed.ok() ? part() : sealed;
    if (!sum.ok() || !reader.finish().ok() || !equal(*sum, sum_of(*head, *sealed)))
        return corrupt(path, "the file is damaged");
    const auto header = decode_header(*head);
    if (!header.ok()) return corrupt(path, header.error().message());
    if (header->unlock != static_cast<std::uint64_t>(unlock.kind_)) {
        return Error(ErrorKind::unauthenticated,
                     path.string() + (header->unlock == 1 ? " opens with a passphrase, not a key file"
                                                          : " opens with a key file, not a passphrase"));
    }
    auto state = std::make_unique<State>();
    state->path = path;
    state->unlock = header->unlock;
    state->kdf = header->kdf;
    if (header->kdf) {
        JZ_TRY(state->master, stretch(unlock.value_.view(), *header->kdf));
    } else {
        state->master = unlock.value_.clone();
    }
    if (!constant_time_equal(check_of(state->master), header->check)) {
        return Error(ErrorKind::unauthenticated,
                     path.string() + (header->kdf ? ": wrong passphrase" : ": this is not its key file"));
    }
    const auto body = aes256_gcm_open(seal_key(state->master).view(), header->nonce, additional_data(*head), *sealed);
    if (!body.ok()) return corrupt(path, "the entries were changed outside this program");
    auto entries = decode_body(body->view());
    if (!entries.ok()) return corrupt(path, entries.error().message());
    state->entries = std::move(entries).value();
    return Keystore(std::move(state));
}

std::vector<std::string> Keystore::names() const {
    std::vector<std::string> names;
    for (const auto& [name, entry] : state_->entries) names.push_back(name);
    return names;
}

Result<void> Keystore::add(std::string_view name, const KeyPair& key) {
    return add(name, static_cast<EntryKind>(key.suite), key.private_key.view());
}

Result<void> Keystore::add(std::string_view name, EntryKind kind, ByteView value) {
    if (!is_name(name)) {
        return Error(ErrorKind::invalid, "a name has 1 to 64 characters of a-z 0-9 . _ -").with_param("name");
    }
    JZ_CHECK(check_entry(kind, value));
    const auto [at, added] = state_->entries.emplace(name, KeystoreEntry{kind, SecretBytes(value)});
    if (!added) {
        return Error(ErrorKind::conflict, "there is an entry named " + std::string(name) + "; remove it first")
            .with_param("name");
    }
    return state_->change({}, at->first);
}

Result<void> Keystore::remove(std::string_view name) {
    JZ_CHECK(state_->find(name));
    return state_->change(state_->entries.extract(state_->entries.find(name)), std::string(name));
}

Result<KeyPair> Keystore::key(std::string_view name) const {
    JZ_TRY(const KeystoreEntry* const entry, state_->find(name));
    if (entry->kind > EntryKind::sm2) {
        return Error(ErrorKind::invalid, std::string(name) + " is not a signature key").with_param("name");
    }
    return key_from_private(static_cast<Suite>(entry->kind), entry->value.view());
}

Result<std::unique_ptr<Signer>> Keystore::signer(std::string_view name) const {
    JZ_TRY(const KeyPair pair, key(name));
    return make_signer(pair);
}

Result<SecretBytes> Keystore::secret(std::string_view name) const {
    JZ_TRY(const KeystoreEntry* const entry, state_->find(name));
    if (entry->kind <= EntryKind::sm2) {
        return Error(ErrorKind::invalid, std::string(name) + " is a signature key; ask for its signer")
            .with_param("name");
    }
    return entry->value.clone();
}

Result<SecretBytes> Keystore::secret_or_new(std::string_view name, std::size_t size) {
    auto stored = secret(name);
    if (!stored.ok() && stored.error().kind() == ErrorKind::not_found) {
        JZ_CHECK(add(name, EntryKind::secret, SecretBytes::random(size).view()));
        stored = secret(name);
    }
    if (stored.ok() && stored->size() != size) {
        return Error(ErrorKind::corrupt, "the keystore's " + std::string(name) + " has " +
                                             std::to_string(stored->size()) + " bytes instead of " +
                                             std::to_string(size) + ": restore the keystore of this data directory");
    }
    return stored;
}

}  // namespace jiaozi::crypto
