// The names are those of docs/formats/counted-file.md.
#include <cerrno>
#include <string>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <jiaozi/crypto/aead.hpp>
#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/keystores/counted_file.hpp>

#include "big_endian.hpp"

namespace jiaozi::keystores {
namespace {

constexpr std::string_view magic = "JIAOZI-COUNTED-1";
constexpr std::size_t head_size = 16 + 8;
constexpr std::size_t overhead = head_size + crypto::gcm_nonce_size + crypto::gcm_tag_size;
static_assert(magic.size() == 16 && overhead == 52);

// How far ahead of the counter the newest file may be: open() writes at two steps, write() at one.
constexpr std::uint64_t steps_of_open = 2;

crypto::SecretBytes seal_key(const crypto::SecretBytes& seal_secret) {
    return crypto::hkdf_sha256(seal_secret.view(), {}, as_bytes("jiaozi counted file"), crypto::aes256_key_size);
}

}  // namespace

Result<Bytes> encode_counted(const crypto::SecretBytes& seal_secret, std::uint64_t value, ByteView content) {
    Bytes file = to_bytes(as_bytes(magic));
    put_big_endian(file, value, 8);
    Bytes nonce(crypto::gcm_nonce_size);
    crypto::random_bytes(nonce);
    JZ_TRY(const Bytes sealed, crypto::aes256_gcm_seal(seal_key(seal_secret).view(), nonce, file, content));
    append(file, nonce);
    append(file, sealed);
    return file;
}

Result<CountedRecord> decode_counted(const crypto::SecretBytes& seal_secret, ByteView file) {
    if (file.size() < overhead || as_text(file.first(magic.size())) != magic) {
        return Error(ErrorKind::malformed, "this is not a counted file");
    }
    CountedRecord record;
    record.value = big_endian(file.subspan(magic.size(), 8));
    const ByteView nonce = file.subspan(head_size, crypto::gcm_nonce_size);
    auto content = crypto::aes256_gcm_open(seal_key(seal_secret).view(), nonce, file.first(head_size),
                                           file.subspan(head_size + crypto::gcm_nonce_size));
    if (!content.ok()) {
        return Error(ErrorKind::unauthenticated, "another secret wrote this file, or somebody changed it");
    }
    record.content = std::move(content).value();
    return record;
}

struct CountedFile::Lock {
    int descriptor = -1;
    Lock() = default;
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;
    ~Lock() {
        if (descriptor >= 0) ::close(descriptor);
    }
};

CountedFile::CountedFile(std::filesystem::path path, crypto::SecretBytes seal_secret, MonotonicCounter* counter)
    : path_(std::move(path)), seal_secret_(std::move(seal_secret)), counter_(counter) {}
CountedFile::CountedFile(CountedFile&&) noexcept = default;
CountedFile& CountedFile::operator=(CountedFile&&) noexcept = default;
CountedFile::~CountedFile() = default;

Result<void> CountedFile::lock() {
    const std::string name = path_.string() + ".lock";
    lock_ = std::make_unique<Lock>();
    lock_->descriptor = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock_->descriptor < 0) return errno_error("open " + name);
    if (::flock(lock_->descriptor, LOCK_EX | LOCK_NB) == 0) return {};
    if (errno != EWOULDBLOCK) return errno_error("lock " + name);
    return Error(ErrorKind::conflict, path_.string() + " is open in another process; end that one first");
}

Result<void> CountedFile::put(std::uint64_t value, ByteView content, crypto::Existing existing) const {
    if (content.size() > max_counted_content) {
        return Error(ErrorKind::too_large, path_.string() + " holds at most 4 MiB");
    }
    JZ_TRY(const Bytes file, encode_counted(seal_secret_, value, content));
    return crypto::write_private_file(path_, file, existing);
}

Result<void> CountedFile::step() {
    if (counter_ == nullptr) {
        ++value_;
        return {};
    }
    JZ_TRY(const std::uint64_t now, counter_->increment());
    if (now != value_ + 1) {
        return Error(ErrorKind::conflict, path_.string() + ": somebody else used its counter meanwhile; open it again");
    }
    value_ = now;
    return {};
}

Result<CountedFile> CountedFile::create(std::filesystem::path path, crypto::SecretBytes seal_secret,
                                        MonotonicCounter* counter, ByteView content) {
    CountedFile file(std::move(path), std::move(seal_secret), counter);
    JZ_CHECK(file.lock());
    if (counter != nullptr) {
        JZ_TRY(file.value_, counter->read());
    }
    JZ_CHECK(file.put(file.value_ + 1, content, crypto::Existing::refuse));
    JZ_CHECK(file.step());
    file.content_ = crypto::SecretBytes(content);
    return file;
}

Result<CountedFile> CountedFile::open(std::filesystem::path path, crypto::SecretBytes seal_secret,
                                      MonotonicCounter* counter) {
    CountedFile file(std::move(path), std::move(seal_secret), counter);
    JZ_CHECK(file.lock());
    JZ_TRY(const crypto::SecretBytes bytes, crypto::read_private_file(file.path_, max_counted_content + overhead));
    auto record = decode_counted(file.seal_secret_, bytes.view());
    if (!record.ok()) return std::move(record).error().in(file.path_.string());
    file.content_ = std::move(record->content);
    file.value_ = record->value;
    if (counter == nullptr) return file;

    JZ_TRY(const std::uint64_t now, counter->read());
    if (record->value < now) {
        return Error(ErrorKind::forbidden, file.path_.string() + " is an older copy (" + std::to_string(record->value) +
                                               ", the counter is at " + std::to_string(now) +
                                               "): nothing is spent with it; sync to have the purse set right")
            .with_code("rolled_back");
    }
    if (record->value - now > steps_of_open) {
        return Error(ErrorKind::forbidden, file.path_.string() + " is ahead of the counter (" +
                                               std::to_string(record->value) + ", the counter is at " +
                                               std::to_string(now) + "): it belongs to another key or device")
            .with_code("counter_behind");
    }
    JZ_CHECK(file.put(now + steps_of_open, file.content_.view(), crypto::Existing::replace));
    file.value_ = now;
    for (std::uint64_t i = 0; i < steps_of_open; ++i) JZ_CHECK(file.step());
    return file;
}

Result<void> CountedFile::write(ByteView content) {
    if (in_doubt_) {
        return Error(ErrorKind::conflict, path_.string() + ": the last write failed half way; open the file again");
    }
    if (counter_ != nullptr) {
        // Before the file is touched: it may be somebody else's newest by now.
        JZ_TRY(const std::uint64_t now, counter_->read());
        if (now != value_) {
            return Error(ErrorKind::conflict, path_.string() + ": somebody else used its counter; open it again");
        }
    }
    in_doubt_ = true;
    JZ_CHECK(put(value_ + 1, content, crypto::Existing::replace));
    JZ_CHECK(step());
    content_ = crypto::SecretBytes(content);
    in_doubt_ = false;
    return {};
}

}  // namespace jiaozi::keystores
