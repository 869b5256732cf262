// The data directory: made with mode 0700, owned by one process at a time, with the keys that everything else in it
// depends on.
//
//   lock          held while the program runs
//   keystore.key  32 random bytes, mode 0600: opens the keystore
//   keystore      the private keys of the server and of purses' issuer, encrypted (docs/formats/keystore.md)
//   operator.key  the first API key, mode 0600: what the command line uses
//   log/          the journal's transparency log (docs/formats/tiles.md)
//   journal/      the truth        registry.db  views of it, and what people configured       broker/  the broker's
//   files
#pragma once

#include <filesystem>
#include <string>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/keystore.hpp>

namespace jiaozi::serve {

class DataDirectory {
  public:
    // Error conflict when another process has it; io when it cannot be made.
    static Result<DataDirectory> open(std::filesystem::path path);
    DataDirectory(DataDirectory&& other) noexcept;
    DataDirectory& operator=(DataDirectory&&) = delete;
    ~DataDirectory();

    const std::filesystem::path& path() const noexcept { return path_; }
    // Opens the keystore, and makes it with its key file at the first start.
    Result<crypto::Keystore> keystore() const;
    // A file that only its owner can read, written at once or not at all.
    Result<> write_private(const std::string& name, std::string_view content) const;

  private:
    DataDirectory(std::filesystem::path path, int lock) : path_(std::move(path)), lock_(lock) {}

    std::filesystem::path path_;
    int lock_ = -1;
};

}  // namespace jiaozi::serve
