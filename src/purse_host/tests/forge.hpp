// What attackers do with their own keys and other people's messages.
#pragma once

#include <algorithm>
#include <functional>

#include <jiaozi/purse/cose.hpp>
#include <jiaozi/purse/proof.hpp>
#include <jiaozi/purse/seal.hpp>

#include "world.hpp"

namespace jiaozi::purse_host {

// Kinds of journal records that hold evidence.
inline constexpr unsigned kind_note = 4;
inline constexpr unsigned kind_done = 5;
inline constexpr unsigned kind_credit = 7;

// The n-th object of a CBOR sequence.
inline Bytes object_in(ByteView sequence, std::size_t n) {
    purse::Object object;
    for (std::size_t i = 0; i <= n; ++i) EXPECT_EQ(purse::read_object(sequence, object), JZ_OK);
    return to_bytes(object.bytes);
}

inline Bytes request_object(ByteView message) {
    return object_in(message.subspan(1), 0);
}

// All objects of one kind that a device has in its journal, in order.
inline std::vector<Bytes> all_evidence(Device& device, unsigned kind) {
    std::vector<Bytes> found;
    Bytes room(JZ_MESSAGE_BYTES);
    for (std::uint64_t i = 0;; ++i) {
        unsigned there = 0;
        std::size_t size = 0;
        if (jz_purse_evidence(device.purse.get(), i, &there, room.data(), room.size(), &size) != JZ_OK) return found;
        if (there == kind) found.emplace_back(room.begin(), room.begin() + static_cast<std::ptrdiff_t>(size));
    }
}

inline Bytes evidence(Device& device, unsigned kind) {
    auto all = all_evidence(device, kind);
    EXPECT_FALSE(all.empty());
    return all.empty() ? Bytes() : all.front();
}

inline purse::Note read_note(ByteView bytes) {
    purse::Object object;
    purse::Note note;
    EXPECT_EQ(purse::read_object(bytes, object), JZ_OK);
    EXPECT_EQ(purse::parse(object, note), JZ_OK);
    return note;
}

inline Bytes signed_note(Device& payer, const purse::Note& note) {
    std::array<std::uint8_t, purse::max_payload> payload{};
    return sign_object(*payer.signer, purse::write_payload(note, payload));
}

inline Bytes changed_note(Device& payer, ByteView original, const std::function<void(purse::Note&)>& change) {
    purse::Note note = read_note(original);
    change(note);
    return signed_note(payer, note);
}

// A first-hop note as the payer's purse would make it, for a request that was heard.
inline purse::Note honest_note(Device& payer, ByteView request_message) {
    const Bytes object = request_object(request_message);
    purse::Object view;
    purse::Request request;
    EXPECT_EQ(purse::read_whole(object, purse::Type::request, view), JZ_OK);
    EXPECT_EQ(purse::parse(view, request), JZ_OK);
    purse::Note note;
    note.payer = payer.ordinal;
    note.seq = payer.purse.info().seq + 1;
    note.payee = request.payee;
    note.request = object_id(payer.world.cryptography, object);
    note.source[0] = {object_id(payer.world.cryptography, payer.last_certificate), 0, request.amount};
    note.sources = 1;
    note.time = today_s;
    note.hop = 1;
    return note;
}

// PAY or GOSSIP with any body, sealed to a request as its payer would.
inline Bytes sealed_to(purse::Verb verb, Device& sender, ByteView request_message, ByteView body) {
    const Bytes object = request_object(request_message);
    purse::Object view;
    purse::Request request;
    EXPECT_EQ(purse::read_whole(object, purse::Type::request, view), JZ_OK);
    EXPECT_EQ(purse::parse(view, request), JZ_OK);
    const purse::Id id = object_id(sender.world.cryptography, object);
    const jz_platform& platform = sender.purse.platform();
    purse::Fixed<32> secret{};
    purse::Fixed<32> enc{};
    purse::SealKeys keys;
    EXPECT_EQ(purse::new_ephemeral(platform, secret, enc), JZ_OK);
    EXPECT_EQ(purse::derive_keys(platform, secret, request.ephemeral, enc, request.ephemeral, id, verb, keys), JZ_OK);
    Bytes sealed = to_bytes(body);
    sealed.resize(body.size() + purse::tag_size);
    EXPECT_EQ(purse::seal(platform, keys.payer, verb, id, sealed, body.size()), JZ_OK);
    Bytes message{static_cast<std::uint8_t>(verb)};
    append(message, request.nonce);
    append(message, enc);
    append(message, sealed);
    return message;
}

inline Bytes joined(std::initializer_list<ByteView> parts) {
    Bytes all;
    for (const ByteView part : parts) append(all, part);
    return all;
}

// What the payee says to a forged first-hop note.
inline jz_status offer(Device& payer, Device& payee, ByteView request_message, const purse::Note& note) {
    const Bytes bundle = joined({signed_note(payer, note), payer.last_certificate});
    return payee.purse.receive(sealed_to(purse::Verb::pay, payer, request_message, bundle)).status;
}

inline purse::Entry<purse::Note> entry_of(World& world, ByteView bytes) {
    purse::Entry<purse::Note> made;
    made.id = object_id(world.cryptography, bytes);
    EXPECT_EQ(purse::read_object(bytes, made.object), JZ_OK);
    EXPECT_EQ(purse::parse(made.object, made.value), JZ_OK);
    return made;
}

inline Bytes fork_proof(World& world, ByteView left, ByteView right, ByteView certificate) {
    purse::Object lc;
    EXPECT_EQ(purse::read_object(certificate, lc), JZ_OK);
    Bytes room(JZ_PROOF_BYTES);
    return to_bytes(purse::write_proof(entry_of(world, left), entry_of(world, right), lc, room));
}

// What anybody with the issuer's key says to a proof.
inline jz_status judge(World& world, ByteView proof, std::uint32_t& guilty) {
    const jz_issuer_key key = world.issuer.key();
    return jz_verify_proof(&world.devices.front()->purse.platform(), &key, 1, c_view(proof), &guilty);
}

}  // namespace jiaozi::purse_host
