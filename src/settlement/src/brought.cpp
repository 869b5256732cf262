// What others bring: sealed deposits by mules, and HEADs that contradict ours.
#include <algorithm>

#include <jiaozi/base/log.hpp>

#include "impl.hpp"
#include "objects.hpp"

namespace jiaozi::settlement {
namespace {

constexpr std::size_t most_alarms = 64;

}  // namespace

void Settlement::Impl::settle_carried(std::vector<Bytes> messages, uint128 sender,
                                      api::Done<std::vector<Reason>> done) {
    if (failure_) return done(stopped());
    if (parts_.mules == nullptr) return done(Error(ErrorKind::unavailable, "this ledger has no deposit key for mules"));
    if (messages.size() > max_carried) {
        return done(Error(ErrorKind::too_large, "a bundle has at most 16 messages; send them in several")
                        .with_code("batch_too_large"));
    }
    const std::uint32_t strikes = sender_strikes_.of(sender, minute());
    if (strikes >= options_.strikes) return done(std::vector<Reason>(messages.size(), Reason::rate_limited));
    auto carried = std::make_shared<Carried>();
    carried->messages = std::move(messages);
    carried->deposits.resize(carried->messages.size());
    carried->sender = sender;
    carried->done = std::move(done);
    ++verifying_;
    const auto open = [carried, opener = parts_.mules](std::size_t i) {
        if (auto deposit = opener->open(carried->messages[i]); deposit.ok()) {
            carried->deposits[i] = std::move(deposit).value();
        }
    };
    verifiers_.work_off(carried->messages.size(), open, strikes > 0, [alive = std::weak_ptr(alive_), carried] {
        if (const auto self = alive.lock()) (*self)->opened(carried);
    });
}

void Settlement::Impl::opened(const std::shared_ptr<Carried>& carried) {
    --verifying_;
    std::vector<Bytes> items;
    std::vector<Reason> rows;
    for (std::optional<Bytes>& deposit : carried->deposits) {
        rows.push_back(deposit ? Reason::ok : Reason::unreadable);
        ++(deposit ? counters.carried : counters.unreadable);
        if (deposit) {
            items.push_back(std::move(*deposit));
        } else {
            sender_strikes_.add(carried->sender, minute());
        }
    }
    // Anybody can seal junk, so what the checks find counts too; the answer does not say it, or a mule would learn of
    // the payments of others.
    settle(std::move(items), 0,
           [this, carried, rows = std::move(rows)](Result<std::vector<ItemAnswer>> settled) mutable {
               if (!settled.ok()) return carried->done(std::move(settled).error());
               for (const ItemAnswer& answer : *settled) {
                   if (answer.reason != Reason::ok) sender_strikes_.add(carried->sender, minute());
               }
               carried->done(std::move(rows));
           });
}

bool Settlement::Impl::signed_by_us(const purse::Object& object, const purse::Kid& issuer) const {
    for (const purse_host::PurseSigner* signer : parts_.issuers) {
        const RootKey key{signer->suite(), signer->public_key()};
        if (kid_of(key) != issuer || static_cast<crypto::Suite>(object.suite) != key.suite) continue;
        VerifyJob job{std::make_shared<const PurseKey>(key.suite, key.key), object};
        Verifiers::run(job);
        return job.good;
    }
    return false;
}

// Of one or two HEADs, those that this ledger has neither published nor an alarm about.
Result<std::vector<Bytes>> Settlement::Impl::strange_heads(ByteView heads) const {
    static constexpr std::size_t most = 2;
    std::vector<Bytes> strange;
    purse::View rest = heads;
    for (std::size_t i = 0; i < most && !rest.empty(); ++i) {
        purse::Object object;
        purse::ListHead head;
        const bool read = purse::read_object(rest, object) == JZ_OK && object.type == purse::Type::list_head &&
                          purse::parse(object, head) == JZ_OK;
        if (!read) break;
        if (!signed_by_us(object, head.issuer)) {
            return Error(ErrorKind::unauthenticated, "a HEAD is not signed by a key of this issuer; nothing follows");
        }
        const purse::Id id = id_of(object);
        if (!book.has_published(head.version, id)) strange.push_back(to_bytes(object.bytes));
        if (rest.empty()) return strange;
    }
    return Error(ErrorKind::malformed, "expected one or two HEADs, as the purse's alarm gives them")
        .with_param("heads");
}

void Settlement::Impl::report_heads(Bytes heads, api::Done<HeadIs> done) {
    auto fact = std::make_shared<AlarmFact>();
    auto answer = std::make_shared<api::Done<HeadIs>>(std::move(done));
    enqueue({[this, fact, answer, heads = std::move(heads)]() -> std::optional<engine::Command> {
                 auto strange = strange_heads(heads);
                 if (!strange.ok()) {
                     (*answer)(std::move(strange).error());
                     return std::nullopt;
                 }
                 if (strange->empty()) {
                     (*answer)(HeadIs::published);
                     return std::nullopt;
                 }
                 // Two of them cannot both be strange unless two others sign: the first is enough for the alarm.
                 fact->head = std::move(strange->front());
                 purse::Object object;
                 const bool read = purse::read_whole(fact->head, purse::Type::list_head, object) == JZ_OK;
                 JZ_ASSERT(read);  // it was read just now
                 // Who has the key can sign any number: the first few say all there is to say.
                 if (book.has_alarm(id_of(object)) || book.alarms().size() >= most_alarms) {
                     (*answer)(HeadIs::contradiction);
                     return std::nullopt;
                 }
                 engine::Command command;
                 command.annotation = encode(*fact);
                 return command;
             },
             [this, fact, answer](const Result<engine::Outcome>& outcome) {
                 if (!outcome.ok()) return (*answer)(Error(outcome.error()));
                 book.add(*fact);
                 log::error("a list of revoked purses was signed with our key and not by us; replace the issuing key");
                 (*answer)(HeadIs::contradiction);
             }});
}

}  // namespace jiaozi::settlement
