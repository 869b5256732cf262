// Everything a card remembers, and its bytes on disk (docs/formats/card.md, "What the card remembers").
#pragma once

#include <vector>

#include <jiaozi/crypto/secret.hpp>

#include "card_message.hpp"

namespace jiaozi::keystores {

inline constexpr std::size_t max_lots = 8;
inline constexpr std::size_t max_pieces = 256;
inline constexpr std::uint8_t pin_tries = 5;  // docs/protocol/offline.md, section 8
inline constexpr std::size_t min_pin = 4;
inline constexpr std::size_t max_pin = 16;

struct CardLot {
    CardId id{};
    std::uint64_t amount = 0;
    std::uint32_t expires = 0;
    std::uint32_t settle_by = 0;
    std::uint64_t per_payment = 0;
    std::uint64_t without_cvm = 0;
    std::uint32_t count = 0;
    std::uint32_t directed = 0;
};

// A range that this card has signed away, for ever: what the ledger gives back comes as another lot. Ranges that touch
// are one.
struct CardPiece {
    CardId source{};
    std::uint64_t from = 0;
    std::uint64_t to = 0;
};

struct CardState {
    bool personalised = false;
    crypto::Suite suite = crypto::Suite::p256;
    crypto::Secret<32> private_key;
    Bytes public_key;
    std::uint32_t purse = 0;
    crypto::Suite issuer_suite = crypto::Suite::p256;
    Bytes issuer_key;
    crypto::Secret<max_pin> pin;
    std::uint8_t pin_size = 0;
    std::uint8_t tries_left = pin_tries;

    std::uint32_t last_seq = 0;
    CardId last_id{};
    Bytes last_message;  // the Sig_structure with last_seq; empty before the first
    crypto::Signature last_signature{};

    std::uint64_t counter = 0;
    std::uint32_t sync = 0;
    std::uint32_t t_low = 0;
    bool frozen = false;
    std::uint64_t paid_without_cvm = 0;
    std::uint32_t notes_since_sync = 0;
    std::vector<CardLot> lots;
    std::vector<CardPiece> pieces;
};

inline constexpr std::size_t max_card_file = std::size_t{64} * 1024;
crypto::SecretBytes encode_card_state(const CardState& state);
// Error malformed for anything that encode_card_state does not write.
Result<CardState> decode_card_state(ByteView bytes);

}  // namespace jiaozi::keystores
