#include <algorithm>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <queue>
#include <random>
#include <set>
#include <vector>

#include <jiaozi/base/assert.hpp>
#include <jiaozi/purse/proof.hpp>
#include <jiaozi/purse/seal.hpp>
#include <jiaozi/purse_bench/population.hpp>
#include <jiaozi/purse_host/issuer.hpp>
#include <jiaozi/purse_host/memory.hpp>

namespace jiaozi::purse_bench {
namespace {

using namespace purse_host;

constexpr std::uint32_t start_s = 1'700'000'000;
constexpr std::uint32_t day_s = 86'400;
constexpr std::uint32_t hour_s = 3'600;
constexpr std::uint64_t lot_amount = 1'000'000'000;
constexpr std::uint64_t most_of_one = 5'000;
constexpr std::uint32_t never = 0xFFFFFFFF;

struct Owner {
    Owner(std::uint32_t number, std::uint64_t seed, const Clock& clock)
        : ordinal(number),
          cryptography(seed << 32 | number),
          signer(number),
          purse(cryptography, signer, storage, anchor, clock) {
        std::memcpy(anchor.id.data(), &number, sizeof number);
    }
    std::uint32_t ordinal;
    bool cheats = false;
    FastCryptography cryptography;
    FastSigner signer;
    MemoryStorage storage;
    MemoryAnchor anchor;
    HostPurse purse;
    std::uint32_t syncs = 0;
    std::uint32_t next_sync = 0;
    bool prompted = false;
    std::map<purse::Id, int> given;  // deposits by note: how many mules have it
    // Of a cheater.
    MemoryStorage::Content snapshot;
    std::uint32_t begins = never;
    std::uint32_t first_fraud = never;
    std::uint32_t found = never;
    std::uint64_t believed = 0;
};

// What the ledger does with deposits, as far as proofs and the blacklist go.
class Ledger {
  public:
    Ledger(Cryptography& cryptography, const Issuer& issuer, const jz_platform& platform)
        : cryptography_(cryptography), issuer_(issuer), platform_(platform) {}

    // The purse that has proven itself guilty with this deposit, or 0.
    std::vector<std::uint32_t> take(ByteView deposit) {
        std::vector<std::uint32_t> guilty;
        kept_.push_back(to_bytes(deposit));
        purse::View rest = kept_.back();
        std::map<std::uint32_t, Bytes> certificates;
        std::vector<purse::Entry<purse::Note>> notes;
        while (!rest.empty()) {
            purse::Object object;
            if (purse::read_object(rest, object) != JZ_OK) break;
            if (object.type == purse::Type::note) {
                purse::Entry<purse::Note> entry;
                entry.object = object;
                JZ_ASSERT(purse::parse(object, entry.value) == JZ_OK);
                entry.id = object_id(cryptography_, object.bytes);
                notes.push_back(entry);
            } else if (object.type == purse::Type::certificate) {
                purse::Certificate value;
                JZ_ASSERT(purse::parse(object, value) == JZ_OK);
                certificate_.try_emplace(value.purse, to_bytes(object.bytes));
            }
        }
        bool fresh = false;
        for (const auto& entry : notes) {
            if (!known_.insert(entry.id).second) continue;
            fresh = true;
            for (const purse::Source& source : entry.value.all_sources()) {
                for (const auto& other : spent_[source.id]) {
                    if (purse::in_conflict(entry, other)) prove(entry, other, guilty);
                }
                spent_[source.id].push_back(entry);
            }
        }
        if (!fresh) kept_.pop_back();
        return guilty;
    }

    bool take_proof(ByteView proof, std::uint32_t& guilty) {
        const jz_issuer_key key = issuer_.key();
        return jz_verify_proof(&platform_, &key, 1, c_view(proof), &guilty) == JZ_OK;
    }

    const Issuer::List& list(std::uint32_t now, std::uint32_t enrolled, const std::set<std::uint32_t>& revoked) {
        if (listed_ != revoked.size() || list_.head.empty()) {
            listed_ = revoked.size();
            list_ = issuer_.blacklist(++version_, now, enrolled, std::vector(revoked.begin(), revoked.end()));
        }
        return list_;
    }

  private:
    void prove(const purse::Entry<purse::Note>& left, const purse::Entry<purse::Note>& right,
               std::vector<std::uint32_t>& guilty) {
        purse::Object certificate;
        const Bytes& owner = certificate_.at(left.value.payer);
        JZ_ASSERT(purse::read_whole(owner, purse::Type::certificate, certificate) == JZ_OK);
        Bytes room(JZ_PROOF_BYTES);
        std::uint32_t who = 0;
        if (take_proof(purse::write_proof(left, right, certificate, room), who)) guilty.push_back(who);
    }

    Cryptography& cryptography_;
    const Issuer& issuer_;
    const jz_platform& platform_;
    std::deque<Bytes> kept_;  // notes are views into these
    std::map<std::uint32_t, Bytes> certificate_;
    std::set<purse::Id> known_;
    std::map<purse::Id, std::vector<purse::Entry<purse::Note>>> spent_;
    Issuer::List list_;
    std::size_t listed_ = 0;
    std::uint32_t version_ = 0;
};

class Town {
  public:
    explicit Town(const PopulationOptions& options)
        : options_(options), random_(options.seed), clock_(timestamp_s(start_s)) {
        owners_.reserve(options.devices);
        for (std::uint32_t i = 1; i <= options.devices; ++i) settle_in(i);
        ledger_ = std::make_unique<Ledger>(cryptography_, issuer_, owners_[0]->purse.platform());
        JZ_ASSERT(purse::new_ephemeral(owners_[0]->purse.platform(), deposit_secret_, deposit_key_) == JZ_OK);
    }

    PopulationResult run() {
        const std::uint64_t a_day = std::uint64_t{options_.devices} * options_.payments_a_day;
        const std::uint64_t payments = a_day * options_.days;
        for (std::uint64_t i = 0; i < payments; ++i) {
            const auto now = static_cast<std::uint32_t>(i * day_s / a_day);
            go_to(now);
            while (!syncs_.empty() && syncs_.top().first <= now_) {
                const auto [due, who] = syncs_.top();
                syncs_.pop();
                if (owners_[who]->next_sync == due) sync(*owners_[who]);
            }
            pay();
        }
        return report();
    }

  private:
    std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
    std::uint32_t waiting(std::uint32_t mean_s) {
        std::exponential_distribution<double> wait(1.0 / mean_s);
        return static_cast<std::uint32_t>(wait(random_)) + 1;
    }
    void go_to(std::uint32_t now) {
        clock_.advance(seconds(now - now_));
        now_ = now;
    }

    void settle_in(std::uint32_t ordinal) {
        owners_.push_back(std::make_unique<Owner>(ordinal, options_.seed, clock_));
        Owner& owner = *owners_.back();
        JZ_ASSERT(owner.purse.create(ordinal, 0) == JZ_OK);
        trust(owner);
        purse::Certificate lot;
        lot.serial = lot.purse = ordinal;
        lot.key = public_key_of(owner.signer.public_key());
        lot.asset = asset_of("CNY");
        lot.amount = lot_amount;
        lot.not_before = start_s - day_s;
        lot.expires = start_s + 300 * day_s;
        lot.settle_by = start_s + 360 * day_s;
        lot.per_payment = lot.without_cvm = lot.receive_cap = purse::highest_amount;
        lot.count = 0xFFFF;
        lot.hops = purse::max_hops;
        JZ_ASSERT(jz_purse_load(owner.purse.get(), c_view(issuer_.certificate(lot))) == JZ_OK);
        owner.cheats = below(1'000) < options_.cheaters_per_mille;
        if (owner.cheats) {
            owner.snapshot = owner.storage.content();
            owner.begins = static_cast<std::uint32_t>(below(day_s));
            return;
        }
        plan_sync(owner, waiting(options_.sync_mean_h * hour_s));
    }

    void trust(Owner& owner) {
        const jz_issuer_key key = issuer_.key();
        JZ_ASSERT(jz_purse_trust(owner.purse.get(), &key, 1) == JZ_OK);
    }

    void plan_sync(Owner& owner, std::uint32_t in_s) {
        owner.next_sync = now_ + in_s;
        syncs_.emplace(owner.next_sync, owner.ordinal - 1);
    }

    // Who is met: mostly a neighbour.
    Owner& contact_of(const Owner& owner) {
        for (;;) {
            std::uint64_t who = below(owners_.size());
            if (below(100) < options_.local_percent) {
                const std::uint64_t first = (owner.ordinal - 1) / options_.neighbourhood * options_.neighbourhood;
                who = first + below(std::min<std::uint64_t>(options_.neighbourhood, owners_.size() - first));
            }
            if (who != owner.ordinal - 1 && !owners_[who]->cheats) return *owners_[who];
        }
    }

    void pay() {
        Owner& payer = *owners_[below(owners_.size())];
        if (payer.cheats && now_ < payer.begins) return;
        Owner& payee = contact_of(payer);
        if (payer.cheats) {
            // The clone: journal and counter of before the first payment.
            payer.storage.content() = payer.snapshot;
            payer.anchor.counter = 0;
            JZ_ASSERT(payer.purse.open() == JZ_OK);
            trust(payer);
        }
        std::uint8_t nonce[16];
        const auto request = payee.purse.request(1 + below(most_of_one), true, nonce);
        if (request.status != JZ_OK) return refuse();  // its table is full until it has synced
        const auto pay = payer.purse.pay(request.bytes, false);
        const auto receipt = pay.status == JZ_OK ? payee.purse.receive(pay.bytes) : HostPurse::Written{pay.status, {}};
        if (receipt.status == JZ_DOUBLE_SPEND) prompt(payee);  // it has a proof
        if (receipt.status != JZ_OK) {
            if (pay.status != JZ_OK || payer.cheats) give_up(payee, payer, nonce);
            return refuse();
        }
        ++result_.payments;
        payer.purse.receive(receipt.bytes);
        if (payer.cheats) {
            if (++payer.believed == 2) payer.first_fraud = now_;
            return;
        }
        talk(payer, payee);
    }

    void refuse() { ++result_.refused; }
    void give_up(Owner& payee, Owner& payer, const std::uint8_t* nonce) {
        payer.purse.receive(payee.purse.void_request(nonce).bytes);
    }

    // After a payment: trust data both ways, and deposits to carry.
    void talk(Owner& payer, Owner& payee) {
        if (options_.gossip) {
            const auto answer = payee.purse.receive(payer.purse.gossip().bytes);
            payer.purse.receive(answer.bytes);
            for (Owner* owner : {&payer, &payee}) {
                if (options_.digests && owner->purse.trust_info().contradictions > 0) prompt(*owner);
            }
        }
        if (options_.mules) {
            hand_on(payer, payee);
            hand_on(payee, payer);
        }
    }

    void hand_on(Owner& from, Owner& to) {
        for (unsigned i = 0; i < from.purse.info().notes_held; ++i) {
            const auto deposit = from.purse.deposit(i);
            if (deposit.status != JZ_OK) return;
            ByteView rest = deposit.bytes;
            purse::Object object;
            JZ_ASSERT(purse::read_object(rest, object) == JZ_OK);
            purse::Receipt receipt;
            JZ_ASSERT(purse::parse(object, receipt) == JZ_OK);
            int& copies = from.given[receipt.note];
            if (copies == options_.mule_copies) continue;
            const auto message = from.purse.mule(i, deposit_key_.data());
            if (message.status != JZ_OK || to.purse.receive(message.bytes).status != JZ_OK) return;
            ++copies;
        }
    }

    // Something to tell the ledger: the purse asks its holder for the network.
    void prompt(Owner& owner) {
        if (owner.prompted) return;
        owner.prompted = true;
        const std::uint32_t in_s = waiting(options_.prompt_h * hour_s);
        if (now_ + in_s < owner.next_sync) plan_sync(owner, in_s);
    }

    void found(std::uint32_t ordinal) {
        Owner& owner = *owners_[ordinal - 1];
        revoked_.insert(ordinal);
        if (!owner.cheats) {
            ++result_.accused;
            if (result_.first_accused.empty()) result_.first_accused = "purse " + std::to_string(ordinal);
        }
        if (owner.found == never) owner.found = now_;
    }

    void take(ByteView deposit) {
        for (const std::uint32_t guilty : ledger_->take(deposit)) found(guilty);
    }

    void bring_carried(Owner& owner) {
        for (unsigned i = 0;; ++i) {
            const auto message = owner.purse.carried(i);
            if (message.status != JZ_OK) break;
            ByteView sealed = ByteView(message.bytes).subspan(33);
            purse::Fixed<32> enc{};
            purse::take(ByteView(message.bytes).subspan(1, 32), enc);
            purse::SealKeys keys;
            const jz_platform& platform = owner.purse.platform();
            JZ_ASSERT(purse::derive_keys(platform, deposit_secret_, enc, enc, deposit_key_, {}, purse::Verb::mule,
                                         keys) == JZ_OK);
            Bytes deposit = to_bytes(sealed);
            JZ_ASSERT(purse::unseal(platform, keys.payer, purse::Verb::mule, {}, deposit) == JZ_OK);
            deposit.resize(deposit.size() - purse::tag_size);
            take(deposit);
            ++result_.carried;
        }
        JZ_ASSERT(jz_purse_unload(owner.purse.get()) == JZ_OK);
    }

    void sync(Owner& owner) {
        ++result_.syncs;
        for (unsigned i = 0;; ++i) {
            const auto deposit = owner.purse.deposit(i);
            if (deposit.status != JZ_OK) break;
            take(deposit.bytes);
        }
        if (options_.mules) bring_carried(owner);
        std::uint32_t guilty = 0;
        const auto proof = owner.purse.last_proof();
        if (proof.status == JZ_OK && ledger_->take_proof(proof.bytes, guilty)) found(guilty);
        purse::SyncAck ack;
        ack.purse = owner.ordinal;
        ack.sync = ++owner.syncs;
        ack.time = start_s + now_;
        ack.through = owner.purse.info().seq;
        ack.flags = purse::sync_limits;
        JZ_ASSERT(jz_purse_sync(owner.purse.get(), c_view(issuer_.sync_ack(ack))) == JZ_OK);
        const auto& list = ledger_->list(start_s + now_, options_.devices, revoked_);
        jz_purse_install_list(owner.purse.get(), c_view(list.head), c_view(list.body));
        owner.given.clear();
        owner.prompted = false;
        plan_sync(owner, waiting(options_.sync_mean_h * hour_s));
    }

    PopulationResult report() {
        std::vector<std::uint32_t> minutes;
        for (const auto& owner : owners_) {
            if (!owner->cheats || owner->first_fraud == never) continue;
            ++result_.cheaters;
            result_.frauds += owner->believed - 1;
            const bool caught = owner->found != never;
            if (caught) {
                // A purse that sees both notes at once can prove it at the first fraud.
                const std::uint32_t took = owner->found > owner->first_fraud ? owner->found - owner->first_fraud : 0;
                ++result_.found;
                if (took <= 72 * hour_s) ++result_.found_in_72h;
                minutes.push_back(took / 60);
            } else if (now_ - owner->first_fraud < 72 * hour_s) {
                ++result_.late;
            }
        }
        std::ranges::sort(minutes);
        if (!minutes.empty()) {
            result_.median_minutes = minutes[minutes.size() / 2];
            result_.p95_minutes = minutes[minutes.size() * 95 / 100];
        }
        return result_;
    }

    PopulationOptions options_;
    std::mt19937_64 random_;
    PopulationResult result_;
    TestClock clock_;
    std::uint32_t now_ = 0;
    FastCryptography cryptography_{7};
    FastSigner issuer_signer_{0xFFFFFFFF};
    Issuer issuer_{cryptography_, issuer_signer_};
    std::vector<std::unique_ptr<Owner>> owners_;
    std::unique_ptr<Ledger> ledger_;
    std::set<std::uint32_t> revoked_;
    using Due = std::pair<std::uint32_t, std::size_t>;
    std::priority_queue<Due, std::vector<Due>, std::greater<>> syncs_;
    purse::Fixed<32> deposit_secret_{};
    purse::Fixed<32> deposit_key_{};
};

}  // namespace

PopulationResult run_population(const PopulationOptions& options) {
    return Town(options).run();
}

}  // namespace jiaozi::purse_bench
