#include "history_run.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

#include <jiaozi/base/assert.hpp>

#include "varint.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace jiaozi::engine {

namespace {

using ledger::HistoryRow;

enum class RowKind : std::uint8_t { debit = 0, credit = 1, transfer = 2, expiry = 3 };
constexpr unsigned kind_bits = 2;
constexpr unsigned balance_count = 4;
constexpr std::size_t max_row_bytes = 4 * 10 + 1 + balance_count * max_varint_bytes;
constexpr std::size_t max_group_header_bytes = 2 * 10;
static_assert(run_chunk_bytes + max_row_bytes + max_group_header_bytes <= max_run_chunk_bytes);
constexpr std::size_t buffer_bytes = std::size_t{256} * 1024;
// So that no great heap of dirty pages comes to stand in the journal's way.
constexpr std::uint64_t sync_every = std::uint64_t{4} << 20;
constexpr std::string_view suffix = ".history";
constexpr std::size_t digits = 16;

std::uint64_t check_of(ByteView bytes) {
    return XXH3_64bits(bytes.data(), bytes.size());
}

template <class Row>
ByteView bytes_of(const Row& row) {
    return {reinterpret_cast<const std::uint8_t*>(&row), sizeof row};
}

Error corrupt(const char* cause) {
    return Error(ErrorKind::corrupt, cause);
}

std::uint64_t ordinal_of(std::uint64_t position) {
    return position >> ledger::history_tie_bits;
}

std::array<uint128, balance_count> balances_of(const HistoryRow& row) {
    return {row.debits_pending, row.debits_posted, row.credits_pending, row.credits_posted};
}

std::array<uint128*, balance_count> balances_in(HistoryRow& row) {
    return {&row.debits_pending, &row.debits_posted, &row.credits_pending, &row.credits_posted};
}

// ---------------------------------------------------------------- rows

void write_balances(Writer& writer, const HistoryRow& before, const HistoryRow& row) {
    const auto old_values = balances_of(before);
    const auto new_values = balances_of(row);
    unsigned mask = 0;
    for (unsigned i = 0; i < balance_count; ++i) {
        if (new_values[i] != old_values[i]) mask |= 1U << i;
        if (new_values[i] < old_values[i]) mask |= 1U << (i + balance_count);
    }
    writer.fixed(static_cast<std::uint8_t>(mask));
    for (unsigned i = 0; i < balance_count; ++i) {
        if (new_values[i] > old_values[i]) writer.varint(uint128{new_values[i] - old_values[i]});
        if (new_values[i] < old_values[i]) writer.varint(uint128{old_values[i] - new_values[i]});
    }
}

// The commonest changes, each in a kind of its own.
RowKind kind_of(const HistoryRow& before, const HistoryRow& row) {
    if (row.expired_ns != 0) return RowKind::expiry;
    if (row.debits_pending != before.debits_pending || row.credits_pending != before.credits_pending)
        return RowKind::transfer;
    const bool debit = row.debits_posted != before.debits_posted;
    const bool credit = row.credits_posted != before.credits_posted;
    if (debit == credit || row.debits_posted < before.debits_posted || row.credits_posted < before.credits_posted)
        return RowKind::transfer;
    return debit ? RowKind::debit : RowKind::credit;
}

std::uint8_t* write_row(std::uint8_t* to, const HistoryRow& before, const HistoryRow& row) {
    Writer writer(to);
    const RowKind kind = kind_of(before, row);
    const std::uint64_t ordinal = ordinal_of(row.position);
    writer.varint((ordinal - ordinal_of(before.position)) << kind_bits | static_cast<std::uint64_t>(kind));
    switch (kind) {
        case RowKind::debit:
            writer.varint(uint128{row.debits_posted - before.debits_posted});
            break;
        case RowKind::credit:
            writer.varint(uint128{row.credits_posted - before.credits_posted});
            break;
        case RowKind::expiry:
            writer.varint(row.position & ledger::history_max_tie);
            writer.varint(ordinal - row.event);
            writer.varint(row.expired_ns);
            [[fallthrough]];
        case RowKind::transfer:
            write_balances(writer, before, row);
            break;
    }
    return writer.at();
}

bool read_balances(Cursor& cursor, HistoryRow& row) {
    const unsigned mask = cursor.fixed<std::uint8_t>();
    const unsigned changed = mask & 15U;
    const unsigned less = mask >> balance_count;
    if ((less & ~changed) != 0) return false;
    const auto values = balances_in(row);
    for (unsigned i = 0; i < balance_count; ++i) {
        if ((changed >> i & 1U) == 0) continue;
        const auto difference = cursor.varint<uint128>();
        if (difference == 0) return false;
        const uint128 value = (less >> i & 1U) != 0 ? *values[i] - difference : *values[i] + difference;
        if ((value < *values[i]) != ((less >> i & 1U) != 0)) return false;  // wrapped
        *values[i] = value;
    }
    return true;
}

// `row` is the one before, and becomes this one.
bool read_row(Cursor& cursor, bool first, HistoryRow& row) {
    const auto head = cursor.varint<std::uint64_t>();
    const auto kind = static_cast<RowKind>(head & 3U);
    const std::uint64_t ordinal = ordinal_of(row.position) + (head >> kind_bits);
    if (ordinal >> (64 - ledger::history_tie_bits) != 0) return false;
    std::uint64_t position = ledger::position_of_event(ordinal);
    row.event = ordinal;
    row.expired_ns = 0;
    bool good = true;
    switch (kind) {
        case RowKind::debit:
        case RowKind::credit: {
            uint128& balance = kind == RowKind::debit ? row.debits_posted : row.credits_posted;
            const auto grown = cursor.varint<uint128>();
            balance += grown;
            good = grown != 0 && balance >= grown;
            break;
        }
        case RowKind::expiry: {
            const auto tie = cursor.varint<std::uint64_t>();
            const auto distance = cursor.varint<std::uint64_t>();
            row.expired_ns = cursor.varint<std::uint64_t>();
            if (tie >= ledger::history_max_tie || distance == 0 || distance > ordinal || row.expired_ns == 0)
                return false;
            position = ledger::position_of_expiry(ordinal, tie);
            row.event = ordinal - distance;
            good = read_balances(cursor, row);
            break;
        }
        case RowKind::transfer:
            good = read_balances(cursor, row);
            break;
    }
    good = good && !cursor.failed() && (first || position > row.position);
    row.position = position;
    return good;
}

}  // namespace

Result<> decode_chunk(ByteView chunk, const RunName& run, std::optional<std::uint64_t> account,
                      std::vector<HistoryRow>& rows) {
    Cursor cursor(chunk);
    std::uint64_t group_account = 0;
    bool first_group = true;
    while (cursor.left() > 0) {
        const auto more = cursor.varint<std::uint64_t>();
        const auto count = cursor.varint<std::uint64_t>();
        if (cursor.failed() || count == 0 || (!first_group && more == 0) || more > UINT64_MAX - group_account)
            return corrupt("a group of changes that cannot be");
        group_account += more;
        first_group = false;
        HistoryRow row;
        row.account = group_account;
        row.position = run.begin;
        const bool wanted = !account || *account == group_account;
        for (std::uint64_t i = 0; i < count; ++i) {
            if (!read_row(cursor, i == 0, row) || row.position < run.begin || row.position >= run.end)
                return corrupt("a change that cannot be");
            if (wanted) rows.push_back(row);
        }
    }
    return first_group ? corrupt("an empty chunk") : Result<>();
}

std::uint64_t check_of(const RunHeader& header) {
    return check_of(bytes_of(header).first(offsetof(RunHeader, check)));
}

std::string run_name(RunName name) {
    std::string text;
    for (const std::uint64_t number : {name.begin, name.end}) {
        std::array<char, digits> hex{};
        const auto end = std::to_chars(hex.data(), hex.data() + hex.size(), number, 16).ptr;
        const auto used = static_cast<std::size_t>(end - hex.data());
        if (!text.empty()) text += '-';
        text.append(digits - used, '0').append(hex.data(), used);
    }
    return text.append(suffix);
}

std::optional<RunName> parse_run_name(std::string_view text) {
    if (text.size() != 2 * digits + 1 + suffix.size()) return std::nullopt;
    RunName name;
    const char* const data = text.data();
    const auto first = std::from_chars(data, data + digits, name.begin, 16);
    const auto second = std::from_chars(data + digits + 1, data + 2 * digits + 1, name.end, 16);
    if (first.ptr != data + digits || second.ptr != data + 2 * digits + 1) return std::nullopt;
    if (run_name(name) != text) return std::nullopt;  // one way to write it
    return name;
}

// ---------------------------------------------------------------- reading

Error HistoryRun::damaged(const std::string& cause) const {
    return Error(ErrorKind::corrupt, "histories damaged: " + path_.string() + ": " + cause +
                                         "; stop the program, remove that file and start it again: histories are "
                                         "then rebuilt from the journal");
}

Result<std::shared_ptr<const HistoryRun>> HistoryRun::open(storage::Disk& disk, const std::filesystem::path& path) {
    const std::shared_ptr<HistoryRun> run(new HistoryRun(path));
    JZ_TRY(run->file_, disk.open(path, storage::Disk::Mode::read));
    JZ_CHECK(run->load());
    return std::shared_ptr<const HistoryRun>(run);
}

Result<> HistoryRun::load() {
    Bytes bytes(sizeof header_);
    JZ_TRY(const std::size_t got, file_->read_at(0, bytes));
    JZ_TRY(const std::uint64_t size, file_->size());
    if (got != sizeof header_) return damaged("it is too short");
    std::memcpy(&header_, bytes.data(), sizeof header_);
    if (header_.magic != run_magic) return damaged("it is not such a file");
    if (header_.version != run_version || header_.header_size != sizeof header_)
        return damaged("it is of another version of the program");
    const bool zeros = std::ranges::all_of(header_.reserved_128, [](std::uint8_t byte) { return byte == 0; });
    if (header_.check != check_of(header_) || !zeros) return damaged("its header fails its check");
    const auto named = parse_run_name(path_.filename().string());
    if (named && *named != name()) return damaged("its name is not what it is");
    if (header_.begin >= header_.end || header_.chunks == 0 || header_.rows < header_.chunks || header_.entry == 0 ||
        header_.index_offset < sizeof header_ || header_.index_offset > size ||
        header_.chunks != (size - header_.index_offset) / sizeof(RunIndexRow) ||
        header_.chunks * sizeof(RunIndexRow) != size - header_.index_offset)
        return damaged("it is not as long as it says");
    index_.resize(static_cast<std::size_t>(header_.chunks));
    const ByteSpan into(reinterpret_cast<std::uint8_t*>(index_.data()), index_.size() * sizeof index_[0]);
    JZ_TRY(const std::size_t filled, file_->read_at(header_.index_offset, into));
    if (filled != into.size()) return damaged("a read came back short");
    if (check_of(into) != header_.index_check) return damaged("its index fails its check");
    std::uint64_t at = sizeof header_;
    for (std::size_t i = 0; i < index_.size(); ++i) {
        const bool follows = i == 0 || std::pair(index_[i - 1].account, index_[i - 1].position) <
                                           std::pair(index_[i].account, index_[i].position);
        if (index_[i].offset != at || end_of(i) <= at || end_of(i) - at > max_run_chunk_bytes || !follows)
            return damaged("its index cannot be");
        at = end_of(i);
    }
    return {};
}

Result<> HistoryRun::read_chunks(std::size_t first, std::size_t last, std::optional<std::uint64_t> account,
                                 std::vector<HistoryRow>& rows) const {
    const std::uint64_t begin = index_[first].offset;
    Bytes bytes(static_cast<std::size_t>(end_of(last - 1) - begin));
    {
        const std::lock_guard guard(reading_);
        JZ_TRY(const std::size_t got, file_->read_at(begin, bytes));
        if (got != bytes.size()) return damaged("a read came back short");
    }
    for (std::size_t i = first; i < last; ++i) {
        const ByteView chunk = ByteView(bytes).subspan(static_cast<std::size_t>(index_[i].offset - begin),
                                                       static_cast<std::size_t>(end_of(i) - index_[i].offset));
        if (check_of(chunk) != index_[i].check)
            return damaged("what stands at offset " + std::to_string(index_[i].offset) + " fails its check");
        if (auto decoded = decode_chunk(chunk, name(), account, rows); !decoded.ok())
            return damaged(decoded.error().message());
    }
    return {};
}

Result<> HistoryRun::read_chunks(std::size_t first, std::size_t last, std::vector<HistoryRow>& rows) const {
    return read_chunks(first, last, std::nullopt, rows);
}

// An account's changes stand in neighbouring chunks: from the last one that begins before them on.
Result<> HistoryRun::read(std::uint64_t account, std::uint64_t from, std::uint64_t end, std::size_t limit,
                          bool reversed, std::vector<HistoryRow>& rows) const {
    from = std::max(from, header_.begin);
    end = std::min(end, header_.end);
    if (from >= end || limit == 0) return {};
    const auto key = [](const RunIndexRow& row) { return std::pair(row.account, row.position); };
    const auto chunk_of = [&](std::uint64_t position) {
        const auto after = std::ranges::upper_bound(index_, std::pair(account, position), {}, key);
        return static_cast<std::size_t>(after == index_.begin() ? 0 : after - index_.begin() - 1);
    };
    const std::size_t first = chunk_of(from);
    const std::size_t last = chunk_of(end - 1);
    const std::size_t wanted = rows.size() + limit;
    std::vector<HistoryRow> found;
    for (std::size_t step = 0; step <= last - first && rows.size() < wanted; ++step) {
        const std::size_t chunk = reversed ? last - step : first + step;
        found.clear();
        JZ_CHECK(read_chunks(chunk, chunk + 1, account, found));
        if (reversed) std::ranges::reverse(found);
        for (const HistoryRow& row : found) {
            if (row.position < from || row.position >= end) continue;
            rows.push_back(row);
            if (rows.size() == wanted) break;
        }
    }
    return {};
}

// ---------------------------------------------------------------- writing

Result<RunWriter> RunWriter::create(storage::Disk& disk, std::filesystem::path directory, std::string_view temporary,
                                    RunName name) {
    auto path = directory / temporary;
    RunWriter writer(disk, std::move(directory), std::move(path), name);
    JZ_TRY(writer.file_, disk.create(writer.temporary_));
    return writer;
}

void RunWriter::open_group(const HistoryRow& row) {
    if (chunk_.empty()) index_.push_back({row.account, row.position, written_ + buffer_.size(), 0});
    before_ = {};
    before_.account = row.account;
    before_.position = name_.begin;
}

void RunWriter::close_group() {
    if (group_rows_ == 0) return;
    std::array<std::uint8_t, max_group_header_bytes> header{};
    Writer writer(header.data());
    writer.varint(before_.account - chunk_account_);
    writer.varint(group_rows_);
    append(chunk_, ByteView(header.data(), static_cast<std::size_t>(writer.at() - header.data())));
    append(chunk_, group_);
    chunk_account_ = before_.account;
    group_.clear();
    group_rows_ = 0;
}

Result<> RunWriter::close_chunk() {
    close_group();
    if (chunk_.empty()) return {};
    index_.back().check = check_of(ByteView(chunk_));
    append(buffer_, chunk_);
    chunk_.clear();
    chunk_account_ = 0;
    return buffer_.size() < buffer_bytes ? Result<>() : flush();
}

Result<> RunWriter::flush() {
    const std::array<ByteView, 1> parts{buffer_};
    JZ_CHECK(file_->write_at(written_, parts));
    written_ += buffer_.size();
    unsynced_ += buffer_.size();
    buffer_.clear();
    if (unsynced_ < sync_every) return {};
    unsynced_ = 0;
    return file_->sync_data();
}

Result<> RunWriter::add(const HistoryRow& row) {
    JZ_ASSERT(row.position >= name_.begin && row.position < name_.end);
    if (group_rows_ > 0 && row.account != before_.account) close_group();
    if (group_rows_ == 0) open_group(row);
    std::array<std::uint8_t, max_row_bytes> bytes;
    const std::uint8_t* const end = write_row(bytes.data(), before_, row);
    append(group_, ByteView(bytes.data(), static_cast<std::size_t>(end - bytes.data())));
    ++group_rows_;
    ++rows_;
    before_ = row;
    return chunk_.size() + group_.size() < run_chunk_bytes ? Result<>() : close_chunk();
}

Result<std::shared_ptr<const HistoryRun>> RunWriter::finish(const storage::KnownEntry& last) {
    JZ_CHECK(close_chunk());
    JZ_ASSERT(!index_.empty());
    const std::shared_ptr<HistoryRun> run(new HistoryRun(directory_ / run_name(name_)));
    const ByteView index(reinterpret_cast<const std::uint8_t*>(index_.data()), index_.size() * sizeof index_[0]);
    RunHeader& header = run->header_;
    header.begin = name_.begin;
    header.end = name_.end;
    header.rows = rows_;
    header.chunks = index_.size();
    header.index_offset = written_ + buffer_.size();
    header.index_check = check_of(index);
    header.entry = last.position.entry;
    header.segment = last.position.segment;
    header.offset = last.position.offset;
    header.extent = last.extent;
    header.entry_hash = last.hash;
    header.check = check_of(header);
    append(buffer_, index);
    JZ_CHECK(flush());
    const std::array parts{bytes_of(header)};
    JZ_CHECK(file_->write_at(0, parts));
    JZ_CHECK(file_->sync_all());
    JZ_CHECK(disk_->rename(temporary_, run->path_));
    JZ_CHECK(disk_->sync_directory(directory_));
    run->index_ = std::move(index_);
    run->file_ = std::move(file_);
    return std::shared_ptr<const HistoryRun>(run);
}

}  // namespace jiaozi::engine
