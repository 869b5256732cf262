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

// What a thread takes at a time. Signatures together: from 128 on a batch is well faster than each alone, beyond 512 it
// gains little and the other threads wait. Anything else: little, so that all threads end together.
constexpr std::size_t fewest_together = 128;
constexpr std::size_t most_together = 512;
constexpr std::size_t stretch = 16;

void verify_together(std::span<VerifyJob* const> jobs) {
    std::vector<std::array<std::uint8_t, purse::max_payload + 48>> rooms(jobs.size());
    std::vector<crypto::SignatureCheck> checks;
    std::vector<VerifyJob*> checked;
    checks.reserve(jobs.size());
    checked.reserve(jobs.size());
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        const purse::Object& object = jobs[i]->object;
        const ByteView message = purse::sig_structure(object.header, object.payload, rooms[i]);
        const crypto::Verifier* verifier = jobs[i]->key->verifier();
        if (message.empty() || verifier == nullptr) continue;  // stays bad
        checks.push_back({verifier, message, object.signature});
        checked.push_back(jobs[i]);
    }
    crypto::verify_all(checks);
    for (std::size_t i = 0; i < checks.size(); ++i) checked[i]->good = checks[i].good;
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
    VerifyJob* const one = &job;
    verify_together(std::span(&one, 1));
}

void Verifiers::verify(std::span<VerifyJob> jobs, bool suspect, Done done) {
    auto batch = std::make_shared<Batch>();
    batch->signatures = jobs;
    batch->count = jobs.size();
    batch->done = std::move(done);
    add(std::move(batch), suspect);
}

void Verifiers::work_off(std::size_t count, std::function<void(std::size_t)> job, bool suspect, Done done) {
    auto batch = std::make_shared<Batch>();
    batch->job = std::move(job);
    batch->count = count;
    batch->done = std::move(done);
    add(std::move(batch), suspect);
}

void Verifiers::add(std::shared_ptr<Batch> batch, bool suspect) {
    batch->left = batch->count;
    if (batch->count == 0) return app_.post(std::move(batch->done));
    if (threads_.empty()) {
        const Piece all{batch, 0, batch->count};
        return finish(std::span(&all, 1));
    }
    {
        const std::lock_guard guard(mutex_);
        if (!suspect) waiting_ += batch->signatures.size();
        (suspect ? suspects_ : honest_).push_back(std::move(batch));
    }
    wake_.notify_all();
}

Verifiers::Piece Verifiers::piece_of_front(Queue& queue, std::size_t most) {
    const std::shared_ptr<Batch> batch = queue.front();
    const Piece piece{batch, batch->given_out, std::min(most, batch->count - batch->given_out)};
    batch->given_out += piece.count;
    if (batch->given_out == batch->count) queue.pop_front();
    if (&queue == &honest_ && !batch->signatures.empty()) waiting_ -= piece.count;
    return piece;
}

std::vector<Verifiers::Piece> Verifiers::take() {
    if (honest_.empty()) return {piece_of_front(suspects_, stretch)};
    if (honest_.front()->signatures.empty()) return {piece_of_front(honest_, stretch)};
    // As much as each thread would have, of the first batch or of all that wait.
    const std::size_t all = std::max(honest_.front()->count, waiting_);
    std::size_t most = std::clamp((all + threads_.size() - 1) / threads_.size(), fewest_together, most_together);
    std::vector<Piece> pieces;
    while (most > 0 && !honest_.empty() && !honest_.front()->signatures.empty()) {
        pieces.push_back(piece_of_front(honest_, most));
        most -= pieces.back().count;
    }
    return pieces;
}

void Verifiers::finish(std::span<const Piece> pieces) {
    std::vector<VerifyJob*> signatures;
    for (const Piece& piece : pieces) {
        for (std::size_t i = piece.first; i < piece.first + piece.count; ++i) {
            if (piece.batch->signatures.empty()) {
                piece.batch->job(i);
            } else {
                signatures.push_back(&piece.batch->signatures[i]);
            }
        }
    }
    if (!signatures.empty()) verify_together(signatures);
    for (const Piece& piece : pieces) {
        if (piece.batch->left.fetch_sub(piece.count) == piece.count) app_.post(std::move(piece.batch->done));
    }
}

void Verifiers::work() {
    for (;;) {
        std::vector<Piece> pieces;
        {
            std::unique_lock lock(mutex_);
            wake_.wait(lock, [this] { return stopping_ || !honest_.empty() || !suspects_.empty(); });
            if (stopping_) return;
            pieces = take();
        }
        const std::uint64_t before = thread_cpu_ns();
        finish(pieces);
        spent_ns_.fetch_add(thread_cpu_ns() - before, std::memory_order_relaxed);
    }
}

}  // namespace jiaozi::settlement
