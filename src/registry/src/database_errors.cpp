#include "database_errors.hpp"

#include <exception>
#include <string>

#include <soci/postgresql/soci-postgresql.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

namespace jiaozi::registry {
namespace {

// The columns named between `before` and `after`, without their table: "group_id, person_id".
std::string columns_between(const std::string& message, std::string_view before, std::string_view after) {
    const std::size_t start = message.find(before);
    if (start == std::string::npos) return {};
    const std::size_t from = start + before.size();
    std::string list = message.substr(from, message.find(after, from) - from);
    std::string bare;
    for (std::size_t at = 0; at < list.size();) {
        const std::size_t comma = std::min(list.find(", ", at), list.size());
        std::string column = list.substr(at, comma - at);
        if (const std::size_t dot = column.find('.'); dot != std::string::npos) column.erase(0, dot + 1);
        if (!bare.empty()) bare += ", ";
        bare += column;
        at = comma + 2;
    }
    return bare;
}

Error already_exists(std::string_view kind, const std::string& columns) {
    return Error(ErrorKind::conflict,
                 "another " + std::string(kind) + " with this " + (columns.empty() ? "value" : columns) + " exists")
        .with_code("already_exists")
        .with_param(columns);
}

Error reference_missing(std::string_view kind) {
    return Error(ErrorKind::not_found,
                 std::string(kind) + ": it names another object that does not exist; create that one first")
        .with_code("reference_not_found");
}

// SOCI's libraries keep the run-time type of their session backends to themselves, so neither dynamic_cast nor the
// sanitizer's check of it can link; the backend's name says what it is.
__attribute__((no_sanitize("vptr"))) int sqlite_code(soci::session* session) {
    if (session == nullptr || session->get_backend_name() != "sqlite3") return SQLITE_OK;
    return sqlite_api::sqlite3_extended_errcode(
        static_cast<soci::sqlite3_session_backend*>(session->get_backend())->conn_);
}

__attribute__((no_sanitize("vptr"))) bool postgresql_lost(soci::session* session) {
    if (session == nullptr || session->get_backend_name() != "postgresql") return session == nullptr;
    return PQstatus(static_cast<soci::postgresql_session_backend*>(session->get_backend())->conn_) != CONNECTION_OK;
}

std::string first_line(const std::string& message) {
    return message.substr(0, message.find('\n'));
}

Error other(ErrorKind errorkind, std::string_view kind, const std::string& message) {
    return Error(errorkind, "registry: " + std::string(kind) + ": " + first_line(message));
}

Translated from_sqlite(std::string_view kind, int extended, const std::string& message) {
    switch (extended) {
        case SQLITE_CONSTRAINT_PRIMARYKEY:
        case SQLITE_CONSTRAINT_UNIQUE:
        case SQLITE_CONSTRAINT_ROWID:
            return {already_exists(kind, columns_between(message, "UNIQUE constraint failed: ", "\n"))};
        case SQLITE_CONSTRAINT_FOREIGNKEY:
            return {reference_missing(kind)};
        default:
            break;
    }
    switch (extended & 0xFF) {
        case SQLITE_CONSTRAINT:
            return {other(ErrorKind::invalid, kind, message)};
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return {other(ErrorKind::unavailable, kind, "the database is locked by another writer; try again")};
        case SQLITE_FULL:
        case SQLITE_IOERR:
        case SQLITE_READONLY:
        case SQLITE_CANTOPEN:
        case SQLITE_PERM:
            return {other(ErrorKind::io, kind, message)};
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return {other(ErrorKind::corrupt, kind, message)};
        case SQLITE_TOOBIG:
            return {other(ErrorKind::too_large, kind, message)};
        default:
            return {other(ErrorKind::internal, kind, message)};
    }
}

// SQLSTATE: PostgreSQL 15 documentation, appendix A.
Translated from_postgresql(std::string_view kind, std::string_view state, const std::string& message) {
    if (state == "23505") return {already_exists(kind, columns_between(message, "Key (", ")="))};
    if (state == "23503") return {reference_missing(kind)};
    if (state == "55P03")
        return {other(ErrorKind::unavailable, kind, "the database is locked by another writer; try again")};
    if (state == "40001" || state == "40P01") {
        return {.error = other(ErrorKind::unavailable, kind, "another transaction is in the way; try again"),
                .collided = true};
    }
    const std::string_view group = state.substr(0, 2);
    if (group == "08" || state == "57P01" || state == "57P02" || state == "57P03") {
        return {.error = other(ErrorKind::unavailable, kind, message), .lost = true};
    }
    if (group == "53") return {other(ErrorKind::unavailable, kind, message)};
    if (group == "22" || group == "23") return {other(ErrorKind::invalid, kind, message)};
    if (group == "28" || state == "42501") return {other(ErrorKind::forbidden, kind, message)};
    if (group == "58" || group == "XX") return {other(ErrorKind::io, kind, message)};
    return {other(ErrorKind::internal, kind, message)};
}

}  // namespace

Translated translate_exception(std::string_view kind, soci::session* session) {
    try {
        throw;
    } catch (const soci::postgresql_soci_error& error) {
        if (postgresql_lost(session)) {
            return {.error = other(ErrorKind::unavailable, kind,
                                   "no connection to PostgreSQL: " + error.get_error_message()),
                    .lost = true};
        }
        return from_postgresql(kind, error.sqlstate(), error.get_error_message());
    } catch (const soci::sqlite3_soci_error& error) {
        const int code = sqlite_code(session);
        return from_sqlite(kind, code == SQLITE_OK ? error.result() : code, error.get_error_message());
    } catch (const soci::soci_error& error) {
        // SOCI throws its plain error where SQLite refuses to prepare or bind, and where it cannot connect.
        const std::string message = error.get_error_message();
        if (const int code = sqlite_code(session); code != SQLITE_OK) return from_sqlite(kind, code, message);
        const bool lost = postgresql_lost(session);
        return {.error = other(lost ? ErrorKind::unavailable : ErrorKind::internal, kind, message), .lost = lost};
    } catch (const std::exception& error) {
        return {other(ErrorKind::internal, kind, error.what())};
    } catch (...) {
        return {other(ErrorKind::internal, kind, "an exception of unknown type")};
    }
}

}  // namespace jiaozi::registry
