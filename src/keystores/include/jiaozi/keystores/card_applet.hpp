// A smart card's application that judges what it signs (class A3): it is given whole messages of a purse, reads from
// the very bytes it signs who says what with which number and range, and refuses an overlap, a number used before, or
// what is beyond its limits. APDUs, rules and status words: docs/formats/card.md.
//
// This is the card's side, in software: it plugs into vsmartcard's vpcd (`run_virtual_card`), where pcscd takes it for
// a card in a reader, and is the reference for an applet on a chip. Its file holds the private key and the PIN in
// clear, as the chip's memory would: it protects against nobody who can read that file.
//
// What changes is written before the answer leaves; after a failed write the card answers 6581 and has changed nothing.
// Not thread-safe.
#pragma once

#include <filesystem>
#include <memory>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/keystores/card_application.hpp>

namespace jiaozi::keystores {

// "JZCARD", version 1, with a first byte from the range of unregistered names.
inline constexpr std::array<std::uint8_t, 8> card_aid = {0xF0, 0x4A, 0x5A, 0x43, 0x41, 0x52, 0x44, 0x01};

// Where a card keeps what it remembers.
class CardStorage {
  public:
    virtual ~CardStorage() = default;
    virtual Result<crypto::SecretBytes> load() = 0;  // not_found: a blank card
    // Whole or not at all, and durable when it returns.
    virtual Result<void> save(ByteView content) = 0;
};

std::unique_ptr<CardStorage> card_file(std::filesystem::path path);

class CardApplet final : public CardApplication {
  public:
    // Error corrupt when the storage holds something else than a card's state.
    static Result<std::unique_ptr<CardApplet>> open(std::unique_ptr<CardStorage> storage);
    ~CardApplet() override;
    CardApplet(const CardApplet&) = delete;
    CardApplet& operator=(const CardApplet&) = delete;

    // The answer to one command APDU, with its status word; any bytes may be given. Nothing fails but in that answer.
    Bytes process(ByteView apdu) override;
    // The card was reset or lost power: PIN, selection and half-received chains are gone.
    void reset() noexcept override;
    // Answer to reset (ISO/IEC 7816-3): T=0 and T=1, "JZCARD".
    Bytes answer_to_reset() const override;

  private:
    struct State;
    explicit CardApplet(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace jiaozi::keystores
