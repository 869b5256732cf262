// The server's time as this device can know it: never less than it really is, as long as the device's clock runs, so
// that a delivery never begins after its command has expired, however long a carrier held the messages back.
//
//   above: the welcome was made after its hello was sent, so at the hello's moment the server's clock showed at most
//          the welcome's time. The round trip is the price: we may think a command expired that much early.
//   below: every authentic message's time has passed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

namespace jiaozi::device {

// Times on the wire have 64 bits. Beyond this one (36 million years) they are all the same to us, and nothing
// overflows.
constexpr std::int64_t signed_ms(std::uint64_t ms) noexcept {
    return static_cast<std::int64_t>(std::min(ms, std::uint64_t{1} << 60));
}

class ServerTime {
  public:
    bool known() const noexcept { return offset_.has_value(); }
    void forget() noexcept { offset_.reset(); }

    void measured(std::int64_t hello_sent_ms, std::uint64_t welcome_ms) noexcept {
        offset_ = signed_ms(welcome_ms) - hello_sent_ms;
    }
    // A message that was made later than we think it is: our clock runs slow, or was set back.
    void seen(std::int64_t device_ms, std::uint64_t message_ms) noexcept {
        if (offset_) offset_ = std::max(*offset_, signed_ms(message_ms) - device_ms);
    }
    // Only when known.
    std::int64_t now_ms(std::int64_t device_ms) const noexcept { return device_ms + *offset_; }

  private:
    std::optional<std::int64_t> offset_;
};

}  // namespace jiaozi::device
