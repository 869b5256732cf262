// Places that keep checkpoints as they are, signed notes one after another: a file, and whatever takes a POST and
// answers a GET. Format: docs/formats/checkpoint.md, "Anchored notes".
//
// Blocking; may be called by many threads and processes. Errors: io and the network's; conflict as follows() has it.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <jiaozi/anchor/abi.hpp>
#include <jiaozi/base/clock.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/proof/note.hpp>

namespace jiaozi::anchor {

inline constexpr std::size_t max_anchor_text_bytes = std::size_t{16} << 20;

// `anchors := note*`, cut into its notes. What they say is not looked at.
struct NoteList {
    std::vector<std::string> notes;
    std::size_t end = 0;  // behind the last whole note
    bool torn = false;    // behind it is the beginning of another: a write that was cut off
};
// Error malformed when something that is no note stands before one, or at the end; too_large.
Result<NoteList> split_notes(std::string_view text);

// A checkpoint, and the note it came in.
struct SignedCheckpoint {
    proof::Checkpoint checkpoint;
    std::string note;
};

// False when it is there already; true once it is appended and synced. Makes the file if there is none; cuts a torn
// end. Notes that the key did not sign are passed over.
Result<bool> append_to_file(const std::string& path, const SignedCheckpoint& anchor, const proof::NoteKey& key);
// What append_to_file would say, without doing it; true where there is no file.
Result<bool> file_lacks(const std::string& path, const proof::Checkpoint& checkpoint, const proof::NoteKey& key);
Result<NoteList> read_anchor_file(const std::string& path);

// GET, and POST (text/plain) unless it is there already. A place that answers GET with 404, 405 or 501 can't be asked,
// and gets it. Any status of 2xx is taken for done. `stop` ends it early.
Result<bool> post_to_url(const std::string& url, const SignedCheckpoint& anchor, const proof::NoteKey& key,
                         Duration timeout, std::stop_token stop = {});
Result<NoteList> read_anchor_url(const std::string& url, Duration timeout);

// A contract's list, as people hand it on: "eip155:CHAIN:CONTRACT/PUBLISHER" (the first three as CAIP-10 writes them),
// and, if one must be named, "@" and the URL of a node.
struct EvmPlace {
    std::uint64_t chain = 0;
    Address contract;
    Address publisher;
    std::string rpc;  // may be empty

    static bool looks_like(std::string_view text) { return text.starts_with("eip155:"); }
    static Result<EvmPlace> parse(std::string_view text);
    std::string to_string() const;  // without the node, whose URL may be a secret
};

}  // namespace jiaozi::anchor
