#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <vector>

#include <jiaozi/base/assert.hpp>
#include <jiaozi/purse/bundle.hpp>
#include <jiaozi/purse/seal.hpp>
#include <jiaozi/purse_host/campaign.hpp>
#include <jiaozi/purse_host/issuer.hpp>
#include <jiaozi/purse_host/memory.hpp>

namespace jiaozi::purse_host {
namespace {

constexpr std::uint32_t start_s = 1'700'000'000;
constexpr std::uint32_t day_s = 86'400;
constexpr std::uint64_t lot_amount = 1'000;
constexpr std::uint64_t most_of_one = 40;
constexpr std::size_t before_bundle = 1 + 16 + 32;

// A note, a receipt or a VOID: what must stand in the journal before anybody sees it.
bool is_word(ByteView message) {
    if (message.empty()) return false;
    const auto verb = static_cast<purse::Verb>(message[0]);
    return verb == purse::Verb::pay || verb == purse::Verb::receipt || verb == purse::Verb::voided;
}

struct Owner {
    explicit Owner(std::uint32_t number, std::uint64_t seed)
        : ordinal(number), cryptography(seed * 1'000 + number), signer(number) {
        anchor.id[1] = static_cast<std::uint8_t>(number);
    }
    std::uint32_t ordinal;
    FastCryptography cryptography;
    FastSigner signer;
    MemoryStorage storage;
    MemoryAnchor anchor;
    TestClock clock{timestamp_s(start_s)};
    HostPurse purse{cryptography, signer, storage, anchor, clock};
    MemoryStorage::Content backup;
    std::array<std::uint8_t, 16> nonce{};
    std::uint32_t syncs = 0;
};

// Has seen every object that any purse ever signed and gave out, and holds it against all others.
class Auditor {
  public:
    explicit Auditor(CampaignResult& result) : result_(result) {}

    void say_broken(const std::string& what) {
        if (result_.broken++ == 0) result_.first_break = what + ", payment " + std::to_string(result_.payments);
    }

    // FastCryptography hides nothing: the objects stand in the messages.
    void hear(ByteView message) {
        if (!is_word(message)) return;
        const auto verb = static_cast<purse::Verb>(message[0]);
        const std::size_t at = verb == purse::Verb::pay ? before_bundle : 1;
        purse::Object object;
        ByteView rest = message.subspan(std::min(at, message.size()));
        if (purse::read_object(rest, object) != JZ_OK) return say_broken("a message holds no object");
        const purse::Id id = object_id(ledger_, object.bytes);
        if (!known_.insert(id).second) return;
        if (verb == purse::Verb::pay) note(id, object);
        if (verb == purse::Verb::receipt) credited(id, object);
        if (verb == purse::Verb::voided) void_of(id, object);
    }
    bool was_credited(const purse::Id& note) const { return credit_of_.contains(note); }
    bool was_voided(const purse::Id& request) const { return voided_.contains(request); }

  private:
    void numbered(std::uint32_t purse, std::uint32_t seq, const purse::Id& id) {
        const auto [at, fresh] = said_.try_emplace({purse, seq}, id);
        if (fresh || at->second == id) return;
        ++result_.accused;
        say_broken("I6: purse " + std::to_string(purse) + " said two things under number " + std::to_string(seq));
    }

    void note(const purse::Id& id, const purse::Object& object) {
        purse::Note value;
        if (purse::parse(object, value) != JZ_OK) return say_broken("a note that can't be read");
        ++result_.notes;
        numbered(value.payer, value.seq, id);
        for (const purse::Source& source : value.all_sources()) {
            auto& spent = spent_[source.id];
            const auto after = spent.lower_bound(source.offset);
            const bool next = after != spent.end() && after->first < source.end();
            const bool before = after != spent.begin() && std::prev(after)->second > source.offset;
            if (next || before) {
                ++result_.accused;
                say_broken("I6: two notes of purse " + std::to_string(value.payer) + " overlap");
            }
            spent[source.offset] = source.end();
        }
    }

    void credited(const purse::Id& id, const purse::Object& object) {
        purse::Receipt value;
        if (purse::parse(object, value) != JZ_OK) return say_broken("a receipt that can't be read");
        numbered(value.payee, value.seq, id);
        if (!credit_of_.try_emplace(value.note, id).second) say_broken("I4: a note was credited twice");
    }

    void void_of(const purse::Id& id, const purse::Object& object) {
        purse::Void value;
        if (purse::parse(object, value) != JZ_OK) return say_broken("a void that can't be read");
        numbered(value.payee, value.seq, id);
        voided_.insert(value.request);
    }

    CampaignResult& result_;
    FastCryptography ledger_{0};
    std::set<purse::Id> known_;
    std::map<std::pair<std::uint32_t, std::uint32_t>, purse::Id> said_;
    std::map<purse::Id, std::map<std::uint64_t, std::uint64_t>> spent_;  // by source: ranges, start to end
    std::map<purse::Id, purse::Id> credit_of_;
    std::set<purse::Id> voided_;
};

class Campaign {
  public:
    explicit Campaign(const CampaignOptions& options)
        : options_(options), random_(options.seed), issuer_signer_(1'000'000), issuer_(ledger_, issuer_signer_) {
        for (std::uint32_t i = 1; i <= options.purses; ++i) {
            owners_.push_back(std::make_unique<Owner>(i, options.seed));
            Owner& owner = *owners_.back();
            JZ_ASSERT(owner.purse.create(i, 0) == JZ_OK);
            trust(owner);
            load(owner);
            owner.backup = owner.storage.content();
        }
    }

    CampaignResult run() {
        while (result_.payments < options_.payments && result_.broken == 0) {
            ++result_.payments;
            const std::size_t old = below(owners_.size());
            if (owners_[old]->storage.content().journal.size() > most_records) renew(owners_[old]);
            Owner& payer = *owners_[below(owners_.size())];
            Owner& payee = *owners_[below(owners_.size())];
            if (&payer == &payee) continue;
            pay(payer, payee);
            if (below(50) == 0) payer.backup = payer.storage.content();
            if (below(1'000) < options_.restores) restore(payer);
            if (payer.purse.info().spendable < most_of_one || crowded(payer)) sync(payer);
            if (crowded(payee)) sync(payee);
        }
        return result_;
    }

  private:
    std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

    void trust(Owner& owner) {
        const jz_issuer_key key = issuer_.key();
        JZ_ASSERT(jz_purse_trust(owner.purse.get(), &key, 1) == JZ_OK);
    }

    void load(Owner& owner) {
        purse::Certificate lot;
        lot.serial = ++serial_;
        lot.purse = owner.ordinal;
        lot.key = public_key_of(owner.signer.public_key());
        lot.asset = asset_of("CNY");
        lot.amount = lot_amount;
        lot.not_before = start_s - day_s;
        lot.expires = start_s + 30 * day_s;
        lot.settle_by = start_s + 60 * day_s;
        lot.per_payment = lot.without_cvm = lot.receive_cap = purse::highest_amount;
        lot.count = 0xFFFF;
        lot.hops = purse::max_hops;
        const jz_status status = jz_purse_load(owner.purse.get(), c_view(issuer_.certificate(lot)));
        if (status != JZ_OK && status != JZ_NO_ROOM)
            auditor_.say_broken("a lot was refused: " + std::string(jz_status_name(status)));
    }

    bool crowded(const Owner& owner) const {
        constexpr std::uint32_t most_notes = 10;
        constexpr std::uint32_t most_open = 4;
        const jz_info info = owner.purse.info();
        return info.notes_held > most_notes || info.payments_unknown > most_open || info.requests_open > most_open;
    }

    // A fault of power for the next call, or none.
    void maybe_cut(Owner& owner) {
        if (below(1'000) >= options_.faults / 3) return;
        if (below(4) == 0) {
            owner.anchor.lose_next_advance = true;
            return;
        }
        constexpr PowerCut cuts[] = {PowerCut::before, PowerCut::half, PowerCut::after};
        owner.storage.cut_power(cuts[below(3)], static_cast<unsigned>(below(2)));
    }

    // After every call: opens the purse again if power went, hears what was said.
    Bytes after(Owner& owner, HostPurse::Written said) {
        const bool counter_used = !owner.anchor.lose_next_advance;
        owner.storage.cut_power(PowerCut::never);
        owner.anchor.lose_next_advance = false;
        if (owner.storage.power_is_gone() || (said.status == JZ_STORAGE_FAILED && counter_used)) {
            ++result_.power_cuts;
            // It may say STATUS: a mule whose slots can't be written has no room.
            if (is_word(said.bytes)) auditor_.say_broken("I5: a message left a purse that could not write");
            restart(owner);
            if (owner.purse.info().state != JZ_ACTIVE) auditor_.say_broken("a power cut made a purse SUSPECT");
        }
        auditor_.hear(said.bytes);
        return std::move(said.bytes);
    }

    void restart(Owner& owner) {
        owner.storage.power_on();
        const jz_status status = owner.purse.open();
        if (status != JZ_OK) auditor_.say_broken("a purse does not open: " + std::string(jz_status_name(status)));
        trust(owner);
    }

    // What arrives of a message: mostly all of it.
    Bytes carried(Bytes message) {
        if (message.empty() || below(1'000) >= options_.faults) return message;
        ++result_.torn;
        switch (below(3)) {
            case 0:
                return {};
            case 1:
                message.resize(below(message.size()));
                return message;
            default:
                message[below(message.size())] ^= static_cast<std::uint8_t>(1 + below(255));
                return message;
        }
    }

    Bytes deliver(Owner& to, const Bytes& message) {
        if (message.empty()) return {};
        maybe_cut(to);
        return after(to, to.purse.receive(message));
    }

    void pay(Owner& payer, Owner& payee) {
        maybe_cut(payee);
        const Bytes request =
            carried(after(payee, payee.purse.request(1 + below(most_of_one), true, payee.nonce.data())));
        maybe_cut(payer);
        Bytes pay = after(payer, payer.purse.pay(request, false));
        if (below(20) == 0) void_it(payer, payee);
        const std::uint64_t copies = below(10) == 0 ? 3 : 1;
        Bytes answer;
        for (std::uint64_t i = 0; i < copies; ++i) answer = deliver(payee, carried(pay));
        deliver(payer, carried(answer));
        if (below(2) == 0) resume(payer, payee);
        if (payer.purse.info().payments_unknown == 0) ++result_.completed;
    }

    void void_it(Owner& payer, Owner& payee) {
        ++result_.voids;
        maybe_cut(payee);
        const Bytes voided = carried(after(payee, payee.purse.void_request(payee.nonce.data())));
        deliver(payer, voided);
    }

    // RESUME for whatever is unknown; who is asked may be the wrong one, as in a crowd of terminals.
    void resume(Owner& payer, Owner& payee) {
        for (unsigned index = 0; index < 3; ++index) {
            Bytes message = carried(after(payer, payer.purse.resume(index)));
            for (int turn = 0; turn < 2 && !message.empty(); ++turn) {
                const Bytes answer = carried(deliver(payee, message));
                message = carried(deliver(payer, answer));
            }
        }
    }

    void restore(Owner& owner) {
        ++result_.restores;
        // Not by its length: a record that power cut short is in the backup, and what was written over it is not.
        const bool older = owner.storage.content() != owner.backup;
        const std::uint32_t seq = owner.purse.info().seq;
        owner.storage.content() = owner.backup;
        restart(owner);
        const jz_info info = owner.purse.info();
        if (info.state == JZ_STATE_SUSPECT) {
            ++result_.suspects;
            if (!older) auditor_.say_broken("an up-to-date backup made a purse SUSPECT");
            if (info.spendable != 0) auditor_.say_broken("a SUSPECT purse would spend");
            sync(owner);
        } else if (info.seq != seq) {
            auditor_.say_broken("a restored backup that had forgotten a number was not noticed");
        }
    }

    // The ledger, as far as a purse sees it: all that is open is settled or given back, a new lot is loaded.
    void sync(Owner& owner) {
        ++result_.syncs;
        const jz_info info = owner.purse.info();
        purse::SyncAck ack;
        ack.purse = owner.ordinal;
        ack.sync = ++owner.syncs;
        ack.time = start_s;
        ack.through = info.seq;
        ack.flags = purse::sync_limits;
        if (info.state == JZ_STATE_SUSPECT) {
            ack.flags |= purse::sync_restart;
            ack.next = std::max(owner.anchor.counter, info.seq) + 1;
        }
        release_voided(owner, ack);
        if (jz_purse_sync(owner.purse.get(), c_view(issuer_.sync_ack(ack))) != JZ_OK)
            auditor_.say_broken("a SACK was refused");
        if (owner.purse.info().state != JZ_ACTIVE) auditor_.say_broken("a purse is not ACTIVE after its sync");
        // Requests that nobody paid are given up.
        after(owner, owner.purse.void_request(owner.nonce.data()));
        load(owner);
        owner.backup = owner.storage.content();
    }

    void release_voided(Owner& owner, purse::SyncAck& ack) {
        Bytes room(JZ_MESSAGE_BYTES);
        constexpr unsigned kind_note = 4;
        const std::uint64_t records = owner.storage.content().journal.size();
        for (std::uint64_t i = records > 400 ? records - 400 : 0; i < records && ack.released < ack.release.size();
             ++i) {
            unsigned kind = 0;
            std::size_t size = 0;
            if (jz_purse_evidence(owner.purse.get(), i, &kind, room.data(), room.size(), &size) != JZ_OK ||
                kind != kind_note)
                continue;
            purse::Object object;
            purse::Note note;
            ByteView rest = ByteView(room).first(size);
            if (purse::read_object(rest, object) != JZ_OK || purse::parse(object, note) != JZ_OK) continue;
            const purse::Id id = object_id(ledger_, object.bytes);
            if (auditor_.was_voided(note.request) && !auditor_.was_credited(id)) ack.release[ack.released++] = id;
        }
    }

    // A journal is not shortened: its owner gets a new purse, with a new number and key.
    void renew(std::unique_ptr<Owner>& owner) {
        next_ordinal_ = std::max(next_ordinal_, options_.purses) + 1;
        owner = std::make_unique<Owner>(next_ordinal_, options_.seed);
        JZ_ASSERT(owner->purse.create(owner->ordinal, 0) == JZ_OK);
        trust(*owner);
        load(*owner);
        owner->backup = owner->storage.content();
    }

    static constexpr std::size_t most_records = 400;

    CampaignOptions options_;
    std::mt19937_64 random_;
    CampaignResult result_;
    Auditor auditor_{result_};
    FastCryptography ledger_{0};
    FastSigner issuer_signer_;
    Issuer issuer_;
    std::vector<std::unique_ptr<Owner>> owners_;
    std::uint64_t serial_ = 0;
    std::uint32_t next_ordinal_ = 0;
};

}  // namespace

CampaignResult run_campaign(const CampaignOptions& options) {
    return Campaign(options).run();
}

}  // namespace jiaozi::purse_host
