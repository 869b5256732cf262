// A fork proof that somebody hands us (docs/protocol/offline.md, 3.9), checked on any machine with nothing but the
// issuer's key. Keys that come with a proof are not looked at: whoever made it up made them up as well. Pure.
#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include <jiaozi/purse/objects.hpp>
#include <jiaozi/terminal/settings.hpp>

namespace jiaozi::terminal {

struct ProvenNote {
    purse::Id id{};
    std::uint32_t seq = 0;
    std::uint32_t payee = 0;
    std::uint64_t amount = 0;
    std::uint32_t time = 0;
};
struct ProvenFork {
    std::uint32_t purse = 0;  // who signed both
    std::uint64_t serial = 0;
    std::string asset;
    bool same_number = false;  // otherwise: two ranges of one source that overlap
    std::array<ProvenNote, 2> notes;
};

inline constexpr std::size_t max_proof_file = std::size_t{64} * 1024;
// The proof's bytes in a file: as they are, in hexadecimal or base64, or as member "proof" of what the server answers.
Result<Bytes> read_proof(ByteView file);
// Errors: malformed; unauthenticated (`unknown_issuer`, `bad_signature`: not by this issuer); declined (`bad_range`:
// two notes that may well be honest).
Result<ProvenFork> check_proof(ByteView proof, std::span<const IssuerKey> issuers);

}  // namespace jiaozi::terminal
