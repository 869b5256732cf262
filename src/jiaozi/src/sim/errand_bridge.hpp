// Errands of the slot for purses, which has a thread of its own, carried by the machine on the thread of its
// io_context.
#pragma once

#include <atomic>
#include <memory>

#include <boost/asio/io_context.hpp>

#include <jiaozi/simulators/simulator.hpp>

namespace jiaozi::sim {

class ErrandBridge {
  public:
    explicit ErrandBridge(boost::asio::io_context& io) : io_(io) {}
    // From the machine's thread, before any errand: `machine` outlives the io_context's run.
    void attach(simulators::Simulator* machine) { machine_.store(machine); }
    // The io_context runs no more: nobody need wait.
    void end() { ended_.store(true); }

    // From the slot's thread; waits. Errors: those of the errand; timeout; unavailable (no machine, or it ended).
    Result<Bytes> carry(const Bytes& errand);

  private:
    boost::asio::io_context& io_;
    std::atomic<simulators::Simulator*> machine_ = nullptr;
    std::atomic<bool> ended_ = false;
};

}  // namespace jiaozi::sim
