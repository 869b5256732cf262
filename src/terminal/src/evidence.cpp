#include <algorithm>
#include <functional>
#include <optional>

#include <jiaozi/purse/cose.hpp>
#include <jiaozi/purse/objects.hpp>
#include <jiaozi/terminal/evidence.hpp>
#include <jiaozi/terminal/purse_folder.hpp>

namespace jiaozi::terminal {
namespace {

using purse::Id;
using purse_host::HostPurse;

// Kinds of journal records (docs/protocol/offline.md, 10.1).
enum RecordKind : unsigned { lot = 2, note = 4, done = 5, void_held = 6, void_given = 8, sync = 10, adopted = 16 };

void each_record(HostPurse& purse, const std::function<void(unsigned kind, ByteView object)>& use) {
    Bytes room(JZ_MESSAGE_BYTES);
    for (std::uint64_t i = 0;; ++i) {
        unsigned kind = 0;
        std::size_t size = 0;
        if (jz_purse_evidence(purse.get(), i, &kind, room.data(), room.size(), &size) != JZ_OK) return;
        if (kind != 0) use(kind, ByteView(room).first(size));
    }
}

template <class Value>
std::optional<Value> parse_object(ByteView bytes) {
    purse::Object object;
    Value value;
    purse::View rest = bytes;
    if (purse::read_object(rest, object) != JZ_OK || purse::parse(object, value) != JZ_OK) return {};
    return value;
}

Id id_of(const HostPurse& purse, ByteView bytes) {
    purse::Object object;
    Id id{};
    purse::View rest = bytes;
    if (purse::read_object(rest, object) == JZ_OK) static_cast<void>(purse::id_of(purse.platform(), object, id));
    return id;
}

// The objects of a sequence, one by one.
std::vector<Bytes> objects_in(ByteView sequence) {
    std::vector<Bytes> objects;
    purse::View rest = sequence;
    purse::Object object;
    while (!rest.empty() && purse::read_object(rest, object) == JZ_OK) objects.push_back(to_bytes(object.bytes));
    return objects;
}

struct Held {
    Id note{};
    Bytes deposit;              // receipt and bundle
    std::vector<Bytes> bundle;  // its objects
};

struct Journal {
    SyncState sync;
    std::vector<Bytes> lots;
    std::vector<Bytes> notes;
    std::vector<Bytes> adopted_notes;
    std::vector<Bytes> receipts;
    std::vector<Bytes> voids;
    std::vector<Held> held;
};

Journal read_journal(HostPurse& purse) {
    Journal journal;
    each_record(purse, [&](unsigned kind, ByteView object) {
        if (kind == lot) journal.lots.push_back(to_bytes(object));
        if (kind == note) journal.notes.push_back(to_bytes(object));
        if (kind == done) journal.receipts.push_back(to_bytes(object));
        if (kind == void_held || kind == void_given) journal.voids.push_back(to_bytes(object));
        if (kind == adopted && parse_object<purse::Note>(object)) journal.adopted_notes.push_back(to_bytes(object));
        if (kind == adopted && parse_object<purse::Void>(object)) journal.voids.push_back(to_bytes(object));
        if (kind != sync) return;
        if (const auto ack = parse_object<purse::SyncAck>(object)) journal.sync = {ack->sync, ack->through};
    });
    for (unsigned i = 0;; ++i) {
        auto deposit = purse.deposit(i);
        if (deposit.status != JZ_OK) return journal;
        Held held{.note = {}, .deposit = std::move(deposit.bytes), .bundle = {}};
        held.bundle = objects_in(held.deposit);
        if (!held.bundle.empty()) held.bundle.erase(held.bundle.begin());  // the receipt
        if (!held.bundle.empty()) held.note = id_of(purse, held.bundle.front());
        journal.held.push_back(std::move(held));
    }
}

// ?RCPT, the note, and what it descends from as far as this purse still has it.
Bytes own_note(HostPurse& purse, const Journal& journal, const Bytes& bytes, const purse::Note& content) {
    const Id id = id_of(purse, bytes);
    Bytes item;
    for (const Bytes& receipt : journal.receipts) {
        const auto known = parse_object<purse::Receipt>(receipt);
        if (known && known->note == id) item = receipt;
    }
    append(item, bytes);
    std::vector<Bytes> added;
    const auto add = [&](const Bytes& object) {
        if (std::ranges::find(added, object) != added.end()) return;
        added.push_back(object);
        append(item, object);
    };
    bool own_certificate = false;
    for (const purse::Source& source : content.all_sources()) {
        for (const Bytes& one : journal.lots) {
            if (id_of(purse, one) != source.id) continue;
            add(one);
            own_certificate = true;
        }
        for (const Held& held : journal.held) {
            if (held.note == source.id) std::ranges::for_each(held.bundle, add);
        }
    }
    if (!own_certificate && !journal.lots.empty()) add(journal.lots.back());
    return item;
}

}  // namespace

SyncState sync_state_of(HostPurse& purse) {
    return read_journal(purse).sync;
}

std::vector<purse::Certificate> lots_of(HostPurse& purse) {
    std::vector<purse::Certificate> lots;
    each_record(purse, [&](unsigned kind, ByteView object) {
        if (kind != lot) return;
        if (auto content = parse_object<purse::Certificate>(object)) lots.push_back(*content);
    });
    return lots;
}

std::string asset_of(HostPurse& purse) {
    const auto lots = lots_of(purse);
    return lots.empty() ? std::string() : std::string(as_text(lots.back().asset.view()));
}

Outcome outcome_of_note(HostPurse& purse, std::uint32_t seq, std::uint32_t payee, std::uint64_t amount) {
    const Journal journal = read_journal(purse);
    for (const Bytes& bytes : journal.notes) {
        const auto note = parse_object<purse::Note>(bytes);
        if (!note || note->seq != seq || note->payee != payee || note->total() != amount) continue;
        for (const Bytes& one : journal.voids) {
            const auto voided = parse_object<purse::Void>(one);
            if (voided && voided->request == note->request) return Outcome::voided;
        }
        const Id id = id_of(purse, bytes);
        const bool receipt = std::ranges::any_of(journal.receipts, [&](const Bytes& one) {
            const auto known = parse_object<purse::Receipt>(one);
            return known && known->note == id;
        });
        return receipt || seq <= journal.sync.through ? Outcome::paid : Outcome::unknown;
    }
    return Outcome::nothing;
}

std::vector<Bytes> items_to_deposit(HostPurse& purse) {
    Journal journal = read_journal(purse);
    std::vector<Bytes> items;
    items.reserve(journal.held.size() + journal.notes.size());
    for (Held& held : journal.held) items.push_back(held.deposit);
    for (const std::vector<Bytes>* notes : {&journal.notes, &journal.adopted_notes}) {
        for (const Bytes& bytes : *notes) {
            const auto content = parse_object<purse::Note>(bytes);
            if (content && content->seq > journal.sync.through)
                items.push_back(own_note(purse, journal, bytes, *content));
        }
    }
    const std::uint32_t self = purse.info().purse;
    for (const Bytes& bytes : journal.voids) {
        const auto content = parse_object<purse::Void>(bytes);
        if (content && (content->payee != self || content->seq > journal.sync.through)) items.push_back(bytes);
    }
    return items;
}

Result<std::vector<Bytes>> carried_by(HostPurse& purse) {
    std::vector<Bytes> sealed;
    for (unsigned i = 0;; ++i) {
        auto carried = purse.carried(i);
        if (carried.status == JZ_NOTHING_HERE) return sealed;
        if (carried.status != JZ_OK) return error_of(carried.status, "read what is carried for others");
        sealed.push_back(std::move(carried.bytes));
    }
}

bool finished(std::string_view reason) {
    return reason == "ok" || reason == "unreadable";
}

Result<void> forget_carried(HostPurse& purse) {
    const jz_status status = jz_purse_unload(purse.get());
    return status == JZ_OK ? Result<void>() : error_of(status, "forget what was carried for others");
}

Result<Bytes> alarm_of(HostPurse& purse) {
    auto heads = purse.alarm();
    if (heads.status == JZ_NOTHING_HERE) return Bytes();
    if (heads.status != JZ_OK) return error_of(heads.status, "read the alarm about the issuer");
    return std::move(heads.bytes);
}

}  // namespace jiaozi::terminal
