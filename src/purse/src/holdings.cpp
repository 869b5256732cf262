// What can be spent: free ranges, drawing an amount from them, and the provenance that goes with it.
#include "record.hpp"

namespace jiaozi::purse {

std::uint64_t Holding::free_amount() const noexcept {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < pieces; ++i) sum += free[i].size();
    return sum;
}

bool Holding::cut(Range range) noexcept {
    for (std::size_t i = 0; i < pieces; ++i) {
        Range& piece = free[i];
        if (range.from < piece.from || range.to > piece.to) continue;
        const Range behind{range.to, piece.to};
        piece.to = range.from;
        if (piece.size() == 0) {
            if (behind.size() > 0) {
                piece = behind;
            } else {
                piece = free[--pieces];
            }
        } else if (behind.size() > 0 && pieces < max_free) {
            free[pieces++] = behind;
        }
        return true;
    }
    return false;
}

std::uint32_t Purse::now() const noexcept {
    const std::uint32_t clock = platform_.now(platform_.context);
    return clock > t_low_ ? clock : t_low_;
}

bool Purse::in_time(std::uint32_t expires) const noexcept {
    return std::uint64_t{now()} + settle_margin_s < expires;
}

bool Purse::spendable(const Holding& holding, std::uint32_t payee) const noexcept {
    return holding.used && !holding.settle_only && holding.checked && holding.pieces > 0 &&
           holding.not_before <= now() && in_time(holding.expires) && holding.hop < holding.hops &&
           (holding.directed == 0 || holding.directed == payee);
}

Holding* Purse::find_holding(const Id& id) noexcept {
    for (Holding& holding : holding_) {
        if (holding.used && holding.id == id) return &holding;
    }
    return nullptr;
}

bool Purse::in_use(std::size_t holding) const noexcept {
    for (const Payment& payment : payment_) {
        const bool open = payment.state == PaymentState::sent || payment.state == PaymentState::void_held;
        if (open && (payment.holdings >> holding & 1) != 0) return true;
    }
    return false;
}

Holding* Purse::room_for_lot() noexcept {
    // T_low and not the clock, so that reading the journal back makes the same choice.
    for (std::size_t i = 0; i < max_lots; ++i) {
        if (!holding_[i].used) return &holding_[i];
    }
    for (std::size_t i = 0; i < max_lots; ++i) {
        if ((holding_[i].pieces == 0 || holding_[i].expires <= t_low_) && !in_use(i)) return &holding_[i];
    }
    return nullptr;
}

const Holding* Purse::own_certificate() const noexcept {
    const Holding* best = nullptr;
    for (const Holding& holding : holding_) {
        if (holding.used && holding.lot && (best == nullptr || holding.expires > best->expires)) best = &holding;
    }
    return best;
}

jz_status Purse::read_certificate(const Holding& lot, Span record, Object& object, Certificate& value) noexcept {
    Kind kind{};
    View body;
    jz_status status = read_record(lot.record, record, kind, body);
    if (status == JZ_OK) status = read_whole(body, Type::certificate, object);
    return status == JZ_OK ? parse(object, value) : status;
}

std::uint64_t Purse::balance() const noexcept {
    std::uint64_t sum = 0;
    for (const Holding& holding : holding_) {
        const std::uint64_t amount = spendable(holding, holding.directed) ? holding.free_amount() : 0;
        sum = amount > highest_amount - sum ? highest_amount : sum + amount;
    }
    return sum;
}

namespace {

// Strategies in the order they are tried: what is most bound goes first; if that needs too many sources or too much
// provenance, lots alone; then the largest pieces.
enum Strategy { most_bound_first, lots_only, largest_first, strategies };

// Smaller is drawn on earlier.
std::uint64_t rank(const Holding& holding, int strategy) noexcept {
    if (strategy == largest_first) return highest_amount - holding.free_amount();
    const std::uint64_t group = holding.directed != 0 ? 0 : holding.lot ? 2 : 1;
    return group << 32 | holding.expires;
}

}  // namespace

bool Purse::draw(std::uint64_t amount, std::uint32_t payee, int strategy, Draw& out) const noexcept {
    out = {};
    std::uint32_t tried = 0;
    while (amount > 0) {
        const Holding* best = nullptr;
        for (const Holding& holding : holding_) {
            const auto bit = std::uint32_t{1} << (&holding - holding_.data());
            if ((tried & bit) != 0 || !spendable(holding, payee) || (strategy == lots_only && !holding.lot)) continue;
            if (best == nullptr || rank(holding, strategy) < rank(*best, strategy)) best = &holding;
        }
        if (best == nullptr) return false;
        const auto bit = std::uint32_t{1} << (best - holding_.data());
        tried |= bit;
        for (std::size_t i = 0; i < best->pieces && amount > 0; ++i) {
            if (out.sources == max_sources) return false;
            const Range& piece = best->free[i];
            // Always from the front of a piece, so that cutting never makes more of them.
            const std::uint64_t part = amount < piece.size() ? amount : piece.size();
            out.source[out.sources++] = {best->id, piece.from, part};
            out.holdings |= bit;
            if (best->hop >= out.hop) out.hop = static_cast<std::uint8_t>(best->hop + 1);
            amount -= part;
        }
    }
    for (std::size_t i = 0; i < max_holdings; ++i) {
        if ((out.holdings >> i & 1) != 0 && out.hop > holding_[i].hops) return false;
    }
    return true;
}

namespace {

// Appends an object unless one with its id is there; ids are not stored, the bytes are walked.
jz_status add_once(const jz_platform& platform, const Object& object, Buffer<max_bundle>& out,
                   std::size_t& count) noexcept {
    Id id{};
    jz_status status = id_of(platform, object, id);
    View rest = out.view();
    while (status == JZ_OK && !rest.empty()) {
        Object present;
        Id other{};
        status = read_object(rest, present);
        if (status == JZ_OK) status = id_of(platform, present, other);
        if (status == JZ_OK && other == id) return JZ_OK;
    }
    if (status != JZ_OK) return status;
    ++count;
    return out.append(object.bytes) ? JZ_OK : JZ_PROVENANCE_LIMIT;
}

}  // namespace

jz_status Purse::add_held(const Holding& held, Buffer<max_bundle>& out, std::size_t& notes,
                          std::size_t& certificates) noexcept {
    const Span bytes = kept_.all().first(held.bundle_size);
    if (platform_.load(platform_.context, JZ_AREA_BUNDLE, held.slot, 0, bytes.data(), bytes.size()) != JZ_READ_OK) {
        return JZ_STORAGE_FAILED;
    }
    View rest = bytes;
    while (!rest.empty()) {
        Object object;
        jz_status status = read_object(rest, object);
        if (status != JZ_OK) return JZ_STORAGE_FAILED;
        status = add_once(platform_, object, out, object.type == Type::note ? notes : certificates);
        if (status != JZ_OK) return status;
    }
    return JZ_OK;
}

jz_status Purse::provenance(std::span<const Source> sources, std::uint32_t leave_out_for, Buffer<max_bundle>& out,
                            std::size_t& notes) noexcept {
    out.clear();
    notes = 1;  // the one that pays
    std::size_t certificates = 0;
    for (const Source& source : sources) {
        const Holding* held = find_holding(source.id);
        if (held == nullptr) return JZ_STORAGE_FAILED;
        if (held->lot) continue;
        const jz_status status = add_held(*held, out, notes, certificates);
        if (status != JZ_OK) return status;
    }
    bool certified = false;
    const auto add_own = [&](const Holding& lot) noexcept {
        certified = true;
        for (const Given& given : given_) {
            if (leave_out_for != 0 && given.peer == leave_out_for && given.lot == lot.id) return JZ_OK;
        }
        Fixed<JZ_RECORD_BYTES> record{};
        Object object;
        Certificate value;
        const jz_status status = read_certificate(lot, record, object, value);
        return status == JZ_OK ? add_once(platform_, object, out, certificates) : status;
    };
    for (const Source& source : sources) {
        const Holding* lot = find_holding(source.id);
        if (lot == nullptr || !lot->lot) continue;
        if (const jz_status status = add_own(*lot); status != JZ_OK) return status;
    }
    if (!certified) {
        const Holding* own = own_certificate();
        if (own == nullptr) return JZ_DRAINED;
        if (const jz_status status = add_own(*own); status != JZ_OK) return status;
    }
    return notes <= max_notes && certificates <= max_certificates ? JZ_OK : JZ_PROVENANCE_LIMIT;
}

}  // namespace jiaozi::purse
