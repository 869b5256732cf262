// Threads that do nothing but verify signatures and open what is sealed. A batch's jobs are shared out among them; when
// its last is done the application thread is told. Batches of depositors in good standing go first, so that junk waits
// for the honest and not the other way round.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
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
        std::size_t count = 0;
        std::function<void(std::size_t)> job;
        std::atomic<std::size_t> next = 0;
        std::atomic<std::size_t> left = 0;
        Done done;
    };
    void work();

    api::AppThread& app_;
    std::atomic<std::uint64_t> spent_ns_ = 0;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::shared_ptr<Batch>> honest_;    // guarded by mutex_
    std::deque<std::shared_ptr<Batch>> suspects_;  // guarded by mutex_
    bool stopping_ = false;                        // guarded by mutex_
    std::vector<std::thread> threads_;
};

}  // namespace jiaozi::settlement
