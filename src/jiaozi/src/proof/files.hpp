// What the proof commands read and write: whole files, keys, and how they end.
#pragma once

#include <string>
#include <string_view>

#include <jiaozi/base/result.hpp>
#include <jiaozi/proof/note.hpp>

#include "../cli/terminal.hpp"

namespace jiaozi::proofs {

// "-" is standard input or output. At most 64 MiB.
Result<std::string> read_text(const std::string& path);
Result<> write_text(const std::string& path, std::string_view text);
// A verifier key, or a file with one (its text has no plus sign in front of a path, so they can't be confused: a key is
// what parses as one).
Result<proof::NoteKey> read_note_key(const std::string& key_or_file);

// Prints the error and says how the program ends.
cli::Exit fail(const Error& error);

std::string amount_text(std::uint32_t ledger, uint128 minor);  // "3.50 CNY", or minor units where the asset is unknown
std::string time_text(std::uint64_t ns);

}  // namespace jiaozi::proofs
