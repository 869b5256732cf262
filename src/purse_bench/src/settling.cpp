#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jiaozi/api/accounts.hpp>
#include <jiaozi/api/stepped_app_thread.hpp>
#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/engine/engine.hpp>
#include <jiaozi/purse/cose.hpp>
#include <jiaozi/purse_bench/settling.hpp>
#include <jiaozi/purse_host/issuer.hpp>
#include <jiaozi/settlement/settlement.hpp>

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
    std::FILE* file = std::fopen("/proc/self/statm", "r");
    long pages = 0;
    long resident = 0;
    if (file != nullptr) {
        if (std::fscanf(file, "%ld %ld", &pages, &resident) != 2) resident = 0;
        std::fclose(file);
    }
    return static_cast<std::size_t>(resident) * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
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

struct Payer {
    std::uint32_t ordinal = 0;
    crypto::KeyPair key;
    purse::Id lot{};
};

class Bench {
  public:
    explicit Bench(const SettlingOptions& options) : options_(options) {}
    ~Bench() {
        settlement_.reset();
        engine_.reset();
        std::error_code ignored;
        if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
    }
    Bench(const Bench&) = delete;
    Bench& operator=(const Bench&) = delete;

    Result<SettlingFigures> run() {
        JZ_CHECK(open());
        options_.progress(Stage::enrol);
        JZ_CHECK(enrol_all());
        options_.progress(Stage::sign);
        sign_all();
        options_.progress(Stage::verify);
        const std::size_t sample = std::min<std::size_t>(options_.notes, 10'000);
        JZ_TRY(double bare_s, verify_bare(sample));
        bytes_ = notes_;  // settling takes them; verified again afterwards
        bytes_.resize(sample);
        bytes_.shrink_to_fit();
        options_.progress(Stage::settle);
        const std::size_t memory_before = resident_bytes();
        const std::size_t disk_before = disk_bytes(directory_);
        Result<> settled = {};
        const Counters before = settlement_->counters();
        const Spent spent = measure([&] { settled = settle_all(); });
        JZ_CHECK(std::move(settled));
        SettlingFigures figures;
        figures.resident_bytes = resident_bytes();
        const Counters after = settlement_->counters();
        figures.commands = after.commands - before.commands;
        const auto notes = static_cast<double>(options_.notes);
        const std::size_t grown = figures.resident_bytes > memory_before ? figures.resident_bytes - memory_before : 0;
        figures.memory_bytes_per_note = grown / options_.notes;
        figures.disk_bytes_per_note = (disk_bytes(directory_) - disk_before) / options_.notes;
        notes_.swap(bytes_);
        JZ_TRY(const double again_s, verify_bare(sample));
        bare_s += again_s;
        figures.verify_per_s_core = static_cast<std::uint64_t>(2 * static_cast<double>(sample) / bare_s);
        figures.settle_per_s_core = static_cast<std::uint64_t>(notes / spent.cpu_s);
        figures.settle_per_s = static_cast<std::uint64_t>(notes / spent.wall_s);
        const auto all_ns = static_cast<std::uint64_t>(spent.cpu_s * 1e9);
        const std::uint64_t verify_ns = std::min(all_ns, after.verify_ns - before.verify_ns);
        figures.ratio_per_mille = all_ns == 0 ? 0 : verify_ns * 1'000 / all_ns;
        figures.overhead_ns_per_note = (all_ns - verify_ns) / options_.notes;
        figures.wall_ms = static_cast<std::uint64_t>(spent.wall_s * 1'000);
        return figures;
    }

  private:
    static constexpr std::uint32_t merchant = 1;
    static constexpr WalletId wallet{make_uint128(9, 9)};

    Result<> open() {
        std::string made = std::filesystem::temp_directory_path() / "jiaozi-settling-XXXXXX";
        if (::mkdtemp(made.data()) == nullptr) return Error(ErrorKind::io, "cannot make a directory like " + made);
        directory_ = made;
        engine::Options engine;
        engine.directory = directory_ / "journal";
        engine.segment_bytes = std::uint64_t{1} << 20;  // space made ahead must not hide what notes take
        JZ_TRY(engine_, engine::Engine::open(std::move(engine), clock_));
        JZ_TRY(auto signer, crypto::make_signer(crypto::generate_key(options_.suite)));
        issuer_ = purse_host::key_signer(std::move(signer));
        settlement::Options options;
        options.verify_threads = options_.threads;
        options.policy.holder_cap = ~std::uint64_t{0} >> 1;
        JZ_TRY(settlement_, Settlement::recover({*engine_, app_, clock_, {issuer_.get()}}, options));
        engine::Command command;
        const uint128 funding = api::system_account(api::code_funding, assets::CNY.ledger);
        command.accounts.push_back({.id = funding, .ledger = assets::CNY.ledger, .code = api::code_funding});
        command.accounts.push_back({.id = wallet.value, .ledger = assets::CNY.ledger, .code = api::code_wallet});
        JZ_TRY(const auto done, engine_->execute(std::move(command)));
        static_cast<void>(done);
        return {};
    }

    // Until `count` answers have come and nothing is under way, or one was an error.
    Result<> wait(const std::size_t& count, std::size_t target) {
        app_.run_until([&] { return failure_ || (count >= target && settlement_->idle()); }, seconds(3'600));
        if (failure_) return *failure_;
        return {};
    }
    void failed(const Error& error) {
        if (!failure_) failure_ = error;
    }

    Result<> enrol_all() {
        std::size_t done = 0;
        payers_.resize(options_.purses + 1);
        for (Payer& payer : payers_) {
            payer.key = crypto::generate_key(options_.suite);
            settlement_->enrol({payer.key.public_key, options_.suite, 2, wallet, 1, assets::CNY},
                               [&](Result<std::uint32_t> ordinal) {
                                   if (!ordinal.ok()) return failed(ordinal.error());
                                   payer.ordinal = *ordinal;
                                   ++done;
                               });
        }
        JZ_CHECK(wait(done, payers_.size()));
        std::uint64_t number = 0;
        done = 0;
        for (Payer& payer : payers_) {
            settlement_->load(
                {LoadId(make_uint128(1, ++number)), payer.ordinal, 200'000, 0}, [&](Result<LoadAnswer> answer) {
                    if (!answer.ok()) return failed(answer.error());
                    payer.lot = purse_host::object_id(purse_host::real_cryptography(), answer->certificate);
                    ++done;
                });
        }
        return wait(done, payers_.size());
    }

    void sign_all() {
        notes_.reserve(options_.notes);
        for (std::size_t i = 0; i < options_.notes; ++i) {
            const std::size_t who = 1 + i % options_.purses;
            const auto nth = static_cast<std::uint32_t>(i / options_.purses);
            purse::Note note;
            note.payer = payers_[who].ordinal;
            note.seq = nth + 1;
            note.payee = merchant;
            crypto::random_bytes(note.request);
            if (nth > 0) crypto::random_bytes(note.previous);
            note.sources = 1;
            note.source[0] = {payers_[who].lot, std::uint64_t{nth} * 10, 10};
            note.time = static_cast<std::uint32_t>(clock_.now().s());
            note.balance = 200'000 - std::uint64_t{nth} * 10 - 10;
            note.hop = 1;
            std::array<std::uint8_t, purse::max_payload> room{};
            auto signer = purse_host::key_signer(std::move(*crypto::make_signer(payers_[who].key)));
            notes_.push_back(purse_host::sign_object(*signer, purse::write_payload(note, room)));
        }
    }

    // Signatures only, with keys that are ready, on one thread. Seconds of processor time.
    Result<double> verify_bare(std::size_t count) {
        std::vector<crypto::Verifier> verifiers;
        verifiers.reserve(count);
        for (std::size_t i = 0; i < count && i < options_.purses; ++i) {
            JZ_TRY(auto verifier, crypto::make_verifier(options_.suite, payers_[1 + i].key.public_key));
            verifiers.push_back(std::move(verifier));
        }
        const double before = cpu_now();
        std::size_t good = 0;
        for (std::size_t i = 0; i < count; ++i) {
            purse::View rest = notes_[i];
            purse::Object object;
            if (purse::read_object(rest, object) != JZ_OK) continue;
            std::array<std::uint8_t, purse::max_payload + 48> room;
            const auto message = purse::sig_structure(object.header, object.payload, room);
            if (verifiers[i % options_.purses].verify(message, object.signature)) ++good;
        }
        if (good != count) return Error(ErrorKind::internal, "a note of the benchmark does not verify");
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
                settlement_->settle(std::move(items), merchant, [&](Result<std::vector<ItemAnswer>> answers) {
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
            app_.run_until([&] { return failure_ || done > before; }, seconds(600));
        }
        return wait(done, batches);
    }

    SettlingOptions options_;
    std::filesystem::path directory_;
    SystemClock clock_;
    api::SteppedAppThread app_;
    std::unique_ptr<engine::Engine> engine_;
    std::unique_ptr<purse_host::PurseSigner> issuer_;
    std::unique_ptr<Settlement> settlement_;
    std::vector<Payer> payers_;  // the first is the merchant
    std::vector<Bytes> notes_;
    std::vector<Bytes> bytes_;
    std::optional<Error> failure_;
};

}  // namespace

Result<SettlingFigures> measure_settling(const SettlingOptions& options) {
    if (options.notes == 0 || options.purses == 0 || options.batch == 0) {
        return Error(ErrorKind::invalid, "notes, purses and batch are at least 1");
    }
    if (options.notes / options.purses * 10 > 200'000) {
        return Error(ErrorKind::invalid, "at most 20,000 notes a purse; give more purses");
    }
    return Bench(options).run();
}

}  // namespace jiaozi::purse_bench
