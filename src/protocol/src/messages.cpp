#include <utility>

#include <jiaozi/base/assert.hpp>
#include <jiaozi/codec/cbor.hpp>
#include <jiaozi/protocol/messages.hpp>

#include "bodies.hpp"

namespace jiaozi::protocol {
namespace {

constexpr codec::CborLimits payload_limits{.max_bytes = max_payload, .max_depth = 6, .max_items = 8192};
constexpr std::size_t usual_size = 160;

enum class Sealing : std::uint8_t { any, signed_only };

struct TypeRow {
    MessageType type;
    std::string_view name;
    Direction direction;
    bool session;
    Sealing sealing;
};

// In the order of Body's alternatives: the index in the variant is the row.
constexpr std::array<TypeRow, std::variant_size_v<Body>> rows{{
    {MessageType::claim, "claim", Direction::up, false, Sealing::signed_only},
    {MessageType::hello, "hello", Direction::up, false, Sealing::signed_only},
    {MessageType::heartbeat, "heartbeat", Direction::up, true, Sealing::any},
    {MessageType::catalogue_request, "catalogue_request", Direction::up, true, Sealing::any},
    {MessageType::pay_request, "pay_request", Direction::up, true, Sealing::any},
    {MessageType::command_ack, "command_ack", Direction::up, true, Sealing::any},
    {MessageType::delivery_report, "delivery_report", Direction::up, true, Sealing::any},
    {MessageType::balance_request, "balance_request", Direction::up, true, Sealing::any},
    {MessageType::qr_request, "qr_request", Direction::up, true, Sealing::any},
    {MessageType::rotate, "rotate", Direction::up, true, Sealing::signed_only},
    {MessageType::purse_piece, "purse_piece", Direction::up, true, Sealing::any},
    {MessageType::purse_more, "purse_more", Direction::up, true, Sealing::any},
    {MessageType::claimed, "claimed", Direction::down, false, Sealing::signed_only},
    {MessageType::welcome, "welcome", Direction::down, false, Sealing::signed_only},
    {MessageType::heartbeat_ack, "heartbeat_ack", Direction::down, true, Sealing::any},
    {MessageType::catalogue, "catalogue", Direction::down, true, Sealing::any},
    {MessageType::pay_answer, "pay_answer", Direction::down, true, Sealing::any},
    {MessageType::report_ack, "report_ack", Direction::down, true, Sealing::any},
    {MessageType::balance, "balance", Direction::down, true, Sealing::any},
    {MessageType::qr, "qr", Direction::down, true, Sealing::any},
    {MessageType::rotated, "rotated", Direction::down, true, Sealing::signed_only},
    {MessageType::purse_taken, "purse_taken", Direction::down, true, Sealing::any},
    {MessageType::purse_answer, "purse_answer", Direction::down, true, Sealing::any},
    {MessageType::command, "command", Direction::down, true, Sealing::any},
    {MessageType::probe, "probe", Direction::down, true, Sealing::any},
    {MessageType::cancel, "cancel", Direction::down, true, Sealing::any},
    {MessageType::error, "error", Direction::down, false, Sealing::signed_only},
}};

constexpr bool ascending() {
    for (std::size_t i = 1; i < rows.size(); ++i) {
        if (rows[i - 1].type >= rows[i].type) return false;
    }
    return true;
}
static_assert(ascending(), "rows must be in the order of the type numbers");

constexpr std::size_t no_row = rows.size();

constexpr std::array<std::uint8_t, 256> index_of_types() {
    std::array<std::uint8_t, 256> index{};
    index.fill(static_cast<std::uint8_t>(no_row));
    for (std::size_t i = 0; i < rows.size(); ++i)
        index[static_cast<std::size_t>(rows[i].type)] = static_cast<std::uint8_t>(i);
    return index;
}
constexpr auto row_index = index_of_types();

const TypeRow& row_of(MessageType type) noexcept {
    const std::size_t index = row_index[static_cast<std::size_t>(type)];
    JZ_ASSERT(index != no_row);
    return rows[index];
}

template <class M>
void write_body(codec::CborWriter& out, const M& body) {
    Writer::map(out, body);
}
void write_body(codec::CborWriter& out, const ErrorAnswer& body) {
    Writer::map(out, ErrorFields{std::string(name_of(body.code)), body.message, body.seq, body.server_time_ms});
}

template <class M>
Result<void> read_body(codec::CborReader& in, M& body) {
    JZ_CHECK(Reader::map(in, body));
    if (const std::string_view wrong = contradiction(body); !wrong.empty())
        return in.error(ErrorKind::malformed, wrong);
    return {};
}
Result<void> read_body(codec::CborReader& in, ErrorAnswer& body) {
    ErrorFields read;
    JZ_CHECK(Reader::map(in, read));
    const auto code = parse_refusal_code(read.code);
    if (!code) return in.error(ErrorKind::malformed, "unknown error code");
    body = {*code, std::move(read.message), read.seq, read.server_time_ms};
    return {};
}

template <std::size_t Index>
Result<void> read_alternative(codec::CborReader& in, Body& body) {
    return read_body(in, body.emplace<Index>());
}

template <std::size_t... Index>
constexpr auto make_readers(std::index_sequence<Index...>) {
    return std::array<Result<void> (*)(codec::CborReader&, Body&), sizeof...(Index)>{&read_alternative<Index>...};
}
constexpr auto readers = make_readers(std::make_index_sequence<rows.size()>());

Result<Message> decode_payload(ByteView payload) {
    codec::CborReader reader(payload, payload_limits);
    JZ_TRY(auto map, codec::CborMapReader::open(reader));
    Message message;
    Reader fields(map);
    JZ_TRY(const std::uint64_t type, map.uint(1, "type"));
    const std::size_t index = type < row_index.size() ? row_index[static_cast<std::size_t>(type)] : no_row;
    if (index == no_row) return reader.error(ErrorKind::malformed, "unknown message type " + std::to_string(type));
    fields.id(2, "device", message.device);
    fields.optional_fixed(3, "session", message.session);
    fields.number(4, "seq", message.seq, {.min = 1});
    fields.number(5, "time_ms", message.time_ms);
    JZ_CHECK(std::move(fields).result());
    if (message.session.has_value() != rows[index].session) {
        return reader.error(ErrorKind::malformed,
                            std::string(rows[index].name) +
                                (rows[index].session ? " must have a session" : " must not have a session"));
    }
    JZ_CHECK(map.required(6, "body"));
    JZ_CHECK(readers[index](reader, message.body));
    JZ_CHECK(map.finish());
    JZ_CHECK(reader.finish());
    return message;
}

}  // namespace

MessageType type_of(const Body& body) noexcept {
    return rows[body.index()].type;
}

std::string_view name_of(MessageType type) noexcept {
    return row_of(type).name;
}
Direction direction_of(MessageType type) noexcept {
    return row_of(type).direction;
}
bool needs_session(MessageType type) noexcept {
    return row_of(type).session;
}
bool always_signed(MessageType type) noexcept {
    return row_of(type).sealing == Sealing::signed_only;
}

Bytes encode(const Message& message) {
    codec::CborWriter out(usual_size);
    out.map(message.session ? 6 : 5);
    out.uint(1).uint(static_cast<std::uint64_t>(type_of(message.body)));
    out.uint(2).bytes(id_bytes(message.device.value));
    if (message.session) out.uint(3).bytes(*message.session);
    out.uint(4).uint(message.seq);
    out.uint(5).uint(message.time_ms);
    out.uint(6);
    std::visit([&](const auto& body) { write_body(out, body); }, message.body);
    return out.take();
}

Bytes encode_body(const Body& body) {
    codec::CborWriter out(usual_size);
    std::visit([&](const auto& alternative) { write_body(out, alternative); }, body);
    return out.take();
}

Result<Message> decode(ByteView payload) {
    auto message = decode_payload(payload);
    if (message.ok() || message.error().kind() == ErrorKind::too_large) return message;
    // An integer that does not fit its type is `invalid` to the CBOR reader; to a device it is malformed all the same.
    return Error(ErrorKind::malformed, message.error().message()).with_param(message.error().param());
}

}  // namespace jiaozi::protocol
