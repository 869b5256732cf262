// The payment flow as its callers see it: gateways on one side, devices on the other. Implemented by the service
// `payments`. Application thread only. docs/payments.md gives the states, outcomes and deadlines.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <jiaozi/api/app_thread.hpp>
#include <jiaozi/model/records.hpp>

namespace jiaozi::api {

struct NewPayment {
    PaymentId id;  // made by the originator; the idempotency key for ever
    PaymentKind kind = PaymentKind::machine;
    WalletId payer_wallet;  // machine, qr, person
    MemberId payer_member;  // machine, qr, person: who pays; must be a member of the wallet's group
    WalletId payee_wallet;  // person
    DeviceId machine;       // machine, device, payment_code: who delivers
    DeviceId payer_device;  // device
    std::uint32_t slot = 0;
    std::uint32_t quantity = 1;
    std::optional<Amount> amount;  // person: required; else optional, and then it must equal the catalogue's price
    std::string code;              // payment_code: the digits scanned; qr: the QR's text
    Bytes request_hash;            // 16 bytes over what the caller asked; another hash under the same id is a conflict
};

struct PaymentAnswer {
    Payment payment;  // as the first answer said when replayed
    bool replayed = false;
};

struct RefundAnswer {
    Refund refund;
    Payment payment;
    bool replayed = false;
};

struct PaymentCode {
    std::string digits;  // 20 decimal digits, prefix 62
    Timestamp expires;
};

struct DynamicQr {
    PaymentId payment;
    std::string payload;  // EMVCo merchant-presented mode
    Timestamp expires;
};

struct ReportOutcome {
    PaymentState state = PaymentState::pending;
    uint128 captured_minor = 0;
    bool late = false;
};

class Payments {
  public:
    virtual ~Payments() = default;

    // Answers once the outcome is durable: captured (person), authorized (money held, command sent), declined or
    // failed. Error conflict `idempotency_mismatch`: same id, another request_hash. `payment_in_flight`: the first is
    // not answered yet.
    virtual void create(NewPayment request, Done<PaymentAnswer> done) = 0;
    // Error not_found `payment_not_found`.
    virtual void find(PaymentId id, Done<Payment> done) = 0;
    // Before the machine acknowledged its command: voids. Error conflict `payment_not_cancellable` after.
    virtual void cancel(PaymentId id, Done<Payment> done) = 0;
    // nullopt: all that is left. Errors: declined `refund_exceeds_captured`, conflict `payment_not_captured`.
    virtual void refund(RefundId id, PaymentId payment, std::optional<Amount> amount, Done<RefundAnswer> done) = 0;

    // A one-time code that the payer shows; good for a minute, for one payment.
    virtual Result<PaymentCode> new_payment_code(WalletId wallet, MemberId member) = 0;
    // A QR that the machine (or a screen beside it) shows; the payer pays it with kind qr.
    virtual Result<DynamicQr> new_qr(PaymentId id, DeviceId machine, std::uint32_t slot, std::uint32_t quantity) = 0;

    // From the machine that delivers. A device that is not the payment's own gets Error not_found.
    virtual void command_acknowledged(DeviceId machine, PaymentId payment, bool accepted) = 0;
    virtual void delivery_reported(DeviceId machine, PaymentId payment, DeliveryResult result, std::uint32_t delivered,
                                   Done<ReportOutcome> done) = 0;
};

}  // namespace jiaozi::api
