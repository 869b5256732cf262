#include "password_file.hpp"

#include <openssl/evp.h>

#include <jiaozi/base/assert.hpp>
#include <jiaozi/crypto/secret.hpp>

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

std::string hashed(std::string_view password) {
    Bytes salt(salt_size);
    crypto::random_bytes(salt);
    Bytes hash(hash_size);
    const int done = PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), salt.data(),
                                       static_cast<int>(salt.size()), iterations, EVP_sha512(),
                                       static_cast<int>(hash.size()), hash.data());
    JZ_ASSERT(done == 1);
    return "$7$" + std::to_string(iterations) + "$" + base64(salt) + "$" + base64(hash);
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

void PasswordFile::put(const std::string& user, std::string_view password) {
    lines_[user] = hashed(password);
}

std::string PasswordFile::text() const {
    std::string out;
    for (const auto& [user, line] : lines_) out += user + ":" + line + "\n";
    return out;
}

}  // namespace jiaozi::mqtt
