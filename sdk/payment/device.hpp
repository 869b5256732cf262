// A purse with its key, and where its owner writes things down; and the issuer, which on a real device is far away.
// Everything is in fixed memory. Random bytes are 00 01 02 ..., in the order in which anybody draws them, so that
// every run says the same bytes on every machine: those of docs/protocol/offline.md, section 14. A product takes its
// hardware's generator, its flash and its counter in these places.
#pragma once

#include <array>

#include <jiaozi_portable.h>
#include <jiaozi_purse.h>

#include <jiaozi/purse/blacklist.hpp>
#include <jiaozi/purse/cose.hpp>

namespace jiaozi::example {

using purse::Span;
using purse::View;

inline constexpr std::uint32_t today_s = 1'700'000'000;
inline constexpr std::uint32_t day_s = 86'400;

// The program ends, and says what was not as it should be.
void require(bool good, const char* what);
void require_ok(jz_status status, const char* what);

// An object or a message, with room for any.
struct Message {
    std::uint8_t bytes[JZ_MESSAGE_BYTES];
    std::size_t size;
    View view() const { return View(bytes, size); }
    void assign(View other);
};

class Device {
  public:
    // The key's seed is 32 times `seed`.
    explicit Device(std::uint8_t seed);

    jz_purse* purse() { return reinterpret_cast<jz_purse*>(memory_); }
    jz_status create(const jz_issuer_key& issuer);
    // Power goes and comes: all that is left is what was written down.
    jz_status restart(const jz_issuer_key& issuer);
    std::uint64_t spendable();
    std::uint64_t records() const { return records_; }
    View last_record() const { return journal_[records_ - 1]; }

    std::array<std::uint8_t, 32> public_key{};
    jz_platform platform{};
    Message certificate{};

  private:
    static Device& self(void* context) { return *static_cast<Device*>(context); }
    void set_storage();
    void set_key_and_counter();
    Span slot(int area, unsigned index);

    static constexpr std::size_t most_records = 32;
    static constexpr std::size_t most_bundles = 2;
    static constexpr std::size_t list_bytes = 64;

    std::uint8_t number_;
    std::array<std::uint8_t, 64> secret_{};
    std::uint32_t counter_ = 0;
    std::uint64_t records_ = 0;
    std::uint8_t journal_[most_records][JZ_RECORD_BYTES] = {};
    std::uint8_t bundles_[most_bundles][JZ_BUNDLE_BYTES] = {};
    std::uint8_t lists_[2][list_bytes] = {};
    alignas(JZ_PURSE_ALIGN) std::uint8_t memory_[JZ_PURSE_BYTES] = {};
};

class Issuer {
  public:
    explicit Issuer(std::uint8_t seed);
    jz_issuer_key key() const;
    const jz_platform& platform() const { return device_.platform; }

    // A lot of 100,000 for this device; it is loaded.
    void load(Device& device, std::uint32_t purse);
    // Head and body of a list of these ordinals of 1,000.
    void list(std::uint32_t version, std::span<const std::uint32_t> revoked, Message& head, Message& body);
    void sync_ack(const purse::SyncAck& content, Message& out);

  private:
    template <class Value>
    void sign(const Value& content, Message& out) const;

    Device device_;
    purse::Kid kid_{};
    std::uint64_t serial_ = 0;
};

}  // namespace jiaozi::example
