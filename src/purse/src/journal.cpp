// Records, opening, the anchor (docs/protocol/offline.md, section 10).
#include <jiaozi/purse/cose.hpp>

#include "record.hpp"

namespace jiaozi::purse {
namespace {

constexpr Fixed<4> magic{0x4A, 0x5A, 0x50, 0x31};  // "JZP1"
constexpr std::uint8_t format_version = 1;

using Record = Fixed<JZ_RECORD_BYTES>;

jz_status checksum_of(const jz_platform& platform, const Id& before, View record, Id& out) noexcept {
    const std::array<jz_view, 2> parts{c_view(before), c_view(record.first(record_head + record_body))};
    return platform.hash(platform.context, JZ_SHA256, parts.data(), parts.size(), out.data()) == 0 ? JZ_OK
                                                                                                   : JZ_CRYPTO_FAILED;
}

struct Head {
    Kind kind;
    std::size_t size;
    std::uint32_t mark;
};

// What stands in a record whose checksum is right.
bool read_head(View record, std::uint64_t index, Head& head) noexcept {
    BodyReader in(record);
    if (!equal(in.raw(magic.size()), magic)) return false;
    head.kind = static_cast<Kind>(in.u16());
    head.size = in.u16();
    if (in.number(8) != index || head.size > record_body) return false;
    head.mark = in.u32();
    return in.u32() == 0;
}

}  // namespace

Purse::~Purse() {
    for (Incoming& request : incoming_) wipe(request.secret);
    for (Payment& payment : payment_) wipe(payment.answer_key.key);
    wipe(gossip_secret_);
    wipe(work_.all());
    wipe(kept_.all());
}

jz_status Purse::create(const jz_identity& identity) noexcept {
    Record record{};
    if (platform_.read(platform_.context, 0, record.data()) != JZ_READ_ABSENT) return JZ_BAD_ARGUMENT;
    const bool suite_known = identity.suite >= JZ_ED25519 && identity.suite <= JZ_SM2;
    const std::uint8_t key_size = identity.suite == JZ_ED25519 ? 32 : 33;
    if (!suite_known || identity.key_size != key_size || identity.purse == 0 || identity.assurance < 0 ||
        identity.assurance > 3) {
        return JZ_BAD_ARGUMENT;
    }
    Fixed<16> anchor{};
    std::uint32_t counter = 0;
    if (platform_.anchor_read(platform_.context, anchor.data(), &counter) != 0) return JZ_STORAGE_FAILED;
    BodyWriter body;
    body.u8(format_version).u8(static_cast<std::uint8_t>(identity.suite));
    body.u8(static_cast<std::uint8_t>(identity.assurance)).u8(0).u32(identity.purse).raw(anchor);
    // An anchor that has counted for an earlier purse goes on counting.
    body.u32(counter).raw(Id{}).raw(View(identity.public_key).first(33));
    if (identity.assurance == hardware_counter) mark_ = counter;
    return commit(Kind::start, body.view());
}

jz_status Purse::commit(Kind kind, View body) noexcept {
    if (halted_) return JZ_HALTED;
    if (body.empty()) return JZ_BAD_ARGUMENT;
    Record record{};
    BodyWriter head;
    head.raw(magic).u16(static_cast<std::uint16_t>(kind)).u16(static_cast<std::uint16_t>(body.size()));
    head.number(records_, 8).number(mark_, 8);
    std::memcpy(record.data(), head.view().data(), record_head);
    std::memcpy(record.data() + record_head, body.data(), body.size());
    Id checksum{};
    const jz_status status = checksum_of(platform_, checksum_, record, checksum);
    if (status != JZ_OK) return status;
    std::memcpy(record.data() + record_head + record_body, checksum.data(), checksum.size());
    // After a failed write nobody knows what is on the medium: only opening tells.
    if (platform_.append(platform_.context, records_, record.data()) != 0) {
        halted_ = true;
        return JZ_STORAGE_FAILED;
    }
    // Applied from the record, not from `body`: the very bytes that will be read again.
    const jz_status applied = apply(kind, View(record).subspan(record_head, body.size()));
    if (applied != JZ_OK) {
        halted_ = true;
        return applied;
    }
    checksum_ = checksum;
    last_kind_ = kind;
    ++records_;
    wipe(record);
    return JZ_OK;
}

jz_status Purse::commit_signed(Kind kind, View body) noexcept {
    if (halted_) return JZ_HALTED;
    const std::uint32_t mark = mark_;
    if (counted()) {
        // A sync may follow a counter that ran ahead of this journal.
        Fixed<16> id{};
        std::uint32_t counter = 0;
        if (kind == Kind::sync && platform_.anchor_read(platform_.context, id.data(), &counter) != 0) {
            return JZ_STORAGE_FAILED;
        }
        mark_ = (counter > mark_ ? counter : mark_) + 1;
    }
    const jz_status status = commit(kind, body);
    if (status != JZ_OK) {
        mark_ = mark;
        return status;
    }
    if (platform_.anchor_advance(platform_.context, counted() ? mark_ : seq_) != 0) {
        halted_ = true;
        return JZ_STORAGE_FAILED;
    }
    return JZ_OK;
}

jz_status Purse::read_record(std::uint64_t index, Span record, Kind& kind, View& body) noexcept {
    if (index >= records_) return JZ_NOTHING_HERE;
    Head head{};
    if (platform_.read(platform_.context, index, record.data()) != JZ_READ_OK || !read_head(record, index, head)) {
        return JZ_STORAGE_FAILED;
    }
    kind = head.kind;
    body = View(record).subspan(record_head, head.size);
    return JZ_OK;
}

jz_status Purse::open() noexcept {
    Record record{};
    replaying_ = true;
    while (true) {
        const int found = platform_.read(platform_.context, records_, record.data());
        if (found == JZ_READ_ABSENT) break;
        if (found != JZ_READ_OK) return JZ_STORAGE_FAILED;
        Id checksum{};
        const jz_status status = checksum_of(platform_, checksum_, record, checksum);
        if (status != JZ_OK) return status;
        Head head{};
        const bool whole =
            equal(checksum, View(record).subspan(record_head + record_body)) && read_head(record, records_, head);
        if (!whole) {
            // The last record was being written when power went; one with another behind it was damaged.
            Record behind{};
            if (platform_.read(platform_.context, records_ + 1, behind.data()) != JZ_READ_ABSENT)
                journal_suspect_ = true;
            break;
        }
        if (apply(head.kind, View(record).subspan(record_head, head.size)) != JZ_OK) {
            journal_suspect_ = true;
            break;
        }
        checksum_ = checksum;
        last_kind_ = head.kind;
        mark_ = head.mark;
        ++records_;
    }
    replaying_ = false;
    wipe(record);
    if (records_ == 0) return journal_suspect_ ? JZ_STORAGE_FAILED : JZ_NOTHING_HERE;
    find_carried();
    jz_status status = check_bundles();
    if (status == JZ_OK) status = mark_blacklisted();
    return status == JZ_OK ? check_anchor() : status;
}

jz_status Purse::check_anchor() noexcept {
    Fixed<16> id{};
    std::uint32_t counter = 0;
    if (platform_.anchor_read(platform_.context, id.data(), &counter) != 0) return JZ_STORAGE_FAILED;
    if (id != anchor_) {
        journal_suspect_ = true;
        return JZ_OK;
    }
    if (counted()) return check_counted(counter);
    if (counter == seq_) return JZ_OK;
    // Power went after the record and before the counter. A sync may move the number by more than one.
    const bool behind = counter < seq_ && (counter + 1 == seq_ || last_kind_ == Kind::sync);
    if (!behind) {
        journal_suspect_ = true;
        return JZ_OK;
    }
    return platform_.anchor_advance(platform_.context, seq_) == 0 ? JZ_OK : JZ_STORAGE_FAILED;
}

// A counter can't tell two journals apart that were written for the same step, and an owner can make such a pair:
// disconnect the counter, let the step fail, keep that journal, put the earlier one back and go on. So each opening
// moves two steps on, says so before (not confirmed) and after (confirmed): a journal left by a failed step is old from
// then on, and one left by a failed opening never stands where the counter does.
// docs/adr/0016-the-counter-moves-at-opening.md
jz_status Purse::check_counted(std::uint32_t counter) noexcept {
    const bool stepped = last_kind_ == Kind::note || last_kind_ == Kind::credit || last_kind_ == Kind::void_request ||
                         last_kind_ == Kind::sync;
    const std::uint32_t ahead = mark_ - counter;
    const bool good = opening_failed_ ? mark_ > counter && ahead <= steps_of_open
                                      : mark_ == counter || (stepped && mark_ > counter && ahead == 1);
    if (!good || journal_suspect_) {
        journal_suspect_ = true;
        return JZ_OK;
    }
    constexpr std::uint8_t not_confirmed = 0;
    constexpr std::uint8_t confirmed = 1;
    mark_ = counter + steps_of_open;
    jz_status status = commit(Kind::opened, View(&not_confirmed, 1));
    if (status != JZ_OK) return status;
    if (platform_.anchor_advance(platform_.context, mark_) != 0) {
        halted_ = true;
        return JZ_STORAGE_FAILED;
    }
    return commit(Kind::opened, View(&confirmed, 1));
}

// What the key has signed and the journal does not know: a card signs, and power goes before the record is written. It
// was not sent (I5) and never will be; its number and its ranges are used up.
jz_status Purse::adopt(View bytes) noexcept {
    if (halted_) return JZ_HALTED;
    Object object;
    View rest = bytes;
    jz_status status = read_object(rest, object);
    if (status == JZ_OK && !rest.empty()) status = JZ_MALFORMED;
    if (status == JZ_OK) status = verify(platform_, object, suite_, key_);
    if (status != JZ_OK) return status;
    Note note;
    Receipt receipt;
    Void voided;
    std::uint32_t seq = 0;
    Id before{};
    if (object.type == Type::note && parse(object, note) == JZ_OK) {
        seq = note.seq;
        before = note.previous;
    } else if (object.type == Type::receipt && parse(object, receipt) == JZ_OK) {
        seq = receipt.seq;
        before = receipt.previous;
    } else if (object.type == Type::void_request && parse(object, voided) == JZ_OK) {
        seq = voided.seq;
        before = voided.previous;
    } else {
        return JZ_MALFORMED;
    }
    if (seq <= seq_) return JZ_OUTDATED;
    if (seq != seq_ + 1 || before != previous_) {
        journal_suspect_ = true;
        return JZ_SUSPECT;
    }
    return commit_signed(Kind::adopted, object.bytes);
}

jz_status Purse::check_bundles() noexcept {
    for (Holding& holding : holding_) {
        if (!holding.used || holding.lot) continue;
        Id hash{};
        const Span bytes = kept_.all().first(holding.bundle_size);
        const jz_view part = c_view(bytes);
        const bool there = platform_.load(platform_.context, JZ_AREA_BUNDLE, holding.slot, 0, bytes.data(),
                                          bytes.size()) == JZ_READ_OK &&
                           platform_.hash(platform_.context, JZ_SHA256, &part, 1, hash.data()) == 0;
        holding.checked = there && hash == holding.bundle_hash;
        // A claim on the ledger may be older than the storage that was restored; it is never spent from.
        if (!holding.checked && !holding.settle_only) journal_suspect_ = true;
    }
    return JZ_OK;
}

jz_status Purse::evidence(std::uint64_t index, unsigned& kind, Span out, std::size_t& size) noexcept {
    Record record{};
    Kind found{};
    View body;
    const jz_status status = read_record(index, record, found, body);
    if (status != JZ_OK) return status;
    std::size_t skip = 0;
    switch (found) {
        case Kind::lot:
        case Kind::done:
        case Kind::void_held:
        case Kind::sync:
        case Kind::adopted:
        case Kind::alarm:
            break;
        case Kind::note:
            skip = 4 + 33 + 16 + 32;
            break;
        case Kind::credit:
            skip = 12 + 16 + 32;
            break;
        case Kind::void_request:
            skip = 16;
            break;
        default:
            // Requests hold a private key, the others nothing that anybody else needs.
            kind = 0;
            wipe(record);
            return JZ_OK;
    }
    const View object = body.subspan(skip < body.size() ? skip : body.size());
    if (object.size() > out.size()) return JZ_BUFFER_TOO_SMALL;
    std::memcpy(out.data(), object.data(), object.size());
    kind = static_cast<unsigned>(found);
    size = object.size();
    return JZ_OK;
}

jz_status Purse::learn_time(std::uint32_t time) noexcept {
    if (time <= t_low_) return JZ_OK;
    BodyWriter body;
    body.u32(time);
    return commit(Kind::time, body.view());
}

}  // namespace jiaozi::purse
