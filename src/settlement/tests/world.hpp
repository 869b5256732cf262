// A small town of purses for the tests: a real engine on a directory of its own, real keys and signatures, a clock that
// stands still. What the purses say is written by the test itself, so that they can lie.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <jiaozi/api/stepped_app_thread.hpp>
#include <jiaozi/engine/engine.hpp>
#include <jiaozi/purse_host/issuer.hpp>
#include <jiaozi/settlement/settlement.hpp>

namespace jiaozi::settlement::testing {

struct Device {
    std::uint32_t ordinal = 0;
    WalletId wallet;
    std::unique_ptr<purse_host::PurseSigner> signer;
    std::uint32_t seq = 0;
    purse::Id previous{};
};

// Something that a purse signed.
struct Said {
    Bytes bytes;
    purse::Id id{};
    purse::Id request{};  // of a note
    std::uint64_t amount = 0;
};

struct Lot {
    Bytes certificate;
    purse::Id id{};
};

class World {
  public:
    explicit World(Options options = {}, Follower* follower = nullptr);
    ~World();

    // With 100,000 in a wallet of its own.
    Device enrol(std::uint8_t assurance = 1, crypto::Suite suite = crypto::Suite::ed25519, uint128 holder = 0);
    Lot load(const Device& device, std::uint64_t amount, std::uint32_t directed = 0);
    Result<LoadAnswer> try_load(const Device& device, std::uint64_t amount, LoadId id, std::uint32_t directed = 0);
    LoadId new_load() { return LoadId(make_uint128(0x018c'0000'0000'0000, ++last_id_)); }

    // The next number of the payer's chain, or the one given; a request of its own, or the one given.
    Said pay(Device& payer, const Device& payee, std::vector<purse::Source> sources, std::uint8_t hop = 1,
             std::uint32_t seq = 0, const purse::Id* request = nullptr);
    Bytes receipt(Device& payee, const Said& note);
    Bytes void_request(Device& payee, const Said& note);
    static Bytes deposit(std::initializer_list<Bytes> parts);

    std::vector<ItemAnswer> settle(std::vector<Bytes> items, std::uint32_t depositor = 0);
    ItemAnswer settle_one(Bytes item, std::uint32_t depositor = 0);
    std::vector<Reason> bring(std::vector<Bytes> messages, uint128 sender);
    Result<HeadIs> report(Bytes heads);
    Result<Bytes> sync(const Device& device, std::uint32_t last_seen = 0);
    void lose(const Device& device);
    // Moves the clock and lets the service do what is due.
    void pass_days(std::uint32_t days);
    void advance();
    void fund_reserve(std::uint64_t amount);
    void spend(const Device& device, std::uint64_t amount);  // out of its wallet
    // The program is killed and started again.
    void restart();
    // Waits until nothing is under way.
    void settle_down();

    std::uint64_t balance(uint128 account) const;
    std::uint64_t wallet(const Device& device) const { return balance(device.wallet.value); }
    std::uint64_t received(const Device& device) const { return balance(received_account(device.ordinal)); }
    std::uint64_t escrow(const Lot& lot) const;
    // I1: what was brought in is all there; the book and the ledger agree account by account.
    void check_money() const;

    template <class T>
    Result<T> wait(std::optional<Result<T>>& answer) {
        if (!app.run_until([&] { return answer.has_value(); })) return Error(ErrorKind::timeout, "no answer");
        settle_down();
        return std::move(*answer);
    }

    static constexpr std::uint64_t start = 100'000;

    std::filesystem::path directory;
    TestClock clock;
    api::SteppedAppThread app;
    Options options;
    Follower* follower = nullptr;  // of the service from the next start on
    const MuleOpener* mules = nullptr;
    bool keeps_book = false;  // the service begins with its book, from the next start on
    std::vector<std::unique_ptr<purse_host::PurseSigner>> issuers;
    std::unique_ptr<engine::Engine> engine;
    std::unique_ptr<Settlement> settlement;

  private:
    void go();
    void move(uint128 from, uint128 to, std::uint64_t amount);

    std::uint64_t last_id_ = 0;
    std::uint64_t brought_in_ = 0;
    std::vector<WalletId> wallets_;
};

}  // namespace jiaozi::settlement::testing
