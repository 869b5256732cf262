// The transparency log of a simulated world: the product's own over the simulated disk, and the auditor's book of it.
//
// The log has threads of its own, and repeatability asks that the harness knows when they touch the disk. It does: a
// tile is written when it is full, and the harness waits for that before it goes on (follow); a checkpoint is signed
// only when the harness asks (show), never by time.
//
// Threading: the harness's thread. The engine stands at the gate or is idle in follow and show.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <jiaozi/engine/engine.hpp>
#include <jiaozi/proof/log.hpp>
#include <jiaozi/sim/random.hpp>
#include <jiaozi/sim/simulated_disk.hpp>

#include "log_book.hpp"

namespace jiaozi::sim {

class WorldLog {
  public:
    static constexpr std::string_view directory = "/log";
    static bool owns(std::string_view path) { return path.starts_with(directory); }

    WorldLog(SimulatedDisk& disk, Random random);

    // As a server does after it has opened the engine. What the log shows then, somebody outside sees.
    Result<LogBook::Complaint> start(engine::Engine& engine);
    void stop() { log_.reset(); }
    bool runs() const { return log_ != nullptr; }

    // Waits until the log has written what the engine's commands so far make it write.
    Result<> follow(engine::Engine& engine);
    // Signs for all that is committed, and shows it; sometimes asks for entries too.
    Result<LogBook::Complaint> show(engine::Engine& engine);
    // Started on a disk with damage: it refuses, or shows what the journal gives. Nothing of that is kept.
    LogBook::Complaint show_damaged(engine::Engine& engine);
    // At the end of a world: everything from the first command on once more, by the book and by the product's own
    // audit, which must find nothing.
    LogBook::Complaint audit(engine::Engine& engine);

    LogBook& book() { return book_; }

  private:
    WorldLog(SimulatedDisk& disk, crypto::KeyPair key, Bytes salt_key);
    Result<> open(engine::Engine& engine);
    Result<> catch_up(std::uint64_t last);

    SimulatedDisk& disk_;
    const crypto::KeyPair key_;
    const Bytes salt_key_;
    LogBook book_;
    std::uint64_t followed_ = 0;
    std::unique_ptr<proof::Log> log_;
};

}  // namespace jiaozi::sim
