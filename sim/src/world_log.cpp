#include "world_log.hpp"

#include <chrono>
#include <thread>
#include <utility>

#include <jiaozi/proof/audit.hpp>
#include <jiaozi/proof/tiles.hpp>

#include "read_back.hpp"

namespace jiaozi::sim {

namespace {

constexpr std::string_view origin = "simulated.example/journal";
constexpr Duration patience = seconds(30);

Bytes bytes_of(Random& random) {
    Bytes bytes(32);
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random.below(256));
    return bytes;
}

// The seed's, so that the files have the same bytes whenever the world is repeated.
crypto::KeyPair key_of(Random& random) {
    return crypto::key_from_private(crypto::Suite::ed25519, bytes_of(random)).value();
}

}  // namespace

WorldLog::WorldLog(SimulatedDisk& disk, Random random) : WorldLog(disk, key_of(random), bytes_of(random)) {}

WorldLog::WorldLog(SimulatedDisk& disk, crypto::KeyPair key, Bytes salt_key)
    : disk_(disk),
      key_(std::move(key)),
      salt_key_(std::move(salt_key)),
      book_(std::string(origin), salt_key_, key_.public_key) {}

Result<> WorldLog::open(engine::Engine& engine) {
    proof::LogOptions options;
    options.directory = directory;
    options.origin = origin;
    options.interval = seconds(86'400);  // never by time
    options.disk = &disk_;
    options.nice = 0;
    JZ_TRY(auto signer, crypto::make_signer(key_));
    JZ_TRY(log_,
           proof::Log::start(engine, std::move(signer), crypto::SecretBytes(ByteView(salt_key_)), std::move(options)));
    // The tiles are made again from the first command on.
    return catch_up(engine.last_sequence());
}

Result<LogBook::Complaint> WorldLog::start(engine::Engine& engine) {
    JZ_CHECK(open(engine));
    if (const auto newest = log_->checkpoint(); newest.ok()) {
        if (auto complaint = book_.shown(*newest)) return complaint;
    } else if (book_.checkpoints() > 0) {
        return LogBook::Complaint("the log has no checkpoint, but has shown some");
    }
    if (book_.size() == 0) return LogBook::Complaint();
    JZ_TRY(const Bytes served, log_->tile(book_.bundle_path()));
    return book_.bundle(served);
}

Result<> WorldLog::follow(engine::Engine& engine) {
    const std::uint64_t last = engine.last_sequence();
    if (last / proof::tile_width == followed_ / proof::tile_width) return {};
    return catch_up(last);
}

Result<> WorldLog::catch_up(std::uint64_t last) {
    const auto begin = std::chrono::steady_clock::now();
    while (log_->status().size < last) {
        if (const auto failure = log_->failure()) return *failure;
        if (std::chrono::steady_clock::now() - begin > std::chrono::nanoseconds(patience.ns))
            return Error(ErrorKind::internal, "the log hangs: it does not get to command " + std::to_string(last));
        std::this_thread::sleep_for(std::chrono::microseconds(20));
    }
    followed_ = last;
    return {};
}

Result<LogBook::Complaint> WorldLog::show(engine::Engine& engine) {
    if (engine.last_sequence() == 0) return LogBook::Complaint();
    JZ_TRY(const std::string note, log_->sign_now(patience));
    return book_.shown(note);
}

LogBook::Complaint WorldLog::show_damaged(engine::Engine& engine) {
    const auto opened = open(engine);
    LogBook::Complaint complaint;
    if (opened.ok()) {
        // What it remembers may be gone with the damage; what it says must be right.
        for (const auto& note : {log_->checkpoint(), log_->sign_now(patience)}) {
            if (note.ok() && !complaint) complaint = book_.contradicts(*note);
        }
    } else if (const ErrorKind kind = opened.error().kind();
               kind != ErrorKind::corrupt && kind != ErrorKind::invalid && kind != ErrorKind::io) {
        complaint = "the log refused damage with the wrong kind of error: " + opened.error().to_string();
    }
    stop();
    return complaint;
}

LogBook::Complaint WorldLog::audit(engine::Engine& engine) {
    const auto all = read_back(engine, 0);
    if (!all.ok()) return "the journal cannot be read back: " + all.error().to_string();
    LogBook again = book_.from_nothing();
    for (const engine::Committed& one : *all) again.add(one);
    if (auto complaint = again.hold()) return complaint;
    proof::AuditOptions options;
    options.journal = "/data";
    options.log = directory;
    options.salt_key = salt_key_;
    options.disk = &disk_;
    const auto report = proof::audit(options);
    if (!report.ok()) return "the audit fails: " + report.error().to_string();
    for (const proof::Finding& finding : report->findings) {
        if (!finding.harmless) return "the audit complains of a sound disk: " + finding.file + ": " + finding.message;
    }
    return std::nullopt;
}

}  // namespace jiaozi::sim
