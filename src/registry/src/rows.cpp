#include "rows.hpp"

namespace jiaozi::registry {

std::vector<Type> types_of(std::span<const Column> columns, std::size_t times) {
    std::vector<Type> types;
    types.reserve(columns.size() * times);
    for (std::size_t i = 0; i < times; ++i) {
        for (const Column& column : columns) types.push_back(column.type);
    }
    return types;
}

std::string select_sql(std::string_view table, std::span<const Column> columns) {
    std::string sql = "SELECT ";
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (i > 0) sql += ", ";
        sql += columns[i].name;
    }
    sql += " FROM ";
    sql += table;
    return sql;
}

std::string insert_sql(std::string_view table, std::span<const Column> columns, std::size_t rows,
                       std::string_view tail) {
    std::string sql = "INSERT INTO ";
    sql += table;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        sql += i == 0 ? " (" : ", ";
        sql += columns[i].name;
    }
    sql += ") VALUES ";
    for (std::size_t i = 0; i < rows * columns.size(); ++i) {
        if (i % columns.size() == 0) sql += i == 0 ? "(" : "), (";
        if (i % columns.size() != 0) sql += ", ";
        sql += ":p" + std::to_string(i);
    }
    sql += ")";
    if (!tail.empty()) sql += " ";
    sql += tail;
    return sql;
}

std::string update_sql(std::string_view table, std::span<const Column> columns) {
    std::string sql = "UPDATE ";
    sql += table;
    for (std::size_t i = 1; i < columns.size(); ++i) {
        sql += i == 1 ? " SET " : ", ";
        sql += columns[i].name;
        sql += " = :p" + std::to_string(i - 1);
    }
    sql += " WHERE ";
    sql += columns[0].name;
    sql += " = :p" + std::to_string(columns.size() - 1);
    return sql;
}

Error row_not_found(std::string_view kind, std::string_view what) {
    return Error(ErrorKind::not_found, std::string(kind) + " " + std::string(what) + " does not exist")
        .with_code(std::string(kind) + "_not_found");
}

Result<std::uint64_t> read_number(Session& session, std::string_view kind, const Sql& sql) {
    constexpr Type number[] = {Type::number};
    Connection& connection = session.connection();
    JZ_TRY(Statement * statement, connection.prepare(kind, sql, number));
    std::uint64_t value = 0;
    Result<> done = connection.query(kind, *statement, [&]() -> Result<> {
        value = static_cast<std::uint64_t>(statement->columns[0].number);
        return {};
    });
    JZ_CHECK(std::move(done));
    return value;
}

namespace {

// The cursor's place in the order.
Result<std::uint64_t> cursor_place(Session& session, std::string_view kind, std::string_view table,
                                   std::string_view order, std::string_view field, const std::string& cursor) {
    constexpr Type number[] = {Type::number};
    const Error unknown =
        Error(ErrorKind::invalid, std::string(kind) + " \"" + cursor.substr(0, 64) +
                                      "\" does not exist; pass the id of an object that this list showed")
            .with_param(field);
    if (!check_text(kind, field, cursor, Text{1, 64}).ok()) return unknown;
    Connection& connection = session.connection();
    Sql sql("SELECT ");
    sql << order << " FROM " << table << " WHERE id = " << param(cursor);
    JZ_TRY(Statement * statement, connection.prepare(kind, sql, number));
    std::optional<std::uint64_t> place;
    Result<> done = connection.query(kind, *statement, [&]() -> Result<> {
        place = static_cast<std::uint64_t>(statement->columns[0].number);
        return {};
    });
    JZ_CHECK(std::move(done));
    if (!place) return unknown;
    return *place;
}

}  // namespace

Result<> append_page(Session& session, std::string_view kind, std::string_view table, std::string_view order,
                     const Page& page, Where& where) {
    if (page.limit < 1 || page.limit > page_limit_max) {
        return Error(ErrorKind::invalid, "limit must be 1 to " + std::to_string(page_limit_max)).with_param("limit");
    }
    if (!page.starting_after.empty() && !page.ending_before.empty()) {
        return Error(ErrorKind::invalid, "give starting_after or ending_before, not both").with_param("ending_before");
    }
    const bool backwards = !page.ending_before.empty();
    const std::string& cursor = backwards ? page.ending_before : page.starting_after;
    if (!cursor.empty()) {
        JZ_TRY(const std::uint64_t place,
               cursor_place(session, kind, table, order, backwards ? "ending_before" : "starting_after", cursor));
        where.next() << "(" << order << ", id) " << (backwards ? ">" : "<") << " (" << param(place) << ", "
                     << param(cursor) << ")";
    }
    const std::string_view direction = backwards ? "ASC" : "DESC";
    where.sql() << " ORDER BY " << order << " " << direction << ", id " << direction << " LIMIT "
                << param(std::uint64_t{page.limit} + 1);
    return {};
}

}  // namespace jiaozi::registry
