#include "card_state.hpp"

#include <algorithm>

#include <jiaozi/codec/cbor.hpp>

namespace jiaozi::keystores {
namespace {

using codec::CborMapReader;
using codec::CborReader;
using codec::CborWriter;

constexpr std::string_view magic = "JIAOZI-CARD-ST-1";
constexpr codec::CborLimits limits{.max_bytes = max_card_file, .max_depth = 4, .max_items = 4096};

Error malformed(std::string_view what) {
    return {ErrorKind::malformed, "card state: " + std::string(what)};
}

template <class Target>
Result<void> fixed(CborReader& reader, Target&& target) {
    JZ_TRY(const ByteView bytes, reader.bytes());
    if (bytes.size() != target.size()) return malformed("a field has the wrong size");
    std::ranges::copy(bytes, target.begin());
    return {};
}

template <class T>
Result<void> whole(CborReader& reader, T& target) {
    JZ_TRY(const std::uint64_t value, reader.uint());
    target = static_cast<T>(value);
    if (target != value) return malformed("a number is out of its range");
    return {};
}

Result<void> read_lot(CborReader& reader, CardLot& lot) {
    JZ_CHECK(reader.array_of(8));
    JZ_CHECK(fixed(reader, lot.id));
    JZ_CHECK(whole(reader, lot.amount));
    JZ_CHECK(whole(reader, lot.expires));
    JZ_CHECK(whole(reader, lot.settle_by));
    JZ_CHECK(whole(reader, lot.per_payment));
    JZ_CHECK(whole(reader, lot.without_cvm));
    JZ_CHECK(whole(reader, lot.count));
    return whole(reader, lot.directed);
}

Result<void> read_piece(CborReader& reader, CardPiece& piece) {
    JZ_CHECK(reader.array_of(3));
    JZ_CHECK(fixed(reader, piece.source));
    JZ_CHECK(whole(reader, piece.from));
    JZ_CHECK(whole(reader, piece.to));
    if (piece.from >= piece.to || piece.to > max_amount) return malformed("a range is empty or too large");
    return {};
}

template <class T, class Read>
Result<void> read_list(CborReader& reader, std::vector<T>& list, std::size_t most, Read read) {
    JZ_TRY(const std::uint64_t count, reader.array());
    if (count > most) return malformed("a table is too long");
    list.resize(count);
    for (T& item : list) JZ_CHECK(read(reader, item));
    return {};
}

Result<crypto::Suite> read_suite(CborReader& reader) {
    JZ_TRY(const std::uint64_t value, reader.uint());
    return crypto::suite_from_number(value);
}

Result<void> read_identity(CborReader& reader, CardState& state) {
    JZ_CHECK(reader.array_of(7));
    JZ_TRY(state.suite, read_suite(reader));
    JZ_CHECK(fixed(reader, state.private_key.mutable_view()));
    JZ_CHECK(whole(reader, state.purse));
    JZ_TRY(state.issuer_suite, read_suite(reader));
    JZ_TRY(const ByteView issuer, reader.bytes());
    JZ_TRY(state.issuer_key, crypto::canonical_public_key(state.issuer_suite, issuer));
    JZ_TRY(const ByteView pin, reader.bytes());
    if (pin.size() < min_pin || pin.size() > max_pin) return malformed("the PIN has the wrong size");
    std::ranges::copy(pin, state.pin.mutable_view().begin());
    state.pin_size = static_cast<std::uint8_t>(pin.size());
    JZ_CHECK(whole(reader, state.tries_left));
    if (state.tries_left > pin_tries) return malformed("too many tries");
    JZ_TRY(const crypto::KeyPair key, crypto::key_from_private(state.suite, state.private_key.view()));
    state.public_key = key.public_key;
    state.personalised = true;
    return {};
}

Result<void> read_chain(CborReader& reader, CardState& state) {
    JZ_CHECK(reader.array_of(4));
    JZ_CHECK(whole(reader, state.last_seq));
    JZ_CHECK(fixed(reader, state.last_id));
    JZ_TRY(const ByteView message, reader.bytes());
    if (message.size() > max_card_message) return malformed("the last message is too long");
    state.last_message = to_bytes(message);
    return fixed(reader, state.last_signature);
}

}  // namespace

crypto::SecretBytes encode_card_state(const CardState& state) {
    CborWriter out;
    out.map(10).integer(1);
    if (state.personalised) {
        out.array(7).uint(static_cast<std::uint64_t>(state.suite)).bytes(state.private_key.view()).uint(state.purse);
        out.uint(static_cast<std::uint64_t>(state.issuer_suite)).bytes(state.issuer_key);
        out.bytes(state.pin.view().first(state.pin_size)).uint(state.tries_left);
    } else {
        out.null();
    }
    out.integer(2)
        .array(4)
        .uint(state.last_seq)
        .bytes(state.last_id)
        .bytes(state.last_message)
        .bytes(state.last_signature);
    out.integer(3).uint(state.counter).integer(4).uint(state.sync).integer(5).uint(state.t_low);
    out.integer(6).boolean(state.frozen).integer(7).uint(state.paid_without_cvm);
    out.integer(8).uint(state.notes_since_sync).integer(9).array(state.lots.size());
    for (const CardLot& lot : state.lots) {
        out.array(8).bytes(lot.id).uint(lot.amount).uint(lot.expires).uint(lot.settle_by).uint(lot.per_payment);
        out.uint(lot.without_cvm).uint(lot.count).uint(lot.directed);
    }
    out.integer(10).array(state.pieces.size());
    for (const CardPiece& piece : state.pieces) {
        out.array(3).bytes(piece.source).uint(piece.from).uint(piece.to);
    }
    Bytes bytes = to_bytes(as_bytes(magic));
    append(bytes, out.view());
    return crypto::SecretBytes::absorb(bytes);
}

Result<CardState> decode_card_state(ByteView bytes) {
    if (bytes.size() < magic.size() || as_text(bytes.first(magic.size())) != magic) return malformed("not one");
    CborReader reader(bytes.subspan(magic.size()), limits);
    JZ_TRY(auto map, CborMapReader::open(reader));
    CardState state;
    JZ_CHECK(map.required(1, "identity"));
    JZ_TRY(const codec::CborType next, reader.peek());
    if (next == codec::CborType::null) {
        JZ_CHECK(reader.null());
    } else {
        JZ_CHECK(read_identity(reader, state));
    }
    JZ_CHECK(map.required(2, "chain"));
    JZ_CHECK(read_chain(reader, state));
    JZ_TRY(state.counter, map.uint(3, "counter"));
    JZ_CHECK(map.required(4, "sync"));
    JZ_CHECK(whole(reader, state.sync));
    JZ_CHECK(map.required(5, "t_low"));
    JZ_CHECK(whole(reader, state.t_low));
    JZ_TRY(state.frozen, map.boolean(6, "frozen"));
    JZ_TRY(state.paid_without_cvm, map.uint(7, "paid_without_cvm"));
    JZ_CHECK(map.required(8, "notes_since_sync"));
    JZ_CHECK(whole(reader, state.notes_since_sync));
    JZ_CHECK(map.required(9, "lots"));
    JZ_CHECK(read_list(reader, state.lots, max_lots, read_lot));
    JZ_CHECK(map.required(10, "pieces"));
    JZ_CHECK(read_list(reader, state.pieces, max_pieces, read_piece));
    JZ_CHECK(map.finish());
    JZ_CHECK(reader.finish());
    return state;
}

}  // namespace jiaozi::keystores
