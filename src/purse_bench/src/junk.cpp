#include <algorithm>
#include <chrono>
#include <deque>
#include <optional>
#include <vector>

#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/purse_bench/junk.hpp>

#include "stage.hpp"

namespace jiaozi::purse_bench {
namespace {

using namespace settlement;
using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t items_a_batch = 100;
constexpr std::size_t kinds = 3;  // wrong signature, random bytes, said before

std::uint64_t us_since(SteadyClock::time_point start) {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - start).count());
}

class Flood {
  public:
    Flood(Stage& stage, const JunkOptions& options) : stage_(stage), options_(options) {}

    // The honest, and the junk if there is to be any, for the seconds of the options. Waits of the honest, sorted.
    Result<std::vector<std::uint64_t>> run(bool with_junk) {
        waits_.clear();
        const std::uint64_t honest = options_.honest_per_s * options_.seconds;
        const std::uint64_t junk = with_junk ? options_.junk_per_s * options_.seconds / items_a_batch : 0;
        const auto start = SteadyClock::now();
        const auto due = [&](std::uint64_t count, std::uint64_t of) {
            return of > 0 && count < of &&
                   us_since(start) >= count * options_.seconds * 1'000'000 / std::max<std::uint64_t>(of, 1);
        };
        std::uint64_t said = 0;
        std::uint64_t thrown = 0;
        while ((said < honest || thrown < junk || waits_.size() < honest || junk_open_ > 0) && !failure_) {
            while (due(thrown, junk)) throw_junk(thrown++);
            if (due(said, honest)) deposit(said++);
            stage_.app().run_posted();
            stage_.app().run_until([&] { return due(said, honest) || due(thrown, junk); }, milliseconds(1));
        }
        if (failure_) return *failure_;
        answered_per_s_ =
            with_junk ? junk * items_a_batch * 1'000'000 / std::max<std::uint64_t>(us_since(start), 1) : 0;
        std::ranges::sort(waits_);
        return waits_;
    }
    std::uint64_t answered_per_s() const { return answered_per_s_; }

  private:
    // Junk is made once and sent again and again, except that a wrong signature is a different one each time: what was
    // said before is known without looking.
    void throw_junk(std::uint64_t number) {
        std::vector<Bytes> items;
        for (std::size_t i = 0; i < items_a_batch; ++i) {
            Bytes item = spare_;
            switch (i % kinds) {
                case 0:
                    crypto::random_bytes(ByteSpan(item).last(32));
                    break;
                case 1:
                    crypto::random_bytes(item);
                    break;
                default:
                    break;
            }
            items.push_back(std::move(item));
        }
        const bool named = number % 2 == 0;
        const std::uint32_t sender = named ? stage_.purses()[1 + number / 2 % options_.senders].ordinal : 0;
        ++junk_open_;
        stage_.settlement().settle(std::move(items), sender, [this](const Result<std::vector<ItemAnswer>>& answers) {
            --junk_open_;
            if (!answers.ok() && answers.error().kind() != ErrorKind::unavailable) failure_ = answers.error();
        });
    }

    // Honest purses come behind the senders of junk.
    void deposit(std::uint64_t number) {
        const std::size_t honest = stage_.purses().size() - 1 - options_.senders;
        const std::size_t who = 1 + options_.senders + number % honest;
        const std::uint32_t purse = stage_.purses()[who].ordinal;
        const std::uint32_t nth = notes_of_[who]++;
        const auto start = SteadyClock::now();
        stage_.settlement().settle(
            {stage_.note(who, nth)}, purse, [this, start, purse, nth](const Result<std::vector<ItemAnswer>>& answers) {
                if (!answers.ok()) return failure_.emplace(answers.error()), void();
                if (answers->front().reason != Reason::ok)
                    return failure_.emplace(ErrorKind::internal, std::string(name_of(answers->front().reason))), void();
                SyncRequest sync;
                sync.purse = purse;
                sync.highest_seq = nth + 1;
                stage_.settlement().sync(sync, [this, start](const Result<Bytes>& acknowledged) {
                    if (!acknowledged.ok()) return failure_.emplace(acknowledged.error()), void();
                    waits_.push_back(us_since(start));
                });
            });
    }

    Stage& stage_;
    const JunkOptions options_;
    const Bytes spare_ = stage_.note(1, 0);
    std::vector<std::uint32_t> notes_of_ = std::vector<std::uint32_t>(stage_.purses().size());
    std::vector<std::uint64_t> waits_;
    std::size_t junk_open_ = 0;
    std::uint64_t answered_per_s_ = 0;
    std::optional<Error> failure_;
};

std::uint64_t percentile(const std::vector<std::uint64_t>& sorted, std::size_t percent) {
    return sorted[(sorted.size() - 1) * percent / 100];
}

}  // namespace

Result<JunkFigures> measure_junk(const JunkOptions& options) {
    if (options.honest_per_s == 0 || options.seconds == 0 || options.senders == 0)
        return Error(ErrorKind::invalid, "honest deposits, seconds and senders are at least 1");
    settlement::Options service;
    service.verify_threads = options.threads;
    constexpr std::size_t honest = 100;
    JZ_TRY(const auto stage, Stage::make(crypto::Suite::ed25519, options.senders + honest, service));
    Flood flood(*stage, options);
    JunkFigures figures;
    JZ_TRY(const auto quiet, flood.run(false));
    const std::uint64_t before = stage->settlement().counters().signatures;
    JZ_TRY(const auto noisy, flood.run(true));
    figures.verified = stage->settlement().counters().signatures - before - noisy.size();
    figures.junk_per_s = flood.answered_per_s();
    figures.quiet_p50_us = percentile(quiet, 50);
    figures.quiet_p95_us = percentile(quiet, 95);
    figures.junk_p50_us = percentile(noisy, 50);
    figures.junk_p95_us = percentile(noisy, 95);
    return figures;
}

}  // namespace jiaozi::purse_bench
