// RFC 8949 appendix A, from github.com/cbor/test-vectors.
#include <cmath>

#include <jiaozi/codec/cbor_value.hpp>

#include "vectors.hpp"

namespace jiaozi::vectors {
namespace {

using codec::CborLimits;
using codec::CborRules;
using codec::CborType;
using codec::CborValue;

constexpr CborLimits floats{.allow_floats = true};

bool same_number(const CborValue& value, const boost::json::value& json) {
    if (json.is_double()) {
        const double wanted = json.as_double();
        // Boost.JSON 1.81 may miss the nearest double by one step; the bytes are checked by the round trip.
        const bool close = value.real == wanted || std::nextafter(value.real, wanted) == wanted;
        if (value.type == CborType::floating) return close && std::signbit(value.real) == std::signbit(wanted);
        // Boost.JSON reads integers beyond 64 bits as double; their bytes are checked by the round trip.
        return value.type == CborType::tag || value.type == CborType::negint;
    }
    if (json.is_uint64() || (json.is_int64() && json.as_int64() >= 0)) {
        return value.type == CborType::uint && value.number == json.to_number<std::uint64_t>();
    }
    return value.is_integer(json.as_int64());
}

bool same(const CborValue& value, const boost::json::value& json) {
    if (json.is_null()) return value.type == CborType::null;
    if (json.is_bool()) return value.type == CborType::boolean && (value.number != 0) == json.as_bool();
    if (json.is_number()) return same_number(value, json);
    if (json.is_string()) return value.type == CborType::text && value.text == std::string_view(json.as_string());
    if (json.is_array()) {
        const auto& array = json.as_array();
        if (value.type != CborType::array || value.items.size() != array.size()) return false;
        for (std::size_t i = 0; i < array.size(); ++i) {
            if (!same(value.items[i], array[i])) return false;
        }
        return true;
    }
    const auto& object = json.as_object();
    if (value.type != CborType::map || value.items.size() != 2 * object.size()) return false;
    for (std::size_t i = 0; i < value.items.size(); i += 2) {
        if (!object.contains(value.items[i].text) || !same(value.items[i + 1], object.at(value.items[i].text)))
            return false;
    }
    return true;
}

// The file writes an indefinite byte string in its chunks, (_ h'0102', h'030405'); the value is their concatenation.
std::string without_chunks(std::string text) {
    if (!text.starts_with("(_ h'")) return text;
    std::string joined;
    for (std::size_t at = text.find('\''); at != std::string::npos; at = text.find("h'", at)) {
        at = text.find('\'', at) + 1;
        joined += text.substr(at, text.find('\'', at) - at);
    }
    return "h'" + joined + "'";
}

TEST(CborVectors, AppendixA) {
    JZ_NEED_VECTORS("cbor");
    const auto vectors = read_json(vectors_folder / "appendix_a.json");
    Count count("cbor appendix_a");
    for (const auto& entry : vectors.as_array()) {
        const auto& vector = entry.as_object();
        const std::string name = text_of(vector, "hex");
        const Bytes bytes = hex_of(vector, "hex");
        const auto strict = decode_cbor(bytes, CborRules::deterministic, floats);
        const auto tolerant = decode_cbor(bytes, CborRules::valid, floats);
        if (name == "f818") {
            count.expect("reserved by RFC 8949, refused by both rules", !strict.ok() && !tolerant.ok(), name);
            continue;
        }
        if (!tolerant.ok()) {
            count.expect("valid", false, name + ": " + tolerant.error().to_string());
            continue;
        }
        const bool content = vector.contains("decoded")
                                 ? same(*tolerant, vector.at("decoded"))
                                 : cbor_diagnostic(*tolerant) == without_chunks(text_of(vector, "diagnostic"));
        // The file agrees with us on which of its entries a deterministic encoder would write ("roundtrip").
        const bool deterministic = encode_cbor(*tolerant).value() == bytes;
        count.expect(deterministic ? "deterministic: read by both rules, written back the same"
                                   : "not deterministic: refused by the strict rules, read by the tolerant ones",
                     content && strict.ok() == deterministic && deterministic == vector.at("roundtrip").as_bool(),
                     name + " " + cbor_diagnostic(*tolerant));
    }
}

}  // namespace
}  // namespace jiaozi::vectors
