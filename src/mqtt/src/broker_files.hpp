// The broker's files: who owns them, what stands in them, and that a reader never sees half of one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

#include <jiaozi/base/result.hpp>

namespace jiaozi::mqtt {

inline constexpr std::string_view server_user = "jiaozi-server";

// Whom the broker runs as. A broker started by root must not stay root.
struct Account {
    uid_t uid = 0;
    gid_t gid = 0;
};
// nullopt: we are not root, and the broker runs as we do. Error unavailable when there is nobody to run it as.
Result<std::optional<Account>> account_for_broker();

std::string configuration(const std::filesystem::path& folder, std::uint16_t port);
std::string_view access_rules();

// A folder of mode 0700; made if missing.
Result<> make_private_folder(const std::filesystem::path& folder, const std::optional<Account>& owner);
// Written beside, synced and renamed; mode 0600.
Result<> replace_file(const std::filesystem::path& path, std::string_view content, const std::optional<Account>& owner);
Result<std::string> read_file(const std::filesystem::path& path, std::size_t max_bytes);

// A free TCP port on loopback: somebody else may take it before it is used.
Result<std::uint16_t> free_port();
// Whether something on loopback accepts connections there.
bool accepts_connections(std::uint16_t port);

}  // namespace jiaozi::mqtt
