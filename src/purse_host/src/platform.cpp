#include <algorithm>
#include <cstring>

#include <jiaozi/crypto/aead.hpp>
#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/crypto/x25519.hpp>
#include <jiaozi/purse_host/platform.hpp>

namespace jiaozi::purse_host {
namespace {

class RealCryptography final : public Cryptography {
  public:
    void hash(int hash, std::span<const jz_view> parts, std::uint8_t* out) override {
        const auto all = [&](auto hasher) {
            for (const jz_view& part : parts) hasher.update({part.data, part.size});
            std::ranges::copy(hasher.finish(), out);
        };
        if (hash == JZ_SM3) {
            all(crypto::Sm3());
        } else {
            all(crypto::Sha256());
        }
    }
    bool verify(crypto::Suite suite, ByteView key, ByteView message, ByteView signature) override {
        const auto verifier = crypto::make_verifier(suite, key);
        return verifier.ok() && verifier->verify(message, signature);
    }
    bool x25519(std::uint8_t* out, ByteView scalar, ByteView point) override {
        static constexpr std::uint8_t base_point[crypto::x25519_key_size] = {9};
        if (equal(point, base_point)) {
            const auto pair = crypto::x25519_from_private(scalar);
            if (pair.ok()) std::ranges::copy(pair->public_key, out);
            return pair.ok();
        }
        const auto shared = crypto::x25519(scalar, point);
        if (shared.ok()) std::ranges::copy(shared->view(), out);
        return shared.ok();
    }
    void seal(ByteView key, ByteView nonce, ByteView aad, ByteSpan data, std::uint8_t* tag) override {
        const Bytes sealed = crypto::chacha20_poly1305_seal(key, nonce, aad, data).value();
        std::copy_n(sealed.begin(), data.size(), data.begin());
        std::copy_n(sealed.end() - crypto::poly1305_tag_size, crypto::poly1305_tag_size, tag);
    }
    bool open(ByteView key, ByteView nonce, ByteView aad, ByteSpan data, ByteView tag) override {
        Bytes sealed = to_bytes(data);
        append(sealed, tag);
        const auto plain = crypto::chacha20_poly1305_open(key, nonce, aad, sealed);
        if (plain.ok()) std::ranges::copy(plain->view(), data.begin());
        return plain.ok();
    }
    void random(ByteSpan out) override { crypto::random_bytes(out); }
};

class KeySigner final : public PurseSigner {
  public:
    explicit KeySigner(std::unique_ptr<crypto::Signer> signer) : signer_(std::move(signer)) {}
    crypto::Suite suite() const override { return signer_->suite(); }
    Bytes public_key() const override { return to_bytes(signer_->public_key()); }
    bool sign(ByteView message, std::uint8_t* signature) override {
        const auto made = signer_->sign(message);
        if (made.ok()) std::ranges::copy(*made, signature);
        return made.ok();
    }

  private:
    std::unique_ptr<crypto::Signer> signer_;
};

ByteView view(jz_view bytes) {
    return {bytes.data, bytes.size};
}

}  // namespace

Cryptography& real_cryptography() {
    static RealCryptography instance;
    return instance;
}

std::unique_ptr<PurseSigner> key_signer(std::unique_ptr<crypto::Signer> signer) {
    return std::make_unique<KeySigner>(std::move(signer));
}

HostPurse::HostPurse(Cryptography& cryptography, PurseSigner& signer, PurseStorage& storage, PurseAnchor& anchor,
                     const Clock& clock)
    : cryptography_(cryptography),
      signer_(signer),
      storage_(storage),
      anchor_(anchor),
      clock_(clock),
      memory_(std::make_unique<Block>()) {
    // Captureless lambdas: C function pointers whose context is this object.
    jz_platform& p = platform_;
    p.context = this;
    p.hash = [](void* self, int hash, const jz_view* parts, std::size_t count, std::uint8_t* out) {
        static_cast<HostPurse*>(self)->cryptography_.hash(hash, {parts, count}, out);
        return 0;
    };
    p.verify = [](void* self, int suite, jz_view key, jz_view message, const std::uint8_t* signature) {
        const auto known = crypto::suite_from_number(static_cast<std::uint64_t>(suite));
        const bool valid = known.ok() && static_cast<HostPurse*>(self)->cryptography_.verify(
                                             *known, view(key), view(message), {signature, crypto::signature_size});
        return valid ? 0 : 1;
    };
    p.x25519 = [](void* self, std::uint8_t* out, const std::uint8_t* scalar, const std::uint8_t* point) {
        return static_cast<HostPurse*>(self)->cryptography_.x25519(out, {scalar, 32}, {point, 32}) ? 0 : 1;
    };
    p.seal = [](void* self, const std::uint8_t* key, const std::uint8_t* nonce, jz_view aad, std::uint8_t* data,
                std::size_t size, std::uint8_t* tag) {
        static_cast<HostPurse*>(self)->cryptography_.seal({key, 32}, {nonce, 12}, view(aad), {data, size}, tag);
        return 0;
    };
    p.open = [](void* self, const std::uint8_t* key, const std::uint8_t* nonce, jz_view aad, std::uint8_t* data,
                std::size_t size, const std::uint8_t* tag) {
        auto& calls = static_cast<HostPurse*>(self)->cryptography_;
        return calls.open({key, 32}, {nonce, 12}, view(aad), {data, size}, {tag, 16}) ? 0 : 1;
    };
    p.random = [](void* self, std::uint8_t* out, std::size_t size) {
        static_cast<HostPurse*>(self)->cryptography_.random({out, size});
        return 0;
    };
    p.sign = [](void* self, jz_view message, std::uint8_t* signature) {
        return static_cast<HostPurse*>(self)->signer_.sign(view(message), signature) ? 0 : 1;
    };
    p.append = [](void* self, std::uint64_t index, const std::uint8_t* record) {
        return static_cast<HostPurse*>(self)->storage_.append(index, {record, JZ_RECORD_BYTES}) ? 0 : 1;
    };
    p.read = [](void* self, std::uint64_t index, std::uint8_t* record) {
        return static_cast<HostPurse*>(self)->storage_.read(index, record);
    };
    p.save = [](void* self, int area, unsigned slot, jz_view content) {
        return static_cast<HostPurse*>(self)->storage_.save(area, slot, view(content)) ? 0 : 1;
    };
    p.load = [](void* self, int area, unsigned slot, std::size_t offset, std::uint8_t* out, std::size_t size) {
        return static_cast<HostPurse*>(self)->storage_.load(area, slot, offset, {out, size});
    };
    p.anchor_read = [](void* self, std::uint8_t* id, std::uint32_t* counter) {
        return static_cast<HostPurse*>(self)->anchor_.read(id, *counter) ? 0 : 1;
    };
    p.anchor_advance = [](void* self, std::uint32_t counter) {
        return static_cast<HostPurse*>(self)->anchor_.advance(counter) ? 0 : 1;
    };
    p.now = [](void* self) {
        constexpr std::uint64_t ns_per_s = 1'000'000'000;
        return static_cast<std::uint32_t>(static_cast<HostPurse*>(self)->clock_.now().ns / ns_per_s);
    };
}

HostPurse::~HostPurse() {
    close();
}

void HostPurse::close() noexcept {
    if (open_) jz_purse_close(get());
    open_ = false;
}

jz_status HostPurse::create(std::uint32_t purse, int assurance) {
    close();
    jz_identity identity{};
    identity.purse = purse;
    identity.suite = static_cast<int>(signer_.suite());
    identity.assurance = assurance;
    const Bytes key = signer_.public_key();
    if (key.size() > sizeof identity.public_key) return JZ_BAD_ARGUMENT;
    identity.key_size = static_cast<std::uint8_t>(key.size());
    std::ranges::copy(key, identity.public_key);
    open_ = true;
    return jz_purse_create(get(), &platform_, &identity);
}

jz_status HostPurse::open() {
    close();
    open_ = true;
    return jz_purse_open(get(), &platform_);
}

namespace {

template <class Call>
HostPurse::Written written(std::size_t room, Call call) {
    HostPurse::Written result;
    result.bytes.resize(room);
    std::size_t size = 0;
    result.status = call(result.bytes.data(), result.bytes.size(), &size);
    result.bytes.resize(size);
    return result;
}

}  // namespace

HostPurse::Written HostPurse::request(std::uint64_t amount, bool with_certificate, std::uint8_t nonce[16],
                                      ByteView invoice) {
    std::uint8_t hash[8] = {};
    std::copy_n(invoice.begin(), std::min(invoice.size(), sizeof hash), hash);
    return written(JZ_MESSAGE_BYTES, [&](std::uint8_t* out, std::size_t room, std::size_t* size) {
        return jz_purse_request(get(), amount, hash, with_certificate ? 1 : 0, nonce, out, room, size);
    });
}

HostPurse::Written HostPurse::pay(ByteView request, bool cvm) {
    return written(JZ_MESSAGE_BYTES, [&](std::uint8_t* out, std::size_t room, std::size_t* size) {
        return jz_purse_pay(get(), c_view(request), cvm ? 1 : 0, out, room, size);
    });
}

HostPurse::Written HostPurse::receive(ByteView message) {
    return written(JZ_MESSAGE_BYTES, [&](std::uint8_t* out, std::size_t room, std::size_t* size) {
        return jz_purse_receive(get(), c_view(message), out, room, size);
    });
}

HostPurse::Written HostPurse::resume(unsigned index) {
    return written(JZ_MESSAGE_BYTES, [&](std::uint8_t* out, std::size_t room, std::size_t* size) {
        return jz_purse_resume(get(), index, out, room, size);
    });
}

HostPurse::Written HostPurse::pay_again(unsigned index) {
    return written(JZ_MESSAGE_BYTES, [&](std::uint8_t* out, std::size_t room, std::size_t* size) {
        return jz_purse_pay_again(get(), index, out, room, size);
    });
}

HostPurse::Written HostPurse::cancel(unsigned index) {
    return written(JZ_MESSAGE_BYTES, [&](std::uint8_t* out, std::size_t room, std::size_t* size) {
        return jz_purse_cancel(get(), index, out, room, size);
    });
}

HostPurse::Written HostPurse::void_request(const std::uint8_t nonce[16]) {
    return written(JZ_MESSAGE_BYTES, [&](std::uint8_t* out, std::size_t room, std::size_t* size) {
        return jz_purse_void(get(), nonce, out, room, size);
    });
}

HostPurse::Written HostPurse::deposit(unsigned index) {
    return written(JZ_MESSAGE_BYTES, [&](std::uint8_t* out, std::size_t room, std::size_t* size) {
        return jz_purse_deposit(get(), index, out, room, size);
    });
}

HostPurse::Written HostPurse::last_proof() {
    return written(JZ_PROOF_BYTES, [&](std::uint8_t* out, std::size_t room, std::size_t* size) {
        return jz_purse_last_proof(get(), out, room, size);
    });
}

HostPurse::Written HostPurse::gossip() {
    return written(JZ_MESSAGE_BYTES, [&](std::uint8_t* out, std::size_t room, std::size_t* size) {
        return jz_purse_gossip(get(), out, room, size);
    });
}

HostPurse::Written HostPurse::contradiction(unsigned index) {
    return written(JZ_DIGEST_BYTES, [&](std::uint8_t* out, std::size_t room, std::size_t* size) {
        return jz_purse_contradiction(get(), index, out, room, size);
    });
}

HostPurse::Written HostPurse::alarm() {
    return written(JZ_MESSAGE_BYTES, [&](std::uint8_t* out, std::size_t room, std::size_t* size) {
        return jz_purse_alarm(get(), out, room, size);
    });
}

HostPurse::Written HostPurse::mule(unsigned index, const std::uint8_t deposit_key[32]) {
    return written(JZ_MESSAGE_BYTES, [&](std::uint8_t* out, std::size_t room, std::size_t* size) {
        return jz_purse_mule(get(), index, deposit_key, out, room, size);
    });
}

HostPurse::Written HostPurse::carried(unsigned index) {
    return written(JZ_MESSAGE_BYTES, [&](std::uint8_t* out, std::size_t room, std::size_t* size) {
        return jz_purse_carried(get(), index, out, room, size);
    });
}

jz_trust_info HostPurse::trust_info() const {
    jz_trust_info info{};
    jz_purse_trust_info(reinterpret_cast<const jz_purse*>(memory_.get()), &info);
    return info;
}

jz_info HostPurse::info() const {
    jz_info info{};
    jz_purse_info(reinterpret_cast<const jz_purse*>(memory_.get()), &info);
    return info;
}

}  // namespace jiaozi::purse_host
