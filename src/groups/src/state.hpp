// What the parts of GroupService share.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <jiaozi/groups/groups.hpp>

#include "cache.hpp"

namespace jiaozi::groups {

struct GroupService::State {
    explicit State(Parts given) : parts(given) {}

    // Runs `work` and appends the events in one transaction, then tells the followers.
    Result<> record(std::vector<Event> events, const std::function<Result<>()>& work);
    Event event(std::string_view type, std::string object_id, std::string data) const;

    // Submits, and calls `then` on the application thread with the outcome; `done` gets what `then` returns, or the
    // engine's error. Dropped when the service is gone by then.
    template <class T>
    void commit(engine::Command command, api::Done<T> done,
                std::move_only_function<Result<T>(const engine::Outcome&)> then) {
        api::AppThread& app = parts.app;
        parts.engine.submit(std::move(command), [&app, alive = std::weak_ptr(alive), done = std::move(done),
                                                 then = std::move(then)](Result<engine::Outcome> outcome) mutable {
            app.post([alive = std::move(alive), done = std::move(done), then = std::move(then),
                      outcome = std::move(outcome)]() mutable {
                if (alive.expired()) return;
                done(outcome.ok() ? then(*outcome) : Result<T>(std::move(outcome).error()));
            });
        });
    }

    Result<> require_manager(GroupId group, Actor actor) const;
    Result<> require_owner(GroupId group, Actor actor) const;
    Result<const Wallet*> managed_wallet(WalletId id, Actor actor) const;
    const Member* member_of_person(PersonId person, GroupId group) const;

    Parts parts;
    Cache cache;
    std::shared_ptr<char> alive = std::make_shared<char>();
};

// The same id with other content.
Error already_exists(std::string_view kind, std::string_view id);
Result<> check_id(bool present);
Result<> check_asset(const Asset& asset);

}  // namespace jiaozi::groups
