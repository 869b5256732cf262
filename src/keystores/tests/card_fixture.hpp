// An issuer, whole messages of a purse, and an applet behind a channel; for tests of the card on both its sides.
#pragma once

#include <deque>
#include <optional>

#include <jiaozi/codec/cbor.hpp>
#include <jiaozi/keystores/card_applet.hpp>
#include <jiaozi/keystores/card_key.hpp>

#include "card_message.hpp"

namespace jiaozi::keystores::testing {

inline crypto::SecretBytes secret(std::string_view text) {
    return crypto::SecretBytes(as_bytes(text));
}

inline CardId id_of(std::uint8_t fill) {
    CardId id{};
    id.fill(fill);
    return id;
}

// A card's memory, with power cuts to order.
struct Memory {
    std::optional<Bytes> content;
    int saves_left = -1;  // -1: any number
};

class MemoryStorage final : public CardStorage {
  public:
    explicit MemoryStorage(Memory& memory) : memory_(memory) {}
    Result<crypto::SecretBytes> load() override {
        if (!memory_.content) return Error(ErrorKind::not_found, "blank");
        return crypto::SecretBytes(*memory_.content);
    }
    Result<void> save(ByteView content) override {
        if (memory_.saves_left == 0) return Error(ErrorKind::io, "power cut");
        if (memory_.saves_left > 0) --memory_.saves_left;
        memory_.content = to_bytes(content);
        return {};
    }

  private:
    Memory& memory_;
};

inline std::unique_ptr<CardApplet> insert_card(Memory& memory) {
    auto applet = CardApplet::open(std::make_unique<MemoryStorage>(memory));
    JZ_ASSERT(applet.ok());
    return std::move(applet).value();
}

// The applet as a channel; `answers_lost` swallows that many answers after the card has done its work.
class DirectChannel final : public CardChannel {
  public:
    explicit DirectChannel(std::shared_ptr<CardApplet> applet) : applet_(std::move(applet)) {}
    Result<Bytes> transmit(ByteView apdu) override {
        Bytes answer = applet_->process(apdu);
        if (answers_lost > 0 && answers_lost-- > 0) return Error(ErrorKind::unavailable, "the card left the field");
        return answer;
    }
    int answers_lost = 0;

  private:
    std::shared_ptr<CardApplet> applet_;
};

struct NoteWish {
    std::uint32_t seq = 1;
    CardId previous{};
    std::vector<CardSource> sources{};
    bool cvm = false;
    std::uint32_t payer = 7;
    std::uint32_t payee = 9;
};

inline Bytes note_payload(const NoteWish& wish) {
    codec::CborWriter out;
    out.array(11).uint(3).uint(wish.payer).uint(wish.seq).bytes(wish.previous).uint(wish.payee).bytes(id_of(0x77));
    out.array(wish.sources.size());
    for (const CardSource& source : wish.sources) out.array(3).bytes(source.id).uint(source.offset).uint(source.amount);
    out.uint(1000).uint(wish.cvm ? 1 : 0).uint(0).uint(1);
    return out.take();
}
inline Bytes receipt_payload(std::uint32_t seq, const CardId& previous, std::uint32_t purse = 7) {
    codec::CborWriter out;
    out.array(8).uint(4).uint(purse).uint(seq).bytes(previous).bytes(id_of(1)).uint(5).uint(1000).uint(0);
    return out.take();
}
inline Bytes void_payload(std::uint32_t seq, const CardId& previous, std::uint32_t purse = 7) {
    codec::CborWriter out;
    out.array(5).uint(5).uint(purse).uint(seq).bytes(previous).bytes(id_of(1));
    return out.take();
}
inline Bytes request_payload(std::uint32_t purse = 7) {
    codec::CborWriter out;
    out.array(9).uint(2).uint(purse).bytes(Bytes(16, 1)).uint(5).text("CNY").bytes(Bytes(32, 2)).uint(1).uint(0);
    out.bytes(Bytes(8, 0));
    return out.take();
}

struct LotWish {
    std::uint64_t serial = 1;
    std::uint64_t amount = 1000;
    std::uint32_t not_before = 100;
    std::uint32_t expires = 10000;
    std::uint64_t per_payment = 500;
    std::uint64_t without_cvm = 300;
    std::uint32_t count = 50;
    std::uint32_t directed = 0;
    std::uint32_t purse = 7;
};
struct SyncWish {
    std::uint32_t sync = 1;
    std::uint32_t time = 200;
    std::uint32_t through = 0;
    std::uint32_t next = 0;
    std::uint32_t flags = 0;
    std::vector<CardId> released{};
    std::uint32_t purse = 7;
};

class Issuer {
  public:
    explicit Issuer(crypto::Suite suite)
        : suite_(suite), key_(crypto::generate_key(suite)), signer_(crypto::make_signer(key_).value()) {}
    const Bytes& public_key() const { return key_.public_key; }
    crypto::Suite suite() const { return suite_; }

    Bytes object(const Bytes& payload) const {
        const crypto::Signature signature = signer_->sign(signed_bytes(suite_, payload)).value();
        codec::CborWriter out;
        out.array(4).bytes(protected_header(suite_)).map(0).bytes(payload).bytes(signature);
        return out.take();
    }
    Bytes certificate_payload(const LotWish& wish, ByteView purse_key) const {
        codec::CborWriter out;
        out.array(19).uint(1).bytes(Bytes(8, 1)).uint(wish.serial).uint(wish.purse).bytes(purse_key);
        out.uint(static_cast<std::uint64_t>(suite_)).uint(3).text("CNY").uint(wish.amount).uint(wish.not_before);
        out.uint(wish.expires).uint(wish.expires + 5000).uint(wish.per_payment).uint(wish.without_cvm);
        out.uint(wish.count).uint(5).uint(1000000).uint(0).uint(wish.directed);
        return out.take();
    }
    Bytes sync_payload(const SyncWish& wish) const {
        codec::CborWriter out;
        out.array(9).uint(7).bytes(Bytes(8, 1)).uint(wish.purse).uint(wish.sync).uint(wish.time).uint(wish.through);
        out.uint(wish.next).uint(wish.flags).array(wish.released.size());
        for (const CardId& id : wish.released) out.bytes(id);
        return out.take();
    }

  private:
    crypto::Suite suite_;
    crypto::KeyPair key_;
    std::unique_ptr<crypto::Signer> signer_;
};

// A personalised card of purse 7 in a reader of our own making.
class CardInReader {
  public:
    explicit CardInReader(crypto::Suite suite = crypto::Suite::p256) : issuer(suite) {
        put_in();
        const auto made = CardKey::personalise(*channel, {suite, 7, suite, issuer.public_key()}, secret("2580"));
        JZ_ASSERT(made.ok());
        open();
    }
    // Power is cut, and the card put in again: what was not written is gone.
    void put_in() {
        key.reset();
        applet = insert_card(memory);
        auto owned = std::make_unique<DirectChannel>(applet);
        channel = owned.get();
        owned_ = std::move(owned);
    }
    void open() {
        auto opened = CardKey::open(std::move(owned_));
        JZ_ASSERT(opened.ok());
        key = std::move(opened).value();
    }
    void cut_power() {
        memory.saves_left = -1;
        put_in();
        open();
    }
    CardId load_lot(const LotWish& wish = {}) {
        const Bytes payload = issuer.certificate_payload(wish, key->public_key());
        const auto loaded = key->load_certificate(issuer.object(payload));
        JZ_ASSERT(loaded.ok());
        return object_id(issuer.suite(), payload);
    }
    Result<void> sync(const SyncWish& wish) { return key->sync(issuer.object(issuer.sync_payload(wish))); }
    // Signs under the next number, whatever the card has.
    Result<crypto::Signature> pay(std::vector<CardSource> sources, bool cvm = false, std::uint32_t payee = 9) {
        const CardStatus now = key->status().value();
        NoteWish wish{.seq = now.last_seq + 1, .sources = std::move(sources), .cvm = cvm, .payee = payee};
        std::copy(now.last_id.begin(), now.last_id.end(), wish.previous.begin());
        last_payload = note_payload(wish);
        return key->sign(signed_bytes(issuer.suite(), last_payload));
    }
    CardId last_note() const { return object_id(issuer.suite(), last_payload); }

    Memory memory;
    Issuer issuer;
    std::shared_ptr<CardApplet> applet;
    DirectChannel* channel = nullptr;
    std::unique_ptr<CardKey> key;
    Bytes last_payload;

  private:
    std::unique_ptr<CardChannel> owned_;
};

}  // namespace jiaozi::keystores::testing
