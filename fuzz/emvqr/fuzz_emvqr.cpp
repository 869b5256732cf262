// QR payloads from anywhere: what parses is written back byte for byte. The checksum would stop nearly every mutation,
// so each input is tried as it is and again with a right one.
#include <cstddef>
#include <cstdint>
#include <string>

#include <jiaozi/codec/emv_qr.hpp>

using namespace jiaozi;

namespace {

void check(const std::string& payload) {
    const auto qr = codec::parse_emv_qr(payload);
    if (!qr.ok()) return;
    const auto encoded = codec::encode_emv_qr(*qr);
    JZ_ASSERT(encoded.ok() && *encoded == payload);
    const auto payment = codec::read_emv_payment(*qr, "org.jiaozi");
    if (!payment.ok()) return;
    const auto ours = codec::encode_emv_payment(*payment);
    // Labels of other systems may be longer than we write; what we do write reads as the same payment.
    if (ours.ok()) JZ_ASSERT(codec::read_emv_payment(*codec::parse_emv_qr(*ours), "org.jiaozi").value() == *payment);
}

std::string with_crc(std::string text) {
    static constexpr char digits[] = "0123456789ABCDEF";
    text += "6304";
    const unsigned crc = codec::crc16_ccitt_false(text);
    for (const unsigned shift : {12U, 8U, 4U, 0U}) text += digits[(crc >> shift) & 15];
    return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    check(text);
    check(with_crc(text));
    return 0;
}
