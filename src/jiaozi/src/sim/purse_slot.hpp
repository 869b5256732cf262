// The slot for purses at a simulated machine: while the machine is offline it sells to whoever holds a purse to it, and
// when the network is back it hands in what it took. A thread of its own; the machine's goes on beside it.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include <jiaozi/carriers/link.hpp>
#include <jiaozi/simulators/purse_till.hpp>
#include <jiaozi/terminal/issuer_server.hpp>

#include "../purse/common.hpp"

namespace jiaozi::sim {

struct PurseSlotOptions {
    purses::PurseChoice purse;
    std::string carrier;  // tcp or unix
    std::uint64_t price = 350;
};

class PurseSlot final : private simulators::OnlineRoute {
  public:
    static Result<std::unique_ptr<PurseSlot>> open(const PurseSlotOptions& options, terminal::IssuerServer server,
                                                   bool json);
    ~PurseSlot() override;
    // From the machine's thread, as its session begins and ends.
    void network(bool up) { up_.store(up); }

  private:
    PurseSlot(const PurseSlotOptions& options, terminal::IssuerServer server, bool json)
        : options_(options), server_(std::move(server)), json_(json) {}
    void run(const std::stop_token& stop);
    void tell(const char* what, std::uint64_t amount, const std::string& detail) const;
    bool reachable() override { return up_.load(); }
    // Online the server tells this machine what to deliver; it asks nobody itself.
    Answer pay(const std::string&, std::uint64_t) override { return Answer::declined; }
    Result<void> deposit() override;

    PurseSlotOptions options_;
    terminal::IssuerServer server_;
    bool json_;
    std::atomic<bool> up_ = false;
    std::unique_ptr<terminal::PurseFolder> folder_;
    std::unique_ptr<carriers::Listener> listener_;
    std::jthread thread_;
};

}  // namespace jiaozi::sim
