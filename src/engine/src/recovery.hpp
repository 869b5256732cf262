// Replay of the journal into a ledger: at open, and to make a snapshot.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

#include <jiaozi/engine/payload.hpp>
#include <jiaozi/ledger/ledger.hpp>
#include <jiaozi/storage/journal.hpp>

#include "event_log.hpp"
#include "feed.hpp"
#include "history_store.hpp"

namespace jiaozi::engine {

// Outcomes of entries that have been applied, and that no entry carries yet: the next one will.
class UncarriedOutcomes {
  public:
    // The entry after the last one added (or the first at all).
    void add(std::uint64_t entry, Bytes block);
    // All of them; into this object's memory until the next call.
    CarriedOutcomes carry();
    // Holds what an entry carries against what applying gave, and forgets it. Error corrupt.
    Result<> check(const CarriedOutcomes& carried);

    std::uint64_t first_entry() const noexcept { return first_entry_; }
    const std::deque<Bytes>& blocks() const noexcept { return blocks_; }

  private:
    std::uint64_t first_entry_ = 0;
    std::deque<Bytes> blocks_;
    Bytes carried_;
};

// Where a journal ends, as far as commands are concerned.
struct Tip {
    std::uint64_t sequence = 0;
    Timestamp timestamp;
    UncarriedOutcomes outcomes;
};

// All that is derived from the journal, and that a replay builds.
struct Derived {
    ledger::Ledger& ledger;
    EventLog& events;
    FeedHub& hub;
    HistoryKeeper& histories;  // told by the ledger
};

// Applies entries one after the other. Refuses (corrupt) what does not decode, does not follow, or was written by a
// program whose rules gave other outcomes than ours. With two threads decoding (with the caller's reading and
// verifying) and applying each have one: between them they take as long as the longer of the two. With one, all is done
// in add.
class Replay {
  public:
    enum class Threads : std::uint8_t { one, two };
    Replay(const Derived& derived, Threads threads);
    ~Replay();  // waits
    Replay(const Replay&) = delete;
    Replay& operator=(const Replay&) = delete;

    // Before the first add: what was derived is that of this moment.
    void start_at(Tip tip) { tip_ = std::move(tip); }
    // In order. An Error is of this entry or of one before it, and final.
    Result<> add(const storage::EntryView& entry);
    // When everything is applied.
    Result<Tip> finish();

  private:
    struct Entry {
        storage::Position position;
        std::size_t payload_size = 0;
        std::uint64_t to_come = 0;  // bytes of the journal behind it, roughly
        Payload payload;
        Bytes blocks;                               // what payload.outcomes points into
        std::vector<ledger::AccountPlaces> places;  // of all its transfers, or none
    };
    static constexpr std::size_t max_waiting = 8;

    void read_ahead(Entry& entry, ByteView payload);
    void run();
    Result<> apply_entry(const Entry& entry);
    void expect_more(const Entry& entry);

    const Derived derived_;
    Tip tip_;                        // the applying thread's, until it has ended, as are the next two:
    std::uint64_t bytes_ = 0;        // of the entries it has applied,
    std::uint64_t first_event_ = 0;  // and the first event in them
    std::mutex mutex_;               // guards all below
    std::condition_variable changed_;
    std::deque<Entry> waiting_;
    std::uint64_t accounts_to_come_ = 0;  // entries among those added, and not applied, that create accounts
    bool ended_ = false;
    std::optional<Error> failure_;
    std::thread thread_;  // last
};

// Makes the engine's directory, or checks the `format` marker of one that exists (invalid: another version's, or not
// an engine's).
Result<> prepare_directory(storage::Disk& disk, const std::filesystem::path& directory);

}  // namespace jiaozi::engine
