// A new blacklist from the old one and what changed (docs/protocol/offline.md, 3.7): three readers and one writer go
// over the lists together, in the memory of one list.
#include <jiaozi/purse/cbor.hpp>

#include "record.hpp"

namespace jiaozi::purse {

jz_status merge_list(ListReader& old, ListReader& added, ListReader& removed, ListWriter& out) noexcept {
    std::uint32_t kept = 0;
    std::uint32_t more = 0;
    std::uint32_t less = 0;
    bool has_kept = old.next(kept);
    bool has_more = added.next(more);
    bool has_less = removed.next(less);
    while (has_kept || has_more) {
        if (has_kept && has_more && kept == more) return JZ_MALFORMED;  // added what was there
        const bool take_kept = has_kept && (!has_more || kept < more);
        const std::uint32_t next = take_kept ? kept : more;
        if (has_less && less < next) return JZ_MALFORMED;  // removed what was not there
        if (has_less && less == next) {
            if (!take_kept) return JZ_MALFORMED;
            has_less = removed.next(less);
        } else if (!out.add(next)) {
            return JZ_MALFORMED;
        }
        if (take_kept) {
            has_kept = old.next(kept);
        } else {
            has_more = added.next(more);
        }
    }
    return !has_less && old.valid() && added.valid() && removed.valid() ? JZ_OK : JZ_MALFORMED;
}

jz_status Purse::update_list(View head_and_delta) noexcept {
    constexpr std::size_t most = 512;
    if (head_and_delta.size() > most) return JZ_TOO_LARGE;
    View rest = head_and_delta;
    Object object;
    ListHead head;
    if (read_object(rest, object) != JZ_OK || object.type != Type::list_head) return JZ_MALFORMED;
    if (const jz_status status = parse(object, head); status != JZ_OK) return status;
    CborReader in(rest);
    in.array_of(5);
    const std::uint64_t from = in.uint(highest_u32);
    const auto added = static_cast<std::uint32_t>(in.uint(highest_u32));
    ListSource more(in.bytes());
    const auto removed = static_cast<std::uint32_t>(in.uint(highest_u32));
    ListSource less(in.bytes());
    if (!in.done()) return JZ_MALFORMED;
    if (head.version <= list_.head.version) return compare_heads(object.bytes);
    if (from != 0 && from != list_.head.version) return JZ_OUTDATED;

    const List nothing{};
    const List& base = from == 0 ? nothing : list_;
    ListSource present(platform_, base.slot, base.size);
    ListReader old(present, base.head.enrolled, base.head.revoked);
    ListReader adding(more, head.enrolled, added);
    ListReader removing(less, head.enrolled, removed);
    // The bundle buffer holds what a small list needs; a larger one comes whole, at a sync.
    ListWriter writer(kept_.all(), head.enrolled, head.revoked);
    const jz_status status = merge_list(old, adding, removing, writer);
    if (status != JZ_OK) return status;
    if (!writer.complete()) return JZ_MALFORMED;
    return install_list(object.bytes, writer.finish());
}

namespace {

// Calls `added` and `removed` with what differs, ascending; false when one of the lists can't be read.
template <class Added, class Removed>
bool compare_lists(ListReader& from, ListReader& to, Added added, Removed removed) noexcept {
    std::uint32_t before = 0;
    std::uint32_t after = 0;
    bool has_before = from.next(before);
    bool has_after = to.next(after);
    while (has_before || has_after) {
        if (has_before && has_after && before == after) {
            has_before = from.next(before);
            has_after = to.next(after);
        } else if (has_before && (!has_after || before < after)) {
            removed(before);
            has_before = from.next(before);
        } else {
            added(after);
            has_after = to.next(after);
        }
    }
    return from.valid() && to.valid();
}

}  // namespace

// Twice over the lists: how much has changed decides how it is coded.
std::size_t Purse::write_delta(const List& from, Span out) noexcept {
    std::uint32_t added = 0;
    std::uint32_t removed = 0;
    Fixed<max_update> more_room{};
    Fixed<max_update> less_room{};
    const auto compare = [&](auto more, auto less) noexcept {
        ListSource old_body(platform_, from.slot, from.size);
        ListSource new_body(platform_, list_.slot, list_.size);
        ListReader before(old_body, from.head.enrolled, from.head.revoked);
        ListReader after(new_body, list_.head.enrolled, list_.head.revoked);
        return compare_lists(before, after, more, less);
    };
    if (!compare([&](std::uint32_t) noexcept { ++added; }, [&](std::uint32_t) noexcept { ++removed; })) return 0;
    ListWriter more(more_room, list_.head.enrolled, added);
    ListWriter less(less_room, list_.head.enrolled, removed);
    bool fits = true;
    const bool read = compare([&](std::uint32_t ordinal) noexcept { fits = more.add(ordinal) && fits; },
                              [&](std::uint32_t ordinal) noexcept { fits = less.add(ordinal) && fits; });
    if (!read || !fits) return 0;
    CborWriter writer(out);
    writer.array(5).uint(from.head.version).uint(added).bytes(more.finish()).uint(removed).bytes(less.finish());
    return writer.ok() ? writer.size() : 0;
}

}  // namespace jiaozi::purse
