// Mosquitto's password file: a line a user, "name:$7$iterations$salt$hash", PBKDF2-HMAC-SHA512 with a salt of 12 bytes
// and a hash of 64, in base64 (mosquitto_passwd(1)). Only hashes are kept. Passwords must be random, of 128 bits and
// more: salts are derived from them.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include <jiaozi/base/result.hpp>

namespace jiaozi::mqtt {

class PasswordFile {
  public:
    // Reads lines of this format; others are left out, and counted.
    static PasswordFile parse(std::string_view text, std::size_t& left_out);

    // Each tells whether anything changed.
    bool put(const std::string& user, std::string_view password);
    bool remove(const std::string& user) { return lines_.erase(user) != 0; }
    bool keep_only(const std::set<std::string>& users);
    std::size_t size() const noexcept { return lines_.size(); }
    std::string text() const;

  private:
    std::map<std::string, std::string> lines_;  // user → "$7$…"
};

}  // namespace jiaozi::mqtt
