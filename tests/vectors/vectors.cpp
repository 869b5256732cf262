#include "vectors.hpp"

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>

namespace jiaozi::vectors {

std::optional<std::filesystem::path> root() {
    const char* const given = std::getenv("JIAOZI_VECTORS");
    const std::filesystem::path folder = given != nullptr
                                             ? std::filesystem::path(given)
                                             : std::filesystem::path(JIAOZI_SOURCE_DIR) / "../shared/vectors";
    if (!std::filesystem::is_directory(folder)) return std::nullopt;
    return folder;
}

boost::json::value read_json(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    return boost::json::parse(text);
}

std::string text_of(const boost::json::object& object, std::string_view field) {
    return std::string(object.at(field).as_string());
}

Bytes hex_of(const boost::json::object& object, std::string_view field) {
    return from_hex(text_of(object, field)).value();
}

void Count::expect(const std::string& kind, bool as_expected, const std::string& which) {
    Tally& tally = classes_[kind];
    ++tally.ran;
    tally.good += as_expected ? 1 : 0;
    EXPECT_TRUE(as_expected) << name_ << ", " << kind << ": " << which;
}

Count::~Count() {
    Tally all;
    for (const auto& [kind, tally] : classes_) {
        all.ran += tally.ran;
        all.good += tally.good;
    }
    std::cout << name_ << ": " << all.ran << " tests, " << all.good << " as expected\n";
    for (const auto& [kind, tally] : classes_)
        std::cout << "    " << kind << ": " << tally.good << " of " << tally.ran << '\n';
    for (const auto& [why, count] : not_offered_) std::cout << "    not offered, " << count << ": " << why << '\n';
}

}  // namespace jiaozi::vectors
