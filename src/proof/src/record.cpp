#include <algorithm>
#include <cstring>
#include <string_view>

#include <jiaozi/codec/cbor.hpp>
#include <jiaozi/engine/payload.hpp>
#include <jiaozi/proof/record.hpp>

#include "integers.hpp"

namespace jiaozi::proof {
namespace {

// Each hash says what it is for, so that none can be taken for another's input.
constexpr std::string_view salt_domain = "jiaozi/salt/1\n";
constexpr std::string_view part_domain = "jiaozi/part/1\n";
constexpr std::string_view command_domain = "jiaozi/command/1\n";

// Rows go into parts as they are in memory: little-endian and without padding, frozen in ledger/types.hpp.
static_assert(engine::frozen<ledger::Account, 128> && engine::frozen<ledger::Transfer, 128>);

constexpr std::size_t header_size = 1 + 2 * 8 + 5 * 4;
constexpr std::size_t header_of_rows_size = header_size + 4;
constexpr std::size_t expired_size = 1 + 16 + 8;
constexpr std::size_t account_size = 1 + 128 + 4;
constexpr std::size_t flag_change_size = 1 + 16 + 2 + 2 + 4;
constexpr std::size_t transfer_size = 1 + 128 + 4;

template <class Row>
void put_row(Bytes& out, const Row& row) {
    const std::size_t at = out.size();
    out.resize(at + sizeof row);
    std::memcpy(out.data() + at, &row, sizeof row);
}

template <class Row>
Row take_row(ByteView bytes, std::size_t& at) {
    Row row;
    std::memcpy(&row, bytes.data() + at, sizeof row);
    at += sizeof row;
    return row;
}

void put_kind(Bytes& out, PartKind kind) {
    out.push_back(static_cast<std::uint8_t>(kind));
}

Error malformed(const char* what) {
    return Error(ErrorKind::malformed, what);
}

// An outcome's number, below the count of its enum.
template <class Enum>
Result<Enum> outcome(std::uint32_t number, std::uint32_t count) {
    if (number >= count) return malformed("a part's result is not one that the ledger gives");
    return static_cast<Enum>(number);
}

Result<Part> decode_header(ByteView bytes) {
    std::size_t at = 1;
    HeaderPart part;
    part.sequence = take_little<std::uint64_t>(bytes, at);
    part.timestamp_ns = take_little<std::uint64_t>(bytes, at);
    part.expired = take_little<std::uint32_t>(bytes, at);
    part.accounts = take_little<std::uint32_t>(bytes, at);
    part.flag_changes = take_little<std::uint32_t>(bytes, at);
    part.transfers = take_little<std::uint32_t>(bytes, at);
    part.annotation_bytes = take_little<std::uint32_t>(bytes, at);
    if (bytes.size() == header_size) return Part(part);
    part.rows = take_little<std::uint32_t>(bytes, at);
    if (part.rows == 0) return malformed("a header of rows has at least one");
    return Part(part);
}

// {1: kind, 2: [row, …]} of the kinds that are cut. Their keys and numbers take these bytes in the one encoding.
constexpr std::array<std::uint8_t, 3> cut_head = {0xA2, 0x01, 0x18};
constexpr std::uint8_t first_cut_kind = 96;
constexpr std::uint8_t last_cut_kind = 127;

Result<Part> decode_row(PartKind kind, ByteView bytes) {
    std::size_t at = 1;
    if (kind == PartKind::account) {
        const auto account = take_row<ledger::Account>(bytes, at);
        JZ_TRY(const auto result, outcome<ledger::CreateAccountResult>(take_little<std::uint32_t>(bytes, at),
                                                                       ledger::create_account_result_count));
        return Part(AccountPart{account, result});
    }
    if (kind == PartKind::transfer) {
        const auto transfer = take_row<ledger::Transfer>(bytes, at);
        JZ_TRY(const auto result, outcome<ledger::CreateTransferResult>(take_little<std::uint32_t>(bytes, at),
                                                                        ledger::create_transfer_result_count));
        return Part(TransferPart{transfer, result});
    }
    engine::FlagChange change;
    change.account_id = take_little<uint128>(bytes, at);
    change.set = take_little<std::uint16_t>(bytes, at);
    change.clear = take_little<std::uint16_t>(bytes, at);
    JZ_TRY(const auto result, outcome<ledger::SetAccountFlagsResult>(take_little<std::uint32_t>(bytes, at),
                                                                     ledger::set_account_flags_result_count));
    return Part(FlagChangePart{change, result});
}

}  // namespace

crypto::Digest Salter::seed(std::uint64_t sequence) const noexcept {
    return key_.mac({as_bytes(salt_domain), little(sequence)});
}

Salt Salter::salt(const crypto::Digest& seed, std::uint32_t part) noexcept {
    const crypto::Digest hash = crypto::Sha256().update(seed).update(little(part)).finish();
    Salt salt;
    std::copy_n(hash.begin(), salt.size(), salt.begin());
    return salt;
}

Result<Part> decode_part(ByteView bytes) {
    if (bytes.empty()) return malformed("a part has at least its kind");
    const auto sized = [&](std::size_t size) { return bytes.size() == size; };
    std::size_t at = 1;
    switch (static_cast<PartKind>(bytes[0])) {
        case PartKind::header:
            if (sized(header_size)) return decode_header(bytes);
            break;
        case PartKind::expired:
            if (sized(expired_size)) {
                ExpiredPart part;
                part.pending_id = take_little<uint128>(bytes, at);
                part.timestamp_ns = take_little<std::uint64_t>(bytes, at);
                return Part(part);
            }
            break;
        case PartKind::account:
            if (sized(account_size)) return decode_row(PartKind::account, bytes);
            break;
        case PartKind::flag_change:
            if (sized(flag_change_size)) return decode_row(PartKind::flag_change, bytes);
            break;
        case PartKind::transfer:
            if (sized(transfer_size)) return decode_row(PartKind::transfer, bytes);
            break;
        case PartKind::annotation:
            if (bytes.size() > 1 && bytes.size() <= 1 + engine::max_annotation_bytes)
                return Part(AnnotationPart{to_bytes(bytes.subspan(1))});
            break;
        case PartKind::header_of_rows:
            if (sized(header_of_rows_size)) return decode_header(bytes);
            break;
    }
    return malformed("a part is of an unknown kind, or has not its kind's size");
}

crypto::Digest hash_part(const Salt& salt, ByteView part) noexcept {
    // The leaf hash of RFC 9162 over domain, salt and part, without building the entry first.
    constexpr std::uint8_t leaf_prefix = 0;
    return crypto::Sha256()
        .update(ByteView(&leaf_prefix, 1))
        .update(as_bytes(part_domain))
        .update(salt)
        .update(part)
        .finish();
}

crypto::Digest command_entry(std::uint32_t parts, const crypto::Digest& parts_root) noexcept {
    return crypto::Sha256().update(as_bytes(command_domain)).update(little(parts)).update(parts_root).finish();
}

Record::Record(const engine::Committed& committed, const Salter& salter) : seed_(salter.seed(committed.sequence)) {
    const engine::Command& command = committed.command;
    const std::vector<Bytes> rows = rows_of(command.annotation);
    const std::size_t count = 2 + rows.size() + committed.expired.size() + command.accounts.size() +
                              command.flag_changes.size() + command.transfers.size();
    bytes_.reserve(header_of_rows_size + (count - 2) * transfer_size + 1 + command.annotation.size());
    ends_.reserve(count);
    hashes_.reserve(count);

    put_kind(bytes_, rows.empty() ? PartKind::header : PartKind::header_of_rows);
    put_little(bytes_, committed.sequence);
    put_little(bytes_, committed.timestamp.ns);
    for (const std::size_t size : {committed.expired.size(), command.accounts.size(), command.flag_changes.size(),
                                   command.transfers.size(), command.annotation.size()})
        put_little(bytes_, static_cast<std::uint32_t>(size));
    if (!rows.empty()) put_little(bytes_, static_cast<std::uint32_t>(rows.size()));
    end_part();
    for (const ledger::Expired& expired : committed.expired) {
        put_kind(bytes_, PartKind::expired);
        put_little(bytes_, expired.pending_id);
        put_little(bytes_, expired.timestamp);
        end_part();
    }
    std::uint64_t time = committed.timestamp.ns - engine::event_count(command);
    for (std::size_t i = 0; i < command.accounts.size(); ++i) {
        put_kind(bytes_, PartKind::account);
        ledger::Account account = command.accounts[i];
        account.timestamp = ++time;
        put_row(bytes_, account);
        put_little(bytes_, static_cast<std::uint32_t>(committed.outcome.accounts.at(i)));
        end_part();
    }
    for (std::size_t i = 0; i < command.flag_changes.size(); ++i) {
        put_kind(bytes_, PartKind::flag_change);
        const engine::FlagChange& change = command.flag_changes[i];
        ++time;
        put_little(bytes_, change.account_id);
        put_little(bytes_, change.set);
        put_little(bytes_, change.clear);
        put_little(bytes_, static_cast<std::uint32_t>(committed.outcome.flag_changes.at(i)));
        end_part();
    }
    first_transfer_ = ends_.size();
    for (std::size_t i = 0; i < command.transfers.size(); ++i) {
        put_kind(bytes_, PartKind::transfer);
        ledger::Transfer transfer = command.transfers[i];
        transfer.timestamp = ++time;
        put_row(bytes_, transfer);
        put_little(bytes_, static_cast<std::uint32_t>(committed.outcome.transfers.at(i)));
        end_part();
    }
    const auto annotate = [this](ByteView annotation) {
        put_kind(bytes_, PartKind::annotation);
        append(bytes_, annotation);
        end_part();
        ++annotations_;
    };
    if (rows.empty() && !command.annotation.empty()) annotate(command.annotation);
    for (const Bytes& row : rows) annotate(row);
    cut_ = !rows.empty();
}

std::vector<Bytes> rows_of(ByteView annotation) {
    const std::size_t at_kind = cut_head.size();
    if (annotation.size() <= at_kind || !std::ranges::equal(annotation.first(at_kind), cut_head)) return {};
    const std::uint8_t kind = annotation[at_kind];
    if (kind < first_cut_kind || kind > last_cut_kind) return {};
    static constexpr std::uint8_t fields_key = 2;
    static constexpr std::uint8_t array_of_one = 0x81;
    const codec::CborLimits limits{
        .max_bytes = engine::max_annotation_bytes, .max_depth = 8, .max_items = engine::max_annotation_bytes};
    codec::CborReader reader(annotation, limits);
    const auto map = reader.map();
    if (!map.ok() || !reader.skip().ok() || !reader.skip().ok()) return {};
    const auto key = reader.uint();
    const auto count = key.ok() && *key == fields_key ? reader.array() : Result<std::uint64_t>(malformed("no rows"));
    if (!count.ok()) return {};
    std::vector<Bytes> rows;
    for (std::uint64_t i = 0; i < *count; ++i) {
        const auto row = reader.raw();
        if (!row.ok()) return {};
        Bytes& alone = rows.emplace_back(cut_head.begin(), cut_head.end());
        alone.insert(alone.end(), {kind, fields_key, array_of_one});
        append(alone, *row);
    }
    if (!reader.finish().ok()) return {};
    return rows;
}

void Record::end_part() {
    const std::size_t begin = ends_.empty() ? 0 : ends_.back();
    const auto index = static_cast<std::uint32_t>(ends_.size());
    hashes_.push_back(hash_part(Salter::salt(seed_, index), ByteView(bytes_).subspan(begin)));
    ends_.push_back(bytes_.size());
}

ByteView Record::part(std::size_t index) const noexcept {
    const std::size_t begin = index == 0 ? 0 : ends_[index - 1];
    return ByteView(bytes_).subspan(begin, ends_[index] - begin);
}

Salt Record::salt(std::size_t index) const noexcept {
    return Salter::salt(seed_, static_cast<std::uint32_t>(index));
}

crypto::Digest Record::entry() const noexcept {
    return command_entry(static_cast<std::uint32_t>(parts()), crypto::merkle::root_of(hashes_));
}

crypto::merkle::Proof Record::path(std::size_t index) const {
    crypto::merkle::LeafSource source{std::span(hashes_)};
    // The source has every node of its own tree, and the index is a part's.
    return crypto::merkle::inclusion_proof(source, index, hashes_.size()).value();
}

}  // namespace jiaozi::proof
