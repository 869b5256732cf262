#include <algorithm>
#include <array>
#include <charconv>

#include <jiaozi/carriers/framing.hpp>
#include <jiaozi/carriers/qr.hpp>
#include <jiaozi/codec/base_n.hpp>
#include <jiaozi/crypto/hash.hpp>

namespace jiaozi::carriers {
namespace {

constexpr std::string_view scheme = "JZP1";
constexpr std::size_t tag_bytes = 4;
constexpr std::size_t fields = 5;
static_assert(max_qr_parts * qr_part_bytes >= max_message);

std::string tag_of(ByteView message) {
    std::string tag = to_hex(ByteView(crypto::sha256(message)).first(tag_bytes));
    std::ranges::transform(tag, tag.begin(), [](char c) { return c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c; });
    return tag;
}

// Decimal, 1 to max_qr_parts, no leading zero; 0 if it is not.
std::size_t number_of(std::string_view text) {
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = error == std::errc() && end == text.data() + text.size() && text.front() != '0';
    return whole && value <= max_qr_parts ? value : 0;
}

Error no_part(std::string_view why) {
    return {ErrorKind::malformed, "this code is no part of a purse's message: " + std::string(why)};
}

}  // namespace

Result<std::vector<std::string>> split_for_qr(ByteView message) {
    if (message.empty() || message.size() > max_message) {
        return Error(ErrorKind::invalid, "a message has 1 to 4608 bytes");
    }
    const std::size_t count = (message.size() + qr_part_bytes - 1) / qr_part_bytes;
    const std::string tag = tag_of(message);
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < count; ++i) {
        const ByteView data =
            message.subspan(i * qr_part_bytes, std::min(qr_part_bytes, message.size() - i * qr_part_bytes));
        parts.push_back(std::string(scheme) + "/" + tag + "/" + std::to_string(i + 1) + "/" + std::to_string(count) +
                        "/" + codec::encode_base32(data, codec::Base32::unpadded));
    }
    return parts;
}

Result<QrPart> parse_qr_part(std::string_view text) {
    constexpr std::size_t longest = 5 + 9 + 3 + 3 + qr_part_bytes * 8 / 5;
    if (text.size() > longest) return no_part("it is too long");
    std::array<std::string_view, fields> field;
    for (std::size_t i = 0; i < fields; ++i) {
        const std::size_t slash = i + 1 < fields ? text.find('/') : text.size();
        if (slash == std::string_view::npos) return no_part("fields are missing");
        field[i] = text.substr(0, slash);
        text.remove_prefix(std::min(slash + 1, text.size()));
    }
    if (field[0] != scheme) return no_part("it does not begin with JZP1");
    constexpr std::string_view digits = "0123456789ABCDEF";
    if (field[1].size() != 2 * tag_bytes || field[1].find_first_not_of(digits) != std::string_view::npos) {
        return no_part("its tag is not eight upper-case hexadecimal digits");
    }
    if (field[2].empty() || field[3].empty()) return no_part("its number is missing");
    QrPart part{.tag = std::string(field[1]), .index = number_of(field[2]), .count = number_of(field[3]), .data = {}};
    if (part.index == 0 || part.count == 0 || part.index > part.count) return no_part("its number is out of range");
    JZ_TRY(part.data, codec::decode_base32(field[4], codec::Base32::unpadded));
    const bool last = part.index == part.count;
    if (part.data.empty() || part.data.size() > qr_part_bytes || (!last && part.data.size() != qr_part_bytes)) {
        return no_part("its data has the wrong length");
    }
    if ((part.count - 1) * qr_part_bytes + part.data.size() > max_message && last) return no_part("it is too long");
    return part;
}

QrCollector::Gathering& QrCollector::gathering_of(const QrPart& part) {
    const auto found = std::ranges::find_if(
        messages_, [&](const Gathering& one) { return one.tag == part.tag && one.parts.size() == part.count; });
    if (found != messages_.end()) return *found;
    if (messages_.size() == max_messages) messages_.erase(messages_.begin());
    return messages_.emplace_back(Gathering{.tag = part.tag, .parts = std::vector<Bytes>(part.count), .seen = 0});
}

Result<std::optional<Bytes>> QrCollector::add(std::string_view text) {
    JZ_TRY(QrPart part, parse_qr_part(text));
    Gathering& message = gathering_of(part);
    Bytes& place = message.parts[part.index - 1];
    if (place.empty()) {
        place = std::move(part.data);
        ++message.seen;
    } else if (place != part.data) {
        return no_part("it contradicts one that was read before; show all of them again");
    }
    seen_ = message.seen;
    wanted_ = message.parts.size();
    if (message.seen < message.parts.size()) return std::optional<Bytes>{};
    Bytes whole;
    for (const Bytes& data : message.parts) append(whole, data);
    const bool genuine = tag_of(whole) == message.tag && whole.size() <= max_message;
    std::erase_if(messages_, [&](const Gathering& one) { return &one == &message; });
    if (!genuine) return no_part("together the parts do not have their tag; show all of them again");
    return std::optional<Bytes>(std::move(whole));
}

}  // namespace jiaozi::carriers
