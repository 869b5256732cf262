// A small file bound to a monotonic counter: an older copy of it, put back, is told apart from the newest one. This is
// what makes a purse refuse yesterday's snapshot (attack 20). Bytes: docs/formats/counted-file.md.
//
// A write puts `value + 1` and the content into the file, syncs, and only then increments the counter; a crash between
// the two leaves the newest content one step ahead, which open() takes over. open() itself moves two steps on, so that
// a file left by such a crash, kept aside and put back later, is old by then. Nothing that the content allows (sending
// a note) may happen before write() has returned.
//
// Not thread-safe; one process at a time (the file <path>.lock is held). Without a counter (A0, A1) the file works the
// same, but an older copy goes unnoticed: freshness is then `unknown`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/private_file.hpp>
#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/keystores/purse_key.hpp>

namespace jiaozi::keystores {

inline constexpr std::size_t max_counted_content = std::size_t{4} * 1024 * 1024;

enum class Freshness : std::uint8_t {
    newest,   // the counter says so
    unknown,  // there is no counter to ask
};

class CountedFile {
  public:
    // `seal_secret` is 32 bytes and authenticates and hides the content; `counter` may be null and outlives this.
    // Error conflict when the file exists.
    static Result<CountedFile> create(std::filesystem::path path, crypto::SecretBytes seal_secret,
                                      MonotonicCounter* counter, ByteView content);
    // Errors: not_found; unauthenticated (another secret, or changed bytes); forbidden with code "rolled_back" (an
    // older copy: nothing may be spent with it before a sync); forbidden with code "counter_behind" (the counter is not
    // the one this file was written with); conflict (another process has it open); malformed (not such a file).
    static Result<CountedFile> open(std::filesystem::path path, crypto::SecretBytes seal_secret,
                                    MonotonicCounter* counter);

    CountedFile(CountedFile&&) noexcept;
    CountedFile& operator=(CountedFile&&) noexcept;
    ~CountedFile();

    ByteView content() const noexcept { return content_.view(); }
    Freshness freshness() const noexcept { return counter_ == nullptr ? Freshness::unknown : Freshness::newest; }
    // Of the newest content; 0 and counting by itself where there is no counter.
    std::uint64_t value() const noexcept { return value_; }

    // After an error the file must be opened again: whether the new content is in force is not known.
    Result<void> write(ByteView content);

  private:
    CountedFile(std::filesystem::path path, crypto::SecretBytes seal_secret, MonotonicCounter* counter);
    struct Lock;
    Result<void> lock();
    Result<void> put(std::uint64_t value, ByteView content, crypto::Existing existing) const;
    Result<void> step();  // one increment that must give value_ + 1

    std::filesystem::path path_;
    crypto::SecretBytes seal_secret_;
    MonotonicCounter* counter_;
    std::unique_ptr<Lock> lock_;
    crypto::SecretBytes content_;
    std::uint64_t value_ = 0;
    bool in_doubt_ = false;  // a write failed half way
};

// The layout alone, for tools and fuzzers: what `seal_secret` opens. Error unauthenticated or malformed.
struct CountedRecord {
    std::uint64_t value = 0;
    crypto::SecretBytes content;
};
Result<Bytes> encode_counted(const crypto::SecretBytes& seal_secret, std::uint64_t value, ByteView content);
Result<CountedRecord> decode_counted(const crypto::SecretBytes& seal_secret, ByteView file);

}  // namespace jiaozi::keystores
