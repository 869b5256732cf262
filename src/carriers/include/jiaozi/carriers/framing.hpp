// Messages in byte streams and in files (docs/protocol/offline.md, section 12). Pure; no message is looked into.
//
//   stream   length (2 bytes, big-endian, 1 to 4,608) ‖ message, one after the other
//   file     "JZPM" ‖ one message framed so, and nothing after it
#pragma once

#include <optional>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>

namespace jiaozi::carriers {

inline constexpr std::size_t max_message = 4608;

// Error invalid for an empty message or one that is too large.
Result<Bytes> frame(ByteView message);

// Takes a stream apart. Holds one message at most, whatever is sent. Not thread-safe.
class StreamReader {
  public:
    // Takes bytes off the front of `input` until a message is whole or the input is used up (nothing). Error malformed
    // for a length that no message has: the stream is then of no more use.
    Result<std::optional<Bytes>> take(ByteView& input);
    // In the middle of a message.
    bool torn() const noexcept { return head_size_ > 0; }
    // Forgets what came of a torn message, so that the next byte is taken for a length.
    void restart() noexcept;

  private:
    std::uint8_t head_[2] = {};
    std::size_t head_size_ = 0;
    std::size_t expected_ = 0;
    Bytes message_;
};

Result<Bytes> write_message_file(ByteView message);
Result<Bytes> read_message_file(ByteView file);
inline constexpr std::size_t max_message_file = 4 + 2 + max_message;

}  // namespace jiaozi::carriers
