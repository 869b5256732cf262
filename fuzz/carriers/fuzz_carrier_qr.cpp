// Lines that a scanner typed. Whatever they are: a part has one text, a whole message has its tag, and what was split
// comes together again among the junk.
#include <cstddef>
#include <cstdint>

#include <jiaozi/carriers/framing.hpp>
#include <jiaozi/carriers/qr.hpp>
#include <jiaozi/codec/base_n.hpp>

using namespace jiaozi;
using namespace jiaozi::carriers;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0 || size > 8192) return 0;
    QrCollector collector;
    std::string_view lines(reinterpret_cast<const char*>(data), size);
    while (!lines.empty()) {
        const std::size_t end = std::min(lines.find('\n'), lines.size());
        const std::string_view line = lines.substr(0, end);
        lines.remove_prefix(std::min(end + 1, lines.size()));
        const auto part = parse_qr_part(line);
        if (part.ok()) {
            JZ_ASSERT(line == "JZP1/" + part->tag + "/" + std::to_string(part->index) + "/" +
                                  std::to_string(part->count) + "/" +
                                  codec::encode_base32(part->data, codec::Base32::unpadded));
        }
        const auto whole = collector.add(line);
        JZ_ASSERT(part.ok() || !whole.ok());
        if (whole.ok() && whole->has_value()) {
            const auto parts = split_for_qr(**whole);
            JZ_ASSERT(parts.ok() && parts->at(part->index - 1) == line);
        }
    }
    // What a purse shows is read, whatever the scanner saw before.
    const ByteView message(data, std::min(size, max_message));
    const auto parts = split_for_qr(message).value();
    std::optional<Bytes> whole;
    for (int round = 0; round < 2 && !whole; ++round) {  // junk with our tag spoils the first reading at most
        for (const std::string& part : parts) {
            auto added = collector.add(part);
            if (added.ok() && added->has_value()) whole = std::move(**added);
        }
    }
    JZ_ASSERT(whole && equal(*whole, message));
    return 0;
}
