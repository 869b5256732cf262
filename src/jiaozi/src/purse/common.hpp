// What the purse's commands share: which purse, its passphrase, amounts, how they end.
#pragma once

#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include <jiaozi/terminal/purse_folder.hpp>

#include "../cli/terminal.hpp"

namespace jiaozi::purses {

struct PurseChoice {
    std::string folder = "purse";
    std::string passphrase_file;
    bool json = false;
};
// --purse, --passphrase-file, --json.
void add_purse_options(CLI::App& command, PurseChoice& choice);

// From the file, from JIAOZI_PURSE_PASSPHRASE, or typed without being shown. `twice`: a new one. Never an argument.
Result<crypto::SecretBytes> read_passphrase(const PurseChoice& choice, bool twice = false);
Result<std::unique_ptr<terminal::PurseFolder>> open_purse(const PurseChoice& choice);
// The same, and it has been loaded before.
Result<std::unique_ptr<terminal::PurseFolder>> open_enrolled(const PurseChoice& choice);

std::string amount_text(std::uint64_t minor, std::string_view asset);  // "3.50 CNY"
// In a person's words; the stable name where we have none.
std::string words_of(jz_status status);
cli::Exit fail(const Error& error);

}  // namespace jiaozi::purses
