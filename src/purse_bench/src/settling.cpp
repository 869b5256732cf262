#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jiaozi/purse/cose.hpp>
#include <jiaozi/purse_bench/settling.hpp>

#include "stage.hpp"

namespace jiaozi::purse_bench {
namespace {

using namespace settlement;

struct Spent {
    double wall_s = 0;
    double cpu_s = 0;
};

double cpu_now() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds_of = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

template <class Work>
Spent measure(Work work) {
    const auto wall = std::chrono::steady_clock::now();
    const double cpu = cpu_now();
    work();
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - wall;
    return {passed.count(), cpu_now() - cpu};
}

std::size_t resident_bytes() {
    std::ifstream file("/proc/self/statm");
    std::size_t pages = 0;
    std::size_t resident = 0;
    file >> pages >> resident;
    return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

std::size_t disk_bytes(const std::filesystem::path& directory) {
    std::size_t total = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
        struct ::stat info{};
        if (::stat(entry.path().c_str(), &info) == 0 && entry.is_regular_file()) {
            total += static_cast<std::size_t>(info.st_blocks) * 512;
        }
    }
    return total;
}

class Bench {
  public:
    explicit Bench(const SettlingOptions& options) : options_(options) {}

    Result<SettlingFigures> run() {
        options_.progress(Step::enrol);
        settlement::Options options;
        options.verify_threads = options_.threads;
        JZ_TRY(stage_, Stage::make(options_.suite, options_.purses, options));
        options_.progress(Step::sign);
        sign_all();
        options_.progress(Step::verify);
        const std::size_t sample = std::min<std::size_t>(options_.notes, 10'000);
        JZ_TRY(Bare bare, verify_bare(sample));
        bytes_ = notes_;  // settling takes them; verified again afterwards
        bytes_.resize(sample);
        bytes_.shrink_to_fit();
        options_.progress(Step::settle);
        const std::size_t memory_before = resident_bytes();
        const std::size_t disk_before = disk_bytes(stage_->directory());
        Result<> settled = {};
        const Counters before = stage_->settlement().counters();
        const Spent spent = measure([&] { settled = settle_all(); });
        JZ_CHECK(std::move(settled));
        SettlingFigures figures;
        figures.resident_bytes = resident_bytes();
        const Counters after = stage_->settlement().counters();
        figures.commands = after.commands - before.commands;
        const auto notes = static_cast<double>(options_.notes);
        const std::size_t grown = figures.resident_bytes > memory_before ? figures.resident_bytes - memory_before : 0;
        figures.memory_bytes_per_note = grown / options_.notes;
        figures.disk_bytes_per_note = (disk_bytes(stage_->directory()) - disk_before) / options_.notes;
        notes_.swap(bytes_);
        JZ_TRY(const Bare again, verify_bare(sample));
        const auto rate = [&](double before_s, double after_s) {
            return static_cast<std::uint64_t>(2 * static_cast<double>(sample) / (before_s + after_s));
        };
        figures.verify_per_s_core = rate(bare.one_by_one_s, again.one_by_one_s);
        figures.verify_together_per_s_core = rate(bare.together_s, again.together_s);
        figures.settle_per_s_core = static_cast<std::uint64_t>(notes / spent.cpu_s);
        figures.settle_per_s = static_cast<std::uint64_t>(notes / spent.wall_s);
        const auto all_ns = static_cast<std::uint64_t>(spent.cpu_s * 1e9);
        const std::uint64_t verify_ns = std::min(all_ns, after.verify_ns - before.verify_ns);
        figures.ratio_per_mille = figures.settle_per_s_core * 1'000 / figures.verify_per_s_core;
        figures.verify_share_per_mille = all_ns == 0 ? 0 : verify_ns * 1'000 / all_ns;
        figures.overhead_ns_per_note = (all_ns - verify_ns) / options_.notes;
        figures.wall_ms = static_cast<std::uint64_t>(spent.wall_s * 1'000);
        return figures;
    }

  private:
    void sign_all() {
        notes_.reserve(options_.notes);
        for (std::size_t i = 0; i < options_.notes; ++i)
            notes_.push_back(stage_->note(1 + i % options_.purses, static_cast<std::uint32_t>(i / options_.purses)));
    }

    // Seconds of processor time.
    struct Bare {
        double one_by_one_s = 0;
        double together_s = 0;
    };

    // Signatures only, with keys that are ready, by as many threads as settle: what shares a core with the thread
    // beside it does so in both.
    Result<Bare> verify_bare(std::size_t count) {
        std::vector<crypto::Verifier> verifiers;
        for (std::size_t i = 0; i < count && i < options_.purses; ++i) {
            JZ_TRY(auto verifier, crypto::make_verifier(options_.suite, stage_->purses()[1 + i].key.public_key));
            verifiers.push_back(std::move(verifier));
        }
        std::vector<std::array<std::uint8_t, purse::max_payload + 48>> rooms(count);
        std::vector<crypto::SignatureCheck> checks(count);
        for (std::size_t i = 0; i < count; ++i) {
            purse::View rest = notes_[i];
            purse::Object object;
            if (purse::read_object(rest, object) != JZ_OK) continue;
            const auto message = purse::sig_structure(object.header, object.payload, rooms[i]);
            checks[i] = {&verifiers[i % options_.purses], message, object.signature};
        }
        Bare bare;
        bare.one_by_one_s = by_threads(checks, 1);
        bare.together_s = by_threads(checks, 512);
        return bad_ ? Result<Bare>(Error(ErrorKind::internal, "a note of the benchmark does not verify")) : bare;
    }

    double by_threads(std::span<crypto::SignatureCheck> checks, std::size_t at_a_time) {
        for (crypto::SignatureCheck& check : checks) check.good = false;
        const std::size_t share = (checks.size() + options_.threads - 1) / std::max(1U, options_.threads);
        const double before = cpu_now();
        {
            std::vector<std::jthread> threads;
            for (std::size_t first = 0; first < checks.size(); first += share) {
                threads.emplace_back([own = checks.subspan(first, std::min(share, checks.size() - first)), at_a_time] {
                    for (std::size_t i = 0; i < own.size(); i += at_a_time) {
                        crypto::verify_all(own.subspan(i, std::min(at_a_time, own.size() - i)));
                    }
                });
            }
        }
        bad_ |= !std::ranges::all_of(checks, &crypto::SignatureCheck::good);
        return cpu_now() - before;
    }

    Result<> settle_all() {
        static constexpr std::size_t ahead = 8;  // batches under way
        std::size_t done = 0;
        std::size_t sent = 0;
        const std::size_t batches = (notes_.size() + options_.batch - 1) / options_.batch;
        while (done < batches && !failure_) {
            while (sent < batches && sent < done + ahead) {
                std::vector<Bytes> items;
                const std::size_t end = std::min(notes_.size(), (sent + 1) * options_.batch);
                for (std::size_t i = sent * options_.batch; i < end; ++i) items.push_back(std::move(notes_[i]));
                const std::uint32_t merchant = stage_->purses().front().ordinal;
                stage_->settlement().settle(std::move(items), merchant, [&](Result<std::vector<ItemAnswer>> answers) {
                    if (!answers.ok()) return failed(answers.error());
                    for (const ItemAnswer& answer : *answers) {
                        if (answer.reason == Reason::ok && answer.state == NoteState::settled) continue;
                        failed(Error(ErrorKind::internal, std::string(name_of(answer.reason))));
                    }
                    ++done;
                });
                ++sent;
            }
            const std::size_t before = done;
            stage_->app().run_until([&] { return failure_ || done > before; }, seconds(600));
        }
        stage_->app().run_until([&] { return failure_ || stage_->settlement().idle(); }, seconds(600));
        if (failure_) return *failure_;
        return {};
    }
    void failed(const Error& error) {
        if (!failure_) failure_ = error;
    }

    SettlingOptions options_;
    bool bad_ = false;
    std::unique_ptr<Stage> stage_;
    std::vector<Bytes> notes_;
    std::vector<Bytes> bytes_;
    std::optional<Error> failure_;
};

}  // namespace

Result<SettlingFigures> measure_settling(const SettlingOptions& options) {
    if (options.notes == 0 || options.purses == 0 || options.batch == 0) {
        return Error(ErrorKind::invalid, "notes, purses and batch are at least 1");
    }
    if (options.notes / options.purses * Stage::note_amount > Stage::lot_amount) {
        return Error(ErrorKind::invalid, "at most 20,000 notes a purse; give more purses");
    }
    return Bench(options).run();
}

}  // namespace jiaozi::purse_bench
