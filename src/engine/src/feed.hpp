// The projections feed. The hub keeps the last committed batches in memory, within a bound, for subscribers that keep
// up; one that is behind reads the journal on its own thread until it has caught up.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include <jiaozi/engine/payload.hpp>
#include <jiaozi/engine/subscription.hpp>
#include <jiaozi/storage/journal.hpp>

namespace jiaozi::engine {

using CommittedBatch = std::shared_ptr<const std::vector<Committed>>;

class FeedHub {
  public:
    explicit FeedHub(std::size_t memory_bytes) : memory_bytes_(memory_bytes) {}

    // Whether publish should be given a batch. Without subscribers nothing is kept.
    bool wanted() const noexcept { return subscribers_.load(std::memory_order_relaxed) > 0; }

    // The writer, after an entry is applied. `outcomes` are its encoded outcomes; `batch` may be null.
    void publish(const storage::Position& position, std::uint64_t first_sequence, std::uint64_t last_sequence,
                 std::size_t payload_size, Bytes outcomes, CommittedBatch batch);

    // Where to start reading the journal for a sequence: sparse, one point for some megabytes of journal.
    struct IndexPoint {
        std::uint64_t first_sequence;
        storage::Position position;
    };
    // Everything that a snapshot keeps of it.
    struct Places {
        std::deque<IndexPoint> index;
        std::uint64_t since_index_point = 0;
    };
    Places places();
    // Into one to which nothing was published yet: up to this sequence all is in the journal, but for the outcomes of
    // the entries from `first_late` on, which no later entry carries yet.
    void restore(Places places, std::uint64_t sequence, std::uint64_t first_late, const std::deque<Bytes>& late);

  private:
    friend class FeedSubscription;

    static constexpr std::size_t index_step_bytes = std::size_t{4} * 1024 * 1024;

    struct Recent {
        std::uint64_t first_sequence;
        std::uint64_t last_sequence;
        std::size_t bytes;
        CommittedBatch batch;
    };

    const std::size_t memory_bytes_;
    std::atomic<std::size_t> subscribers_{0};

    std::mutex mutex_;  // guards all below
    std::condition_variable published_;
    std::uint64_t sequence_ = 0;  // the last command applied
    // What the last entries gave: later entries carry that, but maybe none does yet. Older ones are in the journal,
    // because the writer is never this many entries ahead of what is applied.
    struct LateOutcomes {
        std::uint64_t entry;
        std::shared_ptr<const Bytes> block;
    };
    static constexpr std::size_t late_outcomes_kept = 64;
    std::deque<LateOutcomes> late_outcomes_;
    std::deque<Recent> recent_;
    std::size_t recent_bytes_ = 0;
    std::deque<IndexPoint> index_;
    std::size_t since_index_point_ = 0;
};

class FeedSubscription final : public Subscription {
  public:
    FeedSubscription(FeedHub& hub, const storage::Journal& journal, std::uint64_t after_sequence, FeedHandler handler);
    ~FeedSubscription() override;

    std::uint64_t position() const override { return position_.load(std::memory_order_acquire); }
    std::optional<Error> failure() const override;

  private:
    void run();
    void deliver(std::span<const Committed> batch);
    Result<> deliver_from_journal();
    Result<> seek();
    Result<bool> read_entry();
    Result<> find_outcomes();

    FeedHub& hub_;
    const storage::Journal& journal_;
    FeedHandler handler_;
    std::atomic<std::uint64_t> position_;
    bool stopping_ = false;         // hub_.mutex_
    std::optional<Error> failure_;  // hub_.mutex_

    // The feed thread's own: where it reads the journal, the entries it has read and not delivered, and the outcomes it
    // has met for them.
    struct Pending {
        std::uint64_t entry = 0;
        std::uint64_t first_sequence = 0;
        std::vector<TimedCommand> commands;
        std::shared_ptr<const Bytes> outcomes;
    };
    std::optional<storage::Reader> reader_;
    std::deque<Pending> pending_;

    std::thread thread_;  // last: it uses everything above
};

}  // namespace jiaozi::engine
