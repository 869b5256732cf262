// Command APDUs to a purse that plays a card, and a card's answers to a reader. Input: one byte that says which, then
// items, each after one byte of length (0: a reset). The card: always a status word, answers of 256 bytes at most, its
// messages bounded. The reader: ends, whatever the card says.
#include <cstddef>
#include <cstdint>

#include <jiaozi/carriers/apdu.hpp>
#include <jiaozi/carriers/framing.hpp>

using namespace jiaozi;
using namespace jiaozi::carriers;

namespace {

class Items {
  public:
    explicit Items(ByteView input) : rest_(input) {}
    bool done() const { return rest_.empty(); }
    ByteView next() {
        if (rest_.empty()) return {};
        const std::size_t length = std::min<std::size_t>(rest_[0], rest_.size() - 1);
        const ByteView item = rest_.subspan(1, length);
        rest_ = rest_.subspan(1 + length);
        return item;
    }

  private:
    ByteView rest_;
};

void to_card(Items items) {
    ApduCard card([](ByteView message) -> std::optional<Bytes> {
        JZ_ASSERT(!message.empty() && message.size() <= max_message);
        if (message[0] == 0) return std::nullopt;
        return Bytes(std::size_t{message[0]} * 18, 7);
    });
    while (!items.done()) {
        const ByteView apdu = items.next();
        if (apdu.empty()) card.reset();
        const Bytes answer = card.process(apdu);
        JZ_ASSERT(answer.size() >= 2 && answer.size() <= 258);
    }
}

class Answers final : public keystores::CardChannel {
  public:
    explicit Answers(Items items) : items_(items) {}
    Result<Bytes> transmit(ByteView apdu) override {
        JZ_ASSERT(apdu.size() >= 5 && apdu.size() <= 261);
        if (items_.done()) return Error(ErrorKind::unavailable, "gone");
        return to_bytes(items_.next());
    }

  private:
    Items items_;
};

void to_reader(Items items) {
    Answers answers(items);
    ApduReader reader(answers);
    ignore_error(reader.select(), "any answer may come");
    const auto answer = reader.exchange(Bytes(600, 1));
    JZ_ASSERT(!answer.ok() || answer->size() <= max_message);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1 || size > 8192) return 0;
    const Items items(ByteView(data + 1, size - 1));
    data[0] % 2 == 0 ? to_card(items) : to_reader(items);
    return 0;
}
