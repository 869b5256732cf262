// The offline part of the demo: Ana, Bo and the vending machine in the lobby have purses of the real code, in files
// beside the machines' keys. They are loaded, pay each other without asking the server, spend on what they received,
// and one after the other meet the network and settle.
//
// Application thread only. What a person has done to these purses (lost, frozen) stays done: they pay no more.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <jiaozi/api/app_thread.hpp>
#include <jiaozi/base/clock.hpp>
#include <jiaozi/crypto/keystore.hpp>
#include <jiaozi/purse_host/files.hpp>
#include <jiaozi/settlement/settlement.hpp>

namespace jiaozi::serve {

class DemoPurses {
  public:
    // All must outlive it. `directory` exists.
    struct Parts {
        api::AppThread& app;
        const Clock& clock;
        std::filesystem::path directory;
        settlement::Settlement& settlement;
    };
    struct Owner {
        std::string name;  // of its folder and key
        WalletId wallet;
        uint128 holder = 0;  // group or merchant
        DeviceId device;
        std::uint64_t load = 0;  // in fen, whenever it has run low; 0: it only receives
    };

    // Makes what is missing: a key for each, and a folder. Ana, Bo, the machine, in this order.
    static Result<std::unique_ptr<DemoPurses>> open(const Parts& parts, std::vector<Owner> owners);
    ~DemoPurses();
    DemoPurses(const DemoPurses&) = delete;
    DemoPurses& operator=(const DemoPurses&) = delete;

    // Enrols and loads them and begins to pay.
    void start();

  private:
    struct Purse;
    using Next = std::move_only_function<void()>;

    explicit DemoPurses(const Parts& parts);
    void enrol(std::size_t index);
    void make_ready(Purse& purse, std::uint32_t ordinal);
    void load_all(std::size_t index, Next next);
    void sync_all(std::size_t index, Next next);
    void sync(Purse& purse, Next next);
    void acknowledge(Purse& purse, Next next);
    void take_list(Purse& purse);
    void pay(Purse& payer, Purse& payee, std::uint64_t amount);
    void round();
    // Does nothing once the demo is gone.
    template <class Work>
    auto guarded(Work work);

    Parts parts_;
    std::vector<std::unique_ptr<Purse>> purses_;
    std::uint64_t rounds_ = 0;
    api::AppThread::TimerId timer_ = 0;
    std::shared_ptr<DemoPurses*> alive_ = std::make_shared<DemoPurses*>(this);
};

}  // namespace jiaozi::serve
