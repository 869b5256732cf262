// A purse in a folder (docs/formats/purse-folder.md), open: its key, journal and anchor, its settings, and the calls
// that have to reach a card as well as the purse. One process at a time, one thread at a time.
//
// Errors: not_found (no purse there), conflict (another process has it open; it exists already), unauthenticated (wrong
// passphrase or PIN), corrupt, io; declined with the status's name as code when the purse refuses
// (docs/protocol/offline.md, section 11).
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include <jiaozi/base/clock.hpp>
#include <jiaozi/purse_host/files.hpp>
#include <jiaozi/terminal/favours.hpp>
#include <jiaozi/terminal/open_deals.hpp>
#include <jiaozi/terminal/settings.hpp>

namespace jiaozi::terminal {

// What a purse said, as an Error declined (or io, corrupt, conflict for what is not the peer's fault).
Error error_of(jz_status status, std::string_view doing);

class PurseFolder {
  public:
    // Makes folder, key and settings; the journal comes with the first enrolment. `anchor` empty: beside the folder.
    static Result<void> create(const std::filesystem::path& folder, const KeyChoice& choice,
                               const std::filesystem::path& anchor, const crypto::SecretBytes& secret);
    // Of a folder whose key need not be opened.
    static Result<Settings> read_settings(const std::filesystem::path& folder);

    // Takes over what a card signed and the journal lacks. `clock` must outlive it.
    static Result<std::unique_ptr<PurseFolder>> open(const std::filesystem::path& folder,
                                                     const crypto::SecretBytes& secret, const Clock& clock);

    const std::filesystem::path& path() const noexcept { return folder_; }
    const Settings& settings() const noexcept { return settings_; }
    keystores::PurseKey& key() noexcept { return *key_; }
    bool enrolled() const noexcept { return settings_.purse != 0; }
    // Only when enrolled (JZ_ASSERT).
    purse_host::HostPurse& purse() noexcept;

    // The ordinal and the issuer's keys, whose origin the caller has verified. Makes the journal; with the same ordinal
    // again it only changes the keys. Error conflict for another ordinal.
    Result<void> enrol(std::uint32_t ordinal, std::span<const IssuerKey> issuers, const std::string& wallet);
    // The issuer's key for what mules carry, 32 bytes. Whoever gives a wrong one delays what others would have carried.
    Result<void> learn_deposit_key(ByteView key);
    // The device that the issuer enrolled it for: whose session may sync it.
    Result<void> speak_by(const std::string& device);
    Result<void> load(ByteView certificate);
    Result<void> sync(ByteView acknowledgement);
    // Nothing happens for a list that is not newer. One that contradicts the purse's is remembered as an alarm
    // (jz_trust_info::two_lists) and no error: it is to be handed in.
    Result<void> install_list(ByteView head, ByteView body);
    // HEAD and a delta, from the version that is here.
    Result<void> update_list(ByteView head_and_delta);
    // The holder was verified by PIN, for one payment: a card checks it itself and counts; others opened with it.
    Result<void> verify_holder(const crypto::SecretBytes& pin);

    // What this purse does for others whom it pays or is paid by. Only when enrolled.
    Favours favours() { return {purse(), settings_.deposit_key, folder_ / given_name}; }

    // Where the anchor stands; 0 when it can't be read. An A2 purse counts apart from its numbers: then 0 as well.
    std::uint32_t anchor_counter();
    // Why the key refused to sign last; empty if it did not. For messages.
    std::string key_refusal() const { return signer_->refusal(); }

  private:
    PurseFolder(std::filesystem::path folder, Settings settings, const Clock& clock)
        : folder_(std::move(folder)), settings_(std::move(settings)), clock_(clock) {}
    keystores::CardKey* card() noexcept { return dynamic_cast<keystores::CardKey*>(key_.get()); }
    Result<void> open_parts(const crypto::SecretBytes& secret);
    Result<void> take_over_from_card();
    Result<void> trust_issuers();
    Result<void> write_settings() const;

    std::filesystem::path folder_;
    Settings settings_;
    const Clock& clock_;
    std::unique_ptr<keystores::PurseKey> key_;
    std::unique_ptr<KeystoreSigner> signer_;
    std::unique_ptr<purse_host::FileStorage> storage_;
    std::unique_ptr<purse_host::PurseAnchor> anchor_;
    std::unique_ptr<purse_host::HostPurse> purse_;
};

}  // namespace jiaozi::terminal
