#include <algorithm>
#include <string>
#include <utility>

#include <jiaozi/carriers/framing.hpp>

namespace jiaozi::carriers {
namespace {

constexpr std::string_view magic = "JZPM";

}  // namespace

Result<Bytes> frame(ByteView message) {
    if (message.empty() || message.size() > max_message) {
        return Error(ErrorKind::invalid,
                     "a message has 1 to 4608 bytes, this one has " + std::to_string(message.size()));
    }
    Bytes framed{static_cast<std::uint8_t>(message.size() >> 8), static_cast<std::uint8_t>(message.size())};
    append(framed, message);
    return framed;
}

void StreamReader::restart() noexcept {
    head_size_ = 0;
    expected_ = 0;
    message_.clear();
}

Result<std::optional<Bytes>> StreamReader::take(ByteView& input) {
    while (!input.empty()) {
        if (head_size_ < 2) {
            head_[head_size_++] = input.front();
            input = input.subspan(1);
            if (head_size_ < 2) continue;
            expected_ = std::size_t{head_[0]} << 8 | head_[1];
            if (expected_ == 0 || expected_ > max_message) {
                return Error(ErrorKind::malformed, "the peer announced a message of " + std::to_string(expected_) +
                                                       " bytes; messages have 1 to 4608. It is no purse, or the "
                                                       "connection lost bytes: connect again");
            }
            continue;
        }
        const std::size_t part = std::min(expected_ - message_.size(), input.size());
        append(message_, input.first(part));
        input = input.subspan(part);
        if (message_.size() < expected_) continue;
        Bytes whole = std::exchange(message_, {});
        restart();
        return std::optional<Bytes>(std::move(whole));
    }
    return std::optional<Bytes>{};
}

Result<Bytes> write_message_file(ByteView message) {
    JZ_TRY(const Bytes framed, frame(message));
    Bytes file = to_bytes(as_bytes(magic));
    append(file, framed);
    return file;
}

Result<Bytes> read_message_file(ByteView file) {
    if (file.size() < magic.size() || as_text(file.first(magic.size())) != magic) {
        return Error(ErrorKind::malformed, "this is no file of a purse's message: it does not begin with JZPM");
    }
    ByteView rest = file.subspan(magic.size());
    StreamReader reader;
    JZ_TRY(auto message, reader.take(rest));
    if (!message) return Error(ErrorKind::malformed, "the message file is cut short; copy it again");
    if (!rest.empty()) return Error(ErrorKind::malformed, "the message file has bytes behind its message");
    return std::move(*message);
}

}  // namespace jiaozi::carriers
