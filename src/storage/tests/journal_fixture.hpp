// A journal in a directory of its own, and helpers to look at it and to break its files.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include <jiaozi/storage/journal.hpp>

namespace jiaozi::storage {

inline Bytes payload_of(std::size_t size, unsigned seed) {
    Bytes payload(size);
    for (std::size_t i = 0; i < size; ++i)
        payload[i] = static_cast<std::uint8_t>((i * 31 + seed * 7) % 255 + 1);  // no zeros
    return payload;
}

inline Bytes read_file(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_file(const std::filesystem::path& path, const Bytes& bytes) {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

class JournalTest : public ::testing::Test {
  protected:
    JournalTest() {
        // Thousands of openings, each with syncs: in memory where there is such a file system. The engine's tests and
        // the crash test use the real disk.
        const std::filesystem::path memory = "/dev/shm";
        const bool in_memory = ::access(memory.c_str(), W_OK) == 0;
        std::string pattern =
            ((in_memory ? memory : std::filesystem::temp_directory_path()) / "jz_journal.XXXXXX").string();
        const char* made = ::mkdtemp(pattern.data());
        EXPECT_NE(made, nullptr);
        root_ = pattern;
        options_.directory = root_ / "journal";
    }
    ~JournalTest() override {
        std::error_code ignored;
        std::filesystem::remove_all(root_, ignored);
    }

    // Opens and collects every payload the journal holds.
    Result<std::unique_ptr<Journal>> open() {
        found_.clear();
        return Journal::open(options_, [this](const EntryView& entry) -> Result<> {
            EXPECT_EQ(entry.position.entry, found_.size() + 1);
            found_.push_back(to_bytes(entry.payload));
            return {};
        });
    }

    // A closed journal holding these payloads.
    void make(const std::vector<Bytes>& payloads) {
        auto journal = open();
        ASSERT_TRUE(journal.ok()) << journal.error().to_string();
        for (const Bytes& payload : payloads) {
            const auto appended = (*journal)->append(timestamp_s(1), payload);
            ASSERT_TRUE(appended.ok()) << appended.error().to_string();
        }
    }

    std::filesystem::path segment(std::uint64_t first_entry) const {
        return options_.directory / segment_name(first_entry);
    }

    std::map<std::string, Bytes> files() const {
        std::map<std::string, Bytes> all;
        for (const auto& file : std::filesystem::directory_iterator(options_.directory)) {
            if (file.path().filename() != "lock") all[file.path().filename()] = read_file(file.path());
        }
        return all;
    }

    std::filesystem::path root_;
    JournalOptions options_;
    std::vector<Bytes> found_;
};

}  // namespace jiaozi::storage
