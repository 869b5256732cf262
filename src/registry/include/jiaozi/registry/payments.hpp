// The projection of the journal: payments and refunds, and how far each projection has come. Everything here can be
// dropped and rebuilt, so rows name people, wallets and devices without foreign keys: a rebuild must not fail because a
// registry restored from backup lacks one. Errors and threading: store.hpp.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <jiaozi/model/records.hpp>
#include <jiaozi/registry/page.hpp>
#include <jiaozi/registry/store.hpp>

namespace jiaozi::registry {

// Writes all in one transaction (the caller's, if one is open). A payment whose stored sequence is greater than the
// one given keeps what is stored, so replaying the journal from any earlier point is harmless. Among several with one
// id in the span, the one with the greatest sequence counts; the later of equals.
Result<> upsert_many(Session& session, std::span<const Payment> payments);
// A refund that is stored already (by id) is left as it is.
Result<> insert_many(Session& session, std::span<const Refund> refunds);

struct PaymentFilter {
    DeviceId device;  // zero or nullopt: any
    DeviceId payer_device;
    WalletId payer_wallet;
    WalletId payee_wallet;
    WalletId wallet;  // as payer or as payee
    MemberId payer_member;
    GroupId group;  // any wallet of this group, as payer or as payee
    std::optional<PaymentKind> kind;
    std::optional<PaymentState> state;
    Timestamp created_from;  // inclusive; zero: no bound
    Timestamp created_to;    // exclusive; zero: no bound
};
Result<Payment> get_payment(Session& session, PaymentId id);
Result<Listing<Payment>> list_payments(Session& session, const PaymentFilter& filter, const Page& page);

// Those that are authorized, all of them: an index has them and no others.
Result<std::vector<Payment>> open_payments(Session& session);
// The ids of payments created later than `after`, in the order of creation. An index has all that is read.
Result<> each_payment_id(Session& session, Timestamp after, const std::function<void(PaymentId)>& visit);

struct RefundFilter {
    PaymentId payment;  // zero: any
};
Result<Refund> get_refund(Session& session, RefundId id);
Result<Listing<Refund>> list_refunds(Session& session, const RefundFilter& filter, const Page& page);

// The journal sequence up to which the projection called `name` has been written; 0 for one that never ran. Set it in
// the same transaction as the rows.
Result<std::uint64_t> projection_sequence(Session& session, std::string_view name);
Result<> set_projection_sequence(Session& session, std::string_view name, std::uint64_t sequence);
// Drops all payments and refunds and forgets every projection's sequence. Events stay: their ids make a replay a no-op,
// and positions that clients hold as cursors must not change.
Result<> clear_projection(Session& session);

}  // namespace jiaozi::registry
