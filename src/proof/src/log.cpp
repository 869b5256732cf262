#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include <sys/resource.h>
#include <unistd.h>

#include <jiaozi/base/log.hpp>
#include <jiaozi/proof/history.hpp>
#include <jiaozi/proof/log.hpp>
#include <jiaozi/proof/tiles.hpp>
#include <jiaozi/storage/whole_file.hpp>

#include "subjects.hpp"

namespace jiaozi::proof {
namespace {

constexpr std::size_t commands_of_a_subject = 1000;
// Linux writes what is dirty after 30 s; by then a sync costs next to nothing.
constexpr std::chrono::seconds settle_after{40};

std::chrono::nanoseconds real(Duration duration) {
    return std::chrono::nanoseconds(duration.ns);
}

// Linux counts niceness by thread.
void yield_to_payments(int nice) {
    if (nice != 0 && setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), nice) != 0)
        log::debug("the log runs at ordinary priority");
}

}  // namespace

class Log::Impl {
  public:
    Impl(engine::Engine& engine, std::unique_ptr<crypto::Signer> signer, const crypto::SecretBytes& salt_key,
         LogOptions options, NoteKey key)
        : engine_(engine),
          signer_(std::move(signer)),
          salter_(salt_key.view()),
          options_(std::move(options)),
          disk_(options_.disk != nullptr ? *options_.disk : storage::system_disk()),
          key_(std::move(key)) {}
    ~Impl() {
        {
            const std::lock_guard guard(mutex_);
            stopping_ = true;
        }
        changed_.notify_all();
        if (signing_.joinable()) signing_.join();
        subscription_.reset();
        if (tiles_ != nullptr && !failure()) {
            ignore_error(tiles_->settle({}), "what is not durable is made again at the next start");
        }
    }

    Result<> start() {
        JZ_CHECK(disk_.make_directory(options_.directory));
        JZ_TRY(auto history, History::open(options_.directory / "checkpoints", key_, disk_));
        history_.emplace(std::move(history));
        if (const auto& newest = history_->newest()) JZ_CHECK(resume(*newest));
        JZ_CHECK(give_out("vkey", key_.to_string() + "\n"));
        JZ_TRY(tiles_, Tiles::open(options_.directory / "tile", disk_));
        const std::uint64_t durable = tiles_->size();
        size_ = durable;
        if (durable > engine_.last_sequence()) return shorter(durable);
        if (durable >= signed_at_start_.first) JZ_CHECK(hold_against_signed());
        subjects_ = std::make_unique<Subjects>(options_.directory, disk_, durable / group_leaves);
        subscription_ = engine_.subscribe(durable, [this](std::span<const engine::Committed> batch) { take(batch); });
        signing_ = std::thread([this] { sign_until_stopped(); });
        return {};
    }

    const NoteKey& key() const noexcept { return key_; }
    LogStatus status() const {
        const std::lock_guard guard(mutex_);
        return {size_, signed_size_};
    }
    std::optional<Error> failure() const {
        {
            const std::lock_guard guard(mutex_);
            if (failure_) return failure_;
        }
        return subscription_ ? subscription_->failure() : std::nullopt;
    }
    Result<std::string> checkpoint() const {
        const std::lock_guard guard(mutex_);
        if (checkpoint_.empty())
            return Error(ErrorKind::not_found, "no checkpoint has been signed yet").with_code("checkpoint_not_found");
        return checkpoint_;
    }
    Result<Bytes> tile(std::string_view path) const {
        JZ_TRY(const TileName name, TileName::parse(path));
        return tiles_->read(name);
    }
    Result<std::string> sign_now(Duration patience);
    Result<Receipt> receipt(uint128 subject, Duration patience);

  private:
    Result<> resume(const SignedRoot& newest) {
        const Note note = note_of(newest, key_);
        if (auto verified = verify_note(note, key_); !verified.ok())
            return Error(ErrorKind::corrupt, "the newest checkpoint: " + verified.error().message());
        if (newest.size > engine_.last_sequence()) return shorter(newest.size);
        checkpoint_ = note.to_string();
        signed_size_ = newest.size;
        signed_at_start_ = {newest.size, newest.root};
        return give_out("checkpoint", checkpoint_);  // the crash may have come before it was
    }

    // A file that others take. Synced: after a power failure it must not be empty until the next start.
    Result<> give_out(const char* file, const std::string& text) {
        return storage::write_whole(disk_, options_.directory, options_.directory / file, as_bytes(text),
                                    storage::Durable::now);
    }

    Error shorter(std::uint64_t size) const {
        return Error(ErrorKind::corrupt, "the journal has " + std::to_string(engine_.last_sequence()) +
                                             " commands, but its log has signed for " + std::to_string(size) +
                                             ": commands that were committed are missing. Restore the journal")
            .with_code("journal_shorter_than_log");
    }

    // On the feed's thread.
    void take(std::span<const engine::Committed> batch) {
        if (!std::exchange(niced_, true)) yield_to_payments(options_.nice);
        if (broken_) return;
        for (const engine::Committed& committed : batch) {
            auto taken = take(committed);
            if (!taken.ok()) {
                stand_still(std::move(taken).error());
                return;
            }
        }
        if (auto settled = tiles_->settle(settle_after); !settled.ok()) {
            stand_still(std::move(settled).error());
            return;
        }
        {
            const std::lock_guard guard(mutex_);
            size_ = batch.back().sequence;
        }
        if (wanted_.load(std::memory_order_acquire) == 0) return;
        changed_.notify_all();
        signed_.notify_all();
    }

    Result<> take(const engine::Committed& committed) {
        const Record record(committed, salter_);
        JZ_CHECK(tiles_->append(record.entry()));
        JZ_CHECK(add_subjects(committed, record));
        const std::uint64_t size = tiles_->size();
        if (size == signed_at_start_.first) JZ_CHECK(hold_against_signed());
        if (size % group_leaves != 0) return {};
        JZ_TRY(auto file, subjects_->end_group());
        tiles_->also_sync(std::move(file));
        tiles_->end_group();
        return {};
    }

    Result<> hold_against_signed() {
        if (signed_at_start_.first == 0) return {};
        JZ_TRY(const crypto::Digest root, crypto::merkle::root_at(*tiles_, signed_at_start_.first));
        if (root == signed_at_start_.second) return {};
        return Error(ErrorKind::corrupt,
                     "the journal's first " + std::to_string(signed_at_start_.first) +
                         " commands are not those that the log has signed. Restore the journal, and "
                         "the keystore with its salt")
            .with_code("journal_differs_from_log");
    }

    Result<> add_subjects(const engine::Committed& committed, const Record& record) {
        for (std::size_t i = record.first_annotation(); options_.subject_of && i < record.parts(); ++i) {
            if (const auto subject = options_.subject_of(record.part(i).subspan(1)))
                subjects_->add(*subject, committed.sequence);
        }
        // A command in rows moves money of things that it names nowhere else.
        if (record.is_cut()) {
            for (const ledger::Transfer& transfer : committed.command.transfers) {
                if (transfer.user_data_128 != 0 && is_shown(transfer))
                    subjects_->add(transfer.user_data_128, committed.sequence);
            }
        }
        for (const ledger::Expired& expired : committed.expired) {
            JZ_TRY(const auto held, engine_.transfer(expired.pending_id));
            if (held && held->user_data_128 != 0 && is_shown(*held))
                subjects_->add(held->user_data_128, committed.sequence);
        }
        return {};
    }

    bool is_shown(const ledger::Transfer& transfer) const { return !options_.shown || options_.shown(transfer); }

    void stand_still(Error error) {
        log::error("the transparency log stopped", {{"cause", error.to_string()}});
        broken_ = true;
        {
            const std::lock_guard guard(mutex_);
            failure_ = std::move(error);
        }
        changed_.notify_all();
    }

    void sign_until_stopped() {
        yield_to_payments(options_.nice);
        std::unique_lock lock(mutex_);
        while (!stopping_ && !failure_) {
            // Woken by what stands still too, so that nobody waits for a checkpoint that will not come.
            changed_.wait_for(lock, real(options_.interval),
                              [&] { return stopping_ || failure_ || (wanted_ > signed_size_ && size_ >= wanted_); });
            if (stopping_ || failure_) break;
            // While a restart feeds what had been signed before, there is nothing new to sign.
            if (size_ <= signed_size_) continue;
            const std::uint64_t size = size_;
            lock.unlock();
            auto made = sign(size);
            lock.lock();
            if (!made.ok()) {
                failure_ = std::move(made).error();
                log::error("the transparency log stopped", {{"cause", failure_->to_string()}});
            }
            signed_.notify_all();
        }
        signed_.notify_all();
    }

    // The history first: a checkpoint that others may see is one that we remember.
    Result<> sign(std::uint64_t size) {
        JZ_TRY(const crypto::Digest root, crypto::merkle::root_at(*tiles_, size));
        JZ_TRY(auto signature, sign_note(Checkpoint{key_.name, size, root}.text(), key_, *signer_));
        const SignedRoot row{size, root, std::move(signature.signature)};
        JZ_CHECK(history_->append(row));
        const std::string note = note_of(row, key_).to_string();
        JZ_CHECK(give_out("checkpoint", note));
        const std::lock_guard guard(mutex_);
        checkpoint_ = note;
        signed_size_ = size;
        return {};
    }

    engine::Engine& engine_;
    const std::unique_ptr<crypto::Signer> signer_;
    const Salter salter_;
    const LogOptions options_;
    storage::Disk& disk_;
    const NoteKey key_;

    std::unique_ptr<Tiles> tiles_;
    std::unique_ptr<Subjects> subjects_;
    std::optional<History> history_;  // the signing thread's, once it runs

    // The feed thread's own.
    bool niced_ = false;
    bool broken_ = false;

    mutable std::mutex mutex_;
    std::condition_variable changed_;  // for the signing thread
    std::condition_variable signed_;   // for those who wait for a checkpoint
    // mutex_ guards these.
    std::uint64_t size_ = 0;
    std::uint64_t signed_size_ = 0;
    std::string checkpoint_;
    std::optional<Error> failure_;
    bool stopping_ = false;
    std::atomic<std::uint64_t> wanted_{0};  // a checkpoint at least this large is waited for

    std::pair<std::uint64_t, crypto::Digest> signed_at_start_{};
    std::thread signing_;
    std::unique_ptr<engine::Subscription> subscription_;
};

Result<std::string> Log::Impl::sign_now(Duration patience) {
    const std::uint64_t target = engine_.last_sequence();
    std::unique_lock lock(mutex_);
    if (target > wanted_) wanted_ = target;
    changed_.notify_all();
    const bool reached = signed_.wait_for(
        lock, real(patience), [&] { return stopping_ || failure_ || (signed_size_ >= target && size_ >= target); });
    if (failure_) return Error(*failure_);
    if (stopping_) return Error(ErrorKind::unavailable, "the program is stopping");
    if (!reached) {
        return Error(ErrorKind::unavailable,
                     "the log has " + std::to_string(target - std::min(size_, target)) + " commands to go; ask again");
    }
    if (checkpoint_.empty())
        return Error(ErrorKind::not_found, "the journal is empty").with_code("checkpoint_not_found");
    return checkpoint_;
}

Result<Receipt> Log::Impl::receipt(uint128 subject, Duration patience) {
    Receipt receipt;
    receipt.subject = subject;
    JZ_TRY(receipt.checkpoint, sign_now(patience));
    JZ_TRY(const Checkpoint checkpoint, open_checkpoint(receipt.checkpoint, key_));
    JZ_TRY(const auto sequences, subjects_->find(subject, commands_of_a_subject));
    Belonging belongs(subject);
    for (const std::uint64_t sequence : sequences) {
        if (sequence > checkpoint.size) break;
        JZ_TRY(const engine::Committed committed, engine::read_command(engine_, sequence, patience));
        const Record record(committed, salter_);
        std::vector<std::uint32_t> parts = {0};
        for (std::size_t i = 0; i < committed.expired.size(); ++i) {
            if (belongs.held(committed.expired[i].pending_id))
                parts.push_back(static_cast<std::uint32_t>(record.first_expired() + i));
        }
        for (std::size_t i = 0; i < committed.command.transfers.size(); ++i) {
            const ledger::Transfer& transfer = committed.command.transfers[i];
            // What resolves a hold is the subject's business exactly if the hold was.
            const bool shown = transfer.pending_id != 0 ? belongs.held(transfer.pending_id) : is_shown(transfer);
            if (shown && belongs(transfer)) parts.push_back(static_cast<std::uint32_t>(record.first_transfer() + i));
        }
        for (std::size_t i = record.first_annotation(); i < record.parts(); ++i) {
            const ByteView annotation = record.part(i).subspan(1);  // behind its kind
            if (options_.subject_of && options_.subject_of(annotation) == subject)
                parts.push_back(static_cast<std::uint32_t>(i));
        }
        if (parts.size() == 1) continue;
        auto disclosed = disclose(record, sequence, parts);
        JZ_TRY(disclosed.inclusion, crypto::merkle::inclusion_proof(*tiles_, sequence - 1, checkpoint.size));
        receipt.commands.push_back(std::move(disclosed));
    }
    if (receipt.commands.empty())
        return Error(ErrorKind::not_found, "the journal tells nothing of it").with_code("payment_not_found");
    return receipt;
}

Log::Log(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Log::~Log() = default;

Result<std::unique_ptr<Log>> Log::start(engine::Engine& engine, std::unique_ptr<crypto::Signer> signer,
                                        crypto::SecretBytes salt_key, LogOptions options) {
    JZ_TRY(NoteKey key, note_key(options.origin, NoteAlgorithm::ed25519, *signer));
    auto impl = std::make_unique<Impl>(engine, std::move(signer), salt_key, std::move(options), std::move(key));
    JZ_CHECK(impl->start());
    return std::unique_ptr<Log>(new Log(std::move(impl)));
}

const NoteKey& Log::key() const noexcept {
    return impl_->key();
}
LogStatus Log::status() const {
    return impl_->status();
}
std::optional<Error> Log::failure() const {
    return impl_->failure();
}
Result<std::string> Log::checkpoint() const {
    return impl_->checkpoint();
}
Result<Bytes> Log::tile(std::string_view path) const {
    return impl_->tile(path);
}
Result<std::string> Log::sign_now(Duration patience) {
    return impl_->sign_now(patience);
}
Result<Receipt> Log::receipt(uint128 subject, Duration patience) {
    return impl_->receipt(subject, patience);
}

}  // namespace jiaozi::proof
