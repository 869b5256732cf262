// A note with its provenance (docs/protocol/offline.md, 5.2), its ranges and its conflicts (6).
#pragma once

#include <jiaozi/purse/cose.hpp>
#include <jiaozi/purse/objects.hpp>

namespace jiaozi::purse {

inline constexpr std::size_t max_notes = 8;
inline constexpr std::size_t max_certificates = 12;
inline constexpr std::size_t max_bundle = JZ_BUNDLE_BYTES;
inline constexpr std::size_t max_pieces = max_notes * max_sources;

template <class Value>
struct Entry {
    Object object;  // views into the bundle's bytes
    Id id{};
    Value value;
};

// A bundle that has been read: canonical objects, plain values, nothing verified. `note[0]` is the one that pays.
struct Bundle {
    std::array<Entry<Note>, max_notes> note;
    std::array<Entry<Certificate>, max_certificates> certificate;
    std::size_t notes = 0;
    std::size_t certificates = 0;

    std::span<const Entry<Note>> all_notes() const noexcept { return std::span(note).first(notes); }
    std::span<const Entry<Certificate>> all_certificates() const noexcept {
        return std::span(certificate).first(certificates);
    }
    const Entry<Note>* find_note(const Id& id) const noexcept;
    const Entry<Certificate>* find_lot(const Id& id) const noexcept;
    const Entry<Certificate>* find_purse(std::uint32_t purse) const noexcept;
};

// JZ_TOO_LARGE, JZ_PROVENANCE_LIMIT (more objects than allowed), JZ_MALFORMED, JZ_BAD_RANGE, JZ_WRONG_SUITE.
jz_status read_bundle(const jz_platform& platform, View bytes, Bundle& bundle) noexcept;
// Adds one more object's bytes, as read_bundle does with each.
jz_status add_to_bundle(const jz_platform& platform, View& rest, Bundle& bundle) noexcept;

// Every source's object is there, every payer has a certificate, and nothing is there that nobody needs.
// JZ_NEED_CERTIFICATE for an absent certificate.
jz_status check_complete(const Bundle& bundle) noexcept;
// Notes and certificates agree on suites, and one purse has one key; every lot has the asset.
jz_status check_suites(const Bundle& bundle) noexcept;
jz_status check_asset(const Bundle& bundle, const Asset& asset) noexcept;
// Sources belong to the payer, lie inside of what they spend, and respect `directed`; hops count up; hop limits.
jz_status check_ranges(const Bundle& bundle) noexcept;
jz_status check_hops(const Bundle& bundle) noexcept;
// All certificates, then all notes; issuers are looked up by the caller.
jz_status verify_notes(const jz_platform& platform, const Bundle& bundle) noexcept;

// Two different notes that one purse can't honestly have signed both: same payer with the same number, or siblings.
bool in_conflict(const Entry<Note>& left, const Entry<Note>& right) noexcept;

// A range of a lot: what a note comes down to.
struct Piece {
    const Entry<Certificate>* lot = nullptr;
    std::uint64_t from = 0;
    std::uint64_t to = 0;
};
struct Pieces {
    std::array<Piece, max_pieces> piece;
    std::size_t count = 0;
};
// The absolute ranges of the note that pays, for a bundle that passed check_complete, check_hops and check_ranges.
jz_status resolve(const Bundle& bundle, Pieces& out) noexcept;

}  // namespace jiaozi::purse
