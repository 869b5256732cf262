// Errands of purses that come in pieces, and their answers that go in pieces (docs/protocol/device.md, 4.1): one a
// device, in memory, within a bound. Nothing here is believed until the whole has its hash. Application thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <unordered_map>
#include <variant>

#include <jiaozi/base/clock.hpp>
#include <jiaozi/base/error.hpp>
#include <jiaozi/protocol/errand.hpp>

namespace jiaozi::devices {

class Transfers {
  public:
    explicit Transfers(std::size_t max_bytes, Duration keep) : max_bytes_(max_bytes), keep_(keep) {}

    // The errand is whole and has its hash: to be done now, once. Ends with answered() or failed().
    struct Whole {
        Bytes errand;
    };
    struct Silence {};  // no answer yet; the device sends it again
    using Step = std::variant<protocol::PurseTaken, protocol::PurseAnswer, Whole, Silence, Error>;

    Step take(DeviceId device, const protocol::PursePiece& piece, Timestamp now);
    Step more(DeviceId device, const protocol::PurseMore& more, Timestamp now);

    // The first piece of the answer; Silence if the transfer was forgotten meanwhile. Error: longer than any answer.
    Step answered(DeviceId device, const protocol::TransferId& transfer, Bytes answer, Timestamp now);
    // `for_good`: the same bytes will never be done; otherwise the next piece tries again.
    void failed(DeviceId device, const protocol::TransferId& transfer, bool for_good);

    std::size_t bytes() const noexcept { return bytes_; }
    std::size_t count() const noexcept { return transfers_.size(); }

  private:
    enum class Stage : std::uint8_t { coming, running, answered };
    struct Transfer {
        DeviceId device;
        protocol::TransferId id{};
        std::uint32_t size = 0;
        Bytes errand;  // as far as it has come
        Bytes answer;
        protocol::AnswerCheck check{};
        Stage stage = Stage::coming;
        bool has_its_hash = false;  // looked at once, however often it is tried
        Timestamp heard;

        std::size_t bytes() const noexcept;
    };
    using Place = std::list<Transfer>::iterator;

    Transfer* find(DeviceId device) noexcept;
    Transfer& begin(DeviceId device, const protocol::PursePiece& piece);
    void drop(DeviceId device);
    void heard(DeviceId device, Timestamp now);
    void forget_the_old(Timestamp now);
    void make_room();
    static protocol::PurseAnswer answer_from(const Transfer& transfer, std::uint32_t offset);

    std::size_t max_bytes_;
    Duration keep_;
    std::list<Transfer> transfers_;  // those heard of last at the end
    std::unordered_map<DeviceId, Place> places_;
    std::size_t bytes_ = 0;
};

}  // namespace jiaozi::devices
