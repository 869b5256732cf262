// Threads that do nothing but verify signatures and open what is sealed. Work is shared out among them; when the last
// of a batch is done the application thread is told. Batches of depositors in good standing go first, so that junk
// waits for the honest and not the other way round.
//
// Signatures are verified many at once, those of several deposits together: what one deposit brings is often too
// little. Those of suspects are verified alone, so that junk does not make others be verified twice (crypto::verify_all
// halves a batch with a bad one in it).
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include <jiaozi/api/app_thread.hpp>
#include <jiaozi/purse/objects.hpp>
#include <jiaozi/settlement/book.hpp>

namespace jiaozi::settlement {

// The object's bytes must live until the batch is done.
struct VerifyJob {
    std::shared_ptr<const PurseKey> key;
    purse::Object object;
    bool good = false;
};

class Verifiers {
  public:
    using Done = std::move_only_function<void()>;

    // No threads: the caller's own verifies, before verify() returns.
    Verifiers(unsigned threads, api::AppThread& app);
    ~Verifiers();
    Verifiers(const Verifiers&) = delete;
    Verifiers& operator=(const Verifiers&) = delete;

    // `jobs` must live until `done` has run, on the application thread.
    void verify(std::span<VerifyJob> jobs, bool suspect, Done done);

    // The same for `count` jobs of any kind; `job` is called with each number below it, by several threads at once.
    void work_off(std::size_t count, std::function<void(std::size_t)> job, bool suspect, Done done);

    static void run(VerifyJob& job);

    // Processor time of the verifying threads so far: what the signatures themselves have cost.
    std::uint64_t spent_ns() const noexcept { return spent_ns_.load(std::memory_order_relaxed); }

  private:
    struct Batch {
        std::span<VerifyJob> signatures;       // these,
        std::function<void(std::size_t)> job;  // or `count` of these
        std::size_t count = 0;
        std::size_t given_out = 0;  // guarded by mutex_
        std::atomic<std::size_t> left = 0;
        Done done;
    };
    // A stretch of a batch, worked off by one thread.
    struct Piece {
        std::shared_ptr<Batch> batch;
        std::size_t first = 0;
        std::size_t count = 0;
    };
    using Queue = std::deque<std::shared_ptr<Batch>>;

    void add(std::shared_ptr<Batch> batch, bool suspect);
    void work();
    void finish(std::span<const Piece> pieces);
    std::vector<Piece> take();                             // with mutex_ held
    Piece piece_of_front(Queue& queue, std::size_t most);  // with mutex_ held

    api::AppThread& app_;
    std::atomic<std::uint64_t> spent_ns_ = 0;
    std::mutex mutex_;
    std::condition_variable wake_;
    Queue honest_;             // guarded by mutex_
    Queue suspects_;           // guarded by mutex_
    std::size_t waiting_ = 0;  // signatures in honest_ that are not given out; guarded by mutex_
    bool stopping_ = false;    // guarded by mutex_
    std::vector<std::thread> threads_;
};

}  // namespace jiaozi::settlement
