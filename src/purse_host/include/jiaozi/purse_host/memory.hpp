// Surroundings in memory for tests, model checks and campaigns: storage that loses power on order, an anchor, and
// cryptography that is fast, deterministic and without any security at all.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <jiaozi/purse_host/platform.hpp>

namespace jiaozi::purse_host {

// Where power goes during a write.
enum class PowerCut : std::uint8_t { never, before, half, after };

class MemoryStorage final : public PurseStorage {
  public:
    using Record = std::array<std::uint8_t, JZ_RECORD_BYTES>;

    bool append(std::uint64_t index, ByteView record) override;
    int read(std::uint64_t index, std::uint8_t* record) override;
    bool save(int area, unsigned slot, ByteView content) override;
    int load(int area, unsigned slot, std::size_t offset, ByteSpan out) override;

    // The write after `writes` more fails that way; the purse has then to be opened anew.
    void cut_power(PowerCut where, unsigned writes = 0) {
        cut_ = where;
        writes_until_cut_ = writes;
    }
    bool power_is_gone() const { return gone_; }
    void power_on() { gone_ = false; }

    // A medium that says that it has written and has not: what was written since is lost with the power.
    void lie(bool lying) { lying_ = lying; }
    bool lose_what_was_not_written() {  // true if there was any
        if (!durable_) return false;
        content_ = *std::exchange(durable_, std::nullopt);
        return true;
    }
    std::uint64_t writes() const { return writes_; }

    struct Content {
        std::vector<Record> journal;
        std::map<std::pair<int, unsigned>, Bytes> slots;
        bool operator==(const Content&) const = default;
    };
    const Content& content() const { return content_; }
    Content& content() { return content_; }  // a backup, a restore, damage

  private:
    PowerCut next_write();
    void remember_durable() {
        if (lying_ && !durable_) durable_ = content_;
    }

    Content content_;
    PowerCut cut_ = PowerCut::never;
    unsigned writes_until_cut_ = 0;
    bool gone_ = false;
    bool lying_ = false;
    std::uint64_t writes_ = 0;
    std::optional<Content> durable_;  // while lying: what is really there
};

class MemoryAnchor final : public PurseAnchor {
  public:
    bool read(std::uint8_t* id, std::uint32_t& counter) override;
    bool advance(std::uint32_t counter) override;

    std::array<std::uint8_t, 16> id{1};
    std::uint32_t counter = 0;
    bool lose_next_advance = false;  // power goes between record and counter
};

// Not secure in any way: everybody can sign for everybody, sealing hides nothing. What is signed, hashed or sealed
// differently does differ, and a tag or signature over something else is refused. Random numbers from a seed.
class FastCryptography final : public Cryptography {
  public:
    explicit FastCryptography(std::uint64_t seed) : position_(seed) {}
    void hash(int hash, std::span<const jz_view> parts, std::uint8_t* out) override;
    bool verify(crypto::Suite suite, ByteView key, ByteView message, ByteView signature) override;
    bool x25519(std::uint8_t* out, ByteView scalar, ByteView point) override;
    void seal(ByteView key, ByteView nonce, ByteView aad, ByteSpan data, std::uint8_t* tag) override;
    bool open(ByteView key, ByteView nonce, ByteView aad, ByteSpan data, ByteView tag) override;
    void random(ByteSpan out) override;
    // Where the random numbers stand: kept and put back by whoever explores more than one future.
    std::uint64_t& position() { return position_; }

  private:
    std::uint64_t position_;
};

// A signer that FastCryptography verifies; its public key is 32 bytes of `number`.
class FastSigner final : public PurseSigner {
  public:
    explicit FastSigner(std::uint32_t number);
    crypto::Suite suite() const override { return crypto::Suite::ed25519; }
    Bytes public_key() const override { return key_; }
    bool sign(ByteView message, std::uint8_t* signature) override;

  private:
    Bytes key_;
};

}  // namespace jiaozi::purse_host
