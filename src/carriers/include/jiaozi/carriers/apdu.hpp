// Messages in short APDUs (ISO/IEC 7816-4; docs/protocol/offline.md, section 12): NFC and card readers. The payee's
// terminal is the reader, the payer's purse the card; a first meeting takes five pairs.
//
//   reader                                              card
//   00 A4 04 00 08 <aid> 00                     SELECT  9000
//   90 4A 01 00 <part>, then 80 4A 01 00 <part> 00      the answering message, 9000; or its first 256 bytes and 61xx
//   00 C0 00 00 xx                      GET RESPONSE    the rest
#pragma once

#include <array>
#include <functional>
#include <optional>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/keystores/apdu.hpp>
#include <jiaozi/keystores/card_application.hpp>
#include <jiaozi/keystores/card_key.hpp>

namespace jiaozi::carriers {

inline constexpr std::array<std::uint8_t, 9> purse_aid = {0xF0, 0x4A, 0x5A, 0x50, 0x55, 0x52, 0x53, 0x45, 0x01};

// The card's side. Whatever APDU comes, process() answers with a status word; memory is bounded by two messages. A
// reset (the card left the field) forgets selection, half chains and answers that were not fetched, nothing else: what
// became of a payment is the purse's to know. Not thread-safe.
class ApduCard final : public keystores::CardApplication {
  public:
    // Takes a message and gives the answer to be sent, empty for none; nothing: no message is expected now (6985).
    using Handler = std::function<std::optional<Bytes>(ByteView message)>;
    explicit ApduCard(Handler handler) : handler_(std::move(handler)) {}

    Bytes process(ByteView apdu) override;
    void reset() noexcept override;
    Bytes answer_to_reset() const override;

  private:
    Bytes take_part(const keystores::Apdu& apdu);
    Bytes give(std::size_t wanted);

    Handler handler_;
    bool selected_ = false;
    Bytes chain_;   // of a message that is not whole yet
    Bytes answer_;  // not fetched yet
};

// The reader's side: one card in the field.
class ApduReader {
  public:
    explicit ApduReader(keystores::CardChannel& channel) : channel_(channel) {}

    // Error not_found when the card has no purse.
    Result<void> select();
    // The card's answer; empty for none. Errors: unavailable when the card left the field (nobody knows what it
    // received: select again and resume), conflict when it expects no message, malformed for an answer no card gives.
    Result<Bytes> exchange(ByteView message);
    // Pairs of command and answer since this reader was made.
    std::size_t pairs() const noexcept { return pairs_; }

  private:
    struct Answer {
        Bytes data;
        std::uint16_t word = 0;
    };
    Result<Answer> transmit(ByteView apdu);

    keystores::CardChannel& channel_;
    std::size_t pairs_ = 0;
};

}  // namespace jiaozi::carriers
