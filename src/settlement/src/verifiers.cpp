#include "verifiers.hpp"

#include <algorithm>
#include <array>

#include <time.h>

#include <jiaozi/purse/cose.hpp>

namespace jiaozi::settlement {
namespace {

std::uint64_t thread_cpu_ns() {
    timespec spent{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
    return static_cast<std::uint64_t>(spent.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(spent.tv_nsec);
}

}  // namespace

Verifiers::Verifiers(unsigned threads, api::AppThread& app) : app_(app) {
    for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

Verifiers::~Verifiers() {
    {
        const std::lock_guard guard(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
}

void Verifiers::run(VerifyJob& job) {
    std::array<std::uint8_t, purse::max_payload + 48> room;
    const ByteView message = purse::sig_structure(job.object.header, job.object.payload, room);
    job.good = !message.empty() && job.key->verify(message, job.object.signature);
}

void Verifiers::verify(std::span<VerifyJob> jobs, bool suspect, Done done) {
    work_off(jobs.size(), [jobs](std::size_t i) { run(jobs[i]); }, suspect, std::move(done));
}

void Verifiers::work_off(std::size_t count, std::function<void(std::size_t)> job, bool suspect, Done done) {
    if (count == 0 || threads_.empty()) {
        for (std::size_t i = 0; i < count; ++i) job(i);
        return app_.post(std::move(done));
    }
    auto batch = std::make_shared<Batch>();
    batch->count = count;
    batch->job = std::move(job);
    batch->left = count;
    batch->done = std::move(done);
    {
        const std::lock_guard guard(mutex_);
        (suspect ? suspects_ : honest_).push_back(std::move(batch));
    }
    wake_.notify_all();
}

void Verifiers::work() {
    static constexpr std::size_t stretch = 16;  // jobs taken at a time
    for (;;) {
        std::shared_ptr<Batch> batch;
        {
            std::unique_lock lock(mutex_);
            wake_.wait(lock, [this] { return stopping_ || !honest_.empty() || !suspects_.empty(); });
            if (stopping_) return;
            auto& queue = honest_.empty() ? suspects_ : honest_;
            batch = queue.front();
            // Its last stretch is given out: others need not look at it any more.
            if (batch->next.load() + stretch >= batch->count) queue.pop_front();
        }
        const std::size_t first = batch->next.fetch_add(stretch);
        if (first >= batch->count) continue;
        const std::size_t end = std::min(first + stretch, batch->count);
        const std::uint64_t before = thread_cpu_ns();
        for (std::size_t i = first; i < end; ++i) batch->job(i);
        spent_ns_.fetch_add(thread_cpu_ns() - before, std::memory_order_relaxed);
        if (batch->left.fetch_sub(end - first) == end - first) app_.post(std::move(batch->done));
    }
}

}  // namespace jiaozi::settlement
