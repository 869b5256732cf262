// A small world for tests: an issuer, purses in memory, and the words payments people use for what they do.
#pragma once

#include <memory>
#include <ostream>
#include <vector>

#include <gtest/gtest.h>

#include <jiaozi/purse/bundle.hpp>
#include <jiaozi/purse_host/issuer.hpp>
#include <jiaozi/purse_host/memory.hpp>

namespace jiaozi::purse_host {

inline constexpr std::uint32_t day_s = 86'400;
inline constexpr std::uint32_t today_s = 1'700'000'000;

inline std::unique_ptr<PurseSigner> fixed_signer(crypto::Suite suite, std::uint8_t number) {
    const Bytes secret(32, number);
    return key_signer(crypto::make_signer(crypto::key_from_private(suite, secret).value()).value());
}

// The limits of a lot; a test changes the one it is about.
struct Terms {
    std::uint64_t amount = 100'000;
    std::uint64_t per_payment = 50'000;
    std::uint64_t without_cvm = 50'000;
    std::uint16_t count = 1'000;
    std::uint8_t hops = 5;
    std::uint64_t receive_cap = 1'000'000;
    std::uint32_t directed = 0;
    std::uint32_t not_before = today_s - day_s;
    std::uint32_t expires = today_s + 30 * day_s;
    std::uint32_t settle_by = today_s + 60 * day_s;
    std::string asset = "CNY";
};

class World;

// A device with its purse.
struct Device {
    Device(World& w, std::uint32_t number, crypto::Suite suite, int level, bool create = true);

    jz_status load(const Terms& terms);
    purse::Certificate certificate(const Terms& terms);
    Bytes last_certificate;

    // Power off and on again.
    jz_status restart() {
        storage.power_on();
        const jz_status status = purse.open();
        trust();
        return status;
    }
    void trust();
    Bytes ask(std::uint64_t amount, bool with_certificate = true);  // REQUEST
    std::uint64_t spendable() const { return purse.info().spendable; }

    World& world;
    std::uint32_t ordinal;
    int assurance;
    std::unique_ptr<PurseSigner> signer;
    MemoryStorage storage;
    MemoryAnchor anchor;
    TestClock clock{timestamp_s(today_s)};
    HostPurse purse;
    std::uint8_t nonce[16] = {};
};

class World {
  public:
    explicit World(crypto::Suite chosen = crypto::Suite::ed25519, Cryptography& used = real_cryptography())
        : cryptography(used), suite(chosen), issuer_signer(fixed_signer(chosen, 0xA1)), issuer(used, *issuer_signer) {}

    Device& device(int assurance = 0, const Terms& terms = {}) {
        Device& made = empty_device(assurance);
        EXPECT_EQ(made.load(terms), JZ_OK);
        // A fresh list, so that payments are judged by their certificates alone.
        const auto list = issuer.blacklist(1, today_s, 1'000, std::vector<std::uint32_t>{999});
        EXPECT_EQ(jz_purse_install_list(made.purse.get(), c_view(list.head), c_view(list.body)), JZ_OK);
        return made;
    }
    Device& empty_device(int assurance = 0) {
        devices.push_back(
            std::make_unique<Device>(*this, static_cast<std::uint32_t>(devices.size() + 1), suite, assurance));
        return *devices.back();
    }

    // What a dishonest owner makes: the same key, journal and counter on a second device.
    Device& clone(Device& original) {
        devices.push_back(std::make_unique<Device>(*this, original.ordinal, suite, original.assurance, false));
        Device& made = *devices.back();
        made.storage.content() = original.storage.content();
        made.anchor = original.anchor;
        made.last_certificate = original.last_certificate;
        EXPECT_EQ(made.restart(), JZ_OK);
        return made;
    }

    Cryptography& cryptography;
    crypto::Suite suite;
    std::unique_ptr<PurseSigner> issuer_signer;
    Issuer issuer;
    std::uint64_t next_serial = 1;
    std::vector<std::unique_ptr<Device>> devices;
};

inline Device::Device(World& w, std::uint32_t number, crypto::Suite suite, int level, bool create)
    : world(w),
      ordinal(number),
      assurance(level),
      signer(fixed_signer(suite, static_cast<std::uint8_t>(number))),
      purse(w.cryptography, *signer, storage, anchor, clock) {
    anchor.id[1] = static_cast<std::uint8_t>(number);
    if (!create) return;
    EXPECT_EQ(purse.create(number, level), JZ_OK);
    trust();
}

inline void Device::trust() {
    const jz_issuer_key key = world.issuer.key();
    EXPECT_EQ(jz_purse_trust(purse.get(), &key, 1), JZ_OK);
}

inline purse::Certificate Device::certificate(const Terms& terms) {
    purse::Certificate lot;
    lot.serial = world.next_serial++;
    lot.purse = ordinal;
    lot.key = public_key_of(signer->public_key());
    lot.assurance = static_cast<std::uint8_t>(assurance);
    lot.asset = asset_of(terms.asset);
    lot.amount = terms.amount;
    lot.not_before = terms.not_before;
    lot.expires = terms.expires;
    lot.settle_by = terms.settle_by;
    lot.per_payment = terms.per_payment;
    lot.without_cvm = terms.without_cvm;
    lot.count = terms.count;
    lot.hops = terms.hops;
    lot.receive_cap = terms.receive_cap;
    lot.directed = terms.directed;
    return lot;
}

inline jz_status Device::load(const Terms& terms) {
    last_certificate = world.issuer.certificate(certificate(terms));
    return jz_purse_load(purse.get(), c_view(last_certificate));
}

inline Bytes Device::ask(std::uint64_t amount, bool with_certificate) {
    auto asked = purse.request(amount, with_certificate, nonce);
    EXPECT_EQ(asked.status, JZ_OK) << jz_status_name(asked.status);
    return asked.bytes;
}

// A whole payment with nothing lost. The three messages, for those who count bytes.
struct Payment {
    Bytes request;
    Bytes pay;
    Bytes receipt;
    jz_status paid = JZ_NOTHING_HERE;
    jz_status credited = JZ_NOTHING_HERE;
    jz_status done = JZ_NOTHING_HERE;
    bool ok() const { return paid == JZ_OK && credited == JZ_OK && done == JZ_OK; }
    std::size_t bytes() const { return request.size() + pay.size() + receipt.size(); }
};

inline std::ostream& operator<<(std::ostream& out, const Payment& p) {
    return out << "pay: " << jz_status_name(p.paid) << ", credit: " << jz_status_name(p.credited)
               << ", receipt: " << jz_status_name(p.done);
}

inline Payment transfer(Device& payer, Device& payee, std::uint64_t amount, bool with_certificate = true,
                        bool cvm = false) {
    Payment p;
    p.request = payee.ask(amount, with_certificate);
    auto pay = payer.purse.pay(p.request, cvm);
    p.paid = pay.status;
    p.pay = pay.bytes;
    if (p.paid != JZ_OK) return p;
    auto receipt = payee.purse.receive(p.pay);
    p.credited = receipt.status;
    p.receipt = receipt.bytes;
    if (p.credited != JZ_OK) return p;
    p.done = payer.purse.receive(p.receipt).status;
    return p;
}

}  // namespace jiaozi::purse_host

// googletest prints names, not numbers.
inline void PrintTo(jz_status status, std::ostream* out) {
    *out << jz_status_name(status);
}
