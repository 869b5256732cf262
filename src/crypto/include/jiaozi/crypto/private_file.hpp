// Small files that only their owner may read: whole reads with checks, and writes that a crash cannot tear. Any
// thread, but one at a time for one file.
#pragma once

#include <cstdint>
#include <filesystem>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/secret.hpp>

namespace jiaozi::crypto {

// Errors: not_found; forbidden (not a regular file of this user with mode 0600 or 0400); too_large; io.
Result<SecretBytes> read_private_file(const std::filesystem::path& path, std::size_t max_bytes);

enum class Existing : std::uint8_t { replace, refuse };

// Durable when it returns. With `refuse`, Error conflict when the file exists.
Result<void> write_private_file(const std::filesystem::path& path, ByteView content, Existing existing);

}  // namespace jiaozi::crypto
