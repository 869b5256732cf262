// The host's side of a card that judges (class A3): a PurseKey whose every signature the card itself allows.
//
// sign() takes the Sig_structure of a purse's object (docs/protocol/offline.md, section 2.1), as any Signer; the card
// reads what it must judge from those bytes. Error declined, with the rule's name as code ("overlap", "seq_used", …),
// when it refuses. The same bytes again get the same signature.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/keystores/purse_key.hpp>

namespace jiaozi::keystores {

// Carries APDUs to a card. Implementations: PC/SC (below); tests put an applet behind it.
class CardChannel {
  public:
    virtual ~CardChannel() = default;
    // The answer with its status word. Errors: unavailable (card or reader gone), io. Error conflict: the card was
    // reset meanwhile and is selected anew before the next command.
    virtual Result<Bytes> transmit(ByteView apdu) = 0;
};

// The card in the reader whose name contains `reader` (any reader when it is empty), through pcscd.
Result<std::unique_ptr<CardChannel>> open_pcsc_channel(const std::string& reader);

struct CardStatus {
    std::uint32_t last_seq = 0;
    Bytes last_id;
    std::uint32_t sync = 0;
    std::uint8_t tries_left = 0;
    bool frozen = false;
    std::uint8_t lots = 0;
    std::uint16_t pieces = 0;  // of 256
};

// What the card signed last in its chain, to be journalled by a purse that lost power between signing and writing.
struct SignedMessage {
    Bytes sig_structure;
    crypto::Signature signature{};
};

struct CardIssuing {
    crypto::Suite suite = crypto::Suite::p256;
    std::uint32_t purse = 0;
    crypto::Suite issuer_suite = crypto::Suite::p256;
    Bytes issuer_key;
};

class CardKey final : public PurseKey, private MonotonicCounter {
  public:
    // Makes the key in a blank card. Error conflict when it is not blank.
    static Result<void> personalise(CardChannel& channel, const CardIssuing& issuing, const crypto::SecretBytes& pin);
    static Result<std::unique_ptr<CardKey>> open(std::unique_ptr<CardChannel> channel);

    crypto::Suite suite() const noexcept override { return suite_; }
    ByteView public_key() const noexcept override { return public_key_; }
    Result<crypto::Signature> sign(ByteView sig_structure) const override;
    Assurance assurance() const noexcept override { return Assurance::a3; }
    MonotonicCounter* counter() noexcept override { return this; }

    std::uint32_t purse() const noexcept { return purse_; }
    Result<CardStatus> status() const;
    // Good for one note with CVM. Error unauthenticated says how many tries are left; forbidden "pin_locked" when none.
    Result<void> verify_pin(const crypto::SecretBytes& pin);
    // Whole objects of the issuer's: LC and SACK.
    Result<void> load_certificate(ByteView object);
    Result<void> sync(ByteView object);
    // Nothing before the first.
    Result<std::optional<SignedMessage>> last_signed() const;

  private:
    explicit CardKey(std::unique_ptr<CardChannel> channel) : channel_(std::move(channel)) {}
    Result<std::uint64_t> read() override;
    Result<std::uint64_t> increment() override;
    Result<Bytes> command(std::uint32_t head, ByteView data, std::string_view doing) const;

    std::unique_ptr<CardChannel> channel_;  // under mutex_
    mutable std::mutex mutex_;
    crypto::Suite suite_ = crypto::Suite::p256;
    Bytes public_key_;
    std::uint32_t purse_ = 0;
};

}  // namespace jiaozi::keystores
