// The service's state. Application thread only, except that recovery folds the journal on the engine's feed thread
// while the application thread waits for it.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include <jiaozi/purse/bundle.hpp>
#include <jiaozi/settlement/settlement.hpp>

#include "transfers.hpp"
#include "verifiers.hpp"

namespace jiaozi::settlement {

// A note of a deposit that the book does not have, ready to be added.
struct FreshNote {
    purse::Id id{};
    purse::Note value;
    purse::Object object;
};

// One item of a batch on its way. Its objects are views into `bytes`.
struct Candidate {
    Bytes bytes;
    ItemAnswer answer;
    bool finished = false;
    std::uint8_t hop = 0;
    std::uint32_t payee = 0;
    std::vector<FreshNote> fresh;  // by hop; what pays is the last, unless the book has it
    std::optional<purse::Receipt> receipt;
    purse::Object receipt_object;
    bool receipt_good = false;
    std::optional<purse::Void> void_request;
    purse::Object void_object;
    std::size_t first_job = 0;  // of the batch's jobs: fresh notes, then the receipt, or the VOID
    std::size_t jobs = 0;
};

struct Batch {
    std::vector<Candidate> items;  // in the order given
    std::vector<std::size_t> order;
    std::size_t next = 0;  // of order: the first that is in no command yet
    std::uint32_t depositor = 0;
    std::vector<VerifyJob> jobs;
    api::Done<std::vector<ItemAnswer>> done;
};

// Bad items of each of them in the minute that it is.
template <class Who>
class Strikes {
  public:
    std::uint32_t of(const Who& who, std::uint64_t minute) const {
        const auto found = counts_.find(who);
        return found != counts_.end() && found->second.minute == minute ? found->second.count : 0;
    }
    void add(const Who& who, std::uint64_t minute) {
        Count& count = counts_[who];
        if (count.minute != minute) count = {minute, 0};
        ++count.count;
    }

  private:
    struct Count {
        std::uint64_t minute = 0;
        std::uint32_t count = 0;
    };
    std::map<Who, Count> counts_;  // at most an entry for each purse, or each key, that there is
};

// What a mule brought, on its way.
struct Carried {
    std::vector<Bytes> messages;
    std::vector<std::optional<Bytes>> deposits;  // those that could be opened
    uint128 sender = 0;
    api::Done<std::vector<Reason>> done;
};

class Settlement::Impl {
  public:
    Impl(const Parts& parts, Options options);
    ~Impl();
    Result<> recover();

    void enrol(NewPurse purse, api::Done<std::uint32_t> done);
    void load(const NewLoad& load, api::Done<LoadAnswer> done);
    void settle(std::vector<Bytes> items, std::uint32_t depositor, api::Done<std::vector<ItemAnswer>> done);
    void settle_carried(std::vector<Bytes> messages, uint128 sender, api::Done<std::vector<Reason>> done);
    void report_heads(Bytes heads, api::Done<HeadIs> done);
    ByteView deposit_key() const { return parts_.mules == nullptr ? ByteView{} : parts_.mules->deposit_key(); }
    void sync(const SyncRequest& request, api::Done<Bytes> done);
    void declare_lost(std::uint32_t purse, api::Done<PurseState> done);
    void install_root(Bytes bytes, api::Done<std::uint32_t> done);
    void advance(api::Done<std::uint32_t> done);
    Result<ListUpdate> list(std::uint32_t from) const;
    std::vector<RootKey> issuing_keys() const;

    bool idle() const { return !under_way_ && steps_.empty() && verified_.empty() && verifying_ == 0; }

    std::uint64_t verify_ns() const { return verifiers_.spent_ns(); }

    Book book;
    Counters counters;
    std::deque<Quarantined> quarantine;

  private:
    // What needs the journal waits in line: one command is under way at a time, so that each is decided knowing all
    // before it. `prepare` may find that there is nothing to write.
    struct Step {
        std::move_only_function<std::optional<engine::Command>()> prepare;
        std::move_only_function<void(const Result<engine::Outcome>&)> done;
        // What the book has moved already: the ledger must have done the same.
        std::shared_ptr<Effects> moved{};
    };

    // service.cpp
    void enqueue(Step step);
    void pump();
    void submit(engine::Command command);
    void answered(const engine::Command& command, Result<engine::Outcome> outcome);
    std::uint32_t now_s() const { return static_cast<std::uint32_t>(parts_.clock.now().s()); }
    Result<purse_host::Issuer*> issuer_for(crypto::Suite suite);
    Error stopped() const;

    // load.cpp
    Result<std::optional<LoadAnswer>> check_load(const NewLoad& load) const;
    std::optional<engine::Command> prepare_load(const NewLoad& load, LoadedFact& fact, api::Done<LoadAnswer>& done);
    Result<> check_issuer(crypto::Suite suite, std::uint64_t amount) const;
    std::uint64_t collateral_for(const PurseRecord& purse, std::uint64_t amount) const;

    // settle.cpp
    void read(Candidate& item, std::uint32_t depositor);
    Reason read_deposit(Candidate& item);
    Reason read_void(Candidate& item);
    void add_jobs(Batch& batch, Candidate& item);
    void verified(const std::shared_ptr<Batch>& batch);
    void finish(Candidate& item, Reason reason, std::uint32_t depositor);
    // Checks 2 to 10 against the book as it is; `finished` when there is nothing to add.
    void judge(Candidate& item, std::uint32_t depositor);
    Reason judge_note(const Candidate& item, const FreshNote& note, std::uint32_t& deadline) const;
    std::optional<engine::Command> prepare_flight(Effects& moved);
    std::optional<engine::Command> prepare_lapses(Effects& moved);
    void add_to_flight(Candidate& item, std::uint32_t depositor, NotesFact& fact, Effects& moved);
    void flight_done(const Result<engine::Outcome>& outcome);
    void queue_flight();
    bool too_many_strikes(std::uint32_t depositor) const;
    std::uint64_t minute() const { return parts_.clock.now().s() / 60; }

    // brought.cpp
    void opened(const std::shared_ptr<Carried>& carried);
    Result<std::vector<Bytes>> strange_heads(ByteView heads) const;
    bool signed_by_us(const purse::Object& object, const purse::Kid& issuer) const;

    // upkeep.cpp
    void follow_up();
    void queue_proof(Conflict conflict);
    Result<Bytes> make_proof(const Conflict& conflict);
    std::optional<engine::Command> prepare_claim(ClaimIndex claim, CollectedFact& fact);
    std::optional<engine::Command> prepare_refund(LotIndex lot, ClosedFact& fact);
    Result<Bytes> note_bytes(NoteIndex note);
    void queue_claim(ClaimIndex claim, unsigned tries);
    void queue_sweep();
    void queue_lapses();
    void queue_refund(LotIndex lot);
    void queue_list();
    bool list_is_due() const;
    void add_payouts(engine::Command& command, const Effects& effects) const;
    std::uint64_t available(uint128 account) const;

    Parts parts_;
    const Options options_;
    std::vector<std::unique_ptr<purse_host::Issuer>> issuers_;
    // Tasks given to others hold it weakly: they do nothing once the service is gone.
    std::shared_ptr<Impl*> alive_ = std::make_shared<Impl*>(this);

    std::optional<Root> root_;

    std::deque<Step> steps_;
    std::optional<Step> under_way_;
    std::optional<Error> failure_;

    std::deque<std::shared_ptr<Batch>> verified_;
    std::vector<std::shared_ptr<Batch>> in_flight_;  // batches whose last item is in the command under way
    std::size_t verifying_ = 0;                      // batches that the verifiers have
    bool flight_queued_ = false;
    ClaimIndex claims_queued_ = 0;  // the claims before this were tried
    bool list_queued_ = false;
    std::size_t proofs_queued_ = 0;
    bool sweep_queued_ = false;
    boost::unordered_flat_map<std::uint32_t, std::uint32_t> sweep_refused_;  // until the next advance
    Strikes<std::uint32_t> strikes_;                                         // by depositor
    Strikes<uint128> sender_strikes_;                                        // of mules
    boost::unordered_flat_map<std::string, std::uint32_t> ordinal_of_key_;

    Verifiers verifiers_;  // last: its threads use the batches
};

Error not_found_purse(std::uint32_t ordinal);

}  // namespace jiaozi::settlement
