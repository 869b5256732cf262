#include <algorithm>

#include <jiaozi/anchor/abi.hpp>

namespace jiaozi::anchor {

Result<Address> Address::parse(std::string_view text) {
    const bool marked = text.starts_with("0x");
    const auto digits = from_hex(text.substr(marked ? 2 : 0));
    Address address;
    if (!marked || !digits.ok() || digits->size() != address.bytes.size()) {
        return Error(ErrorKind::invalid, "an address is 0x and 40 hexadecimal digits").with_param("address");
    }
    std::ranges::copy(*digits, address.bytes.begin());
    return address;
}

std::string Address::to_string() const {
    return hex_data(bytes);
}

Call::Call(Selector selector) {
    for (unsigned shift = 32; shift > 0; shift -= 8)
        bytes_.push_back(static_cast<std::uint8_t>(selector >> (shift - 8)));
}

Call& Call::number(std::uint64_t value) {
    bytes_.insert(bytes_.end(), word_bytes - sizeof value, 0);
    for (unsigned shift = 64; shift > 0; shift -= 8) bytes_.push_back(static_cast<std::uint8_t>(value >> (shift - 8)));
    return *this;
}

Call& Call::address(const Address& value) {
    bytes_.insert(bytes_.end(), word_bytes - value.bytes.size(), 0);
    append(bytes_, value.bytes);
    return *this;
}

Call& Call::word(const Word& value) {
    append(bytes_, value);
    return *this;
}

Result<std::vector<Word>> decode_words(ByteView answer, std::size_t count) {
    if (answer.size() != count * word_bytes) {
        return Error(ErrorKind::malformed, "the contract answered " + std::to_string(answer.size()) + " bytes, not " +
                                               std::to_string(count * word_bytes) + ": is it CheckpointAnchor?");
    }
    std::vector<Word> words(count);
    for (std::size_t i = 0; i < count; ++i)
        std::ranges::copy(answer.subspan(i * word_bytes, word_bytes), words[i].begin());
    return words;
}

Result<std::uint64_t> decode_number(const Word& word) {
    constexpr std::size_t unused = word_bytes - sizeof(std::uint64_t);
    if (std::any_of(word.begin(), word.begin() + unused, [](std::uint8_t byte) { return byte != 0; }))
        return Error(ErrorKind::malformed, "the contract answered a number of over 64 bits: is it CheckpointAnchor?");
    std::uint64_t value = 0;
    for (std::size_t i = unused; i < word_bytes; ++i) value = value << 8 | word[i];
    return value;
}

std::string hex_data(ByteView bytes) {
    return "0x" + to_hex(bytes);
}

}  // namespace jiaozi::anchor
