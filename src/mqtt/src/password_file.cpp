#include "password_file.hpp"

#include <openssl/evp.h>

#include <jiaozi/base/assert.hpp>
#include <jiaozi/crypto/hash.hpp>

namespace jiaozi::mqtt {
namespace {

// Mosquitto's own default. Few, because the broker computes them for every connection again; the passwords are random
// 128 bits and more, which no count of iterations has to protect.
constexpr int iterations = 101;
constexpr std::size_t salt_size = 12;
constexpr std::size_t hash_size = 64;

std::string base64(ByteView bytes) {
    std::string out(4 * ((bytes.size() + 2) / 3), '\0');
    // Writes a terminating zero too, for which a std::string has room.
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes.data(), static_cast<int>(bytes.size()));
    return out;
}

// Follows from the password, so that a line can be seen to be the password's without the cost of its hash: with many
// devices a start would take seconds. What a salt is for still holds: no two accounts share a password, so equal ones
// do not show, and nobody lists random ones in advance.
Bytes salt_of(std::string_view user, std::string_view password) {
    crypto::Sha256 hash;
    hash.update(as_bytes("jiaozi mosquitto salt 1")).update(as_bytes(user)).update(as_bytes(password));
    return to_bytes(ByteView(hash.finish()).first(salt_size));
}

std::string line_start(ByteView salt) {
    return "$7$" + std::to_string(iterations) + "$" + base64(salt) + "$";
}

std::string hashed(std::string_view password, ByteView salt) {
    Bytes hash(hash_size);
    const int done = PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), salt.data(),
                                       static_cast<int>(salt.size()), iterations, EVP_sha512(),
                                       static_cast<int>(hash.size()), hash.data());
    JZ_ASSERT(done == 1);
    return base64(hash);
}

}  // namespace

PasswordFile PasswordFile::parse(std::string_view text, std::size_t& left_out) {
    PasswordFile file;
    left_out = 0;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        if (line.empty()) continue;
        const auto colon = line.find(':');
        if (colon == 0 || colon == std::string_view::npos || !line.substr(colon + 1).starts_with("$7$")) {
            ++left_out;
            continue;
        }
        file.lines_[std::string(line.substr(0, colon))] = line.substr(colon + 1);
    }
    return file;
}

bool PasswordFile::put(const std::string& user, std::string_view password) {
    const Bytes salt = salt_of(user, password);
    std::string start = line_start(salt);
    std::string& line = lines_[user];
    if (line.starts_with(start)) return false;
    line = std::move(start) + hashed(password, salt);
    return true;
}

bool PasswordFile::keep_only(const std::set<std::string>& users) {
    return std::erase_if(lines_, [&](const auto& line) { return !users.contains(line.first); }) != 0;
}

std::string PasswordFile::text() const {
    std::string out;
    for (const auto& [user, line] : lines_) out.append(user).append(":").append(line).append("\n");
    return out;
}

}  // namespace jiaozi::mqtt
