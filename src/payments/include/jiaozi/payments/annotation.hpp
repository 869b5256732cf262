// What a journaled command says about itself beside its transfers: docs/formats/annotation.md. A Fact is one annotation
// decoded. Pure functions, thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/model/records.hpp>

namespace jiaozi::payments {

inline constexpr std::size_t max_annotation_bytes = 512;

// How many transfers of each sort stand before the money, in this order.
struct ChainShape {
    std::uint32_t adjustments = 0;  // allowances granted or taken back; not linked
    std::uint32_t checks = 0;       // per-payment limits; two transfers each
    std::uint32_t daily = 0;        // uses of daily allowances
    std::uint32_t category = 0;     // uses of category allowances
    std::uint32_t uses() const noexcept { return daily + category; }
    bool operator==(const ChainShape&) const = default;
};

enum class Attempt : std::uint8_t { hold = 1, pay = 2, refuse = 3 };

// The first that the journal hears of a payment. `payment` holds what was asked for; state and reason only if refused.
struct PaymentFact {
    Attempt attempt = Attempt::refuse;
    Payment payment;
    ChainShape shape;          // hold, pay
    std::uint32_t hold_s = 0;  // hold
};

struct ReportFact {
    PaymentId payment;
    DeliveryResult result = DeliveryResult::failed;
    std::uint32_t delivered = 0;
    uint128 captured = 0;
};

struct ReleaseFact {
    PaymentId payment;
    Reason reason = Reason::none;  // device_nack or cancelled
};

struct LateReportFact {
    PaymentId payment;
    std::uint32_t delivered = 0;
};

struct RefundFact {
    PaymentId payment;
    RefundId refund;
    uint128 amount = 0;
};

struct DepositFact {
    DepositId deposit;
    WalletId wallet;
    Amount amount;
};

using Fact = std::variant<PaymentFact, ReportFact, ReleaseFact, LateReportFact, RefundFact, DepositFact>;

Bytes encode(const PaymentFact& fact);
Bytes encode(const ReportFact& fact);
Bytes encode(const ReleaseFact& fact);
Bytes encode(const LateReportFact& fact);
Bytes encode(const RefundFact& fact);
Bytes encode(const DepositFact& fact);

// nullopt: empty, or of a kind that is not known here. Errors malformed, too_large: an annotation that breaks the page.
Result<std::optional<Fact>> decode_annotation(ByteView annotation);

}  // namespace jiaozi::payments
