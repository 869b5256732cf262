// A tap (NFC, card readers): carrier `nfc:READER` of `jiaozi purse receive` and `pay`.
#pragma once

#include <string>

#include <jiaozi/terminal/reader.hpp>

namespace jiaozi::purses {

inline bool is_tap(const std::string& carrier) {
    return carrier.starts_with("nfc:");
}

// The payee: takes the payment from whatever purse is put on the PC/SC reader that has the rest of `carrier` in its
// name, and again if it was taken away too early. Errors: timeout (nobody came); not_found (no such reader); declined.
Result<terminal::Outcome> take_tap(terminal::Payee& payee, const std::string& carrier, Duration patience);
// The payer: this purse as a card in vsmartcard's virtual reader on this machine, until it has paid. Error unavailable
// when there is no such reader.
Result<terminal::Outcome> give_tap(terminal::Payer& payer, Duration patience);

}  // namespace jiaozi::purses
