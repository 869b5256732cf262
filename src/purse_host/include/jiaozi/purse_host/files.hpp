// Storage and anchor in files (class A0). The journal is one file of whole records; a bundle or list is a file of its
// own, written beside and renamed; everything is synced, the folder included, before a call returns. The anchor is a
// small file in a folder of its own, which belongs outside of what is backed up.
//
// Errors of the operating system become false (the purse halts and must be opened anew); last_error() says what
// happened. One process at a time: open() takes a lock on the folder (Error conflict).
#pragma once

#include <filesystem>
#include <string>

#include <jiaozi/purse_host/platform.hpp>

namespace jiaozi::purse_host {

class FileStorage final : public PurseStorage {
  public:
    // Makes the folder if it is not there.
    static Result<std::unique_ptr<FileStorage>> open(const std::filesystem::path& folder);
    ~FileStorage() override;

    bool append(std::uint64_t index, ByteView record) override;
    int read(std::uint64_t index, std::uint8_t* record) override;
    bool save(int area, unsigned slot, ByteView content) override;
    int load(int area, unsigned slot, std::size_t offset, ByteSpan out) override;
    const std::string& last_error() const noexcept { return error_; }

  private:
    FileStorage(std::filesystem::path folder, int folder_fd, int journal_fd);
    bool failed(const char* what);

    std::filesystem::path folder_;
    int folder_fd_;
    int journal_fd_;
    std::string error_;
};

class FileAnchor final : public PurseAnchor {
  public:
    // Makes the folder, and in it an anchor with a random id, if they are not there.
    static Result<std::unique_ptr<FileAnchor>> open(const std::filesystem::path& folder);
    bool read(std::uint8_t* id, std::uint32_t& counter) override;
    bool advance(std::uint32_t counter) override;

  private:
    explicit FileAnchor(std::filesystem::path folder) : folder_(std::move(folder)) {}
    std::filesystem::path folder_;
};

}  // namespace jiaozi::purse_host
