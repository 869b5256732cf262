// The payment service's state. Application thread only, except that recovery folds the journal on the engine's feed
// thread while the application thread waits for it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include <jiaozi/payments/book.hpp>
#include <jiaozi/payments/payments.hpp>

#include "allowances.hpp"
#include "completions.hpp"
#include "resend_wheel.hpp"
#include "terms.hpp"
#include "tickets.hpp"

namespace jiaozi::payments {

class PaymentService::Impl {
  public:
    using Task = std::move_only_function<void()>;

    Impl(const Parts& parts, Options options);
    ~Impl();

    Result<> recover();
    void start(api::DeviceLink& link);

    void create(api::NewPayment request, api::Done<api::PaymentAnswer> done);
    void find(PaymentId id, api::Done<Payment> done);
    void cancel(PaymentId id, api::Done<Payment> done);
    void refund(RefundId id, PaymentId payment, std::optional<Amount> amount, api::Done<api::RefundAnswer> done);
    Result<api::PaymentCode> new_payment_code(WalletId wallet, MemberId member);
    Result<api::DynamicQr> new_qr(PaymentId id, DeviceId machine, std::uint32_t slot, std::uint32_t quantity);
    void acknowledged(DeviceId machine, PaymentId payment, bool accepted);
    void reported(DeviceId machine, ReportFact report, api::Done<api::ReportOutcome> done);
    Counters counters() const { return counters_; }

  private:
    // A payment between its request and its first answer.
    struct Creating {
        api::NewPayment request;
        PaymentFact fact;
        api::Done<api::PaymentAnswer> done;
        bool offered = false;  // by a QR, which is good again if this comes to nothing
        bool probing = false;  // else its command is on its way to the journal
        Allowances::Added added;
        std::vector<Task> waiting;  // run when it is answered

        void describe(PaymentId id, Payment payment, Timestamp now) {
            fact.payment = std::move(payment);
            fact.payment.id = id;
            fact.payment.created = fact.payment.updated = now;
        }
    };
    // A payment that is authorized and not closed.
    struct Saga {
        std::uint32_t number = 0;  // of the newest command sent
        bool acknowledged = false;
        bool recovered = false;  // whether it was acknowledged before the restart is not known
        bool reported = false;
    };

    struct ExpiredHold {
        PaymentId payment;
        std::uint64_t sequence = 0;
        Timestamp at;
    };

    // create.cpp
    bool answered_before(PaymentId id, const api::NewPayment& request, api::Done<api::PaymentAnswer>& done);
    std::optional<PaymentId> offered_payment(const api::NewPayment& request) const;
    void begin(api::NewPayment request, api::Done<api::PaymentAnswer> done);
    void probe(PaymentId id);
    void probed(PaymentId id, bool alive);
    void refuse(PaymentId id, PaymentState state, Reason reason);
    void authorize(PaymentId id, const Terms& terms);
    void submit_attempt(PaymentId id, engine::Command command);
    void attempted(PaymentId id, Result<engine::Outcome> outcome);
    void fail_attempt(PaymentId id, Error error);
    bool must_be_probed(const Payment& payment) const;
    bool is_busy(DeviceId machine) const;

    // delivery.cpp
    using Released = std::move_only_function<void(std::optional<Error>)>;
    void open_saga(const Payment& payment, bool recovered);
    bool close_saga(const Payment& payment);
    bool send_command(const Payment& payment, Saga& saga);
    void arm_resend_timer();
    void resend_due();
    Timestamp command_expires(const Payment& payment) const;
    void release(PaymentId id, Reason reason, Released done = {});
    void settle(const ReportFact& report, api::Done<api::ReportOutcome> done);
    void note_refused_settlement(PaymentId id, const engine::Outcome& outcome);
    void note_late(const LateReportFact& report, api::Done<api::ReportOutcome> done);
    void serve_line(PaymentId id);
    void expired(const std::vector<ExpiredHold>& holds);

    // refunds.cpp
    bool refunded_before(RefundId id, const Payment& payment, const std::optional<Amount>& amount,
                         api::Done<api::RefundAnswer>& done);
    Result<uint128> refundable(const Payment& payment, const std::optional<Amount>& amount) const;
    Result<> add_give_backs(engine::Command& command, RefundId id, PaymentId payment, uint128 amount) const;
    void refund_answered(const RefundFact& fact, Result<engine::Outcome> outcome, api::Done<api::RefundAnswer> done);

    // service.cpp
    // In the book, or brought into it from the archive; null: there is none. Good until the next change.
    Result<const Payment*> known(PaymentId id);
    std::optional<Payment> load(PaymentId id);
    void submit(engine::Command command, Completions::Done done);
    static Stand stand_of(const engine::Outcome& outcome) {
        return {outcome.sequence, outcome.timestamp, outcome.transfers};
    }
    void tally(const Payment& payment);
    void evict();
    PaymentId payment_of_hold(uint128 pending_id) const;
    Result<std::uint64_t> begin_behind_archive();
    Result<> fold(std::span<const engine::Committed> batch, std::uint64_t up_to);
    void tell_expired(std::span<const engine::Committed> batch, std::uint64_t after);

    Parts parts_;
    const Options options_;
    api::DeviceLink* link_ = nullptr;
    std::shared_ptr<Completions> completions_;
    // Tasks given to others (timers, probes, posts) hold it weakly: they do nothing once the service is gone.
    std::shared_ptr<Impl*> alive_ = std::make_shared<Impl*>(this);

    std::optional<Error> archive_failure_;  // of the newest load by the book
    PaymentBook book_;
    KnownIds archived_;  // at least those that have left the book
    Allowances allowances_;
    PaymentCodes codes_;
    QrOffers qrs_;

    boost::unordered_flat_map<PaymentId, std::unique_ptr<Creating>, std::hash<PaymentId>> creating_;
    boost::unordered_flat_map<PaymentId, Saga, std::hash<PaymentId>> sagas_;
    // Payments with a report or release on its way to the journal, and who waits for its end.
    boost::unordered_flat_map<PaymentId, std::vector<Task>, std::hash<PaymentId>> in_line_;
    boost::unordered_flat_map<DeviceId, std::uint32_t, std::hash<DeviceId>> serving_;  // payments begun and not closed
    boost::unordered_flat_set<RefundId, std::hash<RefundId>> refunding_;
    boost::unordered_flat_map<PaymentId, uint128, std::hash<PaymentId>> refunds_reserved_;
    ResendWheel wheel_;
    api::AppThread::TimerId resend_timer_ = 0;
    Counters counters_;

    std::unique_ptr<engine::Subscription> subscription_;  // last: its thread uses what stands above
};

// The result that broke a refused chain. Static storage.
std::string_view refusal_in(const engine::Outcome& outcome);

// Errors with the codes that docs/errors.md lists.
Error payment_not_found(PaymentId id);
Error payment_in_flight(PaymentId id);
Error idempotency_mismatch(std::string_view id);

}  // namespace jiaozi::payments
