// The state as bytes and back: docs/formats/snapshot.md, part 2. Loading believes nothing: what it makes of any bytes
// has no reference that leads nowhere.
#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <type_traits>

#include "state.hpp"

namespace jiaozi::ledger {

namespace {

struct TotalsRow {
    std::uint64_t last_timestamp = 0;
    std::uint64_t event_count = 0;
    std::uint64_t transfer_count = 0;
    std::uint64_t expired_since_event = 0;
};
struct HoldRow {
    Transfer transfer;
    std::uint64_t ordinal = 0;
    std::uint64_t reserved_136 = 0;
};
struct MovedRow {
    uint128 amount = 0;
    std::uint64_t ordinal = 0;
    std::uint64_t reserved_24 = 0;
};
template <class Row, std::size_t size>
constexpr bool frozen =
    sizeof(Row) == size && std::is_trivially_copyable_v<Row> && std::has_unique_object_representations_v<Row>;
static_assert(frozen<TotalsRow, 32> && frozen<HoldRow, 144> && frozen<MovedRow, 32> && frozen<Account, 128>);

Error corrupt(const char* cause) {
    return Error(ErrorKind::corrupt, cause);
}

template <class Row>
ByteView bytes_of(const Row& row) {
    return {reinterpret_cast<const std::uint8_t*>(&row), sizeof row};
}

template <class Row>
Result<> read_row(PartSource& parts, Row& row) {
    return parts.read({reinterpret_cast<std::uint8_t*>(&row), sizeof row});
}

// Every row of a part that is nothing but rows.
template <class Row, class Take>
Result<> read_rows(PartSource& parts, Part part, Take take) {
    JZ_TRY(const std::uint64_t bytes, parts.begin(part));
    if (bytes % sizeof(Row) != 0) return corrupt("a part ends inside a row");
    for (std::uint64_t left = bytes / sizeof(Row); left > 0; --left) {
        Row row;
        JZ_CHECK(read_row(parts, row));
        JZ_CHECK(take(row));
    }
    return {};
}

template <class Map>
std::vector<std::uint64_t> ordinals_of(const Map& map) {
    std::vector<std::uint64_t> ordinals;
    ordinals.reserve(map.size());
    for (const auto& [ordinal, value] : map) ordinals.push_back(ordinal);
    std::ranges::sort(ordinals);
    return ordinals;
}

// Ordinals of a part: ascending, and of events that there are.
class Ascending {
  public:
    explicit Ascending(std::uint64_t end) : end_(end) {}
    bool take(std::uint64_t ordinal) {
        if (ordinal < next_ || ordinal >= end_) return false;
        next_ = ordinal + 1;
        return true;
    }

  private:
    const std::uint64_t end_;
    std::uint64_t next_ = 0;
};

}  // namespace

Result<> State::save(PartSink& sink) const {
    JZ_CHECK(sink.begin(Part::totals));
    JZ_CHECK(sink.write(bytes_of(TotalsRow{last_timestamp_ns, event_count_, transfer_count_, expired_since_event_})));
    JZ_CHECK(sink.begin(Part::accounts));
    for (std::size_t i = 0; i < accounts.size(); ++i) JZ_CHECK(sink.write(bytes_of(accounts[i].account)));
    JZ_CHECK(sink.begin(Part::refusals));
    for (std::size_t i = 0; i < refusals_.size(); ++i) JZ_CHECK(sink.write(bytes_of(refusals_[i])));
    JZ_CHECK(sink.begin(Part::transfer_ids));
    JZ_CHECK(transfer_ids_.save(sink));
    JZ_CHECK(sink.begin(Part::statuses));
    Result<> written;
    statuses_.each_chunk([&](std::size_t index, const StatusTable::Chunk& chunk) {
        if (std::ranges::all_of(chunk, [](std::uint64_t word) { return word == 0; })) return true;
        written = sink.write(bytes_of(std::uint64_t{index}));
        if (written.ok()) written = sink.write(bytes_of(chunk));
        return written.ok();
    });
    JZ_CHECK(std::move(written));
    JZ_CHECK(sink.begin(Part::holds));
    Result<> saved;
    holds_.each([&](std::uint64_t ordinal, const Hold& hold) {
        if (saved.ok()) saved = sink.write(bytes_of(HoldRow{hold.transfer, ordinal, 0}));
    });
    JZ_CHECK(std::move(saved));
    JZ_CHECK(sink.begin(Part::moved));
    for (const std::uint64_t ordinal : ordinals_of(moved_))
        JZ_CHECK(sink.write(bytes_of(MovedRow{moved_.at(ordinal), ordinal, 0})));
    return {};
}

Result<> State::load(PartSource& parts) {
    JZ_CHECK(load_totals(parts));
    JZ_CHECK(load_accounts(parts));
    JZ_CHECK(load_refusals(parts));
    JZ_CHECK(load_transfer_ids(parts));
    JZ_CHECK(load_statuses(parts));
    JZ_CHECK(load_holds(parts));
    return load_moved(parts);
}

Result<> State::load_totals(PartSource& parts) {
    JZ_TRY(const std::uint64_t bytes, parts.begin(Part::totals));
    TotalsRow row;
    if (bytes != sizeof row) return corrupt("totals of another size");
    JZ_CHECK(read_row(parts, row));
    if (row.expired_since_event > history_max_tie || row.event_count > IdIndex::max_ordinal ||
        row.transfer_count > row.event_count)
        return corrupt("totals that cannot be");
    last_timestamp_ns = row.last_timestamp;
    event_count_ = row.event_count;
    transfer_count_ = row.transfer_count;
    expired_since_event_ = row.expired_since_event;
    return {};
}

Result<> State::load_accounts(PartSource& parts) {
    return read_rows<Account>(parts, Part::accounts, [this](const Account& account) -> Result<> {
        const std::uint64_t hash = IdHash{}(account.id);
        if (find_account(account.id, hash) != nullptr) return corrupt("two accounts with one id");
        add_account(account, hash);
        return {};
    });
}

Result<> State::load_refusals(PartSource& parts) {
    Ascending ascending(event_count_);
    return read_rows<std::uint64_t>(parts, Part::refusals, [&, this](std::uint64_t row) -> Result<> {
        const std::uint64_t result = row & ((1U << refusal_result_bits) - 1);
        if (!ascending.take(row >> refusal_result_bits) || result == 0 || result >= create_transfer_result_count)
            return corrupt("a refusal that cannot be");
        refusals_.push_back(row);
        return {};
    });
}

Result<> State::load_transfer_ids(PartSource& parts) {
    JZ_TRY(const std::uint64_t bytes, parts.begin(Part::transfer_ids));
    JZ_CHECK(transfer_ids_.load(parts, bytes, event_count_));
    std::uint64_t stored = 0;
    bool known = true;
    transfer_ids_.each_entry([&](IdIndex::Entry entry) {
        if (entry.marked)
            known = known && refusal_of(entry.ordinal).has_value();
        else
            ++stored;
    });
    if (!known) return corrupt("a refused transfer without a refusal");
    return stored == transfer_count_ ? Result<>() : corrupt("more or fewer transfers than there are");
}

Result<> State::load_statuses(PartSource& parts) {
    struct Row {
        std::uint64_t index;
        StatusTable::Chunk words;
    };
    constexpr std::uint64_t ordinals = StatusTable::per_word * StatusTable::chunk_words;
    static_assert(frozen<Row, 8 + 8 * 2048>);
    Ascending ascending(event_count_ / ordinals + 1);
    return read_rows<Row>(parts, Part::statuses, [&, this](const Row& row) -> Result<> {
        if (!ascending.take(row.index)) return corrupt("statuses of no events");
        statuses_.add_chunk(static_cast<std::size_t>(row.index)) = row.words;
        return {};
    });
}

// The heap of expiries follows from the holds: between batches only those of live ones mean anything.
Result<> State::load_holds(PartSource& parts) {
    Ascending ascending(event_count_);
    JZ_CHECK(read_rows<HoldRow>(parts, Part::holds, [&, this](const HoldRow& row) -> Result<> {
        const Transfer& t = row.transfer;
        Hold hold{t, find_account(t.debit_account_id, IdHash{}(t.debit_account_id)),
                  find_account(t.credit_account_id, IdHash{}(t.credit_account_id))};
        if (!ascending.take(row.ordinal) || row.reserved_136 != 0 || hold.debit == nullptr || hold.credit == nullptr ||
            (t.flags & transfer_flags::pending) == 0)
            return corrupt("a hold that cannot be");
        holds_.add(row.ordinal, hold);
        if (t.timeout_s != 0) expiries_.emplace_back(expiry_ns(t), row.ordinal);
        return {};
    }));
    std::ranges::make_heap(expiries_, std::greater());
    return {};
}

Result<> State::load_moved(PartSource& parts) {
    Ascending ascending(event_count_);
    return read_rows<MovedRow>(parts, Part::moved, [&, this](const MovedRow& row) -> Result<> {
        if (!ascending.take(row.ordinal) || row.reserved_24 != 0) return corrupt("an amount of no transfer");
        moved_.emplace(row.ordinal, row.amount);
        return {};
    });
}

}  // namespace jiaozi::ledger
