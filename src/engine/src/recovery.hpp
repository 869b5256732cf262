// Replay of the journal into an empty ledger, at open.
#pragma once

#include <cstdint>

#include <jiaozi/engine/payload.hpp>
#include <jiaozi/ledger/ledger.hpp>
#include <jiaozi/storage/journal.hpp>

#include "feed.hpp"

namespace jiaozi::engine {

// Where a journal ends, as far as commands are concerned.
struct Tip {
    std::uint64_t sequence = 0;
    Timestamp timestamp;
    Bytes outcomes;  // of the last entry, encoded; the next entry carries them
    Tip() { OutcomeRecorder().finish(outcomes); }
};

// Applies one entry on top of `tip` and moves it on. Refuses (corrupt) what does not decode, does not follow, or was
// written by a program whose rules gave other outcomes than ours.
Result<> replay_entry(const storage::EntryView& entry, ledger::Ledger& ledger, Tip& tip, FeedHub& hub);

// Makes the engine's directory, or checks the `format` marker of one that exists (invalid: another version's, or not
// an engine's).
Result<> prepare_directory(storage::Disk& disk, const std::filesystem::path& directory);

}  // namespace jiaozi::engine
