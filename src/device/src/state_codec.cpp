// The state file's bytes; the grammar is in README.md, under the same names.
#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>

#include <jiaozi/codec/cbor.hpp>
#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/device/state.hpp>

#include "record.hpp"

namespace jiaozi::device {
namespace {

using codec::CborMapReader;
using codec::CborReader;
using codec::CborWriter;

constexpr std::string_view magic = "JIAOZI-DEVSTATE1";
constexpr std::size_t magic_stem = magic.size() - 1;  // without the version
constexpr codec::CborLimits file_limits{
    .max_bytes = max_state_bytes, .max_depth = 4, .max_items = 8, .allow_floats = false};
// A command has at most 12 fields.
constexpr codec::CborLimits state_limits{
    .max_bytes = max_state_bytes, .max_depth = 6, .max_items = 32 * StoredState::max_commands, .allow_floats = false};

Error corrupt(std::string_view what) {
    return {ErrorKind::corrupt, "device state: " + std::string(what)};
}

// ---- ids and numbers

std::array<std::uint8_t, 16> id_bytes(uint128 value) {
    std::array<std::uint8_t, 16> bytes{};
    for (std::size_t i = bytes.size(); i-- > 0; value >>= 8) bytes[i] = static_cast<std::uint8_t>(value & 0xFF);
    return bytes;
}

template <class SomeId>
Result<SomeId> id_from(ByteView bytes) {
    if (bytes.size() != 16) return corrupt("an id has not 16 bytes");
    uint128 value = 0;
    for (const std::uint8_t byte : bytes) value = (value << 8) | byte;
    if (value == 0) return corrupt("an id is zero");
    return SomeId(value);
}

Result<std::uint32_t> narrow(std::uint64_t value) {
    if (value > std::numeric_limits<std::uint32_t>::max()) return corrupt("a number is too large");
    return static_cast<std::uint32_t>(value);
}

Result<std::string> short_text(std::string_view text, std::size_t max = protocol::max_short_text) {
    if (text.size() > max) return corrupt("a text is too long");
    return std::string(text);
}

// ---- keys

void write_key(CborWriter& out, const crypto::KeyPair& key) {
    out.map(2).uint(1).uint(static_cast<std::uint64_t>(key.suite)).uint(2).bytes(key.private_key.view());
}

Result<crypto::KeyPair> read_key(CborReader& reader) {
    JZ_TRY(auto map, CborMapReader::open(reader));
    JZ_TRY(const std::uint64_t number, map.uint(1, "suite"));
    JZ_TRY(const ByteView secret, map.bytes(2, "private key"));
    JZ_CHECK(map.finish());
    JZ_TRY(const crypto::Suite suite, crypto::suite_from_number(number));
    return crypto::key_from_private(suite, secret);
}

void write_enrolment(CborWriter& out, const Enrolment& enrolment) {
    out.map(4).uint(1).uint(static_cast<std::uint64_t>(enrolment.server_suite)).uint(2).bytes(enrolment.server_key);
    out.uint(3).text(enrolment.mqtt_password).uint(4).bytes(enrolment.certificate);
}

Result<Enrolment> read_enrolment(CborReader& reader) {
    Enrolment enrolment;
    JZ_TRY(auto map, CborMapReader::open(reader));
    JZ_TRY(const std::uint64_t number, map.uint(1, "server suite"));
    JZ_TRY(const ByteView key, map.bytes(2, "server key"));
    JZ_TRY(const std::string_view password, map.text(3, "mqtt password"));
    JZ_TRY(const ByteView certificate, map.bytes(4, "certificate"));
    JZ_CHECK(map.finish());
    JZ_TRY(enrolment.server_suite, crypto::suite_from_number(number));
    JZ_TRY(enrolment.server_key, crypto::canonical_public_key(enrolment.server_suite, key));
    if (!equal(enrolment.server_key, key)) return corrupt("the server's key is not in canonical form");
    JZ_TRY(enrolment.mqtt_password, short_text(password));
    if (certificate.size() > protocol::max_certificate) return corrupt("the certificate is too long");
    enrolment.certificate = to_bytes(certificate);
    return enrolment;
}

// ---- pay requests

void write_unpaid(CborWriter& out, const protocol::PayRequest& request) {
    const bool has_amount = request.amount.has_value();
    const bool has_code = !request.code.empty();
    const bool has_machine = static_cast<bool>(request.machine);
    out.map(4U + (has_amount ? 2U : 0U) + (has_code ? 1U : 0U) + (has_machine ? 1U : 0U));
    out.uint(1).bytes(id_bytes(request.payment.value)).uint(2).uint(static_cast<std::uint64_t>(request.kind));
    out.uint(3).uint(request.slot).uint(4).uint(request.quantity);
    if (has_amount) out.uint(5).uint(*request.amount).uint(6).text(request.asset);
    if (has_code) out.uint(7).text(request.code);
    if (has_machine) out.uint(8).bytes(id_bytes(request.machine.value));
}

Result<protocol::PayRequest> read_unpaid(CborReader& reader) {
    protocol::PayRequest request;
    JZ_TRY(auto map, CborMapReader::open(reader));
    JZ_TRY(const ByteView payment, map.bytes(1, "payment"));
    JZ_TRY(const std::uint64_t kind, map.uint(2, "kind"));
    JZ_TRY(const std::uint64_t slot, map.uint(3, "slot"));
    JZ_TRY(const std::uint64_t quantity, map.uint(4, "quantity"));
    JZ_TRY(request.amount, map.optional_uint(5, "amount"));
    JZ_TRY(const auto asset, map.optional_text(6, "asset"));
    JZ_TRY(const auto code, map.optional_text(7, "code"));
    JZ_TRY(const auto machine, map.optional_bytes(8, "machine"));
    JZ_CHECK(map.finish());
    JZ_TRY(request.payment, id_from<PaymentId>(payment));
    if (kind != std::to_underlying(PaymentKind::device) && kind != std::to_underlying(PaymentKind::payment_code)) {
        return corrupt("a pay request is of no kind that a device asks for");
    }
    request.kind = static_cast<PaymentKind>(kind);
    JZ_TRY(request.slot, narrow(slot));
    JZ_TRY(request.quantity, narrow(quantity));
    if (request.amount.has_value() != asset.has_value()) return corrupt("an amount without its asset");
    if (asset) {
        JZ_TRY(request.asset, short_text(*asset, protocol::max_asset));
    }
    if (code && code->empty()) return corrupt("an empty code is written");
    if (code) {
        JZ_TRY(request.code, short_text(*code));
    }
    if (machine) {
        JZ_TRY(request.machine, id_from<DeviceId>(*machine));
    }
    return request;
}

// ---- commands

bool has_report(CommandStage stage) {
    return stage == CommandStage::done || stage == CommandStage::settled;
}

void write_command(CborWriter& out, const CommandRecord& record) {
    const bool open = is_open(record.stage);
    const bool report = has_report(record.stage);
    const bool detail = !open && !record.drop.detail.empty();
    out.map(4U + (open ? 5U : 0U) + (report ? 2U : 0U) + (detail ? 1U : 0U));
    const protocol::Command& command = record.command;
    out.uint(1).bytes(id_bytes(command.payment.value)).uint(2).uint(std::to_underlying(record.stage));
    out.uint(3).uint(command.number).uint(4).uint(command.quantity);
    if (open) {
        out.uint(5).uint(command.slot).uint(6).uint(command.amount).uint(7).text(command.asset);
        out.uint(8).uint(command.expires_ms).uint(9).bytes(id_bytes(command.product.value));
    }
    if (report) out.uint(10).uint(std::to_underlying(record.drop.result)).uint(11).uint(record.drop.units);
    if (detail) out.uint(12).text(record.drop.detail);
}

Result<void> read_open_part(CborMapReader& map, protocol::Command& command) {
    JZ_TRY(const std::uint64_t slot, map.uint(5, "slot"));
    JZ_TRY(command.slot, narrow(slot));
    JZ_TRY(command.amount, map.uint(6, "amount"));
    JZ_TRY(const std::string_view asset, map.text(7, "asset"));
    JZ_TRY(command.asset, short_text(asset, protocol::max_asset));
    JZ_TRY(command.expires_ms, map.uint(8, "expires_ms"));
    JZ_TRY(const ByteView product, map.bytes(9, "product"));
    JZ_TRY(command.product, id_from<ProductId>(product));
    return {};
}

Result<void> read_report_part(CborMapReader& map, CommandRecord& record) {
    JZ_TRY(const std::uint64_t result, map.uint(10, "result"));
    JZ_TRY(const std::uint64_t units, map.uint(11, "delivered"));
    if (result < 1 || result > 3) return corrupt("a delivery has no such result");
    record.drop.result = static_cast<DeliveryResult>(result);
    JZ_TRY(record.drop.units, narrow(units));
    if (!units_fit(record.drop.result, record.drop.units, record.command.quantity)) {
        return corrupt("a delivery's units do not fit its result");
    }
    return {};
}

Result<CommandRecord> read_command(CborReader& reader) {
    CommandRecord record;
    JZ_TRY(auto map, CborMapReader::open(reader));
    JZ_TRY(const ByteView payment, map.bytes(1, "payment"));
    JZ_TRY(record.command.payment, id_from<PaymentId>(payment));
    JZ_TRY(const std::uint64_t stage, map.uint(2, "stage"));
    if (stage < std::to_underlying(CommandStage::refused) || stage > std::to_underlying(CommandStage::settled)) {
        return corrupt("a command is in no known stage");
    }
    record.stage = static_cast<CommandStage>(stage);
    JZ_TRY(const std::uint64_t number, map.uint(3, "number"));
    JZ_TRY(record.command.number, narrow(number));
    JZ_TRY(const std::uint64_t quantity, map.uint(4, "quantity"));
    JZ_TRY(record.command.quantity, narrow(quantity));
    if (is_open(record.stage)) JZ_CHECK(read_open_part(map, record.command));
    if (has_report(record.stage)) JZ_CHECK(read_report_part(map, record));
    if (!is_open(record.stage)) {
        JZ_TRY(const auto detail, map.optional_text(12, "detail"));
        if (detail && detail->empty()) return corrupt("an empty detail is written");
        if (detail) {
            JZ_TRY(record.drop.detail, short_text(*detail));
        }
    }
    JZ_CHECK(map.finish());
    return record;
}

// ---- the whole

Result<StoredState> read_state(ByteView bytes) {
    CborReader reader(bytes, state_limits);
    StoredState state;
    JZ_TRY(auto map, CborMapReader::open(reader));
    JZ_TRY(const ByteView device, map.bytes(1, "device"));
    JZ_TRY(state.device, id_from<DeviceId>(device));
    JZ_CHECK(map.required(2, "key"));
    JZ_TRY(state.key, read_key(reader));
    JZ_TRY(const bool rotating, map.optional(3));
    if (rotating) {
        JZ_TRY(state.next_key, read_key(reader));
    }
    JZ_TRY(const bool enrolled, map.optional(4));
    if (enrolled) {
        JZ_TRY(state.enrolment, read_enrolment(reader));
    }
    JZ_TRY(state.last_hello_ms, map.uint(5, "last hello"));

    JZ_CHECK(map.required(6, "unpaid"));
    JZ_TRY(const std::uint64_t unpaid, reader.array());
    if (unpaid > StoredState::max_unpaid) return corrupt("more pay requests than a device keeps");
    for (std::uint64_t i = 0; i < unpaid; ++i) {
        JZ_TRY(auto request, read_unpaid(reader));
        const bool twice =
            std::ranges::find(state.unpaid, request.payment, &protocol::PayRequest::payment) != state.unpaid.end();
        if (twice) return corrupt("a pay request stands in it twice");
        state.unpaid.push_back(std::move(request));
    }
    JZ_CHECK(map.required(7, "commands"));
    JZ_TRY(const std::uint64_t commands, reader.array());
    if (commands > StoredState::max_commands) return corrupt("more commands than a device keeps");
    for (std::uint64_t i = 0; i < commands; ++i) {
        JZ_TRY(auto record, read_command(reader));
        record.order = state.next_order++;
        const PaymentId payment = record.command.payment;
        if (!state.commands.emplace(payment, std::move(record)).second) return corrupt("a command stands in it twice");
    }
    JZ_CHECK(map.finish());
    JZ_CHECK(reader.finish());
    return state;
}

}  // namespace

Bytes encode_state(const StoredState& state) {
    CborWriter body;
    body.map(5U + (state.next_key ? 1U : 0U) + (state.enrolment ? 1U : 0U));
    body.uint(1).bytes(id_bytes(state.device.value)).uint(2);
    write_key(body, state.key);
    if (state.next_key) write_key(body.uint(3), *state.next_key);
    if (state.enrolment) write_enrolment(body.uint(4), *state.enrolment);
    body.uint(5).uint(state.last_hello_ms);
    body.uint(6).array(state.unpaid.size());
    for (const auto& request : state.unpaid) write_unpaid(body, request);

    std::vector<const CommandRecord*> records;
    records.reserve(state.commands.size());
    for (const auto& [payment, record] : state.commands) records.push_back(&record);
    std::ranges::sort(records, {}, &CommandRecord::order);
    body.uint(7).array(records.size());
    for (const CommandRecord* const record : records) write_command(body, *record);

    Bytes inner = body.take();
    const crypto::Digest sum = crypto::Sha256().update(as_bytes(magic)).update(inner).finish();
    CborWriter file(inner.size() + 64);
    file.array(2).bytes(inner).bytes(sum);
    crypto::wipe(inner);
    Bytes item = file.take();
    Bytes out;
    out.reserve(magic.size() + item.size());
    append(out, as_bytes(magic));
    append(out, item);
    crypto::wipe(item);
    return out;
}

Result<StoredState> decode_state(ByteView bytes) {
    if (bytes.size() > max_state_bytes) return Error(ErrorKind::too_large, "device state: larger than any we write");
    if (bytes.size() < magic.size() || !equal(bytes.first(magic_stem), as_bytes(magic.substr(0, magic_stem)))) {
        return corrupt("this is no device state file");
    }
    if (bytes[magic_stem] != static_cast<std::uint8_t>(magic.back())) {
        return Error(ErrorKind::invalid, "device state: made by another version of this program; use that one");
    }
    CborReader reader(bytes.subspan(magic.size()), file_limits);
    const auto read_frame = [&]() -> Result<std::pair<ByteView, ByteView>> {
        JZ_CHECK(reader.array_of(2));
        JZ_TRY(const ByteView body, reader.bytes());
        JZ_TRY(const ByteView sum, reader.bytes());
        JZ_CHECK(reader.finish());
        return std::pair{body, sum};
    };
    const auto frame = read_frame();
    if (!frame.ok()) return corrupt("cut short or damaged (" + frame.error().message() + ")");
    const auto& [body, sum] = frame.value();
    if (!equal(sum, crypto::Sha256().update(as_bytes(magic)).update(body).finish())) {
        return corrupt("damaged: its checksum is wrong");
    }
    auto state = read_state(body);
    if (state.ok() || state.error().kind() == ErrorKind::corrupt) return state;
    return corrupt("its sum is right, its content is not (" + state.error().message() + ")");
}

}  // namespace jiaozi::device
