#include <algorithm>
#include <atomic>

#include <jiaozi/api/accounts.hpp>
#include <jiaozi/base/big_endian.hpp>
#include <jiaozi/base/log.hpp>
#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/settlement/book_snapshot.hpp>

#include "impl.hpp"
#include "read_commands.hpp"

namespace jiaozi::settlement {

uint128 transfer_id(ByteView subject, Role role, std::uint32_t number, std::uint32_t part) {
    static constexpr std::string_view domain = "jiaozi/settlement/1";
    std::array<std::uint8_t, 9> tail{static_cast<std::uint8_t>(role)};
    for (std::size_t i = 0; i < 4; ++i) {
        tail[1 + i] = static_cast<std::uint8_t>(number >> (8 * (3 - i)));
        tail[5 + i] = static_cast<std::uint8_t>(part >> (8 * (3 - i)));
    }
    return from_big_endian(crypto::Sha256().update(as_bytes(domain)).update(subject).update(tail).finish());
}

uint128 transfer_id(std::uint64_t subject, Role role, std::uint32_t number, std::uint32_t part) {
    return transfer_id(big_endian(subject), role, number, part);
}

Error not_found_purse(std::uint32_t ordinal) {
    return Error(ErrorKind::not_found, "there is no purse " + std::to_string(ordinal) + "; enrol it first")
        .with_code("purse_not_found")
        .with_param("purse");
}

Settlement::Impl::Impl(const Parts& parts, Options options)
    : parts_(parts), options_(options), verifiers_(options.verify_threads, parts.app) {
    for (purse_host::PurseSigner* signer : parts_.issuers) {
        issuers_.push_back(std::make_unique<purse_host::Issuer>(purse_host::real_cryptography(), *signer));
    }
}

Settlement::Impl::~Impl() {
    alive_.reset();
}

// Begins with the newest book and reads the journal after it, on the feed's thread, while this one waits.
Result<> Settlement::Impl::recover() {
    const std::uint64_t target = parts_.engine.last_sequence();
    if (target == 0) return {};
    std::uint64_t from = 0;
    if (!parts_.directory.empty()) {
        const std::uint64_t followed = parts_.follower == nullptr ? UINT64_MAX : parts_.follower->followed();
        BookStart start = newest_book(parts_.directory, followed);
        book = std::move(start.book);
        from = start.sequence;
        if (from == 0) log::info("there is no settlement book to begin with; the whole journal is read");
    }
    const auto take = [this](const engine::Committed& committed) -> Result<> {
        auto applied = book.apply(committed);
        if (!applied.ok()) {
            return Error(ErrorKind::corrupt, applied.error().message())
                .in("annotation of command " + std::to_string(committed.sequence));
        }
        std::vector<Change> changes = book.take_changes(committed.sequence, committed.timestamp);
        if (parts_.follower != nullptr) parts_.follower->follow(std::move(changes), true);
        return {};
    };
    const std::atomic<bool> never{false};
    auto read = read_commands(parts_.engine, from, target, take, never);
    if (!read.ok()) return std::move(read).error().in("recover settlement");
    log::info("settlement begins", {{"book", std::to_string(from)}, {"read", std::to_string(target - from)}});
    for (std::uint32_t ordinal = 1; ordinal <= book.enrolled(); ++ordinal) {
        ordinal_of_key_.emplace(as_text(book.purse(ordinal)->key->bytes()), ordinal);
    }
    if (!book.root().empty()) {
        JZ_TRY(root_, stored_root(book.root()));
    }
    proofs_queued_ = book.proofs().size();
    follow_up();  // what a crash left undone
    return {};
}

Error Settlement::Impl::stopped() const {
    return Error(ErrorKind::unavailable, "settlement has stopped (" + failure_->message() + "); restart the program")
        .with_code("settlement_stopped");
}

void Settlement::Impl::enqueue(Step step) {
    steps_.push_back(std::move(step));
    pump();
}

void Settlement::Impl::pump() {
    while (!under_way_ && !steps_.empty()) {
        Step step = std::move(steps_.front());
        steps_.pop_front();
        if (failure_) {
            step.done(Result<engine::Outcome>(stopped()));
            continue;
        }
        auto command = step.prepare();
        if (!command) continue;
        under_way_ = std::move(step);
        ++counters.commands;
        submit(std::move(*command));
    }
}

void Settlement::Impl::submit(engine::Command command) {
    // Kept for a second try: the book knows already what the command says.
    auto kept = std::make_shared<engine::Command>(command);
    parts_.engine.submit(std::move(command), [alive = std::weak_ptr(alive_), app = &parts_.app,
                                              kept = std::move(kept)](Result<engine::Outcome> outcome) mutable {
        // The service may end while this is under way; the application thread outlives it.
        app->post([alive = std::move(alive), kept = std::move(kept), outcome = std::move(outcome)]() mutable {
            if (const auto self = alive.lock()) (*self)->answered(*kept, std::move(outcome));
        });
    });
}

void Settlement::Impl::answered(const engine::Command& command, Result<engine::Outcome> outcome) {
    if (!outcome.ok() && outcome.error().kind() == ErrorKind::unavailable &&
        parts_.engine.health().state == engine::Health::State::running) {
        // The engine's queue is full: certainly not journaled, and nothing else of ours is.
        parts_.app.call_after(milliseconds(5), [alive = std::weak_ptr(alive_), command]() mutable {
            if (const auto self = alive.lock()) (*self)->submit(std::move(command));
        });
        return;
    }
    if (!outcome.ok()) {
        log::error("settlement stopped", {{"cause", outcome.error().to_string()}});
        failure_ = outcome.error();
    }
    Step step = std::move(*under_way_);
    if (outcome.ok() && step.moved && !all_paid(*step.moved, command, *outcome)) {
        outcome =
            Error(ErrorKind::corrupt, "the ledger refused a payout of command " + std::to_string(outcome->sequence) +
                                          " that the book had made; audit the journal");
        log::error("settlement stopped", {{"cause", outcome.error().to_string()}});
        failure_ = outcome.error();
    }
    step.done(outcome);
    if (outcome.ok()) {
        std::vector<Change> changes = book.take_changes(outcome->sequence, outcome->timestamp);
        if (parts_.follower != nullptr && !failure_) parts_.follower->follow(std::move(changes), false);
    }
    under_way_.reset();
    if (!failure_) follow_up();
    pump();
}

Result<purse_host::Issuer*> Settlement::Impl::issuer_for(crypto::Suite suite) {
    for (std::size_t i = 0; i < parts_.issuers.size(); ++i) {
        if (parts_.issuers[i]->suite() == suite) return issuers_[i].get();
    }
    return Error(ErrorKind::invalid, "there is no issuing key of suite " + std::string(name_of(suite)) +
                                         "; choose the suite of a key that the issuer has")
        .with_code("unknown_issuer")
        .with_param("suite");
}

std::vector<RootKey> Settlement::Impl::issuing_keys() const {
    std::vector<RootKey> keys;
    for (const purse_host::PurseSigner* signer : parts_.issuers)
        keys.push_back({signer->suite(), signer->public_key()});
    return keys;
}

void Settlement::Impl::enrol(NewPurse request, api::Done<std::uint32_t> done) {
    auto fact = std::make_shared<EnrolledFact>();
    auto answer = std::make_shared<api::Done<std::uint32_t>>(std::move(done));
    const auto prepare = [this, fact, answer, request = std::move(request)]() -> std::optional<engine::Command> {
        const auto refuse = [&](Error error) {
            (*answer)(std::move(error));
            return std::optional<engine::Command>();
        };
        if (auto issuer = issuer_for(request.suite); !issuer.ok()) return refuse(std::move(issuer).error());
        auto key = crypto::canonical_public_key(request.suite, request.key);
        if (!key.ok()) return refuse(std::move(key).error());
        if (request.assurance > 3) {
            return refuse(Error(ErrorKind::invalid, "class is 0 to 3: A0 to A3").with_param("class"));
        }
        if (const auto found = ordinal_of_key_.find(std::string(as_text(*key))); found != ordinal_of_key_.end()) {
            const PurseRecord& known = *book.purse(found->second);
            const bool same = known.wallet == request.wallet && known.holder == request.holder &&
                              known.asset == request.asset && known.assurance == request.assurance &&
                              known.key->suite() == request.suite && known.device == request.device;
            if (same) {
                (*answer)(known.ordinal);
                return std::nullopt;
            }
            return refuse(Error(ErrorKind::conflict, "this key is enrolled as purse " + std::to_string(known.ordinal) +
                                                         " with other data; make a new key")
                              .with_code("purse_exists")
                              .with_param("key"));
        }
        *fact = {book.enrolled() + 1, std::move(*key), request.suite, request.assurance,
                 request.wallet,      request.holder,  request.asset, request.device};
        engine::Command command;
        const std::uint16_t flags = ledger::account_flags::debits_must_not_exceed_credits;
        const auto account = [&](uint128 id, std::uint16_t code) {
            command.accounts.push_back({.id = id,
                                        .user_data_128 = fact->wallet.value,
                                        .user_data_32 = fact->ordinal,
                                        .ledger = fact->asset.ledger,
                                        .code = code,
                                        .flags = flags});
        };
        account(received_account(fact->ordinal), api::code_received);
        account(collateral_account(fact->ordinal), api::code_collateral);
        const uint128 reserve = api::system_account(api::code_reserve, fact->asset.ledger);
        if (!parts_.engine.account(reserve)) {
            command.accounts.push_back(
                {.id = reserve, .ledger = fact->asset.ledger, .code = api::code_reserve, .flags = flags});
        }
        command.annotation = encode(*fact);
        return command;
    };
    enqueue({prepare, [this, fact, answer](const Result<engine::Outcome>& outcome) {
                 if (!outcome.ok()) return (*answer)(Error(outcome.error()));
                 book.add(*fact, outcome->timestamp);
                 ordinal_of_key_.emplace(as_text(fact->key), fact->ordinal);
                 (*answer)(fact->ordinal);
             }});
}

Settlement::Settlement(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Settlement::~Settlement() = default;

Result<std::unique_ptr<Settlement>> Settlement::recover(const Parts& parts, Options options) {
    auto impl = std::make_unique<Impl>(parts, options);
    JZ_CHECK(impl->recover());
    return std::unique_ptr<Settlement>(new Settlement(std::move(impl)));
}

void Settlement::enrol(NewPurse purse, api::Done<std::uint32_t> done) {
    impl_->enrol(std::move(purse), std::move(done));
}
void Settlement::load(NewLoad load, api::Done<LoadAnswer> done) {
    impl_->load(load, std::move(done));
}
void Settlement::settle(std::vector<Bytes> items, std::uint32_t depositor, api::Done<std::vector<ItemAnswer>> done) {
    impl_->settle(std::move(items), depositor, std::move(done));
}
void Settlement::settle_carried(std::vector<Bytes> messages, uint128 sender, api::Done<std::vector<Reason>> done) {
    impl_->settle_carried(std::move(messages), sender, std::move(done));
}
void Settlement::report_heads(Bytes heads, api::Done<HeadIs> done) {
    impl_->report_heads(std::move(heads), std::move(done));
}
ByteView Settlement::deposit_key() const {
    return impl_->deposit_key();
}
void Settlement::sync(SyncRequest request, api::Done<Bytes> done) {
    impl_->sync(request, std::move(done));
}
void Settlement::declare_lost(std::uint32_t purse, api::Done<PurseState> done) {
    impl_->declare_lost(purse, std::move(done));
}
void Settlement::advance(api::Done<std::uint32_t> done) {
    impl_->advance(std::move(done));
}
void Settlement::install_root(Bytes bytes, api::Done<std::uint32_t> done) {
    impl_->install_root(std::move(bytes), std::move(done));
}
Result<ListUpdate> Settlement::list(std::uint32_t from) const {
    return impl_->list(from);
}
std::vector<RootKey> Settlement::issuing_keys() const {
    return impl_->issuing_keys();
}
bool Settlement::idle() const {
    return impl_->idle();
}
const Book& Settlement::book() const {
    return impl_->book;
}
Counters Settlement::counters() const {
    Counters counters = impl_->counters;
    counters.verify_ns = impl_->verify_ns();
    return counters;
}
const std::deque<Quarantined>& Settlement::quarantine() const {
    return impl_->quarantine;
}

}  // namespace jiaozi::settlement
