// Puts a card's application into the virtual reader of vsmartcard (vpcd), so that pcscd and every PC/SC program take it
// for a card. Protocol: vpcd's own, two bytes of length and an APDU or one control byte, over TCP on loopback.
#pragma once

#include <cstdint>
#include <functional>

#include <jiaozi/base/result.hpp>
#include <jiaozi/keystores/card_application.hpp>

namespace jiaozi::keystores {

inline constexpr std::uint16_t vpcd_port = 35963;

// Serves until vpcd closes the connection, or `done` says so between two messages (asked every 100 ms; then the card is
// taken out): success; or something fails: unavailable when nobody listens on the port of this machine's loopback
// interface, malformed for a length of zero, io.
Result<void> run_virtual_card(CardApplication& application, std::uint16_t port = vpcd_port,
                              const std::function<bool()>& done = {});

}  // namespace jiaozi::keystores
