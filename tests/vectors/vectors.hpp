// Finding, reading and counting other people's test vectors.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <jiaozi/base/bytes.hpp>

namespace jiaozi::vectors {

// $JIAOZI_VECTORS, or ../shared/vectors beside the source folder; nothing where there is no such folder.
std::optional<std::filesystem::path> root();

// Aborts the test program on text that is not JSON: the vectors are trusted.
boost::json::value read_json(const std::filesystem::path& file);

std::string text_of(const boost::json::object& object, std::string_view field);
Bytes hex_of(const boost::json::object& object, std::string_view field);

// "wycheproof ed25519: 150 tests, 150 as expected", and one line per class.
class Count {
  public:
    explicit Count(std::string name) : name_(std::move(name)) {}
    ~Count();
    Count(const Count&) = delete;
    Count& operator=(const Count&) = delete;

    // One vector of a class ran; a wrong outcome also fails the test, which names the vector.
    void expect(const std::string& kind, bool as_expected, const std::string& which);
    // One vector about something that is not offered here, and why.
    void not_offered(const std::string& why) { ++not_offered_[why]; }

  private:
    struct Tally {
        int ran = 0;
        int good = 0;
    };
    std::string name_;
    std::map<std::string, Tally> classes_;
    std::map<std::string, int> not_offered_;
};

}  // namespace jiaozi::vectors

// First line of every test here.
#define JZ_NEED_VECTORS(folder)                                                                                        \
    const auto vectors_root = ::jiaozi::vectors::root();                                                               \
    if (!vectors_root) {                                                                                               \
        GTEST_SKIP() << "SKIPPED: no test vectors. Set JIAOZI_VECTORS to a folder with cbor/, cose/ and wycheproof/."; \
    }                                                                                                                  \
    const std::filesystem::path vectors_folder = *vectors_root / (folder)
