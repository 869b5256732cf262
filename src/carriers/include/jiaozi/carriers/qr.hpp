// Messages in QR codes (docs/protocol/offline.md, section 12): parts of text in QR's alphanumeric mode, shown one after
// the other or side by side, read in any order and as often as one likes.
//
//   JZP1/<tag>/<i>/<n>/<data>    tag: first 4 bytes of SHA-256(message), upper-case hexadecimal
//
// Text is untrusted: whoever shows a camera something can show it anything. Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>

namespace jiaozi::carriers {

inline constexpr std::size_t qr_part_bytes = 200;
inline constexpr std::size_t max_qr_parts = 24;

// Error invalid for an empty message or one that is too large.
Result<std::vector<std::string>> split_for_qr(ByteView message);

struct QrPart {
    std::string tag;
    std::size_t index = 0;  // 1 to count
    std::size_t count = 0;
    Bytes data;
};
// One canonical text for one part; Error malformed for any other.
Result<QrPart> parse_qr_part(std::string_view text);

// Gathers parts of a few messages at a time; the message begun first gives way.
class QrCollector {
  public:
    static constexpr std::size_t max_messages = 4;
    // A whole message once all of its parts are there. Error malformed for what is no part, for a part that contradicts
    // one of the same message, and when the whole does not have its tag (the parts are forgotten: show them again).
    Result<std::optional<Bytes>> add(std::string_view text);
    // Of the message that was added to last.
    std::size_t parts_seen() const noexcept { return seen_; }
    std::size_t parts_wanted() const noexcept { return wanted_; }

  private:
    struct Gathering {
        std::string tag;
        std::vector<Bytes> parts;  // empty: not seen
        std::size_t seen = 0;
    };
    Gathering& gathering_of(const QrPart& part);

    std::vector<Gathering> messages_;
    std::size_t seen_ = 0;
    std::size_t wanted_ = 0;
};

// The modules of a code, row by row, 1 is dark; without the quiet zone.
struct QrImage {
    std::size_t side = 0;
    std::vector<std::uint8_t> modules;
    bool dark(std::size_t x, std::size_t y) const { return modules[y * side + x] != 0; }
};
// Error correction level M. Error invalid for text that is not a part's.
Result<QrImage> draw_qr(std::string_view part);
// Two rows of modules to a line of text (half blocks), with the quiet zone of four, drawn light on dark terminals too.
std::string qr_as_text(const QrImage& image);
// A portable graymap (P5), `scale` pixels a module, with the quiet zone.
Bytes qr_as_pgm(const QrImage& image, std::size_t scale = 4);

}  // namespace jiaozi::carriers
