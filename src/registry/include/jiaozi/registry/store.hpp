// The relational store: people, groups, merchants, devices, keys, webhooks, and the projections of the journal.
// One schema over SQLite (default) and PostgreSQL; nothing in the interface tells which one it is.
//
//   JZ_TRY(auto store, Store::open({.url = "sqlite:/var/lib/jiaozi/registry.db"}));
//   JZ_TRY(auto session, store->session());
//   JZ_CHECK(insert(*session, person));
//   JZ_TRY(const Person same, get_person(*session, person.id));
//
// The operations on each kind of record are free functions over a Session, one header a kind (people.hpp,
// merchants.hpp, devices.hpp, payments.hpp, events.hpp, webhooks.hpp, keys.hpp; registry.hpp includes all).
// insert() refuses an id that exists; update() replaces the whole record under its id.
//
// Errors, besides those of page.hpp. No exception leaves the library.
//   conflict     already_exists        the id, or a value that must be unique, is taken; param names the column
//   not_found    <kind>_not_found      person_not_found, payment_not_found, …; the id stands in the message
//   not_found    reference_not_found   the record names another one that is not stored
//   invalid                            a field is over its limit or breaks a rule; param names the field
//   unavailable                        the database cannot be reached, or stayed locked for five seconds; safe to retry
//   timeout                            the connection was lost during a commit; whether it took place is unknown
//   conflict     schema_newer          the store was written by a newer program
//   corrupt                            a stored value does not parse
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <jiaozi/base/result.hpp>

namespace jiaozi::registry {

class Connection;  // internal: SOCI stays behind it

struct Options {
    // "sqlite:/path/registry.db" (created with mode 0600 if missing) or a libpq URI:
    // "postgresql://user@host:port/database", "postgresql:///database?host=/run/postgresql&user=jiaozi".
    std::string url;
    // Seal and open the secrets that the server must be able to read again (webhook signing secrets). Both or none.
    // Called from whichever thread uses a session. Without them such secrets stand in the database as given.
    std::function<std::string(std::string_view)> seal;
    std::function<Result<std::string>(std::string_view)> open;
};

enum class Durability : std::uint8_t {
    full,        // a committed transaction survives power loss
    projection,  // the newest commits may be lost together with their projection_sequence; the journal replays them
};

// One connection with its prepared statements. Not thread-safe: one thread at a time.
// A session whose connection was lost answers unavailable once, and connects again at its next use.
class Session {
  public:
    explicit Session(std::unique_ptr<Connection> connection);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    // Runs `work` in one serialisable transaction and commits, or rolls back when it returns an error or a statement
    // inside it failed (also if `work` dropped that failure). When the database reports that two transactions got in
    // each other's way, `work` is run again, up to five times: it must have no effects outside this session that may
    // not happen twice. Nested calls join the outer transaction.
    Result<> in_transaction(const std::function<Result<>()>& work);

    Connection& connection() noexcept { return *connection_; }  // for this library's own functions

  private:
    std::unique_ptr<Connection> connection_;
};

class Store;

// A session borrowed from the store's idle ones; goes back when the lease ends.
class Lease {
  public:
    Lease(Store& store, std::unique_ptr<Session> session) : store_(&store), session_(std::move(session)) {}
    ~Lease();
    Lease(Lease&& other) noexcept = default;
    Lease& operator=(Lease&&) = delete;

    Session& operator*() const noexcept { return *session_; }
    Session* operator->() const noexcept { return session_.get(); }

  private:
    Store* store_;
    std::unique_ptr<Session> session_;
};

// Thread-safe. Must outlive its sessions and leases.
class Store {
  public:
    // Connects, and brings the schema up to date: migrations are numbered and go forward only.
    static Result<std::unique_ptr<Store>> open(Options options);

    // A new connection.
    Result<std::unique_ptr<Session>> session(Durability durability = Durability::full);
    // An idle connection of Durability::full, or a new one. For request handlers on several threads.
    Result<Lease> borrow();

    int schema_version() const noexcept { return schema_version_; }

  private:
    friend class Lease;
    explicit Store(Options options) : options_(std::move(options)) {}
    void give_back(std::unique_ptr<Session> session);

    Options options_;
    int schema_version_ = 0;
    std::mutex mutex_;
    std::vector<std::unique_ptr<Session>> idle_;  // guarded by mutex_
};

}  // namespace jiaozi::registry
