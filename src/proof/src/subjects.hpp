// Which commands tell of a subject (a payment, a deposit): an index of the journal, kept a group of 65,536 commands at
// a time in sorted files beside the tiles. The group that is not full is in memory. Layout: docs/formats/tiles.md.
//
// Threading: add and end_group by one thread; everything else by any. Errors: io, corrupt.
#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <vector>

#include <jiaozi/base/clock.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/base/uint128.hpp>
#include <jiaozi/storage/disk.hpp>

namespace jiaozi::proof {

class Subjects {
  public:
    // `groups` of them are in files.
    Subjects(std::filesystem::path directory, storage::Disk& disk, std::uint64_t groups)
        : directory_(std::move(directory)), disk_(disk), groups_(groups) {}

    void add(uint128 subject, std::uint64_t sequence);
    // Writes the group's file; returns its path.
    Result<std::filesystem::path> end_group();

    // Sequences of the commands that tell of it, ascending, the newest `max` of them.
    Result<std::vector<std::uint64_t>> find(uint128 subject, std::size_t max) const;

  private:
    struct Row {
        uint128 subject = 0;
        std::uint64_t sequence = 0;
        auto operator<=>(const Row&) const = default;
    };
    std::filesystem::path path_of(std::uint64_t group) const;
    Result<> find_in(std::uint64_t group, uint128 subject, std::vector<std::uint64_t>& out) const;

    const std::filesystem::path directory_;
    storage::Disk& disk_;
    mutable std::mutex mutex_;  // what follows
    std::uint64_t groups_;
    std::vector<Row> rows_;
};

}  // namespace jiaozi::proof
