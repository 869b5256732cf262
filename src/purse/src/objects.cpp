#include <jiaozi/purse/cbor.hpp>
#include <jiaozi/purse/cose.hpp>
#include <jiaozi/purse/objects.hpp>

namespace jiaozi::purse {
namespace {

// One line per element, in the order of the specification.
struct Fields {
    CborReader in;

    Fields(const Object& object, Type type, std::size_t count) : in(object.payload) {
        in.array_of(count);
        if (in.uint() != static_cast<std::uint64_t>(type)) in.fail();
    }
    std::uint32_t u32(std::uint32_t lowest = 0) noexcept {
        const std::uint64_t value = in.uint(highest_u32);
        if (value < lowest) in.fail();
        return static_cast<std::uint32_t>(value);
    }
    std::uint8_t small(unsigned lowest, unsigned highest) noexcept {
        const std::uint64_t value = in.uint(highest);
        if (value < lowest) in.fail();
        return static_cast<std::uint8_t>(value);
    }
    std::uint64_t amount(std::uint64_t lowest = 0) noexcept {
        const std::uint64_t value = in.uint(highest_amount);
        if (value < lowest) in.fail();
        return value;
    }
    template <std::size_t Size>
    void bytes(Fixed<Size>& out) noexcept {
        if (!take(in.bytes(), out)) in.fail();
    }
    void asset(Asset& out) noexcept {
        const View text = in.text();
        if (text.empty() || text.size() > out.text.size()) return in.fail();
        for (const std::uint8_t c : text) {
            const bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
            if (!letter && !(c >= '0' && c <= '9') && c != '-' && c != '.' && c != '_') in.fail();
        }
        out = {};
        out.size = static_cast<std::uint8_t>(text.size());
        std::memcpy(out.text.data(), text.data(), text.size());
    }
    jz_status end() const noexcept { return in.done() ? JZ_OK : JZ_MALFORMED; }
};

View finish(const CborWriter& out) noexcept {
    return out.ok() ? out.written() : View{};
}

CborWriter begin(Span out, Type type, std::size_t count) noexcept {
    CborWriter writer(out);
    writer.array(count).uint(static_cast<std::uint64_t>(type));
    return writer;
}

}  // namespace

std::uint64_t Note::total() const noexcept {
    std::uint64_t sum = 0;
    for (const Source& part : all_sources()) sum += part.amount;
    return sum;
}

jz_status read_object(View& sequence, Object& object) noexcept {
    const View start = sequence;
    CborReader in(sequence);
    in.array_of(4);
    object.header = in.bytes();
    in.map_of(0);
    object.payload = in.bytes();
    object.signature = in.bytes();
    if (!in.ok() || object.signature.size() != signature_size || object.payload.size() > max_payload ||
        object.payload.size() < 2 || !suite_of_header(object.header, object.suite)) {
        return JZ_MALFORMED;
    }
    // Every payload is an array of at most 23 elements, so that the type stands in its second byte.
    const std::uint8_t type = object.payload[1];
    if (type < static_cast<std::uint8_t>(Type::certificate) || type > static_cast<std::uint8_t>(Type::sync_ack)) {
        return JZ_MALFORMED;
    }
    object.type = static_cast<Type>(type);
    sequence = in.rest();
    object.bytes = start.first(start.size() - sequence.size());
    return JZ_OK;
}

jz_status read_whole(View bytes, Type expected, Object& object) noexcept {
    if (bytes.size() > max_object) return JZ_TOO_LARGE;
    const jz_status status = read_object(bytes, object);
    if (status != JZ_OK) return status;
    return bytes.empty() && object.type == expected ? JZ_OK : JZ_MALFORMED;
}

jz_status parse(const Object& object, Certificate& out) noexcept {
    Fields in(object, Type::certificate, 19);
    in.bytes(out.issuer);
    out.serial = in.amount(1);
    out.purse = in.u32(1);
    const View key = in.in.bytes();
    out.suite = static_cast<Suite>(in.small(JZ_ED25519, JZ_SM2));
    out.assurance = in.small(0, 3);
    in.asset(out.asset);
    out.amount = in.amount();
    out.not_before = in.u32();
    out.expires = in.u32();
    out.settle_by = in.u32();
    out.per_payment = in.amount();
    out.without_cvm = in.amount();
    const std::uint64_t count = in.in.uint(0xFFFF);
    out.count = static_cast<std::uint16_t>(count);
    out.hops = in.small(1, max_hops);
    out.receive_cap = in.amount();
    in.small(0, 0);  // flags
    out.directed = in.u32();
    if (in.end() != JZ_OK || count == 0 || out.not_before >= out.expires || out.expires >= out.settle_by) {
        return JZ_MALFORMED;
    }
    if (out.suite != object.suite) return JZ_WRONG_SUITE;
    if (key.size() != (out.suite == Suite::ed25519 ? 32U : 33U)) return JZ_MALFORMED;
    out.key = {};
    out.key.size = static_cast<std::uint8_t>(key.size());
    std::memcpy(out.key.bytes.data(), key.data(), key.size());
    return JZ_OK;
}

View write_payload(const Certificate& value, Span out) noexcept {
    CborWriter writer = begin(out, Type::certificate, 19);
    writer.bytes(value.issuer).uint(value.serial).uint(value.purse).bytes(value.key.view());
    writer.uint(static_cast<std::uint64_t>(value.suite)).uint(value.assurance).text(value.asset.view());
    writer.uint(value.amount).uint(value.not_before).uint(value.expires).uint(value.settle_by);
    writer.uint(value.per_payment).uint(value.without_cvm).uint(value.count).uint(value.hops);
    writer.uint(value.receive_cap).uint(0).uint(value.directed);
    return finish(writer);
}

jz_status parse(const Object& object, Request& out) noexcept {
    Fields in(object, Type::request, 9);
    out.payee = in.u32(1);
    in.bytes(out.nonce);
    out.amount = in.amount(1);
    in.asset(out.asset);
    in.bytes(out.ephemeral);
    out.t_low = in.u32();
    out.list = in.u32();
    in.bytes(out.invoice);
    return in.end();
}

View write_payload(const Request& value, Span out) noexcept {
    CborWriter writer = begin(out, Type::request, 9);
    writer.uint(value.payee).bytes(value.nonce).uint(value.amount).text(value.asset.view()).bytes(value.ephemeral);
    writer.uint(value.t_low).uint(value.list).bytes(value.invoice);
    return finish(writer);
}

jz_status parse(const Object& object, Note& out) noexcept {
    Fields in(object, Type::note, 11);
    out.payer = in.u32(1);
    out.seq = in.u32(1);
    in.bytes(out.previous);
    out.payee = in.u32(1);
    in.bytes(out.request);
    const std::size_t sources = in.in.array(max_sources);
    bool in_range = true;
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < sources; ++i) {
        Source& part = out.source[i];
        in.in.array_of(3);
        in.bytes(part.id);
        part.offset = in.amount();
        part.amount = in.amount(1);
        // Both sums stay below 2^64, so that they can be looked at.
        in_range = in_range && part.end() <= highest_amount && total + part.amount <= highest_amount;
        if (in_range) total += part.amount;
        for (std::size_t j = 0; j < i && in_range; ++j) in_range = !part.overlaps(out.source[j]);
    }
    out.sources = static_cast<std::uint8_t>(sources);
    out.time = in.u32();
    out.cvm = in.small(0, 1) == 1;
    out.balance = in.amount();
    out.hop = in.small(1, max_hops);
    if (in.end() != JZ_OK || sources == 0 || out.payee == out.payer) return JZ_MALFORMED;
    return in_range ? JZ_OK : JZ_BAD_RANGE;
}

View write_payload(const Note& value, Span out) noexcept {
    CborWriter writer = begin(out, Type::note, 11);
    writer.uint(value.payer).uint(value.seq).bytes(value.previous).uint(value.payee).bytes(value.request);
    writer.array(value.sources);
    for (const Source& part : value.all_sources()) {
        writer.array(3).bytes(part.id).uint(part.offset).uint(part.amount);
    }
    writer.uint(value.time).uint(value.cvm ? 1 : 0).uint(value.balance).uint(value.hop);
    return finish(writer);
}

jz_status parse(const Object& object, Receipt& out) noexcept {
    Fields in(object, Type::receipt, 8);
    out.payee = in.u32(1);
    out.seq = in.u32(1);
    in.bytes(out.previous);
    in.bytes(out.note);
    out.amount = in.amount(1);
    out.time = in.u32();
    in.small(0, 0);  // status
    return in.end();
}

View write_payload(const Receipt& value, Span out) noexcept {
    CborWriter writer = begin(out, Type::receipt, 8);
    writer.uint(value.payee).uint(value.seq).bytes(value.previous).bytes(value.note).uint(value.amount);
    writer.uint(value.time).uint(0);
    return finish(writer);
}

jz_status parse(const Object& object, Void& out) noexcept {
    Fields in(object, Type::void_request, 5);
    out.payee = in.u32(1);
    out.seq = in.u32(1);
    in.bytes(out.previous);
    in.bytes(out.request);
    return in.end();
}

View write_payload(const Void& value, Span out) noexcept {
    CborWriter writer = begin(out, Type::void_request, 5);
    writer.uint(value.payee).uint(value.seq).bytes(value.previous).bytes(value.request);
    return finish(writer);
}

jz_status parse(const Object& object, ListHead& out) noexcept {
    Fields in(object, Type::list_head, 7);
    in.bytes(out.issuer);
    out.version = in.u32(1);
    out.time = in.u32();
    out.enrolled = in.u32();
    out.revoked = in.u32();
    in.bytes(out.root);
    return in.end() == JZ_OK && out.revoked <= out.enrolled ? JZ_OK : JZ_MALFORMED;
}

View write_payload(const ListHead& value, Span out) noexcept {
    CborWriter writer = begin(out, Type::list_head, 7);
    writer.bytes(value.issuer).uint(value.version).uint(value.time).uint(value.enrolled).uint(value.revoked);
    writer.bytes(value.root);
    return finish(writer);
}

jz_status parse(const Object& object, SyncAck& out) noexcept {
    Fields in(object, Type::sync_ack, 9);
    in.bytes(out.issuer);
    out.purse = in.u32(1);
    out.sync = in.u32(1);
    out.time = in.u32();
    out.through = in.u32();
    out.next = in.u32();
    out.flags = in.small(0, sync_limits | sync_restart | sync_freeze);
    const std::size_t released = in.in.array(max_released);
    for (std::size_t i = 0; i < released; ++i) in.bytes(out.release[i]);
    out.released = static_cast<std::uint8_t>(released);
    return in.end();
}

View write_payload(const SyncAck& value, Span out) noexcept {
    CborWriter writer = begin(out, Type::sync_ack, 9);
    writer.bytes(value.issuer).uint(value.purse).uint(value.sync).uint(value.time).uint(value.through);
    writer.uint(value.next).uint(value.flags).array(value.released);
    for (std::size_t i = 0; i < value.released; ++i) writer.bytes(value.release[i]);
    return finish(writer);
}

}  // namespace jiaozi::purse
