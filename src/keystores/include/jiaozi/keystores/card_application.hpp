// What answers in a card: command APDUs in, answers with a status word out. Implementations: CardApplet (the card that
// judges), and the purse of a phone that plays a card (src/carriers).
#pragma once

#include <jiaozi/base/bytes.hpp>

namespace jiaozi::keystores {

class CardApplication {
  public:
    virtual ~CardApplication() = default;
    // The answer to one command APDU; any bytes may be given. Nothing fails but in that answer.
    virtual Bytes process(ByteView apdu) = 0;
    // The card was reset, lost power or left the field.
    virtual void reset() noexcept = 0;
    virtual Bytes answer_to_reset() const = 0;
};

}  // namespace jiaozi::keystores
