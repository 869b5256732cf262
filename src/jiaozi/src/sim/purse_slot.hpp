// The slot for purses at a simulated machine: it sells to whoever holds a purse to it, with a network and without, and
// hands in what it took whenever there is one. A thread of its own; the machine's goes on beside it.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include <jiaozi/carriers/link.hpp>
#include <jiaozi/terminal/issuer_server.hpp>
#include <jiaozi/terminal/till.hpp>

#include "../purse/common.hpp"

namespace jiaozi::sim {

struct PurseSlotOptions {
    purses::PurseChoice purse;
    std::string carrier;  // tcp or unix
    std::uint64_t price = 350;
};

class PurseSlot {
  public:
    // How its purse is synced: over HTTP, or by the machine itself.
    using Sync = std::function<Result<terminal::IssuerServer::Synced>(terminal::PurseFolder&)>;
    static Result<std::unique_ptr<PurseSlot>> open(const PurseSlotOptions& options, Sync sync, bool json);
    ~PurseSlot();
    PurseSlot(const PurseSlot&) = delete;
    PurseSlot& operator=(const PurseSlot&) = delete;
    // From the machine's thread, as its session begins and ends.
    void network(bool up) { up_.store(up); }

  private:
    PurseSlot(const PurseSlotOptions& options, Sync sync, bool json)
        : options_(options), sync_(std::move(sync)), json_(json) {}
    void run(const std::stop_token& stop);
    // Whether it was paid.
    bool sell_to(std::unique_ptr<carriers::Link> payer);
    Result<void> deposit();
    bool deposited();
    void tell_what_is_owed();
    void tell(const char* what, const char* words, std::uint64_t amount, const std::string& detail) const;

    PurseSlotOptions options_;
    Sync sync_;
    bool json_;
    std::atomic<bool> up_ = false;
    std::unique_ptr<terminal::PurseFolder> folder_;
    std::unique_ptr<terminal::Favours> favours_;
    std::unique_ptr<terminal::Till> till_;
    std::unique_ptr<carriers::Listener> listener_;
    std::string last_trouble_;  // of depositing
    std::jthread thread_;
};

}  // namespace jiaozi::sim
