#include <jiaozi/purse/bundle.hpp>

namespace jiaozi::purse {

const Entry<Note>* Bundle::find_note(const Id& id) const noexcept {
    for (const Entry<Note>& entry : all_notes()) {
        if (entry.id == id) return &entry;
    }
    return nullptr;
}

const Entry<Certificate>* Bundle::find_lot(const Id& id) const noexcept {
    for (const Entry<Certificate>& entry : all_certificates()) {
        if (entry.id == id) return &entry;
    }
    return nullptr;
}

const Entry<Certificate>* Bundle::find_purse(std::uint32_t purse) const noexcept {
    for (const Entry<Certificate>& entry : all_certificates()) {
        if (entry.value.purse == purse) return &entry;
    }
    return nullptr;
}

namespace {

template <class Value>
jz_status read_entry(const jz_platform& platform, const Object& object, Entry<Value>& entry) noexcept {
    entry.object = object;
    const jz_status status = parse(object, entry.value);
    return status == JZ_OK ? id_of(platform, object, entry.id) : status;
}

}  // namespace

jz_status add_to_bundle(const jz_platform& platform, View& rest, Bundle& bundle) noexcept {
    Object object;
    jz_status status = read_object(rest, object);
    if (status != JZ_OK) return status;
    if (object.type == Type::note) {
        if (bundle.notes == max_notes) return JZ_PROVENANCE_LIMIT;
        Entry<Note>& entry = bundle.note[bundle.notes];
        status = read_entry(platform, object, entry);
        if (status != JZ_OK) return status;
        if (bundle.find_note(entry.id) != nullptr) return JZ_MALFORMED;
        ++bundle.notes;
        return JZ_OK;
    }
    if (object.type != Type::certificate || bundle.notes == 0) return JZ_MALFORMED;  // the note that pays comes first
    if (bundle.certificates == max_certificates) return JZ_PROVENANCE_LIMIT;
    Entry<Certificate>& entry = bundle.certificate[bundle.certificates];
    status = read_entry(platform, object, entry);
    if (status != JZ_OK) return status;
    if (bundle.find_lot(entry.id) != nullptr) return JZ_MALFORMED;
    ++bundle.certificates;
    return JZ_OK;
}

jz_status read_bundle(const jz_platform& platform, View bytes, Bundle& bundle) noexcept {
    bundle.notes = bundle.certificates = 0;
    if (bytes.size() > max_bundle) return JZ_PROVENANCE_LIMIT;
    while (!bytes.empty()) {
        const jz_status status = add_to_bundle(platform, bytes, bundle);
        if (status != JZ_OK) return status;
    }
    return bundle.notes > 0 ? JZ_OK : JZ_MALFORMED;
}

jz_status check_complete(const Bundle& bundle) noexcept {
    std::array<bool, max_notes> note_needed{true};
    std::array<bool, max_certificates> certificate_needed{};
    bool missing_certificate = false;
    for (const Entry<Note>& entry : bundle.all_notes()) {
        for (const Source& source : entry.value.all_sources()) {
            if (const Entry<Note>* parent = bundle.find_note(source.id)) {
                note_needed[static_cast<std::size_t>(parent - bundle.note.data())] = true;
            } else if (const Entry<Certificate>* lot = bundle.find_lot(source.id)) {
                certificate_needed[static_cast<std::size_t>(lot - bundle.certificate.data())] = true;
            } else {
                missing_certificate = true;  // a lot's certificate left out, or a note: the payer sends all again
            }
        }
        bool certified = false;
        for (std::size_t i = 0; i < bundle.certificates; ++i) {
            if (bundle.certificate[i].value.purse != entry.value.payer) continue;
            certified = certificate_needed[i] = true;
        }
        if (!certified) missing_certificate = true;
    }
    for (std::size_t i = 0; i < bundle.notes; ++i) {
        if (!note_needed[i]) return JZ_MALFORMED;
    }
    for (std::size_t i = 0; i < bundle.certificates; ++i) {
        if (!certificate_needed[i]) return JZ_MALFORMED;
    }
    return missing_certificate ? JZ_NEED_CERTIFICATE : JZ_OK;
}

jz_status check_suites(const Bundle& bundle) noexcept {
    for (const Entry<Certificate>& left : bundle.all_certificates()) {
        for (const Entry<Certificate>& right : bundle.all_certificates()) {
            if (left.value.purse == right.value.purse &&
                (left.value.suite != right.value.suite || left.value.key != right.value.key)) {
                return JZ_WRONG_SUITE;
            }
        }
    }
    for (const Entry<Note>& entry : bundle.all_notes()) {
        const Entry<Certificate>* certificate = bundle.find_purse(entry.value.payer);
        if (certificate == nullptr) return JZ_NEED_CERTIFICATE;
        if (entry.object.suite != certificate->value.suite) return JZ_WRONG_SUITE;
    }
    return JZ_OK;
}

jz_status check_asset(const Bundle& bundle, const Asset& asset) noexcept {
    for (const Entry<Certificate>& entry : bundle.all_certificates()) {
        if (entry.value.asset != asset) return JZ_WRONG_ASSET;
    }
    return JZ_OK;
}

jz_status check_hops(const Bundle& bundle) noexcept {
    for (const Entry<Note>& entry : bundle.all_notes()) {
        unsigned highest = 0;
        for (const Source& source : entry.value.all_sources()) {
            const Entry<Note>* parent = bundle.find_note(source.id);
            if (parent != nullptr && parent->value.hop > highest) highest = parent->value.hop;
        }
        // Counting up by one from source to note also excludes a note that descends from itself.
        if (entry.value.hop != highest + 1) return JZ_TOO_MANY_HOPS;
    }
    for (const Entry<Certificate>& entry : bundle.all_certificates()) {
        if (bundle.note[0].value.hop > entry.value.hops) return JZ_TOO_MANY_HOPS;
    }
    return JZ_OK;
}

jz_status check_ranges(const Bundle& bundle) noexcept {
    for (const Entry<Note>& entry : bundle.all_notes()) {
        for (const Source& source : entry.value.all_sources()) {
            if (const Entry<Note>* parent = bundle.find_note(source.id)) {
                if (parent->value.payee != entry.value.payer || source.end() > parent->value.total()) {
                    return JZ_BAD_RANGE;
                }
                continue;
            }
            const Entry<Certificate>* lot = bundle.find_lot(source.id);
            if (lot == nullptr) return JZ_NEED_CERTIFICATE;
            if (lot->value.purse != entry.value.payer || source.end() > lot->value.amount) return JZ_BAD_RANGE;
            if (lot->value.directed != 0 && lot->value.directed != entry.value.payee) return JZ_WRONG_DIRECTED;
        }
    }
    return JZ_OK;
}

jz_status verify_notes(const jz_platform& platform, const Bundle& bundle) noexcept {
    for (const Entry<Note>& entry : bundle.all_notes()) {
        const Entry<Certificate>* certificate = bundle.find_purse(entry.value.payer);
        if (certificate == nullptr) return JZ_NEED_CERTIFICATE;
        const jz_status status = verify(platform, entry.object, certificate->value.suite, certificate->value.key);
        if (status != JZ_OK) return status;
    }
    return JZ_OK;
}

bool in_conflict(const Entry<Note>& left, const Entry<Note>& right) noexcept {
    if (left.id == right.id || left.value.payer != right.value.payer) return false;
    if (left.value.seq == right.value.seq) return true;
    for (const Source& mine : left.value.all_sources()) {
        for (const Source& theirs : right.value.all_sources()) {
            if (mine.overlaps(theirs)) return true;
        }
    }
    return false;
}

namespace {

// A range that has still to be taken down to lots.
struct Pending {
    const Entry<Note>* note;
    std::uint64_t from;
    std::uint64_t to;
};

}  // namespace

jz_status resolve(const Bundle& bundle, Pieces& out) noexcept {
    // A stack in place of recursion: each range taken off is replaced by those of its sources.
    std::array<Pending, 2 * max_pieces> stack{};
    std::size_t depth = 0;
    stack[depth++] = {&bundle.note[0], 0, bundle.note[0].value.total()};
    out.count = 0;
    while (depth > 0) {
        const Pending range = stack[--depth];
        std::uint64_t start = 0;  // of the source within the note's numbering
        for (const Source& source : range.note->value.all_sources()) {
            const std::uint64_t end = start + source.amount;
            const std::uint64_t from = range.from > start ? range.from : start;
            const std::uint64_t to = range.to < end ? range.to : end;
            if (from < to) {
                const std::uint64_t low = source.offset + (from - start);
                const std::uint64_t high = low + (to - from);
                if (const Entry<Note>* parent = bundle.find_note(source.id)) {
                    if (depth == stack.size()) return JZ_BAD_RANGE;
                    stack[depth++] = {parent, low, high};
                } else if (const Entry<Certificate>* lot = bundle.find_lot(source.id)) {
                    if (out.count == out.piece.size()) return JZ_BAD_RANGE;
                    out.piece[out.count++] = {lot, low, high};
                } else {
                    return JZ_NEED_CERTIFICATE;
                }
            }
            start = end;
        }
    }
    return JZ_OK;
}

}  // namespace jiaozi::purse
