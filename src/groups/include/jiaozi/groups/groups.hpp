// People, groups, members, wallets and limits: who may pay from what, and who may change that.
//
// The records live in the registry; what the payment flow asks for is kept in memory and changed after each write, so
// that no payment waits for SQL. Money lives in the ledger under the wallet's id.
//
// Idempotency: the caller gives each object its id. The same id and content again answers the stored object and changes
// nothing; the same id with other content is Error conflict `already_exists`.
// Rights: `Actor` is the person who asks. Owners and admins of a group change its settings; only an owner makes or
// unmakes an owner or admin; a group keeps at least one owner once it has one. Error forbidden `not_group_admin`.
// Threading: application thread only, but for balance(), which any thread may call. Must outlive the session it was
// given and be destroyed on the application thread; completions that come later are dropped.
// Errors besides: those of the registry (store.hpp) and of the engine (engine.hpp).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <jiaozi/api/app_thread.hpp>
#include <jiaozi/api/balances.hpp>
#include <jiaozi/api/events.hpp>
#include <jiaozi/api/groups.hpp>
#include <jiaozi/base/clock.hpp>
#include <jiaozi/engine/engine.hpp>
#include <jiaozi/registry/store.hpp>

namespace jiaozi::groups {

// Who asks. No person: the operator, who may do everything.
struct Actor {
    PersonId person;
};

// All must outlive the service. `session` is the service's own.
struct Parts {
    registry::Session& session;
    engine::Engine& engine;
    const Clock& clock;
    api::AppThread& app;
    api::EventSignal& events;
};

// Money put into a wallet from the sandbox's funding account.
struct Deposit {
    DepositId id;
    WalletId wallet;
    Amount amount;
    Timestamp created;
};

enum class Direction : std::uint8_t { debit = 1, credit };  // out of the wallet, into it
// posted: money moved. held: set aside for a payment in delivery. released: a hold ended and nothing moved.
enum class Phase : std::uint8_t { posted = 1, held, released };
std::string_view name_of(Direction);
std::string_view name_of(Phase);

// One change of a wallet.
struct StatementRow {
    Timestamp timestamp;
    uint128 transfer = 0;   // the ledger's transfer; for a hold that ran out, the hold's
    uint128 reference = 0;  // the transfer's user_data_128: the payment or deposit behind it
    Direction direction = Direction::credit;
    Phase phase = Phase::posted;
    Amount amount;
    Amount balance_after;  // total: posted credits less posted debits
    Amount held_after;
    std::uint16_t code = 0;  // api/accounts.hpp
};

struct StatementQuery {
    Timestamp from;               // inclusive
    Timestamp to = {UINT64_MAX};  // inclusive
    std::uint32_t limit = 20;     // 1 to 100
    std::string cursor;           // `next` of the page before, whose other fields must be the same
};

// Newest first.
struct Statement {
    std::vector<StatementRow> rows;
    std::string next;  // empty: no more
};

class GroupService final : public api::Groups, public api::Balances {
  public:
    // Reads members, wallets and limits. Error corrupt when a wallet has no account in the ledger: then registry and
    // journal do not belong together.
    static Result<std::unique_ptr<GroupService>> load(Parts parts);
    ~GroupService() override;
    GroupService(const GroupService&) = delete;
    GroupService& operator=(const GroupService&) = delete;

    // Each object is given with its id; `created` is set here. What is stored is returned.
    Result<Person> create_person(Person person);
    // A person who makes a group becomes its owner: the member whose id has the group id's number.
    Result<Group> create_group(Group group, Actor actor);
    // Exactly one of person and device; a device is a plain member.
    Result<Member> add_member(Member member, Actor actor);
    Result<Member> set_role(MemberId member, Role role, Actor actor);
    // And its limits. A member may leave by itself.
    Result<> remove_member(MemberId member, Actor actor);
    // per_payment and per_day have no category; amount above zero; window_days 1 to 366.
    Result<Limit> create_limit(Limit limit, Actor actor);
    Result<> remove_limit(LimitId limit, Actor actor);

    // Opens the ledger account first, so that no wallet is ever shown without one. Group wallets only: a merchant's is
    // opened by the service merchants, which then calls adopt().
    void open_wallet(Wallet wallet, Actor actor, api::Done<Wallet> done);
    void adopt(const Wallet& wallet);
    // A frozen wallet takes and gives nothing; holds made before can still be released.
    void set_frozen(WalletId wallet, bool frozen, Actor actor, api::Done<Wallet> done);
    // From the sandbox's funding account. Error declined `wallet_frozen`; conflict `idempotency_mismatch`.
    void deposit(Deposit deposit, Actor actor, api::Done<Deposit> done);

    Result<Statement> statement(WalletId wallet, const StatementQuery& query) const;
    std::optional<api::Balance> balance(WalletId wallet) const override;

    // Members see their group; owners and admins manage it.
    bool may_see(GroupId group, Actor actor) const;
    bool may_manage(GroupId group, Actor actor) const;

    const Limit* limit(LimitId id) const;
    const Member* member(MemberId id) const override;
    const Member* member_of_device(DeviceId device) const override;
    const Member* member_of_person(PersonId person, GroupId group) const override;
    std::vector<const Member*> members_of(GroupId group) const;        // oldest first
    std::vector<const Member*> memberships_of(PersonId person) const;  // oldest first
    const Wallet* wallet(WalletId id) const override;
    const Wallet* wallet_of_group(GroupId group, const Asset& asset) const override;
    std::vector<const Wallet*> wallets_of_group(GroupId group) const override;
    std::vector<const Limit*> limits_of(MemberId member) const override;

  private:
    struct State;
    explicit GroupService(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace jiaozi::groups
