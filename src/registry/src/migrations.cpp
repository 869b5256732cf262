#include "migrations.hpp"

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "connection.hpp"
#include "rows.hpp"

namespace jiaozi::registry {
namespace {

// What the two databases spell differently. A statement that starts with a token spelled empty there is left out.
struct Spelling {
    std::string_view token, sqlite, postgresql;
};
constexpr Spelling spellings[] = {
    // A key that the table counts upwards itself and never uses again.
    {"@counter_key", "INTEGER PRIMARY KEY AUTOINCREMENT", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"},
    // Two tables that refer to each other: SQLite takes the reference before the other table exists and cannot add it
    // later; PostgreSQL the other way round.
    {"@wallet_reference", " REFERENCES wallets (id) DEFERRABLE INITIALLY DEFERRED", " "},
    {"@add_wallet_reference", "",
     "ALTER TABLE merchants ADD FOREIGN KEY (wallet_id) REFERENCES wallets (id) DEFERRABLE INITIALLY DEFERRED"},
};

// A released migration never changes again; add the next number.
constexpr std::string_view records[] = {
    R"(CREATE TABLE people (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        locale TEXT NOT NULL,
        created BIGINT NOT NULL))",
    "CREATE INDEX people_created ON people (created, id)",

    R"(CREATE TABLE groups (
        id TEXT PRIMARY KEY,
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        created BIGINT NOT NULL))",
    "CREATE INDEX groups_created ON groups (created, id)",

    // A merchant and its wallet name each other, so one of the two references waits for the commit.
    R"(CREATE TABLE merchants (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        city TEXT NOT NULL,
        country TEXT NOT NULL,
        mcc TEXT NOT NULL,
        wallet_id TEXT @wallet_reference,
        created BIGINT NOT NULL))",
    "CREATE INDEX merchants_created ON merchants (created, id)",

    R"(CREATE TABLE devices (
        id TEXT PRIMARY KEY,
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        merchant_id TEXT REFERENCES merchants (id),
        state TEXT NOT NULL,
        iccid TEXT NOT NULL,
        imsi TEXT NOT NULL,
        imei TEXT NOT NULL,
        suite SMALLINT NOT NULL,
        public_key TEXT NOT NULL,
        credential_id TEXT NOT NULL,
        enrolment_code_hash TEXT NOT NULL,
        enrolment_expires BIGINT NOT NULL,
        last_hello BIGINT NOT NULL,
        created BIGINT NOT NULL))",
    "CREATE INDEX devices_created ON devices (created, id)",
    "CREATE INDEX devices_merchant ON devices (merchant_id, created, id)",
    "CREATE UNIQUE INDEX devices_credential ON devices (credential_id) WHERE credential_id <> ''",
    "CREATE UNIQUE INDEX devices_enrolment ON devices (enrolment_code_hash) WHERE enrolment_code_hash <> ''",

    R"(CREATE TABLE members (
        id TEXT PRIMARY KEY,
        group_id TEXT NOT NULL REFERENCES groups (id),
        person_id TEXT REFERENCES people (id),
        device_id TEXT UNIQUE REFERENCES devices (id),
        role TEXT NOT NULL,
        created BIGINT NOT NULL,
        CONSTRAINT members_are_one_of_two CHECK ((person_id IS NULL) <> (device_id IS NULL)),
        UNIQUE (group_id, person_id)))",
    "CREATE INDEX members_person ON members (person_id)",

    R"(CREATE TABLE wallets (
        id TEXT PRIMARY KEY,
        group_id TEXT REFERENCES groups (id),
        merchant_id TEXT REFERENCES merchants (id),
        name TEXT NOT NULL,
        asset TEXT NOT NULL,
        frozen SMALLINT NOT NULL,
        created BIGINT NOT NULL,
        CONSTRAINT wallets_have_one_owner CHECK ((group_id IS NULL) <> (merchant_id IS NULL))))",
    "@add_wallet_reference",
    "CREATE INDEX wallets_created ON wallets (created, id)",
    "CREATE INDEX wallets_group ON wallets (group_id)",
    "CREATE INDEX wallets_merchant ON wallets (merchant_id)",

    R"(CREATE TABLE limits (
        id TEXT PRIMARY KEY,
        member_id TEXT NOT NULL REFERENCES members (id) ON DELETE CASCADE,
        kind TEXT NOT NULL,
        category TEXT NOT NULL,
        amount TEXT NOT NULL,
        asset TEXT NOT NULL,
        window_days BIGINT NOT NULL CHECK (window_days BETWEEN 1 AND 366),
        created BIGINT NOT NULL,
        CONSTRAINT limits_category CHECK ((kind = 'per_category') = (category <> ''))))",
    "CREATE INDEX limits_member ON limits (member_id)",

    R"(CREATE TABLE products (
        id TEXT PRIMARY KEY,
        merchant_id TEXT NOT NULL REFERENCES merchants (id),
        name TEXT NOT NULL,
        name_zh TEXT NOT NULL,
        category TEXT NOT NULL,
        created BIGINT NOT NULL))",
    "CREATE INDEX products_created ON products (created, id)",
    "CREATE INDEX products_merchant ON products (merchant_id, created, id)",

    R"(CREATE TABLE slots (
        device_id TEXT NOT NULL REFERENCES devices (id),
        slot BIGINT NOT NULL CHECK (slot >= 1),
        product_id TEXT NOT NULL REFERENCES products (id),
        price TEXT NOT NULL,
        asset TEXT NOT NULL,
        PRIMARY KEY (device_id, slot)))",

    R"(CREATE TABLE api_keys (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        hash TEXT NOT NULL UNIQUE,
        last4 TEXT NOT NULL,
        scopes TEXT NOT NULL,
        person_id TEXT REFERENCES people (id),
        revoked SMALLINT NOT NULL,
        created BIGINT NOT NULL))",
    "CREATE INDEX api_keys_created ON api_keys (created, id)",

    R"(CREATE TABLE idempotency (
        key TEXT PRIMARY KEY,
        request_hash TEXT NOT NULL,
        status BIGINT NOT NULL,
        body TEXT NOT NULL,
        created BIGINT NOT NULL))",
    "CREATE INDEX idempotency_created ON idempotency (created)",
};

// Projections hold no references: a rebuild must not fail because the registry, restored from a backup, lacks a row.
constexpr std::string_view projections[] = {
    R"(CREATE TABLE payments (
        id TEXT PRIMARY KEY,
        kind TEXT NOT NULL,
        state TEXT NOT NULL,
        reason TEXT NOT NULL,
        first_state TEXT NOT NULL,
        amount TEXT NOT NULL,
        asset TEXT NOT NULL,
        captured TEXT NOT NULL,
        refunded TEXT NOT NULL,
        payer_wallet TEXT,
        payer_member TEXT,
        payee_wallet TEXT,
        device_id TEXT,
        payer_device TEXT,
        product_id TEXT,
        slot BIGINT NOT NULL,
        quantity BIGINT NOT NULL,
        delivered BIGINT NOT NULL,
        late_delivery SMALLINT NOT NULL,
        request_hash TEXT NOT NULL,
        sequence BIGINT NOT NULL,
        created BIGINT NOT NULL,
        updated BIGINT NOT NULL,
        expires BIGINT NOT NULL))",
    "CREATE INDEX payments_created ON payments (created, id)",
    "CREATE INDEX payments_device ON payments (device_id, created, id)",
    "CREATE INDEX payments_payer ON payments (payer_wallet, created, id)",
    "CREATE INDEX payments_payee ON payments (payee_wallet, created, id)",

    R"(CREATE TABLE refunds (
        id TEXT PRIMARY KEY,
        payment_id TEXT NOT NULL,
        amount TEXT NOT NULL,
        asset TEXT NOT NULL,
        created BIGINT NOT NULL))",
    "CREATE INDEX refunds_created ON refunds (created, id)",
    "CREATE INDEX refunds_payment ON refunds (payment_id, created, id)",

    R"(CREATE TABLE events (
        position @counter_key,
        id TEXT NOT NULL UNIQUE,
        type TEXT NOT NULL,
        object_id TEXT NOT NULL,
        data TEXT NOT NULL,
        created BIGINT NOT NULL))",
    "CREATE INDEX events_object ON events (object_id, position)",

    R"(CREATE TABLE projection_state (
        name TEXT PRIMARY KEY,
        sequence BIGINT NOT NULL))",
};

constexpr std::string_view webhooks[] = {
    R"(CREATE TABLE webhook_endpoints (
        id TEXT PRIMARY KEY,
        url TEXT NOT NULL,
        secret TEXT NOT NULL,
        events TEXT NOT NULL,
        enabled SMALLINT NOT NULL,
        created BIGINT NOT NULL))",

    R"(CREATE TABLE webhook_deliveries (
        id TEXT PRIMARY KEY,
        endpoint_id TEXT NOT NULL REFERENCES webhook_endpoints (id) ON DELETE CASCADE,
        event_id TEXT NOT NULL,
        attempt BIGINT NOT NULL,
        status BIGINT NOT NULL,
        response TEXT NOT NULL,
        done SMALLINT NOT NULL,
        next_attempt BIGINT NOT NULL,
        created BIGINT NOT NULL,
        updated BIGINT NOT NULL,
        UNIQUE (endpoint_id, event_id)))",
    "CREATE INDEX webhook_deliveries_created ON webhook_deliveries (created, id)",
    "CREATE INDEX webhook_deliveries_event ON webhook_deliveries (event_id)",
    "CREATE INDEX webhook_deliveries_due ON webhook_deliveries (next_attempt) WHERE done = 0",
};

constexpr std::string_view device_enrolled[] = {
    "ALTER TABLE devices ADD COLUMN enrolled BIGINT NOT NULL DEFAULT 0",
};

constexpr std::string_view offline_payments[] = {
    "ALTER TABLE payments ADD COLUMN offline TEXT NOT NULL DEFAULT ''",
};

// A payment service that starts asks for those in delivery, however many are done.
constexpr std::string_view payments_open[] = {
    "CREATE INDEX payments_open ON payments (id) WHERE state = 'authorized'",
};

struct Migration {
    std::string_view name;
    std::span<const std::string_view> statements;
};

// The version of a migration is its place in this table, from 1.
constexpr std::array migrations = {
    Migration{"records", records},
    Migration{"projections", projections},
    Migration{"webhooks", webhooks},
    Migration{"device_enrolled", device_enrolled},
    Migration{"offline_payments", offline_payments},
    Migration{"payments_open", payments_open},
};
constexpr int newest_version = static_cast<int>(migrations.size());

std::string spelled_for(Backend backend, std::string_view statement) {
    std::string text(statement);
    for (const Spelling& spelling : spellings) {
        const std::size_t at = text.find(spelling.token);
        if (at == std::string::npos) continue;
        text.replace(at, spelling.token.size(), backend == Backend::sqlite ? spelling.sqlite : spelling.postgresql);
    }
    return text;
}

Result<> run(Connection& connection, std::string_view statement) {
    JZ_CHECK(connection.execute("schema", Sql(statement)));
    return {};
}

Result<int> stored_version(Session& session) {
    JZ_TRY(const std::uint64_t version,
           read_number(session, "schema", Sql("SELECT max(version) FROM schema_migrations")));
    return static_cast<int>(version);
}

// Held to the end of the transaction. SQLite's BEGIN IMMEDIATE has taken its lock already.
Result<> take_turns(Session& session) {
    if (session.connection().backend() == Backend::sqlite) return {};
    constexpr std::uint64_t lock_number = 0x6A69616F7A690001;  // "jiaozi", 1
    JZ_CHECK(read_number(session, "schema",
                         Sql("SELECT count(*) FROM pg_advisory_xact_lock(") << param(lock_number) << ")"));
    return {};
}

Result<> require_utf8(Session& session) {
    if (session.connection().backend() == Backend::sqlite) return {};
    const Sql sql(
        "SELECT count(*) FROM pg_database WHERE datname = current_database() AND pg_encoding_to_char(encoding) = "
        "'UTF8'");
    JZ_TRY(const std::uint64_t utf8, read_number(session, "schema", sql));
    if (utf8 == 1) return {};
    return Error(ErrorKind::invalid,
                 "registry: the database's encoding must be UTF8; create it with ENCODING 'UTF8' TEMPLATE template0")
        .with_param("url");
}

Result<> apply_next(Session& session, int version) {
    const Migration& migration = migrations[static_cast<std::size_t>(version - 1)];
    Connection& connection = session.connection();
    for (const std::string_view statement : migration.statements) {
        const std::string spelled = spelled_for(connection.backend(), statement);
        if (!spelled.empty()) JZ_CHECK(run(connection, spelled));
    }
    JZ_CHECK(connection.execute("schema", Sql("INSERT INTO schema_migrations (version, name) VALUES (")
                                              << param(static_cast<std::uint64_t>(version)) << ", "
                                              << param(migration.name) << ")"));
    return {};
}

}  // namespace

Result<int> migrate(Session& session) {
    JZ_CHECK(require_utf8(session));
    Connection& connection = session.connection();
    int version = 0;
    do {
        Result<> done = connection.transaction(Connection::Isolation::batch, [&]() -> Result<> {
            JZ_CHECK(take_turns(session));
            JZ_CHECK(
                run(connection,
                    "CREATE TABLE IF NOT EXISTS schema_migrations (version BIGINT PRIMARY KEY, name TEXT NOT NULL)"));
            JZ_TRY(version, stored_version(session));
            if (version >= newest_version) return {};
            JZ_CHECK(apply_next(session, version + 1));
            ++version;
            return {};
        });
        JZ_CHECK(std::move(done));
    } while (version < newest_version);
    if (version > newest_version) {
        return Error(ErrorKind::conflict, "registry: the store's schema is version " + std::to_string(version) +
                                              ", and this program knows versions up to " +
                                              std::to_string(newest_version) +
                                              "; install the newer program that wrote it")
            .with_code("schema_newer");
    }
    return version;
}

}  // namespace jiaozi::registry
