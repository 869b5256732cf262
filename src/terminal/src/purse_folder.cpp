#include <algorithm>

#include <jiaozi/crypto/private_file.hpp>
#include <jiaozi/terminal/purse_folder.hpp>

namespace jiaozi::terminal {
namespace {

namespace fs = std::filesystem;
using purse_host::c_view;
constexpr const char* settings_name = "purse.json";

bool has_counter(KeyPlace place) {
    return place == KeyPlace::tpm || place == KeyPlace::card;
}

Result<void> make_private_folder(const fs::path& folder) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (!error) fs::permissions(folder, fs::perms::owner_all, error);
    if (error) return Error(ErrorKind::io, folder.string() + ": " + error.message());
    return {};
}

}  // namespace

Error error_of(jz_status status, std::string_view doing) {
    ErrorKind kind = ErrorKind::declined;
    if (status == JZ_STORAGE_FAILED || status == JZ_HALTED) kind = ErrorKind::io;
    if (status == JZ_MALFORMED || status == JZ_TOO_LARGE) kind = ErrorKind::malformed;
    if (status == JZ_BAD_ARGUMENT || status == JZ_BUFFER_TOO_SMALL) kind = ErrorKind::internal;
    return Error(kind, std::string(doing) + ": " + jz_status_name(status)).with_code(jz_status_name(status));
}

Result<Settings> PurseFolder::read_settings(const fs::path& folder) {
    auto bytes = crypto::read_private_file(folder / settings_name, max_settings);
    if (!bytes.ok() && bytes.error().kind() == ErrorKind::not_found) {
        return Error(ErrorKind::not_found,
                     "there is no purse in " + folder.string() + "; `jiaozi purse new` makes one");
    }
    if (!bytes.ok()) return std::move(bytes).error();
    auto settings = decode_settings(as_text(bytes->view()));
    if (!settings.ok()) return std::move(settings).error().in(folder.string());
    return settings;
}

Result<void> PurseFolder::create(const fs::path& folder, const KeyChoice& choice, const fs::path& anchor,
                                 const crypto::SecretBytes& secret) {
    std::error_code ignored;
    if (fs::exists(folder / settings_name, ignored)) {
        return Error(ErrorKind::conflict, "there is a purse in " + folder.string() + " already; name another folder");
    }
    JZ_CHECK(make_private_folder(folder));
    Settings settings;
    settings.key = choice;
    JZ_TRY(const auto key, create_key(choice, folder, secret));
    settings.key.suite = key->suite();
    settings.public_key = to_bytes(key->public_key());
    if (!has_counter(choice.place)) {
        const fs::path beside = fs::absolute(folder).lexically_normal().string() + ".anchor";
        settings.anchor = (anchor.empty() ? beside : fs::absolute(anchor)).string();
    }
    const std::string text = encode_settings(settings);
    return crypto::write_private_file(folder / settings_name, as_bytes(text), crypto::Existing::refuse);
}

Result<void> PurseFolder::write_settings() const {
    const std::string text = encode_settings(settings_);
    return crypto::write_private_file(folder_ / settings_name, as_bytes(text), crypto::Existing::replace);
}

Result<std::unique_ptr<PurseFolder>> PurseFolder::open(const fs::path& folder, const crypto::SecretBytes& secret,
                                                       const Clock& clock) {
    JZ_TRY(Settings settings, read_settings(folder));
    std::unique_ptr<PurseFolder> opened(new PurseFolder(folder, std::move(settings), clock));
    JZ_CHECK(opened->open_parts(secret));
    return opened;
}

Result<void> PurseFolder::open_parts(const crypto::SecretBytes& secret) {
    JZ_TRY(storage_, purse_host::FileStorage::open(folder_));  // the lock before the key: tries at a PIN are counted
    JZ_TRY(key_, open_key(settings_.key, folder_, secret));
    if (!equal(key_->public_key(), settings_.public_key)) {
        return Error(ErrorKind::conflict, folder_.string() +
                                              " was made with another key than this one (another card "
                                              "or token?)");
    }
    signer_ = std::make_unique<KeystoreSigner>(*key_);
    if (has_counter(settings_.key.place)) {
        anchor_ = std::make_unique<KeystoreAnchor>(*key_);
    } else {
        JZ_TRY(anchor_, purse_host::FileAnchor::open(settings_.anchor));
    }
    purse_ =
        std::make_unique<purse_host::HostPurse>(purse_host::real_cryptography(), *signer_, *storage_, *anchor_, clock_);
    if (!enrolled()) return {};
    if (const jz_status status = purse_->open(); status != JZ_OK) {
        return Error(
            status == JZ_NOTHING_HERE ? ErrorKind::corrupt : ErrorKind::io,
            folder_.string() + ": the purse can't be opened: " + jz_status_name(status) + " " + storage_->last_error());
    }
    JZ_CHECK(trust_issuers());
    return take_over_from_card();
}

Result<void> PurseFolder::take_over_from_card() {
    if (card() == nullptr) return {};
    JZ_TRY(const Bytes object, last_object_of(*card()));
    if (object.empty()) return {};
    const jz_status status = jz_purse_adopt(purse_->get(), c_view(object));
    // SUSPECT is a state that the purse shows; it still answers and deposits.
    if (status == JZ_OK || status == JZ_OUTDATED || status == JZ_SUSPECT) return {};
    return error_of(status, "take over what the card signed last");
}

Result<void> PurseFolder::trust_issuers() {
    std::vector<jz_issuer_key> keys;
    for (const IssuerKey& issuer : settings_.issuers) {
        jz_issuer_key key{};
        key.suite = static_cast<int>(issuer.suite);
        key.revoked = issuer.revoked ? 1 : 0;
        key.size = static_cast<std::uint8_t>(issuer.key.size());
        std::ranges::copy(issuer.key, key.public_key);
        keys.push_back(key);
    }
    const jz_status status = jz_purse_trust(purse_->get(), keys.data(), keys.size());
    if (status != JZ_OK) return error_of(status, "trust the issuer's keys");
    return {};
}

purse_host::HostPurse& PurseFolder::purse() noexcept {
    JZ_ASSERT(enrolled());
    return *purse_;
}

Result<void> PurseFolder::enrol(std::uint32_t ordinal, std::span<const IssuerKey> issuers, const std::string& wallet) {
    if (enrolled() && settings_.purse != ordinal) {
        return Error(ErrorKind::conflict, "this purse is number " + std::to_string(settings_.purse) +
                                              " and can't become number " + std::to_string(ordinal));
    }
    if (card() != nullptr && card()->purse() != ordinal) {
        return Error(ErrorKind::conflict, "this card was made for purse " + std::to_string(card()->purse()));
    }
    if (!enrolled()) {
        // A journal without settings: power went between the two.
        jz_status status = purse_->open();
        if (status == JZ_NOTHING_HERE) status = purse_->create(ordinal, static_cast<int>(key_->assurance()));
        if (status != JZ_OK) return error_of(status, "make the purse's journal");
        if (purse_->info().purse != ordinal) {
            return Error(ErrorKind::conflict, folder_.string() + " has a journal of another purse");
        }
    }
    settings_.purse = ordinal;
    settings_.issuers.assign(issuers.begin(), issuers.end());
    settings_.wallet = wallet;
    JZ_CHECK(trust_issuers());
    return write_settings();
}

Result<void> PurseFolder::learn_deposit_key(ByteView key) {
    if (equal(key, settings_.deposit_key)) return {};
    settings_.deposit_key = to_bytes(key);
    return write_settings();
}

Result<void> PurseFolder::speak_by(const std::string& device) {
    if (settings_.device == device) return {};
    settings_.device = device;
    return write_settings();
}

Result<void> PurseFolder::load(ByteView certificate) {
    // The card first: a purse must not hold a lot that its card refuses to spend.
    if (card() != nullptr) JZ_CHECK(card()->load_certificate(certificate));
    const jz_status status = jz_purse_load(purse().get(), c_view(certificate));
    if (status != JZ_OK) return error_of(status, "load the certificate");
    return {};
}

Result<void> PurseFolder::sync(ByteView acknowledgement) {
    if (card() != nullptr) {
        const auto taken = card()->sync(acknowledgement);
        // Taken before and interrupted: the purse may still want it.
        if (!taken.ok() && taken.error().code() != "old_sync") return taken.error();
    }
    const jz_status status = jz_purse_sync(purse().get(), c_view(acknowledgement));
    if (status != JZ_OK && status != JZ_OUTDATED) return error_of(status, "take the acknowledgement");
    return {};
}

Result<void> PurseFolder::install_list(ByteView head, ByteView body) {
    const jz_status status = jz_purse_install_list(purse().get(), c_view(head), c_view(body));
    if (status == JZ_OK || status == JZ_OUTDATED || status == JZ_TWO_LISTS) return {};
    return error_of(status, "install the blacklist");
}

Result<void> PurseFolder::update_list(ByteView head_and_delta) {
    const jz_status status = jz_purse_update_list(purse().get(), c_view(head_and_delta));
    if (status == JZ_OK || status == JZ_OUTDATED || status == JZ_TWO_LISTS) return {};
    return error_of(status, "update the blacklist");
}

Result<void> PurseFolder::verify_holder(const crypto::SecretBytes& pin) {
    if (card() == nullptr) return {};
    auto verified = card()->verify_pin(pin);
    if (!verified.ok() && verified.error().kind() == ErrorKind::unauthenticated) {
        jz_purse_wrong_pin(purse().get());
    }
    return verified;
}

std::uint32_t PurseFolder::anchor_counter() {
    std::uint8_t id[16];
    std::uint32_t counter = 0;
    const bool counts_numbers = key_->assurance() != keystores::Assurance::a2;
    return counts_numbers && anchor_->read(id, counter) ? counter : 0;
}

}  // namespace jiaozi::terminal
