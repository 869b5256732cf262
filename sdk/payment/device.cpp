#include "device.hpp"

namespace jiaozi::example {
namespace {

std::uint8_t next_random = 0;

}  // namespace

void Message::assign(View other) {
    require(other.size() <= sizeof bytes, "room for a message");
    if (!other.empty()) std::memmove(bytes, other.data(), other.size());
    size = other.size();
}

Device::Device(std::uint8_t seed) : number_(seed) {
    std::array<std::uint8_t, 32> secret{};
    secret.fill(seed);
    jz_portable_key(secret.data(), public_key.data(), secret_.data());
    platform.context = this;
    jz_portable_cryptography(&platform);
    set_key_and_counter();
    set_storage();
}

jz_status Device::create(const jz_issuer_key& issuer) {
    jz_identity identity{};
    identity.purse = number_;
    identity.suite = JZ_ED25519;
    identity.key_size = 32;
    std::memcpy(identity.public_key, public_key.data(), public_key.size());
    const jz_status made = jz_purse_create(purse(), &platform, &identity);
    return made != JZ_OK ? made : jz_purse_trust(purse(), &issuer, 1);
}

jz_status Device::restart(const jz_issuer_key& issuer) {
    std::memset(memory_, 0xEE, sizeof memory_);
    const jz_status opened = jz_purse_open(purse(), &platform);
    return opened != JZ_OK ? opened : jz_purse_trust(purse(), &issuer, 1);
}

std::uint64_t Device::spendable() {
    jz_info info{};
    require_ok(jz_purse_info(purse(), &info), "info");
    return info.spendable;
}

void Device::set_key_and_counter() {
    platform.random = [](void*, std::uint8_t* out, std::size_t size) {
        for (std::size_t i = 0; i < size; ++i) out[i] = next_random++;
        return 0;
    };
    platform.sign = [](void* context, jz_view message, std::uint8_t* signature) {
        return jz_portable_sign(self(context).secret_.data(), message, signature);
    };
    platform.anchor_read = [](void* context, std::uint8_t* id, std::uint32_t* counter) {
        std::memset(id, 0, 16);
        id[0] = 1;
        id[1] = self(context).number_;
        *counter = self(context).counter_;
        return 0;
    };
    platform.anchor_advance = [](void* context, std::uint32_t counter) {
        self(context).counter_ = counter;
        return 0;
    };
    platform.now = [](void*) { return today_s; };
}

void Device::set_storage() {
    platform.append = [](void* context, std::uint64_t index, const std::uint8_t* record) {
        Device& d = self(context);
        if (index >= most_records || index > d.records_) return 1;
        std::memcpy(d.journal_[index], record, JZ_RECORD_BYTES);
        d.records_ = index + 1;
        return 0;
    };
    platform.read = [](void* context, std::uint64_t index, std::uint8_t* record) -> int {
        const Device& d = self(context);
        if (index >= d.records_) return JZ_READ_ABSENT;
        std::memcpy(record, d.journal_[index], JZ_RECORD_BYTES);
        return JZ_READ_OK;
    };
    platform.save = [](void* context, int area, unsigned index, jz_view content) {
        const Span room = self(context).slot(area, index);
        if (content.size > room.size()) return 1;
        if (content.size != 0) std::memcpy(room.data(), content.data, content.size);
        return 0;
    };
    platform.load = [](void* context, int area, unsigned index, std::size_t offset, std::uint8_t* out,
                       std::size_t size) -> int {
        const Span room = self(context).slot(area, index);
        if (offset > room.size() || size > room.size() - offset) return JZ_READ_ABSENT;
        std::memcpy(out, room.data() + offset, size);
        return JZ_READ_OK;
    };
}

Span Device::slot(int area, unsigned index) {
    if (area == JZ_AREA_BUNDLE) return index < most_bundles ? Span(bundles_[index]) : Span{};
    if (area == JZ_AREA_LIST) return index < 2 ? Span(lists_[index]) : Span{};
    return {};  // no mule slots: it carries nothing for others
}

Issuer::Issuer(std::uint8_t seed) : device_(seed) {
    const std::uint8_t suite = JZ_ED25519;
    const jz_view parts[2] = {{&suite, 1}, {device_.public_key.data(), 32}};
    std::array<std::uint8_t, 32> digest{};
    require(platform().hash(nullptr, JZ_SHA256, parts, 2, digest.data()) == 0, "hash");
    std::memcpy(kid_.data(), digest.data(), kid_.size());
}

jz_issuer_key Issuer::key() const {
    jz_issuer_key key{};
    key.suite = JZ_ED25519;
    key.size = 32;
    std::memcpy(key.public_key, device_.public_key.data(), 32);
    return key;
}

template <class Value>
void Issuer::sign(const Value& content, Message& out) const {
    std::array<std::uint8_t, purse::max_payload> payload{};
    std::array<std::uint8_t, purse::max_object> room{};
    purse::Object object;
    require_ok(purse::sign(platform(), purse::Suite::ed25519, purse::write_payload(content, payload), room, object),
               "sign");
    out.assign(object.bytes);
}

void Issuer::load(Device& device, std::uint32_t purse) {
    purse::Certificate lot;
    lot.issuer = kid_;
    lot.serial = ++serial_;
    lot.purse = purse;
    lot.key.size = 32;
    std::memcpy(lot.key.bytes.data(), device.public_key.data(), 32);
    lot.asset.size = 3;
    std::memcpy(lot.asset.text.data(), "CNY", 3);
    lot.amount = 100'000;
    lot.not_before = today_s - day_s;
    lot.expires = today_s + 30 * day_s;
    lot.settle_by = today_s + 60 * day_s;
    lot.per_payment = 50'000;
    lot.without_cvm = 50'000;
    lot.count = 1'000;
    lot.hops = 5;
    lot.receive_cap = 1'000'000;
    sign(lot, device.certificate);
    require_ok(jz_purse_load(device.purse(), purse::c_view(device.certificate.view())), "load");
}

void Issuer::list(std::uint32_t version, std::span<const std::uint32_t> revoked, Message& head, Message& body) {
    purse::ListHead content;
    content.issuer = kid_;
    content.version = version;
    content.time = today_s;
    content.enrolled = 1'000;
    content.revoked = static_cast<std::uint32_t>(revoked.size());
    purse::ListWriter writer(body.bytes, content.enrolled, content.revoked);
    for (const std::uint32_t ordinal : revoked) require(writer.add(ordinal), "an ordinal of the list");
    body.assign(writer.finish());
    const jz_view whole = purse::c_view(body.view());
    require(platform().hash(nullptr, JZ_SHA256, &whole, 1, content.root.data()) == 0, "hash");
    sign(content, head);
}

void Issuer::sync_ack(const purse::SyncAck& content, Message& out) {
    purse::SyncAck complete = content;
    complete.issuer = kid_;
    sign(complete, out);
}

}  // namespace jiaozi::example
