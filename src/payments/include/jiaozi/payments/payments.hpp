// The payment flow: the saga from request to capture, void or refusal, and refunds. States, outcomes and deadlines:
// docs/payments.md.
//
//   JZ_TRY(auto payments, PaymentService::recover(parts, options));   // reads the journal
//   payments->start(link);                                            // machines are reachable now
//
// Threading: everything on the application thread, recover() included (it blocks until the journal is read).
// Lifetime: the parts and the link must outlive the service; completions that come after its end are dropped, and so
// are the `done` handlers that still waited.
// Errors besides those of api/payments.hpp: invalid and not_found for a request that names what does not exist, before
// anything is journaled; unavailable and timeout from the engine (asking again with the same id is safe).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <jiaozi/api/app_thread.hpp>
#include <jiaozi/api/devices.hpp>
#include <jiaozi/api/groups.hpp>
#include <jiaozi/api/merchants.hpp>
#include <jiaozi/api/payments.hpp>
#include <jiaozi/base/clock.hpp>
#include <jiaozi/engine/engine.hpp>
#include <jiaozi/payments/archive.hpp>

namespace jiaozi::payments {

struct Options {
    std::uint32_t hold_s = 60;                // how long money is held for a delivery
    Duration command_lifetime = seconds(20);  // the machine may begin until then; less than the hold
    Duration resend_every = seconds(1);       // real time
    Duration alive_fresh = seconds(2);        // a machine heard this recently is not asked
    Duration alive_patience = seconds(3);     // how long it has to answer
    Duration code_lifetime = seconds(60);
    Duration qr_lifetime = seconds(300);
    std::vector<DeviceKind> serial_kinds = {};  // machines of these kinds serve one delivery at a time
    std::size_t keep_completed = 200'000;  // completed payments kept in memory; older ones are read from the archive
};

struct Parts {
    engine::Engine& engine;
    api::AppThread& app;
    const Clock& clock;
    const api::Groups& groups;
    const api::Merchants& merchants;
    const api::Devices& devices;
    Archive& archive;
};

// What the service has done since it was made, for metrics.
struct Counters {
    std::uint64_t created = 0;  // answered, replays left aside
    std::uint64_t authorized = 0;
    std::uint64_t captured = 0;
    std::uint64_t voided = 0;
    std::uint64_t declined = 0;
    std::uint64_t failed = 0;
    std::uint64_t refunded = 0;
    std::uint64_t late_deliveries = 0;
    std::uint64_t commands_resent = 0;
    std::uint64_t open = 0;  // authorized now
};

class PaymentService final : public api::Payments {
  public:
    // Replays the journal's annotations. Corrupt: an annotation of ours does not parse. The engine's errors.
    static Result<std::unique_ptr<PaymentService>> recover(const Parts& parts, Options options = {});
    ~PaymentService() override;
    PaymentService(const PaymentService&) = delete;
    PaymentService& operator=(const PaymentService&) = delete;

    // Once, before the first create(): machines can be reached from now on. Commands of payments that were open when
    // the program ended are sent again.
    void start(api::DeviceLink& link);

    void create(api::NewPayment request, api::Done<api::PaymentAnswer> done) override;
    void find(PaymentId id, api::Done<Payment> done) override;
    void cancel(PaymentId id, api::Done<Payment> done) override;
    // Error conflict `refund_in_flight`: the first with this id is not answered yet; `idempotency_mismatch`: the id was
    // used for another payment or amount. Declined `insufficient_funds`: the payee's wallet has not enough left.
    void refund(RefundId id, PaymentId payment, std::optional<Amount> amount,
                api::Done<api::RefundAnswer> done) override;
    Result<api::PaymentCode> new_payment_code(WalletId wallet, MemberId member) override;
    Result<api::DynamicQr> new_qr(PaymentId id, DeviceId machine, std::uint32_t slot, std::uint32_t quantity) override;
    void command_acknowledged(DeviceId machine, PaymentId payment, bool accepted) override;
    void delivery_reported(DeviceId machine, PaymentId payment, DeliveryResult result, std::uint32_t delivered,
                           api::Done<api::ReportOutcome> done) override;

    Counters counters() const;

  private:
    class Impl;
    explicit PaymentService(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace jiaozi::payments
