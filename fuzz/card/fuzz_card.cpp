// Command APDUs from anywhere, several after each other, to a card that is personalised and holds a lot. Input:
// commands, each after one byte of length (0: the card is reset). Whatever is asked: every answer has a status word,
// the stored state reads back as it was written, and two things that were signed never overlap, share a number or leave
// the chain.
#include <cstddef>
#include <cstdint>
#include <map>

#include <jiaozi/base/assert.hpp>
#include <jiaozi/codec/cbor.hpp>
#include <jiaozi/keystores/card_applet.hpp>

#include "big_endian.hpp"
#include "card_state.hpp"

using namespace jiaozi;
using namespace jiaozi::keystores;

namespace {

class MemoryStorage final : public CardStorage {
  public:
    explicit MemoryStorage(Bytes& content) : content_(content) {}
    Result<crypto::SecretBytes> load() override { return crypto::SecretBytes(content_); }
    Result<void> save(ByteView content) override {
        const auto read = decode_card_state(content);
        JZ_ASSERT(read.ok() && equal(encode_card_state(*read).view(), content));
        content_ = to_bytes(content);
        return {};
    }

  private:
    Bytes& content_;
};

const Bytes& card_with_a_lot() {
    static const Bytes state = [] {
        CardState card;
        card.personalised = true;
        card.suite = crypto::Suite::ed25519;
        card.private_key.mutable_view()[0] = 1;
        card.public_key = crypto::key_from_private(card.suite, card.private_key.view())->public_key;
        card.purse = 7;
        card.issuer_suite = crypto::Suite::ed25519;
        card.issuer_key = card.public_key;
        for (std::size_t i = 0; i < min_pin; ++i) card.pin.mutable_view()[i] = '1';
        card.pin_size = min_pin;
        card.lots.push_back({.id = {},
                             .amount = 1000,
                             .expires = 10000,
                             .settle_by = 20000,
                             .per_payment = 500,
                             .without_cvm = 500,
                             .count = 100,
                             .directed = 0});
        return to_bytes(encode_card_state(card).view());
    }();
    return state;
}

// What was signed, judged anew by a model without tables or limits.
class Witness {
  public:
    void saw(const CardState& card) {
        if (card.last_seq == last_seq_) return;
        JZ_ASSERT(card.last_seq == last_seq_ + 1);  // no issuer signs in this fuzzer, so the chain has no jumps
        last_seq_ = card.last_seq;
        const auto request = read_card_request(card.suite, card.last_message);
        JZ_ASSERT(request.ok() && request->seq == last_seq_ && request->previous == last_id_);
        last_id_ = request->id;
        for (const CardSource& source : request->sources) {
            for (std::uint64_t unit = source.offset; unit < source.end() && unit < 2000; ++unit) {
                JZ_ASSERT(spent_.emplace(std::pair(source.id, unit), request->seq).second);
            }
        }
    }

  private:
    std::uint32_t last_seq_ = 0;
    CardId last_id_{};
    std::map<std::pair<CardId, std::uint64_t>, std::uint32_t> spent_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 8192) return 0;
    ByteView input(data, size);
    Bytes memory = card_with_a_lot();
    const auto applet = CardApplet::open(std::make_unique<MemoryStorage>(memory));
    JZ_ASSERT(applet.ok());
    JZ_ASSERT((*applet)
                  ->process(Bytes{0x00, 0xA4, 0x04, 0x00, 0x08, 0xF0, 0x4A, 0x5A, 0x43, 0x41, 0x52, 0x44, 0x01})
                  .size() == 4);
    Witness witness;
    while (!input.empty()) {
        const std::size_t length = std::min<std::size_t>(input[0], input.size() - 1);
        if (length == 0) (*applet)->reset();
        const Bytes answer = (*applet)->process(input.subspan(1, length));
        JZ_ASSERT(answer.size() >= 2 && answer.size() <= 258);
        witness.saw(decode_card_state(memory).value());
        input = input.subspan(1 + length);
    }
    return 0;
}
