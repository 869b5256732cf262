// A small town for the tests of payments: a family, a friend, a shop with its machines; a real engine on a directory of
// its own; a clock and timers that stand still until told otherwise; and machines whose every word the test decides.
#pragma once

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <jiaozi/engine/engine.hpp>
#include <jiaozi/payments/payments.hpp>

namespace jiaozi::payments::testing {

class TempDir {
  public:
    TempDir();
    ~TempDir();
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

// The application thread is the test's own thread, while it runs tasks.
class ManualApp final : public api::AppThread {
  public:
    void post(Task task) override;
    TimerId call_after(Duration delay, Task task) override;
    void cancel(TimerId timer) override;

    // Runs posted tasks until the condition holds. False: it did not within 20 s of real time.
    bool run_until(const std::function<bool()>& condition);
    // Runs what is posted now.
    void run_posted();
    // Moves the timers' time on and runs those that are due.
    void advance(Duration by);
    // As when the process dies: nothing posted or due is ever run.
    void forget();

  private:
    struct Timer {
        Duration due;
        Task task;
    };
    std::mutex mutex_;
    std::condition_variable posted_;
    std::deque<Task> tasks_;  // guarded by mutex_
    std::map<TimerId, Timer> timers_;
    std::uint64_t ran_ = 0;  // tasks
    TimerId next_timer_ = 1;
    Duration now_;
};

class Town final : public api::Groups, public api::Merchants, public api::Devices {
  public:
    std::map<MemberId, Member> members;
    std::map<WalletId, Wallet> wallets;
    std::map<MerchantId, Merchant> merchants;
    std::map<ProductId, Product> products;
    std::map<std::pair<DeviceId, std::uint32_t>, Slot> slots;
    std::map<DeviceId, Device> devices;
    std::vector<Limit> limits;

    const Member* member(MemberId id) const override;
    const Member* member_of_device(DeviceId device) const override;
    const Member* member_of_person(PersonId person, GroupId group) const override;
    const Wallet* wallet(WalletId id) const override;
    const Wallet* wallet_of_group(GroupId group, const Asset& asset) const override;
    std::vector<const Wallet*> wallets_of_group(GroupId group) const override;
    std::vector<const Limit*> limits_of(MemberId member) const override;
    const Merchant* merchant(MerchantId id) const override;
    const Product* product(ProductId id) const override;
    const Slot* slot(DeviceId machine, std::uint32_t slot) const override;
    std::vector<const Slot*> slots_of(DeviceId machine) const override;
    const Device* find(DeviceId id) const override;
};

// The wire to the machines: keeps what was said to them.
class Wire final : public api::DeviceLink {
  public:
    struct Probe {
        DeviceId device;
        std::move_only_function<void(bool)> done;
    };
    std::set<DeviceId> heard;
    std::vector<Probe> probes;
    std::vector<api::DeliveryCommand> commands;
    std::vector<PaymentId> cancels;

    bool heard_within(DeviceId device, Duration) const override { return heard.contains(device); }
    void probe(DeviceId device, Duration, std::move_only_function<void(bool)> done) override {
        probes.push_back({device, std::move(done)});
    }
    void send(DeviceId, const api::DeliveryCommand& command) override { commands.push_back(command); }
    void send_cancel(DeviceId, PaymentId payment) override { cancels.push_back(payment); }
    std::size_t commands_for(PaymentId payment) const;
};

// Everything is kept in memory: nothing is projected.
class NoArchive : public Archive {
  public:
    Result<std::optional<Payment>> payment(PaymentId) override { return std::optional<Payment>(); }
    std::uint64_t projected_sequence() const override { return 0; }
    Result<std::vector<Payment>> open_payments() override { return std::vector<Payment>(); }
    Result<KnownIds> known_ids() override { return KnownIds(); }
};

class World {
  public:
    explicit World(Options options = {});
    ~World();

    // Who lives here.
    static constexpr GroupId family{0x100}, friends{0x101};
    static constexpr WalletId family_cny{0x200}, friend_cny{0x201}, shop_cny{0x202}, family_eur{0x203};
    static constexpr MemberId ana{0x300}, ben{0x301}, car_member{0x302};
    static constexpr DeviceId vending{0x400}, gate{0x401}, charger{0x402}, car{0x403}, stray_car{0x404};
    static constexpr MerchantId shop{0x500};
    static constexpr ProductId cola{0x600}, crisps{0x601}, parking{0x602};
    static constexpr std::uint32_t cola_slot = 1, crisps_slot = 2, parking_slot = 1;
    static constexpr std::uint64_t family_start = 10'000, friend_start = 1'000;  // fen

    static Amount cny(std::uint64_t fen) { return {fen, assets::CNY}; }
    static Amount eur(std::uint64_t cents) { return {cents, assets::EUR}; }

    PaymentId new_id() { return PaymentId(make_uint128(0x018c'0000'0000'0000, ++last_id_)); }
    api::NewPayment buy(std::uint32_t slot = cola_slot, std::uint32_t quantity = 1);  // Ana at the vending machine
    api::NewPayment pay_ben(std::uint64_t fen);                                       // Ana pays Ben
    api::NewPayment park();                                                           // the car pays the gate
    Limit limit(MemberId member, LimitKind kind, std::uint64_t fen, std::uint32_t days = 1, std::string category = {});

    // Asks and waits for the answer; the machine is alive.
    Result<api::PaymentAnswer> create(const api::NewPayment& request);
    // Must succeed.
    Payment created(const api::NewPayment& request);
    Payment find(PaymentId id);
    void ack(PaymentId id, bool accepted = true);
    Result<api::ReportOutcome> report(PaymentId id, DeliveryResult result, std::uint32_t delivered);
    Result<Payment> cancel(PaymentId id);
    Result<api::RefundAnswer> refund(RefundId id, PaymentId payment, std::optional<Amount> amount = {});
    template <class T>
    Result<T> wait(std::optional<Result<T>>& answer);

    // Moves all clocks: business time and timers.
    void pass(Duration time);
    // Lets the hold run out and waits until the service knows.
    void let_expire(PaymentId id);
    // The program is killed and started again. Answers that were on their way are lost.
    void restart();
    void stop();
    void go();

    std::uint64_t balance(WalletId wallet) const;
    std::uint64_t held(WalletId wallet) const;
    // What is left of a limit's allowance today, by the formula of docs/accounts.md; nullopt: no budget yet.
    std::optional<std::uint64_t> left(const Limit& limit) const;
    void freeze(WalletId wallet, bool frozen);
    // No money was made or lost, and none is held but for payments in delivery.
    void check_money();

    TempDir directory;
    TestClock clock;
    ManualApp app;
    Town town;
    Wire wire;
    NoArchive no_archive;
    Archive* archive = &no_archive;
    Options options;
    std::size_t max_queue = 65'536;                // of the engine; takes effect at a restart
    std::function<void()> before_service = [] {};  // the engine is open, the service not made yet
    std::unique_ptr<engine::Engine> engine;
    std::unique_ptr<PaymentService> payments;

  private:
    void settle_town();
    void open_accounts();

    std::uint64_t last_id_ = 0;
};

template <class T>
Result<T> World::wait(std::optional<Result<T>>& answer) {
    if (!app.run_until([&] { return answer.has_value(); })) return Error(ErrorKind::timeout, "no answer within 20 s");
    return std::move(*answer);
}

}  // namespace jiaozi::payments::testing
