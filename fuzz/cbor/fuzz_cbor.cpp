// CBOR from anywhere. What the strict reader accepts is deterministic: the tolerant decoder reads it too, and writing
// it again gives the same bytes. What the tolerant decoder accepts has a deterministic form, which both then read as
// the same value.
#include <cstddef>
#include <cstdint>

#include <jiaozi/codec/cbor_value.hpp>

using namespace jiaozi;
using codec::CborRules;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView input(data, size);
    constexpr codec::CborLimits limits{.max_bytes = 4096, .max_items = 1024, .allow_floats = true};
    codec::CborReader reader(input, limits);
    const bool strict = reader.skip().ok() && reader.finish().ok();

    const auto value = codec::decode_cbor(input, CborRules::valid, limits);
    JZ_ASSERT(!strict || value.ok());
    if (!value.ok()) return 0;
    const auto encoded = codec::encode_cbor(*value);
    JZ_ASSERT(encoded.ok());
    JZ_ASSERT(strict == equal(*encoded, input));
    const auto again = codec::decode_cbor(*encoded, CborRules::deterministic, limits);
    // The short form may have fewer items (chunks of strings) but never more.
    JZ_ASSERT(again.ok());
    JZ_ASSERT(equal(codec::encode_cbor(*again).value(), *encoded));
    JZ_ASSERT(!codec::cbor_diagnostic(*value).empty());
    return 0;
}
