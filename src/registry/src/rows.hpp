// What all kinds of record have in common: insert, update, get, list. Written once over Map<Record>.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <jiaozi/registry/page.hpp>
#include <jiaozi/registry/store.hpp>

#include "connection.hpp"
#include "fields.hpp"
#include "sql.hpp"

namespace jiaozi::registry {

template <class Record>
const std::vector<Column>& columns_of() {
    static const std::vector<Column> columns = [] {
        ShapeVisitor shape;
        const Record record{};
        Map<Record>::fields(shape, record);
        return std::move(shape.columns);
    }();
    return columns;
}

std::vector<Type> types_of(std::span<const Column> columns, std::size_t times = 1);
std::string select_sql(std::string_view table, std::span<const Column> columns);
// INSERT of `rows` rows, with what follows the values ("", or an ON CONFLICT clause).
std::string insert_sql(std::string_view table, std::span<const Column> columns, std::size_t rows,
                       std::string_view tail);
// UPDATE of every column but the first, WHERE the first; its parameters in the columns' order, the key last.
std::string update_sql(std::string_view table, std::span<const Column> columns);
// "person per_… does not exist", code person_not_found.
Error row_not_found(std::string_view kind, std::string_view what);

template <class Record>
Result<> bind_row(Statement& statement, const Record& record, std::size_t at = 0) {
    BindVisitor binder(Map<Record>::kind, statement.params, at);
    Map<Record>::fields(binder, record);
    return std::move(binder).outcome();
}

template <class Record>
Result<Record> read_row(const Statement& statement) {
    Record record{};
    ReadVisitor reader(Map<Record>::kind, statement.columns);
    Map<Record>::fields(reader, record);
    JZ_CHECK(std::move(reader).outcome());
    return record;
}

template <class Record>
std::string select_from() {
    return select_sql(Map<Record>::table, columns_of<Record>());
}

template <class Record>
Result<> insert_row(Session& session, const Record& record) {
    static const std::string sql = insert_sql(Map<Record>::table, columns_of<Record>(), 1, "");
    static const std::vector<Type> types = types_of(columns_of<Record>());
    Connection& connection = session.connection();
    JZ_TRY(Statement * statement, connection.prepare(Map<Record>::kind, sql, types, {}));
    JZ_CHECK(bind_row(*statement, record));
    JZ_CHECK(connection.execute(Map<Record>::kind, *statement));
    return {};
}

// The most rows one INSERT carries: 32 rows of 30 columns stay far below both databases' limits on parameters.
inline constexpr std::size_t rows_per_statement = 32;

// Inserts many rows, some to a statement, in one transaction; Map<Record>::on_conflict says what happens to those that
// are stored already. Returns how many rows changed.
template <class Record>
Result<std::uint64_t> insert_rows(Session& session, std::span<const Record* const> records) {
    // Two shapes of statement only, so that both stay prepared.
    struct Shape {
        explicit Shape(std::size_t count)
            : rows(count),
              sql(insert_sql(Map<Record>::table, columns_of<Record>(), count, Map<Record>::on_conflict)),
              types(types_of(columns_of<Record>(), count)) {}
        std::size_t rows;
        std::string sql;
        std::vector<Type> types;
    };
    static const Shape many(rows_per_statement);
    static const Shape one(1);
    Connection& connection = session.connection();
    const std::size_t width = columns_of<Record>().size();
    std::uint64_t changed = 0;
    Result<> done = connection.transaction(Connection::Isolation::batch, [&]() -> Result<> {
        changed = 0;
        for (std::size_t at = 0; at < records.size();) {
            const Shape& shape = records.size() - at >= many.rows ? many : one;
            JZ_TRY(Statement * statement, connection.prepare(Map<Record>::kind, shape.sql, shape.types, {}));
            for (std::size_t i = 0; i < shape.rows; ++i) JZ_CHECK(bind_row(*statement, *records[at + i], i * width));
            JZ_TRY(const std::uint64_t rows, connection.execute(Map<Record>::kind, *statement));
            changed += rows;
            at += shape.rows;
        }
        return {};
    });
    JZ_CHECK(std::move(done));
    return changed;
}

template <class Record>
Result<> update_row(Session& session, const Record& record) {
    static const std::string sql = update_sql(Map<Record>::table, columns_of<Record>());
    // Binding visits the key first; in the statement it comes last.
    static const std::vector<Type> types = [] {
        std::vector<Type> order = types_of(columns_of<Record>());
        std::rotate(order.begin(), order.begin() + 1, order.end());
        return order;
    }();
    Connection& connection = session.connection();
    JZ_TRY(Statement * statement, connection.prepare(Map<Record>::kind, sql, types, {}));
    std::vector<Cell> cells(types.size());
    BindVisitor binder(Map<Record>::kind, cells, 0);
    Map<Record>::fields(binder, record);
    JZ_CHECK(std::move(binder).outcome());
    for (std::size_t i = 0; i < cells.size(); ++i) {
        Cell& param = statement->params[i == 0 ? cells.size() - 1 : i - 1];
        const Type type = param.type;
        param = std::move(cells[i]);
        param.type = type;
    }
    const std::string key = statement->params.back().text;
    JZ_TRY(const std::uint64_t changed, connection.execute(Map<Record>::kind, *statement));
    if (changed == 0) return row_not_found(Map<Record>::kind, key);
    return {};
}

// All rows of a query that starts with select_from<Record>().
template <class Record>
Result<std::vector<Record>> read_all(Session& session, const Sql& sql) {
    static const std::vector<Type> types = types_of(columns_of<Record>());
    Connection& connection = session.connection();
    JZ_TRY(Statement * statement, connection.prepare(Map<Record>::kind, sql, types));
    std::vector<Record> records;
    Result<> done = connection.query(Map<Record>::kind, *statement, [&]() -> Result<> {
        JZ_TRY(Record record, read_row<Record>(*statement));
        records.push_back(std::move(record));
        return {};
    });
    JZ_CHECK(std::move(done));
    return records;
}

// The row where `column` has this value; Error <kind>_not_found with `what` in the message.
template <class Record>
Result<Record> get_row(Session& session, std::string_view column, Cell value, std::string_view what) {
    JZ_TRY(auto found,
           read_all<Record>(session, Sql(select_from<Record>()) << " WHERE " << column << " = " << std::move(value)));
    if (found.empty()) return row_not_found(Map<Record>::kind, what);
    return std::move(found.front());
}

template <class Record, class Tag>
Result<Record> get_row(Session& session, Id<Tag> id) {
    return get_row<Record>(session, "id", param(id), id.to_string());
}

template <class Tag>
Result<> erase_row(Session& session, std::string_view table, std::string_view kind, Id<Tag> id) {
    JZ_TRY(const auto gone,
           session.connection().execute(kind, Sql("DELETE FROM ") << table << " WHERE id = " << param(id)));
    if (gone == 0) return row_not_found(kind, id.to_string());
    return {};
}

// One number out of a query, 0 when it has no row or the value is NULL.
Result<std::uint64_t> read_number(Session& session, std::string_view kind, const Sql& sql);

// Checks the page and appends its condition, order and limit (one row more, to learn whether there are more).
Result<> append_page(Session& session, std::string_view kind, std::string_view table, std::string_view order,
                     const Page& page, Where& where);

template <class Record>
Result<Listing<Record>> list_rows(Session& session, Where where, const Page& page) {
    JZ_CHECK(append_page(session, Map<Record>::kind, Map<Record>::table, Map<Record>::order, page, where));
    Listing<Record> listing;
    JZ_TRY(listing.data, read_all<Record>(session, where.sql()));
    listing.has_more = listing.data.size() > page.limit;
    if (listing.has_more) listing.data.pop_back();
    // Going towards newer ones, rows come oldest first; a page is always shown newest first.
    if (!page.ending_before.empty()) std::reverse(listing.data.begin(), listing.data.end());
    return listing;
}

}  // namespace jiaozi::registry
