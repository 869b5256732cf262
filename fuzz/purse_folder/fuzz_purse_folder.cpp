// The files of a purse's folder (docs/formats/purse-folder.md) as somebody may have changed them. The first byte
// chooses. What is read is within its limits and has one form: written and read again it is the same.
#include <cstdint>
#include <string>

#include <jiaozi/base/assert.hpp>
#include <jiaozi/terminal/open_deals.hpp>
#include <jiaozi/terminal/proof_file.hpp>

using namespace jiaozi;
using namespace jiaozi::terminal;

namespace {

void settings(std::string_view text) {
    const auto read = decode_settings(text);
    if (!read.ok()) return;
    const std::string written = encode_settings(*read);
    const auto again = decode_settings(written);
    JZ_ASSERT(again.ok() && encode_settings(*again) == written);
}

void sales(std::string_view text) {
    const auto read = decode_sales(text);
    if (!read.ok()) return;
    JZ_ASSERT(read->size() <= max_deals);
    JZ_ASSERT(decode_sales(encode_sales(*read)).value() == *read);
}

void purchases(std::string_view text) {
    const auto read = decode_purchases(text);
    if (!read.ok()) return;
    JZ_ASSERT(read->size() <= max_deals);
    JZ_ASSERT(decode_purchases(encode_purchases(*read)).value() == *read);
}

void given(std::string_view text) {
    const auto read = decode_given(text);
    if (!read.ok()) return;
    JZ_ASSERT(read->size() <= max_deals);
    JZ_ASSERT(decode_given(encode_given(*read)).value() == *read);
}

// A proof that somebody hands us: raw, hexadecimal, base64 or JSON.
void proof(ByteView file) {
    const auto bytes = read_proof(file);
    if (!bytes.ok()) return;
    JZ_ASSERT(bytes->size() <= max_proof_file);
    JZ_ASSERT(!check_proof(*bytes, {}).ok());  // with no issuer nothing is genuine
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const ByteView rest(data + 1, size - 1);
    switch (data[0] % 8) {
        case 0:
            settings(as_text(rest));
            break;
        case 1:
            sales(as_text(rest));
            break;
        case 2:
            purchases(as_text(rest));
            break;
        case 4:
            given(as_text(rest));
            break;
        default:
            proof(rest);
    }
    return 0;
}
