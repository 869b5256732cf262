// What the journal made of each payment: a fold over committed commands. The live service, recovery and the projector
// use this one fold, so they cannot disagree. No clock, no randomness.
// Not thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include <jiaozi/engine/command.hpp>
#include <jiaozi/model/records.hpp>
#include <jiaozi/payments/annotation.hpp>

namespace jiaozi::payments {

// Where a command stands in the journal, and what its transfers were answered.
struct Stand {
    std::uint64_t sequence = 0;
    Timestamp timestamp;
    std::span<const ledger::CreateTransferResult> results;
};

// `recorded`: something was noted on the payment that is no change of its state and no event.
enum class ChangeKind : std::uint8_t {
    authorized,
    captured,
    voided,
    declined,
    failed,
    refunded,
    late_delivery,
    deposited,
    recorded,
};

// In the order in which they happened.
struct Change {
    ChangeKind kind = ChangeKind::authorized;
    std::uint64_t sequence = 0;
    Timestamp at;
    Payment payment;      // after the change
    Refund refund;        // refunded
    DepositFact deposit;  // deposited; no payment
};

class PaymentBook {
  public:
    struct Sources {
        // A payment that is not (any more) in the book, as an earlier fold left it.
        std::function<std::optional<Payment>(PaymentId)> load;
        // Whose money a pending transfer holds; none if it holds something else.
        std::function<PaymentId(uint128 pending_id)> payment_of_hold;
    };
    explicit PaymentBook(Sources sources) : sources_(std::move(sources)) {}

    // One command after the other, in the order of the journal. `changes` may be null.
    // Errors: of decode_annotation; nothing is changed then.
    Result<> apply(const engine::Committed& committed, std::vector<Change>* changes);

    // The same in parts, for the live service, which knows its facts without decoding them.
    void apply(const PaymentFact& fact, const Stand& stand, std::vector<Change>* changes = nullptr);
    void apply(const ReportFact& fact, const Stand& stand, std::vector<Change>* changes = nullptr);
    void apply(const ReleaseFact& fact, const Stand& stand, std::vector<Change>* changes = nullptr);
    void apply(const LateReportFact& fact, const Stand& stand, std::vector<Change>* changes = nullptr);
    void apply(const RefundFact& fact, const Stand& stand, std::vector<Change>* changes = nullptr);
    // The payment's hold ran out.
    void expire(PaymentId id, std::uint64_t sequence, Timestamp at, std::vector<Change>* changes = nullptr);

    // One that an earlier fold left authorized, with so many uses of allowances held.
    void restore(Payment payment, std::uint32_t uses);

    // In the book only; nothing is loaded. Pointers are good until the payment is evicted.
    const Payment* find(PaymentId id) const;
    // In the book, or loaded into it.
    const Payment* bring(PaymentId id);
    // How many uses of allowances an authorized payment holds.
    std::uint32_t uses(PaymentId id) const;

    void for_each(const std::function<void(const Payment&)>& visit) const;
    std::size_t size() const noexcept { return entries_.size(); }

    // Forgets the oldest completed payments beyond `keep` whose changes all lie at or before `up_to`.
    void evict(std::size_t keep, std::uint64_t up_to, const std::function<void(PaymentId)>& evicted);

  private:
    struct Entry {
        Payment payment;
        std::uint64_t loaded = 0;  // sequence of the payment when it was loaded: changes up to it are in it
        std::uint32_t uses = 0;
        bool presumed_expired = false;  // a command met the expired hold before the expiry itself was told
    };
    Entry* entry(PaymentId id, std::uint64_t sequence);
    void add(Entry entry);
    void void_expired(Entry& entry, std::uint64_t sequence, Timestamp at, std::vector<Change>* changes);
    void completed(const Payment& payment);

    Sources sources_;
    boost::unordered_flat_map<PaymentId, std::unique_ptr<Entry>, std::hash<PaymentId>> entries_;
    std::deque<PaymentId> completed_;  // in the order of completion
};

// The first answer again, from what the payment has become since.
Payment first_answer(const Payment& payment);

// Why the chain of a payment was refused. `results` are those of the whole command.
Reason reason_of(const ChainShape& shape, std::span<const ledger::CreateTransferResult> results);

}  // namespace jiaozi::payments
