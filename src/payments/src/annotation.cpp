#include <jiaozi/base/big_endian.hpp>
#include <jiaozi/codec/cbor.hpp>
#include <jiaozi/payments/annotation.hpp>

namespace jiaozi::payments {
namespace {

using codec::CborMapReader;
using codec::CborReader;
using codec::CborWriter;

enum Kind : std::uint64_t {
    hold = 1,
    pay = 2,
    refuse = 3,
    report = 4,
    release = 5,
    late_report = 6,
    refund = 7,
    deposit = 32
};

// The pairs of an annotation. They are told twice: a CBOR map says how many there are before the first, so the first
// telling counts and the second writes.
class Pairs {
  public:
    explicit Pairs(CborWriter* out) : out_(out) {}
    std::uint64_t count() const { return count_; }

    Pairs& number(std::uint64_t key, std::uint64_t value) {
        if (put(key)) out_->uint(value);
        return *this;
    }
    Pairs& number_unless(std::uint64_t absent, std::uint64_t key, std::uint64_t value) {
        return value == absent ? *this : number(key, value);
    }
    template <class Tag>
    Pairs& id(std::uint64_t key, Id<Tag> id) {
        return id ? bytes(key, big_endian(id.value)) : *this;
    }
    Pairs& amount(std::uint64_t key, uint128 minor) {
        return high64(minor) == 0 ? number(key, low64(minor)) : bytes(key, big_endian(minor));
    }
    Pairs& bytes(std::uint64_t key, ByteView value) {
        if (put(key)) out_->bytes(value);
        return *this;
    }
    Pairs& text(std::uint64_t key, std::string_view value) {
        if (put(key)) out_->text(value);
        return *this;
    }

  private:
    bool put(std::uint64_t key) {
        ++count_;
        if (out_ != nullptr) out_->uint(key);
        return out_ != nullptr;
    }
    CborWriter* out_;
    std::uint64_t count_ = 0;
};

Bytes written(auto tell) {
    Pairs counted(nullptr);
    tell(counted);
    CborWriter out(256);
    out.map(counted.count());
    Pairs pairs(&out);
    tell(pairs);
    return out.take();
}

template <class IdType>
Result<IdType> read_id(CborMapReader& map, std::int64_t key, std::string_view name) {
    JZ_TRY(const ByteView bytes, map.bytes(key, name));
    if (bytes.size() != 16) return Error(ErrorKind::malformed, std::string(name) + ": an id has 16 bytes");
    return IdType(from_big_endian(bytes));
}

template <class IdType>
Result<IdType> read_optional_id(CborMapReader& map, std::int64_t key, std::string_view name) {
    JZ_TRY(const auto bytes, map.optional_bytes(key, name));
    if (!bytes) return IdType();
    if (bytes->size() != 16) return Error(ErrorKind::malformed, std::string(name) + ": an id has 16 bytes");
    return IdType(from_big_endian(*bytes));
}

// Positioned on the value.
Result<uint128> read_amount_value(CborReader& reader) {
    JZ_TRY(const codec::CborType type, reader.peek());
    if (type == codec::CborType::uint) {
        JZ_TRY(const std::uint64_t small, reader.uint());
        return static_cast<uint128>(small);
    }
    JZ_TRY(const ByteView bytes, reader.bytes());
    if (bytes.size() != 16) return reader.error(ErrorKind::malformed, "a wide amount has 16 bytes");
    const uint128 wide = from_big_endian(bytes);
    if (high64(wide) == 0) return reader.error(ErrorKind::malformed, "an amount below 2^64 is an integer");
    return wide;
}

Result<uint128> read_amount(CborMapReader& map, std::int64_t key, std::string_view name) {
    JZ_CHECK(map.required(key, name));
    return read_amount_value(map.reader());
}

Result<std::uint32_t> narrow(std::uint64_t value, std::string_view name) {
    if (value > UINT32_MAX) return Error(ErrorKind::malformed, std::string(name) + ": over 32 bits");
    return static_cast<std::uint32_t>(value);
}

Result<std::uint32_t> read_count(CborMapReader& map, std::int64_t key, std::string_view name, std::uint32_t absent) {
    JZ_TRY(const auto value, map.optional_uint(key, name));
    if (!value) return absent;
    return narrow(*value, name);
}

// An enumeration number between first and last, both included.
template <class E>
Result<E> to_enum(std::uint64_t number, E first, E last, std::string_view name) {
    if (number < static_cast<std::uint64_t>(first) || number > static_cast<std::uint64_t>(last)) {
        return Error(ErrorKind::malformed, std::string(name) + ": no such number: " + std::to_string(number));
    }
    return static_cast<E>(number);
}

Result<Reason> to_reason(std::uint64_t number) {
    constexpr auto in = [](std::uint64_t n, Reason first, Reason last) {
        return n >= static_cast<std::uint64_t>(first) && n <= static_cast<std::uint64_t>(last);
    };
    if (in(number, Reason::payer_not_member, Reason::ledger_refused) ||
        in(number, Reason::device_offline, Reason::device_busy) ||
        in(number, Reason::not_delivered, Reason::cancelled)) {
        return static_cast<Reason>(number);
    }
    return Error(ErrorKind::malformed, "reason: no such number: " + std::to_string(number));
}

Result<Payment> read_description(CborMapReader& map) {
    Payment p;
    JZ_TRY(p.id, read_id<PaymentId>(map, 2, "payment"));
    JZ_TRY(const std::uint64_t kind, map.uint(3, "kind"));
    JZ_TRY(p.kind, to_enum(kind, PaymentKind::machine, PaymentKind::qr, "kind"));
    JZ_TRY(p.payer_wallet, read_optional_id<WalletId>(map, 4, "payer_wallet"));
    JZ_TRY(p.payer_member, read_optional_id<MemberId>(map, 5, "payer_member"));
    JZ_TRY(p.payee_wallet, read_optional_id<WalletId>(map, 6, "payee_wallet"));
    JZ_TRY(p.device, read_optional_id<DeviceId>(map, 7, "device"));
    JZ_TRY(p.payer_device, read_optional_id<DeviceId>(map, 8, "payer_device"));
    JZ_TRY(p.product, read_optional_id<ProductId>(map, 9, "product"));
    JZ_TRY(p.slot, read_count(map, 10, "slot", 0));
    JZ_TRY(p.quantity, read_count(map, 11, "quantity", 1));
    JZ_TRY(const bool priced, map.optional(12));
    if (priced) {
        JZ_TRY(const uint128 minor, read_amount_value(map.reader()));
        JZ_TRY(const std::string_view code, map.text(13, "asset"));
        JZ_TRY(const Asset asset, find_asset(code));
        p.amount = Amount(minor, asset);
    }
    JZ_TRY(const auto hash, map.optional_bytes(14, "request_hash"));
    if (hash) {
        if (hash->size() != 16) return Error(ErrorKind::malformed, "request_hash: has 16 bytes");
        p.request_hash = to_bytes(*hash);
    }
    return p;
}

Result<ChainShape> read_shape(CborMapReader& map) {
    ChainShape shape;
    JZ_TRY(shape.adjustments, read_count(map, 15, "adjustments", 0));
    JZ_TRY(shape.checks, read_count(map, 16, "checks", 0));
    JZ_TRY(shape.daily, read_count(map, 17, "daily", 0));
    JZ_TRY(shape.category, read_count(map, 18, "category", 0));
    return shape;
}

Result<Fact> read_payment(CborMapReader& map, Attempt attempt) {
    PaymentFact fact;
    fact.attempt = attempt;
    JZ_TRY(fact.payment, read_description(map));
    if (attempt == Attempt::refuse) {
        JZ_TRY(const std::uint64_t state, map.uint(20, "state"));
        JZ_TRY(fact.payment.state, to_enum(state, PaymentState::declined, PaymentState::failed, "state"));
        JZ_TRY(const std::uint64_t reason, map.uint(21, "reason"));
        JZ_TRY(fact.payment.reason, to_reason(reason));
        return Fact(std::move(fact));
    }
    if (fact.payment.amount.asset().ledger == 0)
        return Error(ErrorKind::malformed, "amount: a payment that moves money has one");
    JZ_TRY(fact.shape, read_shape(map));
    if (attempt == Attempt::hold) {
        JZ_TRY(const std::uint64_t hold_s, map.uint(19, "hold_s"));
        JZ_TRY(fact.hold_s, narrow(hold_s, "hold_s"));
    }
    return Fact(std::move(fact));
}

Result<Fact> read_report(CborMapReader& map) {
    ReportFact fact;
    JZ_TRY(fact.payment, read_id<PaymentId>(map, 2, "payment"));
    JZ_TRY(const std::uint64_t result, map.uint(3, "result"));
    JZ_TRY(fact.result, to_enum(result, DeliveryResult::delivered, DeliveryResult::failed, "result"));
    JZ_TRY(fact.delivered, read_count(map, 4, "delivered", 0));
    JZ_TRY(const bool captures, map.optional(5));
    if (captures) {
        JZ_TRY(fact.captured, read_amount_value(map.reader()));
    }
    return Fact(fact);
}

Result<Fact> read_release(CborMapReader& map) {
    ReleaseFact fact;
    JZ_TRY(fact.payment, read_id<PaymentId>(map, 2, "payment"));
    JZ_TRY(const std::uint64_t reason, map.uint(3, "reason"));
    JZ_TRY(fact.reason, to_reason(reason));
    return Fact(fact);
}

Result<Fact> read_late_report(CborMapReader& map) {
    LateReportFact fact;
    JZ_TRY(fact.payment, read_id<PaymentId>(map, 2, "payment"));
    JZ_TRY(const std::uint64_t delivered, map.uint(3, "delivered"));
    JZ_TRY(fact.delivered, narrow(delivered, "delivered"));
    return Fact(fact);
}

Result<Fact> read_refund(CborMapReader& map) {
    RefundFact fact;
    JZ_TRY(fact.payment, read_id<PaymentId>(map, 2, "payment"));
    JZ_TRY(fact.refund, read_id<RefundId>(map, 3, "refund"));
    JZ_TRY(fact.amount, read_amount(map, 4, "amount"));
    return Fact(fact);
}

Result<Fact> read_deposit(CborMapReader& map) {
    DepositFact fact;
    JZ_TRY(fact.deposit, read_id<DepositId>(map, 2, "deposit"));
    JZ_TRY(fact.wallet, read_id<WalletId>(map, 3, "wallet"));
    JZ_TRY(const uint128 minor, read_amount(map, 4, "amount"));
    JZ_TRY(const std::string_view code, map.text(5, "asset"));
    JZ_TRY(const Asset asset, find_asset(code));
    fact.amount = Amount(minor, asset);
    return Fact(fact);
}

Result<Fact> read_fact(CborMapReader& map, std::uint64_t kind) {
    switch (kind) {
        case hold:
            return read_payment(map, Attempt::hold);
        case pay:
            return read_payment(map, Attempt::pay);
        case refuse:
            return read_payment(map, Attempt::refuse);
        case report:
            return read_report(map);
        case release:
            return read_release(map);
        case late_report:
            return read_late_report(map);
        case refund:
            return read_refund(map);
        default:
            return read_deposit(map);
    }
}

bool is_known(std::uint64_t kind) {
    return (kind >= hold && kind <= refund) || kind == deposit;
}

}  // namespace

Bytes encode(const PaymentFact& fact) {
    const Payment& p = fact.payment;
    return written([&](Pairs& out) {
        out.number(1, static_cast<std::uint64_t>(fact.attempt))
            .id(2, p.id)
            .number(3, static_cast<std::uint64_t>(p.kind))
            .id(4, p.payer_wallet)
            .id(5, p.payer_member)
            .id(6, p.payee_wallet)
            .id(7, p.device)
            .id(8, p.payer_device)
            .id(9, p.product)
            .number_unless(0, 10, p.slot)
            .number_unless(1, 11, p.quantity);
        if (p.amount.asset().ledger != 0) out.amount(12, p.amount.minor()).text(13, p.amount.asset().name());
        if (!p.request_hash.empty()) out.bytes(14, p.request_hash);
        if (fact.attempt == Attempt::refuse) {
            out.number(20, static_cast<std::uint64_t>(p.state)).number(21, static_cast<std::uint64_t>(p.reason));
            return;
        }
        out.number_unless(0, 15, fact.shape.adjustments)
            .number_unless(0, 16, fact.shape.checks)
            .number_unless(0, 17, fact.shape.daily)
            .number_unless(0, 18, fact.shape.category);
        if (fact.attempt == Attempt::hold) out.number(19, fact.hold_s);
    });
}

Bytes encode(const ReportFact& fact) {
    return written([&](Pairs& out) {
        out.number(1, report).id(2, fact.payment).number(3, static_cast<std::uint64_t>(fact.result));
        out.number_unless(0, 4, fact.delivered);
        if (fact.captured != 0) out.amount(5, fact.captured);
    });
}

Bytes encode(const ReleaseFact& fact) {
    return written([&](Pairs& out) {
        out.number(1, release).id(2, fact.payment).number(3, static_cast<std::uint64_t>(fact.reason));
    });
}

Bytes encode(const LateReportFact& fact) {
    return written([&](Pairs& out) { out.number(1, late_report).id(2, fact.payment).number(3, fact.delivered); });
}

Bytes encode(const RefundFact& fact) {
    return written(
        [&](Pairs& out) { out.number(1, refund).id(2, fact.payment).id(3, fact.refund).amount(4, fact.amount); });
}

Bytes encode(const DepositFact& fact) {
    return written([&](Pairs& out) {
        out.number(1, deposit).id(2, fact.deposit).id(3, fact.wallet).amount(4, fact.amount.minor());
        out.text(5, fact.amount.asset().name());
    });
}

Result<std::optional<Fact>> decode_annotation(ByteView annotation) {
    if (annotation.empty()) return std::optional<Fact>();
    CborReader reader(annotation, {.max_bytes = 64 * 1024, .max_depth = 8});
    JZ_TRY(CborMapReader map, CborMapReader::open(reader));
    JZ_TRY(const std::uint64_t kind, map.uint(1, "kind"));
    if (!is_known(kind)) return std::optional<Fact>();
    if (annotation.size() > max_annotation_bytes) return Error(ErrorKind::too_large, "annotation: over 512 bytes");
    JZ_TRY(Fact fact, read_fact(map, kind));
    JZ_CHECK(map.finish());
    JZ_CHECK(reader.finish());
    return std::optional<Fact>(std::move(fact));
}

}  // namespace jiaozi::payments
