#include <jiaozi/registry/payment_totals.hpp>

#include "connection.hpp"
#include "sql.hpp"

namespace jiaozi::registry {

Result<std::vector<PaymentTotal>> payment_totals(Session& session, Timestamp from) {
    constexpr Type columns[] = {Type::text, Type::text, Type::number, Type::text, Type::text, Type::text};
    // NUMERIC is exact in PostgreSQL. In SQLite it is an integer up to 64 bits; a longer one would become a REAL, whose
    // text below is no decimal integer and is refused.
    const Sql sql = Sql("SELECT state, asset, COUNT(*), CAST(SUM(CAST(amount AS NUMERIC)) AS TEXT),"
                        " CAST(SUM(CAST(captured AS NUMERIC)) AS TEXT), CAST(SUM(CAST(refunded AS NUMERIC)) AS TEXT)"
                        " FROM payments WHERE created >= ")
                    << param(from) << " GROUP BY state, asset ORDER BY state, asset";
    JZ_TRY(Statement * statement, session.connection().prepare("payment", sql, columns));
    std::vector<PaymentTotal> totals;
    JZ_CHECK(session.connection().query("payment", *statement, [&]() -> Result<> {
        const auto& row = statement->columns;
        PaymentTotal total;
        JZ_TRY(total.state, parse_payment_state(row[0].text));
        JZ_TRY(total.asset, find_asset(row[1].text));
        total.count = static_cast<std::uint64_t>(row[2].number);
        uint128* const sums[] = {&total.amount_minor, &total.captured_minor, &total.refunded_minor};
        for (std::size_t i = 0; i < 3; ++i) {
            auto sum = parse_decimal(row[3 + i].text);
            if (!sum.ok()) return Error(ErrorKind::corrupt, "payment totals: a sum is too large for this database");
            *sums[i] = *sum;
        }
        totals.push_back(total);
        return {};
    }));
    return totals;
}

}  // namespace jiaozi::registry
