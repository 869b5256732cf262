#include "feed.hpp"

#include <algorithm>
#include <string>

#include <jiaozi/base/log.hpp>

namespace jiaozi::engine {

void FeedHub::publish(const storage::Position& position, std::uint64_t first_sequence, std::uint64_t last_sequence,
                      std::size_t payload_size, Bytes outcomes, CommittedBatch batch) {
    std::vector<CommittedBatch> dropped;  // freed outside the lock
    auto block = std::make_shared<const Bytes>(std::move(outcomes));
    {
        const std::lock_guard guard(mutex_);
        if (index_.empty() || since_index_point_ >= index_step_bytes) {
            index_.push_back({first_sequence, position});
            since_index_point_ = 0;
        }
        since_index_point_ += payload_size;
        sequence_ = last_sequence;
        late_outcomes_.push_back({position.entry, std::move(block)});
        if (late_outcomes_.size() > late_outcomes_kept) late_outcomes_.pop_front();
        if (batch != nullptr) {
            recent_.push_back({first_sequence, last_sequence, payload_size, std::move(batch)});
            recent_bytes_ += payload_size;
        }
        while (!recent_.empty() && (recent_bytes_ > memory_bytes_ || !wanted())) {
            recent_bytes_ -= recent_.front().bytes;
            dropped.push_back(std::move(recent_.front().batch));
            recent_.pop_front();
        }
    }
    published_.notify_all();
}

FeedHub::Places FeedHub::places() {
    const std::lock_guard guard(mutex_);
    return {index_, since_index_point_};
}

void FeedHub::restore(Places places, std::uint64_t sequence, std::uint64_t first_late, const std::deque<Bytes>& late) {
    const std::lock_guard guard(mutex_);
    index_ = std::move(places.index);
    since_index_point_ = static_cast<std::size_t>(places.since_index_point);
    sequence_ = sequence;
    for (const Bytes& block : late) late_outcomes_.push_back({first_late++, std::make_shared<const Bytes>(block)});
}

FeedSubscription::FeedSubscription(FeedHub& hub, const storage::Journal& journal, std::uint64_t after_sequence,
                                   FeedHandler handler)
    : hub_(hub), journal_(journal), handler_(std::move(handler)), position_(after_sequence) {
    ++hub_.subscribers_;
    thread_ = std::thread([this] { run(); });
}

FeedSubscription::~FeedSubscription() {
    {
        const std::lock_guard guard(hub_.mutex_);
        stopping_ = true;
    }
    hub_.published_.notify_all();
    thread_.join();
    --hub_.subscribers_;
}

std::optional<Error> FeedSubscription::failure() const {
    const std::lock_guard guard(hub_.mutex_);
    return failure_;
}

void FeedSubscription::run() {
    for (;;) {
        const std::uint64_t next = position_.load(std::memory_order_relaxed) + 1;
        CommittedBatch batch;
        {
            std::unique_lock lock(hub_.mutex_);
            hub_.published_.wait(lock, [&] { return stopping_ || hub_.sequence_ >= next; });
            if (stopping_) return;
            const auto found = std::ranges::lower_bound(hub_.recent_, next, {}, &FeedHub::Recent::last_sequence);
            if (found != hub_.recent_.end() && found->first_sequence <= next) batch = found->batch;
        }
        if (batch != nullptr) {
            reader_.reset();
            deliver(std::span(*batch).subspan(static_cast<std::size_t>(next - batch->front().sequence)));
            continue;
        }
        if (auto read = deliver_from_journal(); !read.ok()) {
            log::error("feed stopped", {{"cause", read.error().to_string()}});
            const std::lock_guard guard(hub_.mutex_);
            failure_ = std::move(read).error();
            return;
        }
    }
}

void FeedSubscription::deliver(std::span<const Committed> batch) {
    handler_(batch);
    position_.store(batch.back().sequence, std::memory_order_release);
}

// Starts reading at the index point at or before the next sequence.
Result<> FeedSubscription::seek() {
    const std::uint64_t next = position_.load(std::memory_order_relaxed) + 1;
    storage::Position start;
    {
        const std::lock_guard guard(hub_.mutex_);
        auto after = std::ranges::upper_bound(hub_.index_, next, {}, &FeedHub::IndexPoint::first_sequence);
        if (after != hub_.index_.begin()) start = std::prev(after)->position;
    }
    reader_.emplace(journal_.read(start));
    pending_.clear();
    return {};
}

// Reads one more entry, and gives the outcomes it carries to the entries before it. False if there is none.
Result<bool> FeedSubscription::read_entry() {
    JZ_TRY(const auto view, reader_->next());
    if (!view) return false;
    const auto where = [&](Error error) {
        return std::move(error).in("entry " + std::to_string(view->position.entry));
    };
    auto payload = decode_payload(view->payload);
    if (!payload.ok()) return where(std::move(payload).error());
    const auto blocks = split_outcomes(payload->outcomes);
    if (!blocks.ok()) return where(blocks.error());
    std::uint64_t entry = payload->outcomes.first_entry;
    for (const ByteView block : *blocks) {
        const auto found = std::ranges::find(pending_, entry++, &Pending::entry);
        if (found != pending_.end()) found->outcomes = std::make_shared<const Bytes>(to_bytes(block));
    }
    pending_.push_back({view->position.entry, payload->first_sequence, std::move(payload->commands), nullptr});
    return true;
}

// Of the first pending entry: from memory, or from the journal, where some later entry carries them.
Result<> FeedSubscription::find_outcomes() {
    {
        const std::lock_guard guard(hub_.mutex_);
        const auto found =
            std::ranges::find(hub_.late_outcomes_, pending_.front().entry, &FeedHub::LateOutcomes::entry);
        if (found != hub_.late_outcomes_.end()) pending_.front().outcomes = found->block;
    }
    while (pending_.front().outcomes == nullptr) {
        JZ_TRY(const bool read, read_entry());
        if (!read) return Error(ErrorKind::internal, "the outcomes of an applied entry are nowhere");
    }
    return {};
}

// Delivers the pending entry (skipping one that lies before the position), called when a later command is applied.
Result<> FeedSubscription::deliver_from_journal() {
    if (!reader_) JZ_CHECK(seek());
    if (pending_.empty()) {
        JZ_TRY(const bool read, read_entry());
        if (!read) return Error(ErrorKind::internal, "an applied entry is not in the journal");
    }
    const std::uint64_t after = position_.load(std::memory_order_relaxed);
    if (pending_.front().first_sequence + pending_.front().commands.size() - 1 <= after) {
        pending_.pop_front();
        return {};
    }
    JZ_CHECK(find_outcomes());
    Pending first = std::move(pending_.front());
    pending_.pop_front();
    JZ_TRY(const auto committed, with_outcomes(first.first_sequence, std::move(first.commands), *first.outcomes));
    const std::uint64_t skip = after + 1 - std::min(after + 1, first.first_sequence);
    deliver(std::span(committed).subspan(static_cast<std::size_t>(skip)));
    return {};
}

}  // namespace jiaozi::engine
