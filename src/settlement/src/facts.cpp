#include <algorithm>
#include <limits>

#include <jiaozi/base/big_endian.hpp>
#include <jiaozi/codec/cbor.hpp>
#include <jiaozi/settlement/facts.hpp>

#include "objects.hpp"

namespace jiaozi::settlement {
namespace {

using codec::CborMapReader;
using codec::CborReader;
using codec::CborWriter;

constexpr uint128 offline_payments = 0xFF;  // how their ids begin

void write_id(CborWriter& out, uint128 value) {
    out.bytes(big_endian(value));
}

// The fields of each kind, in the order of the page.
void write(CborWriter& out, const NotesFact& fact) {
    out.array(fact.rows.size());
    for (const NoteRow& row : fact.rows) {
        out.array(row.receipt.empty() ? 2 : 3).uint(row.flags).bytes(row.note);
        if (!row.receipt.empty()) out.bytes(row.receipt);
    }
}
void write(CborWriter& out, const EnrolledFact& fact) {
    out.array(8).uint(fact.ordinal).bytes(fact.key).uint(static_cast<std::uint64_t>(fact.suite)).uint(fact.assurance);
    write_id(out, fact.wallet.value);
    write_id(out, fact.holder);
    out.text(fact.asset.name());
    write_id(out, fact.device.value);
}
void write(CborWriter& out, const LoadedFact& fact) {
    out.array(3);
    write_id(out, fact.load.value);
    out.bytes(fact.certificate).uint(fact.collateral);
}
void write(CborWriter& out, const ClosedFact& fact) {
    out.array(4).uint(fact.serial).uint(fact.refund).uint(fact.collateral).array(fact.claims.size());
    for (const auto& part : fact.claims) out.array(2).uint(part.claim).uint(part.amount);
}
void write(CborWriter& out, const CollectedFact& fact) {
    out.array(2).uint(fact.claim).array(fact.parts.size());
    for (const std::uint64_t part : fact.parts) out.uint(part);
}
void write(CborWriter& out, const SweptFact& fact) {
    out.array(fact.rows.size());
    for (const auto& row : fact.rows) out.array(2).uint(row.ordinal).uint(row.amount);
}
void write(CborWriter& out, const StateFact& fact) {
    out.array(2).uint(fact.ordinal).uint(static_cast<std::uint64_t>(fact.state));
}
void write(CborWriter& out, const SyncFact& fact) {
    out.array(2).bytes(fact.object).uint(fact.last_seen);
}
void write(CborWriter& out, const ListFact& fact) {
    out.array(2).bytes(fact.head).bytes(fact.body);
}
void write(CborWriter& out, const RootFact& fact) {
    out.array(1).bytes(fact.document);
}
void write(CborWriter& out, const ProofFact& fact) {
    out.array(1).bytes(fact.proof);
}
void write(CborWriter& out, const AlarmFact& fact) {
    out.array(1).bytes(fact.head);
}
void write(CborWriter& out, const LapsedFact& fact) {
    out.array(fact.rows.size());
    for (const auto& row : fact.rows) out.array(2).bytes(row.note).uint(row.paid ? 1 : 0);
}

template <class Number>
Result<> read_number(CborReader& in, Number& out, std::string_view name) {
    JZ_TRY(const std::uint64_t value, in.uint());
    if (value > std::numeric_limits<Number>::max()) {
        return Error(ErrorKind::malformed, std::string(name) + ": too large").with_param(name);
    }
    out = static_cast<Number>(value);
    return {};
}
Result<> read_bytes(CborReader& in, Bytes& out) {
    JZ_TRY(const ByteView bytes, in.bytes());
    out = to_bytes(bytes);
    return {};
}
Result<> read_id(CborReader& in, uint128& out) {
    JZ_TRY(const ByteView bytes, in.bytes());
    if (bytes.size() != 16) return Error(ErrorKind::malformed, "an id has 16 bytes");
    out = from_big_endian(bytes);
    return {};
}

Result<Fact> read_notes(CborReader& in) {
    NotesFact fact;
    JZ_TRY(const std::uint64_t count, in.array());
    for (std::uint64_t i = 0; i < count; ++i) {
        NoteRow& row = fact.rows.emplace_back();
        JZ_TRY(const std::uint64_t fields, in.array());
        if (fields != 2 && fields != 3) return Error(ErrorKind::malformed, "a note's row has two or three fields");
        JZ_CHECK(read_number(in, row.flags, "flags"));
        JZ_CHECK(read_bytes(in, row.note));
        if (fields == 3) JZ_CHECK(read_bytes(in, row.receipt));
    }
    return Fact(std::move(fact));
}
Result<Fact> read_enrolled(CborReader& in) {
    EnrolledFact fact;
    JZ_CHECK(in.array_of(8));
    JZ_CHECK(read_number(in, fact.ordinal, "ordinal"));
    JZ_CHECK(read_bytes(in, fact.key));
    JZ_TRY(const std::uint64_t suite, in.uint());
    JZ_TRY(fact.suite, crypto::suite_from_number(suite));
    JZ_CHECK(read_number(in, fact.assurance, "class"));
    JZ_CHECK(read_id(in, fact.wallet.value));
    JZ_CHECK(read_id(in, fact.holder));
    JZ_TRY(const std::string_view code, in.text());
    JZ_TRY(fact.asset, find_asset(code));
    JZ_CHECK(read_id(in, fact.device.value));
    return Fact(std::move(fact));
}
Result<Fact> read_loaded(CborReader& in) {
    LoadedFact fact;
    JZ_CHECK(in.array_of(3));
    JZ_CHECK(read_id(in, fact.load.value));
    JZ_CHECK(read_bytes(in, fact.certificate));
    JZ_CHECK(read_number(in, fact.collateral, "collateral"));
    return Fact(std::move(fact));
}
Result<Fact> read_closed(CborReader& in) {
    ClosedFact fact;
    JZ_CHECK(in.array_of(4));
    JZ_CHECK(read_number(in, fact.serial, "serial"));
    JZ_CHECK(read_number(in, fact.refund, "refund"));
    JZ_CHECK(read_number(in, fact.collateral, "collateral"));
    JZ_TRY(const std::uint64_t count, in.array());
    for (std::uint64_t i = 0; i < count; ++i) {
        auto& part = fact.claims.emplace_back();
        JZ_CHECK(in.array_of(2));
        JZ_CHECK(read_number(in, part.claim, "claim"));
        JZ_CHECK(read_number(in, part.amount, "amount"));
    }
    return Fact(std::move(fact));
}
Result<Fact> read_collected(CborReader& in) {
    CollectedFact fact;
    JZ_CHECK(in.array_of(2));
    JZ_CHECK(read_number(in, fact.claim, "claim"));
    JZ_CHECK(in.array_of(recovery_sources));
    for (std::uint64_t& part : fact.parts) JZ_CHECK(read_number(in, part, "amount"));
    return Fact(fact);
}
Result<Fact> read_swept(CborReader& in) {
    SweptFact fact;
    JZ_TRY(const std::uint64_t count, in.array());
    for (std::uint64_t i = 0; i < count; ++i) {
        auto& row = fact.rows.emplace_back();
        JZ_CHECK(in.array_of(2));
        JZ_CHECK(read_number(in, row.ordinal, "ordinal"));
        JZ_CHECK(read_number(in, row.amount, "amount"));
    }
    return Fact(std::move(fact));
}
Result<Fact> read_state(CborReader& in) {
    StateFact fact;
    JZ_CHECK(in.array_of(2));
    JZ_CHECK(read_number(in, fact.ordinal, "ordinal"));
    JZ_TRY(const std::uint64_t state, in.uint());
    if (state != 1 && state != 3 && state != 4) return Error(ErrorKind::malformed, "state: unknown");
    fact.state = static_cast<PurseState>(state);
    return Fact(fact);
}
Result<Fact> read_sync(CborReader& in) {
    SyncFact fact;
    JZ_CHECK(in.array_of(2));
    JZ_CHECK(read_bytes(in, fact.object));
    JZ_CHECK(read_number(in, fact.last_seen, "last_seen"));
    return Fact(std::move(fact));
}
Result<Fact> read_list(CborReader& in) {
    ListFact fact;
    JZ_CHECK(in.array_of(2));
    JZ_CHECK(read_bytes(in, fact.head));
    JZ_CHECK(read_bytes(in, fact.body));
    return Fact(std::move(fact));
}
Result<Fact> read_root(CborReader& in) {
    RootFact fact;
    JZ_CHECK(in.array_of(1));
    JZ_CHECK(read_bytes(in, fact.document));
    return Fact(std::move(fact));
}
Result<Fact> read_proof(CborReader& in) {
    ProofFact fact;
    JZ_CHECK(in.array_of(1));
    JZ_CHECK(read_bytes(in, fact.proof));
    return Fact(std::move(fact));
}
Result<Fact> read_alarm(CborReader& in) {
    AlarmFact fact;
    JZ_CHECK(in.array_of(1));
    JZ_CHECK(read_bytes(in, fact.head));
    return Fact(std::move(fact));
}
Result<Fact> read_lapsed(CborReader& in) {
    LapsedFact fact;
    JZ_TRY(const std::uint64_t count, in.array());
    for (std::uint64_t i = 0; i < count; ++i) {
        auto& row = fact.rows.emplace_back();
        JZ_CHECK(in.array_of(2));
        JZ_TRY(const ByteView id, in.bytes());
        if (!purse::take(id, row.note)) return Error(ErrorKind::malformed, "a note's id has 32 bytes");
        JZ_TRY(const std::uint64_t paid, in.uint());
        row.paid = paid != 0;
    }
    return Fact(std::move(fact));
}

using Read = Result<Fact> (*)(CborReader&);
// In the order of the variant, which is that of the kinds.
constexpr std::array<Read, std::variant_size_v<Fact>> readers{
    read_notes, read_enrolled, read_loaded, read_closed, read_collected, read_swept, read_state,
    read_sync,  read_list,     read_root,   read_proof,  read_lapsed,    read_alarm};

std::uint64_t kind_of(const Fact& fact) {
    if (std::holds_alternative<NotesFact>(fact)) return notes_kind;
    if (std::holds_alternative<LapsedFact>(fact)) return lapsed_kind;
    return first_kind + fact.index();
}

Read reader_of(std::uint64_t kind) {
    if (kind == notes_kind) return read_notes;
    if (kind == lapsed_kind) return read_lapsed;
    return kind >= first_kind && kind < first_kind + readers.size() ? readers[kind - first_kind] : nullptr;
}

}  // namespace

PaymentId payment_of(const purse::Id& note) noexcept {
    return PaymentId(offline_payments << 120 | from_big_endian(ByteView(note).first(16)) >> 8);
}
bool may_be_offline(PaymentId id) noexcept {
    return id.value >> 120 == offline_payments;
}

Bytes encode(const Fact& fact) {
    CborWriter out(512);
    out.map(2).uint(1).uint(kind_of(fact)).uint(2);
    std::visit([&](const auto& value) { write(out, value); }, fact);
    return out.take();
}

std::optional<ToldNote> told_by(const NoteRow& row) {
    if ((row.flags & note_flags::void_request) != 0) return std::nullopt;
    ToldNote told;
    if (purse::take(row.note, told.id)) return told;
    purse::Object object;
    purse::Note note;
    if (!read_value(row.note, purse::Type::note, object, note)) return std::nullopt;
    return ToldNote{id_of(object), note};
}

Result<std::optional<Fact>> decode_annotation(ByteView annotation) {
    if (annotation.empty()) return std::optional<Fact>();
    CborReader reader(annotation, {.max_bytes = std::size_t{64} * 1024, .max_depth = 8, .max_items = 16'384});
    JZ_TRY(CborMapReader map, CborMapReader::open(reader));
    JZ_TRY(const std::uint64_t kind, map.uint(1, "kind"));
    const Read read = reader_of(kind);
    if (read == nullptr) return std::optional<Fact>();
    JZ_CHECK(map.required(2, "fields"));
    JZ_TRY(Fact fact, read(reader));
    JZ_CHECK(map.finish());
    JZ_CHECK(reader.finish());
    return std::optional<Fact>(std::move(fact));
}

}  // namespace jiaozi::settlement
