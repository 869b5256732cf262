// The payee's terminal with a reader: takes one payment from a purse that was put on it (APDU;
// docs/protocol/offline.md, section 12), in five pairs when the two meet for the first time.
#pragma once

#include <jiaozi/carriers/apdu.hpp>
#include <jiaozi/terminal/payment.hpp>

namespace jiaozi::terminal {

// Selects the purse, hands it the request and answers until it has nothing more to say. Errors: not_found (no purse on
// the reader), unavailable (it was taken away: let it be put on again and call this again), declined (the purse
// refuses; its status as code).
Result<Outcome> take_from_card(Payee& payee, carriers::ApduReader& reader);

// The payer's side: a purse as a card.
std::unique_ptr<carriers::ApduCard> as_card(Payer& payer);

}  // namespace jiaozi::terminal
