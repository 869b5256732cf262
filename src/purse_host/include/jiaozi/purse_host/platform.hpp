// What a purse needs of a host program: the project's cryptography, a place for its journal, an anchor, a clock; and
// the block of memory it lives in. Each part is an interface, so that a test breaks one and a TPM replaces another.
// One thread at a time per HostPurse.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <jiaozi_purse.h>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/clock.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/signature.hpp>

namespace jiaozi::purse_host {

// The calls of jz_platform that are cryptography.
class Cryptography {
  public:
    virtual ~Cryptography() = default;
    virtual void hash(int hash, std::span<const jz_view> parts, std::uint8_t* out) = 0;
    virtual bool verify(crypto::Suite suite, ByteView key, ByteView message, ByteView signature) = 0;
    virtual bool x25519(std::uint8_t* out, ByteView scalar, ByteView point) = 0;
    virtual void seal(ByteView key, ByteView nonce, ByteView aad, ByteSpan data, std::uint8_t* tag) = 0;
    virtual bool open(ByteView key, ByteView nonce, ByteView aad, ByteSpan data, ByteView tag) = 0;
    virtual void random(ByteSpan out) = 0;
};

// The project's own (docs/crypto.md). Stateless.
Cryptography& real_cryptography();

// The purse's key. False: it refuses to sign this (A3).
class PurseSigner {
  public:
    virtual ~PurseSigner() = default;
    virtual crypto::Suite suite() const = 0;
    virtual Bytes public_key() const = 0;
    virtual bool sign(ByteView message, std::uint8_t* signature) = 0;
};

std::unique_ptr<PurseSigner> key_signer(std::unique_ptr<crypto::Signer> signer);

// Journal and slots. What a call returned true for is on the medium.
class PurseStorage {
  public:
    virtual ~PurseStorage() = default;
    virtual bool append(std::uint64_t index, ByteView record) = 0;
    virtual int read(std::uint64_t index, std::uint8_t* record) = 0;  // JZ_READ_*
    virtual bool save(int area, unsigned slot, ByteView content) = 0;
    virtual int load(int area, unsigned slot, std::size_t offset, ByteSpan out) = 0;  // JZ_READ_*
};

// The counter that a restored backup does not bring back.
class PurseAnchor {
  public:
    virtual ~PurseAnchor() = default;
    virtual bool read(std::uint8_t* id, std::uint32_t& counter) = 0;
    virtual bool advance(std::uint32_t counter) = 0;
};

// A purse and its surroundings, which must outlive it.
class HostPurse {
  public:
    HostPurse(Cryptography& cryptography, PurseSigner& signer, PurseStorage& storage, PurseAnchor& anchor,
              const Clock& clock);
    ~HostPurse();
    HostPurse(const HostPurse&) = delete;
    HostPurse& operator=(const HostPurse&) = delete;

    jz_status create(std::uint32_t purse, int assurance);
    jz_status open();
    jz_purse* get() noexcept { return reinterpret_cast<jz_purse*>(memory_.get()); }
    const jz_platform& platform() const noexcept { return platform_; }

    // The calls of the C interface that write, with an owning result. `status` of the last call.
    struct Written {
        jz_status status = JZ_OK;
        Bytes bytes;
    };
    Written request(std::uint64_t amount, bool with_certificate, std::uint8_t nonce[16], ByteView invoice = {});
    Written pay(ByteView request, bool cvm);
    Written receive(ByteView message);
    Written resume(unsigned index = 0);
    Written pay_again(unsigned index = 0);
    Written cancel(unsigned index = 0);
    Written void_request(const std::uint8_t nonce[16]);
    Written deposit(unsigned index);
    Written last_proof();
    Written gossip();
    Written contradiction(unsigned index = 0);
    Written alarm();
    Written mule(unsigned index, const std::uint8_t deposit_key[32]);
    Written carried(unsigned index);
    jz_info info() const;
    jz_trust_info trust_info() const;

  private:
    struct Block {
        alignas(JZ_PURSE_ALIGN) std::uint8_t bytes[JZ_PURSE_BYTES];
    };
    void close() noexcept;

    Cryptography& cryptography_;
    PurseSigner& signer_;
    PurseStorage& storage_;
    PurseAnchor& anchor_;
    const Clock& clock_;
    jz_platform platform_{};
    std::unique_ptr<Block> memory_;
    bool open_ = false;
};

inline jz_view c_view(ByteView view) noexcept {
    return {view.data(), view.size()};
}

}  // namespace jiaozi::purse_host
