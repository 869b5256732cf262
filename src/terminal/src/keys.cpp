#include <array>
#include <limits>

#include <jiaozi/codec/cbor.hpp>
#include <jiaozi/crypto/keystore.hpp>
#include <jiaozi/keystores/file_key.hpp>
#include <jiaozi/keystores/pkcs11_key.hpp>
#include <jiaozi/keystores/tpm_key.hpp>
#include <jiaozi/terminal/keys.hpp>

namespace jiaozi::terminal {
namespace {

constexpr std::array<std::string_view, 4> place_names = {"file", "pkcs11", "tpm", "card"};
constexpr std::string_view key_name = "purse";
constexpr std::string_view file_key_file = "key";
constexpr std::string_view tpm_key_file = "tpm-key";

crypto::KeystoreUnlock unlock_with(const crypto::SecretBytes& secret) {
    return crypto::KeystoreUnlock::passphrase(secret.clone());
}

Result<std::unique_ptr<keystores::PurseKey>> open_card(const std::string& reader) {
    JZ_TRY(auto channel, keystores::open_pcsc_channel(reader));
    JZ_TRY(auto card, keystores::CardKey::open(std::move(channel)));
    return std::unique_ptr<keystores::PurseKey>(std::move(card));
}

}  // namespace

std::string_view name_of(KeyPlace place) noexcept {
    return place_names[static_cast<std::size_t>(place)];
}

Result<KeyPlace> parse_key_place(std::string_view name) {
    for (std::size_t i = 0; i < place_names.size(); ++i) {
        if (place_names[i] == name) return static_cast<KeyPlace>(i);
    }
    return Error(ErrorKind::invalid,
                 "a key is kept in one of file, pkcs11, tpm, card; not in '" + std::string(name) + "'")
        .with_param("key");
}

Result<std::unique_ptr<keystores::PurseKey>> create_key(const KeyChoice& choice, const std::filesystem::path& folder,
                                                        const crypto::SecretBytes& secret) {
    switch (choice.place) {
        case KeyPlace::file: {
            JZ_TRY(auto store, crypto::Keystore::create(folder / file_key_file, unlock_with(secret)));
            JZ_CHECK(store.add(key_name, crypto::generate_key(choice.suite)));
            return keystores::open_file_key(store, key_name);
        }
        case KeyPlace::pkcs11:
            JZ_CHECK(keystores::create_pkcs11_key({choice.module, choice.token, choice.label}, secret, choice.suite));
            break;
        case KeyPlace::tpm:
            JZ_CHECK(keystores::create_tpm_key({.tcti = choice.tcti, .owner_auth = {}}, secret, folder / tpm_key_file));
            break;
        case KeyPlace::card:
            break;  // made in the card when it was personalised
    }
    return open_key(choice, folder, secret);
}

Result<std::unique_ptr<keystores::PurseKey>> open_key(const KeyChoice& choice, const std::filesystem::path& folder,
                                                      const crypto::SecretBytes& secret) {
    switch (choice.place) {
        case KeyPlace::file: {
            JZ_TRY(const auto store, crypto::Keystore::open(folder / file_key_file, unlock_with(secret)));
            return keystores::open_file_key(store, key_name);
        }
        case KeyPlace::pkcs11:
            return keystores::open_pkcs11_key({choice.module, choice.token, choice.label}, secret.clone());
        case KeyPlace::tpm:
            return keystores::open_tpm_key({.tcti = choice.tcti, .owner_auth = {}}, secret.clone(),
                                           folder / tpm_key_file);
        case KeyPlace::card:
            return open_card(choice.reader);
    }
    return Error(ErrorKind::internal, "a place without code");
}

bool KeystoreSigner::sign(ByteView message, std::uint8_t* signature) {
    const auto made = key_.sign(message);
    refusal_ = made.ok() ? std::string() : made.error().message();
    if (made.ok()) std::ranges::copy(*made, signature);
    return made.ok();
}

KeystoreAnchor::KeystoreAnchor(keystores::PurseKey& key) : key_(key) {
    JZ_ASSERT(key.counter() != nullptr);
}

bool KeystoreAnchor::read(std::uint8_t* id, std::uint32_t& counter) {
    const auto value = key_.counter()->read();
    if (!value.ok() || *value > std::numeric_limits<std::uint32_t>::max()) {
        error_ = value.ok() ? "the counter is used up" : value.error().message();
        return false;
    }
    const auto name = keystores::anchor_id(key_);
    std::ranges::copy(name, id);
    counter = static_cast<std::uint32_t>(*value);
    return true;
}

bool KeystoreAnchor::advance(std::uint32_t counter) {
    const auto done = keystores::advance_to(*key_.counter(), counter);
    error_ = done.ok() ? std::string() : done.error().message();
    return done.ok();
}

Result<Bytes> last_object_of(const keystores::CardKey& card) {
    JZ_TRY(const auto last, card.last_signed());
    if (!last) return Bytes{};
    // Sig_structure = ["Signature1", protected, external_aad, payload]
    codec::CborReader in(last->sig_structure);
    JZ_CHECK(in.array_of(4));
    JZ_TRY(const std::string_view context, in.text());
    JZ_TRY(const ByteView header, in.bytes());
    JZ_TRY(const ByteView aad, in.bytes());
    JZ_TRY(const ByteView payload, in.bytes());
    JZ_CHECK(in.finish());
    if (context != "Signature1" || as_text(aad) != "jiaozi/purse/1") {
        return Error(ErrorKind::corrupt, "what the card signed last is no message of a purse");
    }
    codec::CborWriter out;
    out.array(4).bytes(header).map(0).bytes(payload).bytes(last->signature);
    return out.take();
}

}  // namespace jiaozi::terminal
