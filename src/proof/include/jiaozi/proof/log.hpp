// The transparency log of the journal: one leaf a command, kept by a projection on threads of its own, off the write
// path; checkpoints signed as it grows; receipts made from it. docs/proofs.md.
//
// A checkpoint is signed at most every `interval`, and at once when a receipt needs one. Before signing, the log is
// held against the newest checkpoint ever signed: if the journal has lost or changed commands since, the log stops, and
// nothing is signed again.
//
// Threading: any thread. Lifetime: the engine and the disk outlive the log.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <jiaozi/base/clock.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/crypto/signature.hpp>
#include <jiaozi/engine/engine.hpp>
#include <jiaozi/proof/note.hpp>
#include <jiaozi/proof/receipt.hpp>
#include <jiaozi/storage/disk.hpp>

namespace jiaozi::proof {

struct LogOptions {
    std::filesystem::path directory;  // made if missing
    std::string origin;               // the log's name, and its key's
    Duration interval = seconds(1);   // between checkpoints, in real time
    // What an annotation, or one row of it, tells of, if it is something a receipt can be asked for.
    std::function<std::optional<uint128>(ByteView annotation)> subject_of;
    // Which of a subject's transfers its receipt shows.
    std::function<bool(const ledger::Transfer&)> shown;
    storage::Disk* disk = nullptr;  // the real one unless a test breaks it
    int nice = 5;                   // the log's threads yield to those that take payments
};

struct LogStatus {
    std::uint64_t size = 0;         // leaves
    std::uint64_t signed_size = 0;  // of the newest checkpoint
};

class Log {
  public:
    // Error corrupt: the journal is not the one whose checkpoints were signed here; invalid: origin or key.
    static Result<std::unique_ptr<Log>> start(engine::Engine& engine, std::unique_ptr<crypto::Signer> signer,
                                              crypto::SecretBytes salt_key, LogOptions options);
    ~Log();
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    const NoteKey& key() const noexcept;
    LogStatus status() const;
    // Why it stands still; empty while all is well.
    std::optional<Error> failure() const;

    // The newest signed checkpoint, a signed note. Error not_found when nothing has been signed yet.
    Result<std::string> checkpoint() const;
    // As tlog-tiles names them: "0/x001/234", "entries/000.p/7". Error not_found.
    Result<Bytes> tile(std::string_view path) const;
    // Waits until all that the engine has committed by now is signed. Errors: timeout, or why the log stands still.
    Result<std::string> sign_now(Duration patience);
    // Everything the journal tells of this subject up to now, under a checkpoint that covers it. not_found: nothing.
    Result<Receipt> receipt(uint128 subject, Duration patience);

  private:
    class Impl;
    explicit Log(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace jiaozi::proof
