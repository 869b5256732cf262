// What a card signs and what not: pure functions over (state, request). The order of the checks is the order of
// docs/formats/card.md, "What the card refuses".
#pragma once

#include "card_state.hpp"

namespace jiaozi::keystores {

// ISO 7816-4 status words, and 69F0..69FF for the rules of this card.
enum class Status : std::uint16_t {
    ok = 0x9000,
    memory_failure = 0x6581,
    wrong_length = 0x6700,
    chain_expected = 0x6883,
    chaining_not_supported = 0x6884,
    pin_needed = 0x6982,
    pin_locked = 0x6983,
    conditions = 0x6985,
    another_purse = 0x69F0,
    seq_used = 0x69F1,
    wrong_previous = 0x69F2,
    overlap = 0x69F3,
    beyond_lot = 0x69F4,
    over_limit = 0x69F5,
    count_limit = 0x69F6,
    wrong_directed = 0x69F7,
    expired = 0x69F8,
    frozen = 0x69F9,
    no_certificate = 0x69FA,
    not_the_issuers = 0x69FB,
    old_sync = 0x69FC,
    malformed = 0x6A80,
    application_not_found = 0x6A82,
    no_room = 0x6A84,
    wrong_parameters = 0x6A86,
    data_not_found = 0x6A88,
    unknown_instruction = 0x6D00,
    unknown_class = 0x6E00,
};

// Whether a message may be signed now. `verified`: the PIN was given since the last note.
Status judge(const CardState& state, const CardRequest& request, bool verified) noexcept;

// Takes over what judge() let pass: the chain goes on, ranges are gone, sums rise.
void record(CardState& state, const CardRequest& request, ByteView message, const crypto::Signature& signature);

Status take_certificate(CardState& state, const CardCertificate& lot);
Status take_sync(CardState& state, const CardSync& sync);

}  // namespace jiaozi::keystores
