// settlement_bench [--suite ed25519|p256|sm2] [--notes N] [--purses N] [--threads N] [--json]
//
// How fast deposits settle, beside the bare verification of their signatures with the same library and keys. Time of
// the processor is counted as well as time on the wall, so that figures per core mean something on a busy machine.
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jiaozi/api/accounts.hpp>
#include <jiaozi/api/stepped_app_thread.hpp>
#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/engine/engine.hpp>
#include <jiaozi/purse/cose.hpp>
#include <jiaozi/purse_host/issuer.hpp>
#include <jiaozi/settlement/settlement.hpp>

namespace {

using namespace jiaozi;
using namespace jiaozi::settlement;

struct Asked {
    crypto::Suite suite = crypto::Suite::ed25519;
    std::size_t notes = 100'000;
    std::size_t purses = 10'000;
    unsigned threads = 2;
    bool json = false;
};

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

[[noreturn]] void stop(const Error& error) {
    fmt::print(stderr, "settlement_bench: {}\n", error.to_string());
    std::exit(1);
}

struct Payer {
    std::uint32_t ordinal = 0;
    crypto::KeyPair key;
    purse::Id lot{};
};

class Bench {
  public:
    explicit Bench(const Asked& asked)
        : asked_(asked),
          directory_(std::filesystem::temp_directory_path() / fmt::format("jiaozi-settlement-bench-{}", getpid())) {
        std::filesystem::create_directories(directory_);
        auto opened = engine::Engine::open({.directory = directory_ / "journal"}, clock_);
        if (!opened.ok()) stop(opened.error());
        engine_ = std::move(*opened);
        auto signer = crypto::make_signer(crypto::generate_key(asked.suite));
        issuer_ = purse_host::key_signer(std::move(*signer));
        Options options;
        options.verify_threads = asked.threads;
        options.policy.holder_cap = ~std::uint64_t{0} >> 1;
        auto made = Settlement::recover({*engine_, app_, clock_, {issuer_.get()}}, options);
        if (!made.ok()) stop(made.error());
        settlement_ = std::move(*made);
    }
    ~Bench() {
        settlement_.reset();
        engine_.reset();
        std::error_code ignored;
        std::filesystem::remove_all(directory_, ignored);
    }

    void run() {
        open_wallet();
        enrol_all();
        sign_all();
        const std::size_t sample = std::min<std::size_t>(asked_.notes, 20'000);
        verify_bare(sample);
        const std::size_t memory_before = resident_bytes();
        const std::size_t disk_before = disk_bytes(directory_);
        const Spent settled = measure([&] { settle_all(); });
        const double verify_core = static_cast<double>(sample) / bare_cpu_s_;
        const double settle_core = static_cast<double>(asked_.notes) / settled.cpu_s;
        const double settle_wall = static_cast<double>(asked_.notes) / settled.wall_s;
        const double memory = static_cast<double>(resident_bytes() - memory_before) / static_cast<double>(asked_.notes);
        const double disk =
            static_cast<double>(disk_bytes(directory_) - disk_before) / static_cast<double>(asked_.notes);
        if (asked_.json) {
            fmt::print(
                "{{\"suite\":\"{}\",\"notes\":{},\"purses\":{},\"verify_per_s_core\":{:.0f},\"settle_per_s_core\":{:."
                "0f},"
                "\"settle_per_s\":{:.0f},\"ratio\":{:.3f},\"wall_s\":{:.2f},\"memory_bytes_per_note\":{:.0f},"
                "\"disk_bytes_per_note\":{:.0f}}}\n",
                crypto::name_of(asked_.suite), asked_.notes, asked_.purses, verify_core, settle_core, settle_wall,
                settle_core / verify_core, settled.wall_s, memory, disk);
            return;
        }
        fmt::print("{}, {} notes of {} purses, {} verifying threads\n", crypto::name_of(asked_.suite), asked_.notes,
                   asked_.purses, asked_.threads);
        fmt::print("  bare verification   {:>8.0f} /s of processor time\n", verify_core);
        fmt::print("  settled, durable    {:>8.0f} /s of processor time: {:.1f} % of it\n", settle_core,
                   100 * settle_core / verify_core);
        fmt::print("  settled             {:>8.0f} /s on the wall, {:.2f} s\n", settle_wall, settled.wall_s);
        fmt::print("  memory              {:>8.0f} bytes a note (the deposits themselves freed)\n", memory);
        fmt::print("  disk                {:>8.0f} bytes a note\n", disk);
    }

  private:
    static constexpr std::uint32_t merchant = 1;
    static constexpr WalletId wallet{make_uint128(9, 9)};

    void open_wallet() {
        engine::Command command;
        const uint128 funding = api::system_account(api::code_funding, assets::CNY.ledger);
        command.accounts.push_back({.id = funding, .ledger = assets::CNY.ledger, .code = api::code_funding});
        command.accounts.push_back({.id = wallet.value, .ledger = assets::CNY.ledger, .code = api::code_wallet});
        if (auto done = engine_->execute(std::move(command)); !done.ok()) stop(done.error());
    }

    void wait(const std::size_t& count, std::size_t target) {
        app_.run_until([&] { return count >= target && settlement_->idle(); }, seconds(3'600));
    }

    void enrol_all() {
        std::size_t done = 0;
        payers_.resize(asked_.purses + 1);
        for (Payer& payer : payers_) {
            payer.key = crypto::generate_key(asked_.suite);
            settlement_->enrol({payer.key.public_key, asked_.suite, 2, wallet, 1, assets::CNY},
                               [&](Result<std::uint32_t> ordinal) {
                                   if (!ordinal.ok()) stop(ordinal.error());
                                   payer.ordinal = *ordinal;
                                   ++done;
                               });
        }
        wait(done, payers_.size());
        std::uint64_t number = 0;
        done = 0;
        for (Payer& payer : payers_) {
            settlement_->load(
                {LoadId(make_uint128(1, ++number)), payer.ordinal, 200'000, 0}, [&](Result<LoadAnswer> answer) {
                    if (!answer.ok()) stop(answer.error());
                    payer.lot = purse_host::object_id(purse_host::real_cryptography(), answer->certificate);
                    certificates_.push_back(std::move(answer->certificate));
                    ++done;
                });
        }
        wait(done, payers_.size());
    }

    void sign_all() {
        notes_.reserve(asked_.notes);
        for (std::size_t i = 0; i < asked_.notes; ++i) {
            const std::size_t who = 1 + i % asked_.purses;
            const auto nth = static_cast<std::uint32_t>(i / asked_.purses);
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
            append(notes_.back(), certificates_[who]);
        }
    }

    // Signatures only, with keys that are ready, on one thread.
    void verify_bare(std::size_t count) {
        std::vector<crypto::Verifier> verifiers;
        for (std::size_t i = 0; i < count && i < asked_.purses; ++i) {
            verifiers.push_back(*crypto::make_verifier(asked_.suite, payers_[1 + i].key.public_key));
        }
        const double before = cpu_now();
        std::size_t good = 0;
        for (std::size_t i = 0; i < count; ++i) {
            purse::View rest = notes_[i];
            purse::Object object;
            if (purse::read_object(rest, object) != JZ_OK) continue;
            std::array<std::uint8_t, purse::max_payload + 48> room;
            const auto message = purse::sig_structure(object.header, object.payload, room);
            if (verifiers[i % asked_.purses].verify(message, object.signature)) ++good;
        }
        bare_cpu_s_ = cpu_now() - before;
        if (good != count) stop(Error(ErrorKind::internal, "a note of the benchmark does not verify"));
    }

    void settle_all() {
        static constexpr std::size_t batch = 1'000;
        static constexpr std::size_t ahead = 8;  // batches under way
        std::size_t done = 0;
        std::size_t sent = 0;
        const std::size_t batches = (notes_.size() + batch - 1) / batch;
        while (done < batches) {
            while (sent < batches && sent < done + ahead) {
                std::vector<Bytes> items;
                for (std::size_t i = sent * batch; i < std::min(notes_.size(), (sent + 1) * batch); ++i) {
                    items.push_back(std::move(notes_[i]));
                }
                settlement_->settle(std::move(items), merchant, [&](Result<std::vector<ItemAnswer>> answers) {
                    if (!answers.ok()) stop(answers.error());
                    for (const ItemAnswer& answer : *answers) {
                        if (answer.reason != Reason::ok || answer.state != NoteState::settled) {
                            stop(Error(ErrorKind::internal, std::string(name_of(answer.reason))));
                        }
                    }
                    ++done;
                });
                ++sent;
            }
            const std::size_t before = done;
            app_.run_until([&] { return done > before; }, seconds(600));
        }
        wait(done, batches);
    }

    Asked asked_;
    std::filesystem::path directory_;
    SystemClock clock_;
    api::SteppedAppThread app_;
    std::unique_ptr<engine::Engine> engine_;
    std::unique_ptr<purse_host::PurseSigner> issuer_;
    std::unique_ptr<Settlement> settlement_;
    std::vector<Payer> payers_;  // the first is the merchant
    std::vector<Bytes> certificates_;
    std::vector<Bytes> notes_;
    double bare_cpu_s_ = 0;
};

}  // namespace

int main(int count, char** arguments) {
    Asked asked;
    for (int i = 1; i < count; ++i) {
        const std::string option = arguments[i];
        const std::string value = i + 1 < count ? arguments[i + 1] : "";
        if (option == "--json") {
            asked.json = true;
            continue;
        }
        if (option == "--suite") {
            const auto suite = crypto::parse_suite(value);
            if (!suite.ok()) stop(suite.error());
            asked.suite = *suite;
        } else if (option == "--notes") {
            asked.notes = std::strtoull(value.c_str(), nullptr, 10);
        } else if (option == "--purses") {
            asked.purses = std::strtoull(value.c_str(), nullptr, 10);
        } else if (option == "--threads") {
            asked.threads = static_cast<unsigned>(std::strtoul(value.c_str(), nullptr, 10));
        } else {
            stop(Error(ErrorKind::invalid, "unknown option " + option));
        }
        ++i;
    }
    Bench(asked).run();
    return 0;
}
