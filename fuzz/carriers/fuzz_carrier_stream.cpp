// A byte stream from anywhere, cut anywhere. Input: one byte for the size of the pieces, then the stream. However it is
// cut, the same messages come out as from a reader that has all of it before it; and a message file is its framing.
#include <cstddef>
#include <cstdint>
#include <vector>

#include <jiaozi/carriers/framing.hpp>

using namespace jiaozi;
using namespace jiaozi::carriers;

namespace {

// All messages of the stream in pieces of `piece` bytes, until it ends or breaks.
std::vector<Bytes> messages_in(ByteView stream, std::size_t piece) {
    StreamReader reader;
    std::vector<Bytes> found;
    while (!stream.empty()) {
        ByteView part = stream.first(std::min(piece, stream.size()));
        stream = stream.subspan(part.size());
        while (!part.empty()) {
            auto message = reader.take(part);
            if (!message.ok()) return found;
            if (message->has_value()) found.push_back(std::move(**message));
        }
    }
    return found;
}

std::vector<Bytes> naive(ByteView stream) {
    std::vector<Bytes> found;
    while (stream.size() >= 2) {
        const std::size_t size = std::size_t{stream[0]} << 8 | stream[1];
        if (size == 0 || size > max_message || stream.size() < 2 + size) break;
        found.push_back(to_bytes(stream.subspan(2, size)));
        stream = stream.subspan(2 + size);
    }
    return found;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1 || size > 20'000) return 0;
    const ByteView stream(data + 1, size - 1);
    const std::vector<Bytes> found = messages_in(stream, 1 + std::size_t{data[0]});
    JZ_ASSERT(found == naive(stream));
    for (const Bytes& message : found)
        JZ_ASSERT(read_message_file(write_message_file(message).value()).value() == message);
    const auto file = read_message_file(stream);
    if (file.ok()) JZ_ASSERT(equal(write_message_file(*file).value(), stream));
    return 0;
}
