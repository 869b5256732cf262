#include <utility>

#include <jiaozi/registry/store.hpp>

#include "connection.hpp"
#include "migrations.hpp"

namespace jiaozi::registry {

Session::Session(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
Session::~Session() = default;

Result<> Session::in_transaction(const std::function<Result<>()>& work) {
    return connection_->transaction(Connection::Isolation::serializable, work);
}

Lease::~Lease() {
    if (session_) store_->give_back(std::move(session_));
}

Result<std::unique_ptr<Store>> Store::open(Options options) {
    if (static_cast<bool>(options.seal) != static_cast<bool>(options.open)) {
        return Error(ErrorKind::invalid, "registry: give both seal and open, or neither");
    }
    std::unique_ptr<Store> store(new Store(std::move(options)));
    JZ_TRY(auto session, store->session());
    JZ_TRY(store->schema_version_, migrate(*session));
    store->give_back(std::move(session));
    return store;
}

Result<std::unique_ptr<Session>> Store::session(Durability durability) {
    JZ_TRY(auto connection, Connection::open(options_, durability));
    return std::make_unique<Session>(std::move(connection));
}

Result<Lease> Store::borrow() {
    {
        const std::lock_guard lock(mutex_);
        if (!idle_.empty()) {
            auto session = std::move(idle_.back());
            idle_.pop_back();
            return Lease(*this, std::move(session));
        }
    }
    JZ_TRY(auto fresh, session());
    return Lease(*this, std::move(fresh));
}

void Store::give_back(std::unique_ptr<Session> session) {
    // A lost connection, or one whose holder left in the middle of a transaction, is closed instead.
    if (session->connection().lost() || session->connection().in_transaction()) return;
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(session));
}

}  // namespace jiaozi::registry
