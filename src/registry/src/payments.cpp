#include <unordered_map>

#include <jiaozi/registry/payments.hpp>

#include "rows.hpp"

namespace jiaozi::registry {

template <>
struct Map<Payment> {
    static constexpr std::string_view kind = "payment", table = "payments", order = "created";
    // All but the id and the moment of creation, which never change. SQLite writes an index anew when a column of it is
    // set, changed or not; leaving the two out spares the index of lists.
    static constexpr std::string_view on_conflict =
        "ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, state = excluded.state, reason = excluded.reason,"
        " first_state = excluded.first_state, amount = excluded.amount, asset = excluded.asset,"
        " captured = excluded.captured, refunded = excluded.refunded, payer_wallet = excluded.payer_wallet,"
        " payer_member = excluded.payer_member, payee_wallet = excluded.payee_wallet, device_id = excluded.device_id,"
        " payer_device = excluded.payer_device, product_id = excluded.product_id, slot = excluded.slot,"
        " quantity = excluded.quantity, delivered = excluded.delivered, late_delivery = excluded.late_delivery,"
        " request_hash = excluded.request_hash, sequence = excluded.sequence, updated = excluded.updated,"
        " expires = excluded.expires, offline = excluded.offline"
        " WHERE excluded.sequence >= payments.sequence";
    static void fields(auto& visit, auto& payment) {
        visit("id", payment.id);
        visit("kind", payment.kind);
        visit("state", payment.state);
        visit("reason", payment.reason);
        visit("first_state", payment.first_state);
        visit.amount("amount", payment.amount);
        visit("captured", payment.captured_minor);
        visit("refunded", payment.refunded_minor);
        visit("payer_wallet", payment.payer_wallet);
        visit("payer_member", payment.payer_member);
        visit("payee_wallet", payment.payee_wallet);
        visit("device_id", payment.device);
        visit("payer_device", payment.payer_device);
        visit("product_id", payment.product);
        visit("slot", payment.slot);
        visit("quantity", payment.quantity);
        visit("delivered", payment.delivered);
        visit("late_delivery", payment.late_delivery);
        visit("request_hash", payment.request_hash, Text{0, 64});
        visit("sequence", payment.sequence);
        visit("created", payment.created);
        visit("updated", payment.updated);
        visit("expires", payment.expires);
        visit("offline", payment.offline, Text{0, 1'000});
    }
};

template <>
struct Map<Refund> {
    static constexpr std::string_view kind = "refund", table = "refunds", order = "created";
    static constexpr std::string_view on_conflict = "ON CONFLICT (id) DO NOTHING";
    static void fields(auto& visit, auto& refund) {
        visit("id", refund.id);
        visit("payment_id", refund.payment);
        visit.amount("amount", refund.amount);
        visit("created", refund.created);
    }
};

namespace {

// One row an id, because PostgreSQL refuses to update a row twice in one statement.
std::vector<const Payment*> newest_of_each(std::span<const Payment> payments) {
    std::vector<const Payment*> rows;
    std::unordered_map<PaymentId, std::size_t> place;
    rows.reserve(payments.size());
    place.reserve(payments.size());
    for (const Payment& payment : payments) {
        const auto [found, fresh] = place.try_emplace(payment.id, rows.size());
        if (fresh) {
            rows.push_back(&payment);
        } else if (payment.sequence >= rows[found->second]->sequence) {
            rows[found->second] = &payment;
        }
    }
    return rows;
}

void either_wallet(Where& where, std::string_view condition, const Cell& value) {
    where.next() << "(payer_wallet " << condition << value;
    where.sql() << (condition.starts_with("IN") ? ")" : "") << " OR payee_wallet " << condition << value;
    where.sql() << (condition.starts_with("IN") ? "))" : ")");
}

Where filtered(const PaymentFilter& filter) {
    Where where(select_from<Payment>());
    where.equal("device_id", filter.device)
        .equal("payer_device", filter.payer_device)
        .equal("payer_wallet", filter.payer_wallet)
        .equal("payee_wallet", filter.payee_wallet)
        .equal("payer_member", filter.payer_member);
    if (filter.wallet) either_wallet(where, "= ", param(filter.wallet));
    if (filter.group) either_wallet(where, "IN (SELECT id FROM wallets WHERE group_id = ", param(filter.group));
    if (filter.kind) where.equal("kind", name_of(*filter.kind));
    if (filter.state) where.equal("state", name_of(*filter.state));
    if (filter.created_from.ns != 0) where.next() << "created >= " << param(filter.created_from);
    if (filter.created_to.ns != 0) where.next() << "created < " << param(filter.created_to);
    return where;
}

}  // namespace

Result<> upsert_many(Session& session, std::span<const Payment> payments) {
    JZ_CHECK(insert_rows<Payment>(session, newest_of_each(payments)));
    return {};
}

Result<> insert_many(Session& session, std::span<const Refund> refunds) {
    std::vector<const Refund*> rows;
    rows.reserve(refunds.size());
    for (const Refund& refund : refunds) {
        if (!refund.payment) return Error(ErrorKind::invalid, "refund: payment is missing").with_param("payment");
        rows.push_back(&refund);
    }
    JZ_CHECK(insert_rows<Refund>(session, rows));
    return {};
}

Result<Payment> get_payment(Session& session, PaymentId id) {
    return get_row<Payment>(session, id);
}
Result<Listing<Payment>> list_payments(Session& session, const PaymentFilter& filter, const Page& page) {
    return list_rows<Payment>(session, filtered(filter), page);
}

Result<std::vector<Payment>> open_payments(Session& session) {
    // The state is part of the text: neither database would use the index of open payments for a parameter.
    return read_all<Payment>(session, Sql(select_from<Payment>()) << " WHERE state = 'authorized'");
}

Result<> each_payment_id(Session& session, Timestamp after, const std::function<void(PaymentId)>& visit) {
    constexpr Type columns[] = {Type::text};
    const Sql sql = Sql("SELECT id FROM payments WHERE created > ") << param(after) << " ORDER BY created, id";
    JZ_TRY(Statement * statement, session.connection().prepare("payment", sql, columns));
    return session.connection().query("payment", *statement, [&]() -> Result<> {
        auto id = PaymentId::parse(statement->columns[0].text);
        if (!id.ok()) return Error(ErrorKind::corrupt, "payment: an id is not one: " + id.error().message());
        visit(*id);
        return {};
    });
}

Result<Refund> get_refund(Session& session, RefundId id) {
    return get_row<Refund>(session, id);
}
Result<Listing<Refund>> list_refunds(Session& session, const RefundFilter& filter, const Page& page) {
    Where where(select_from<Refund>());
    where.equal("payment_id", filter.payment);
    return list_rows<Refund>(session, std::move(where), page);
}

Result<std::uint64_t> projection_sequence(Session& session, std::string_view name) {
    return read_number(session, "projection",
                       Sql("SELECT sequence FROM projection_state WHERE name = ") << param(name));
}

Result<> set_projection_sequence(Session& session, std::string_view name, std::uint64_t sequence) {
    JZ_CHECK(check_text("projection", "name", name, Text{1, 64}));
    JZ_CHECK(session.connection().execute("projection",
                                          Sql("INSERT INTO projection_state (name, sequence) VALUES (")
                                              << param(name) << ", " << param(sequence)
                                              << ") ON CONFLICT (name) DO UPDATE SET sequence = excluded.sequence"));
    return {};
}

Result<> clear_projection(Session& session) {
    return session.in_transaction([&]() -> Result<> {
        for (const std::string_view table : {"payments", "refunds", "projection_state"}) {
            JZ_CHECK(session.connection().execute("projection", Sql("DELETE FROM ") << table));
        }
        return {};
    });
}

}  // namespace jiaozi::registry
