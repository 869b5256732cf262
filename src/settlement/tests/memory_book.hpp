// A book's parts in memory, as they are written and as they are read.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include <jiaozi/engine/books.hpp>

namespace jiaozi::settlement::testing {

using BookParts = std::vector<std::pair<std::uint32_t, Bytes>>;

class PartsSink final : public engine::BookSink {
  public:
    Result<> begin(std::uint32_t part) override {
        parts.emplace_back(part, Bytes());
        return {};
    }
    Result<> write(ByteView bytes) override {
        append(parts.back().second, bytes);
        return {};
    }
    BookParts parts;
};

class PartsSource final : public engine::BookSource {
  public:
    explicit PartsSource(const BookParts& parts) : parts_(parts) {}
    Result<std::uint64_t> begin(std::uint32_t part) override {
        if (next_ == parts_.size() || parts_[next_].first != part)
            return Error(ErrorKind::corrupt, "a part is not where it must be");
        rest_ = parts_[next_++].second;
        return std::uint64_t{rest_.size()};
    }
    Result<> read(ByteSpan into) override {
        if (into.size() > rest_.size()) return Error(ErrorKind::corrupt, "past the end of a part");
        std::ranges::copy(rest_.first(into.size()), into.begin());
        rest_ = rest_.subspan(into.size());
        return {};
    }

  private:
    const BookParts& parts_;
    std::size_t next_ = 0;
    ByteView rest_;
};

}  // namespace jiaozi::settlement::testing
