#include "tap.hpp"

#include <chrono>
#include <thread>

#include <jiaozi/carriers/deadline.hpp>
#include <jiaozi/keystores/virtual_card.hpp>

#include "../cli/terminal.hpp"

namespace jiaozi::purses {
namespace {

using cli::say;
using terminal::Outcome;

Result<Outcome> take_once(terminal::Payee& payee, keystores::CardChannel& card) {
    carriers::ApduReader reader(card);
    return terminal::take_from_card(payee, reader);
}

void look_again_later() {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
}

}  // namespace

Result<Outcome> take_tap(terminal::Payee& payee, const std::string& carrier, Duration patience) {
    const std::string name = carrier.substr(carrier.find(':') + 1);
    const carriers::Deadline deadline(patience);
    while (true) {
        const auto channel = keystores::open_pcsc_channel(name);
        auto taken = channel.ok() ? take_once(payee, **channel) : Result<Outcome>(channel.error());
        if (payee.outcome() != Outcome::nothing) return payee.outcome();
        // Taken away, not there yet, or another card than a purse: the next one, perhaps.
        const bool perhaps = taken.ok() || taken.error().kind() == ErrorKind::unavailable ||
                             taken.error().kind() == ErrorKind::conflict ||
                             (channel.ok() && taken.error().kind() == ErrorKind::not_found);
        if (!perhaps) return taken;
        if (deadline.passed()) {
            return Error(ErrorKind::timeout, say("no purse was put on the reader in time", "超时：读卡器上没有钱袋"));
        }
        look_again_later();
    }
}

Result<Outcome> give_tap(terminal::Payer& payer, Duration patience) {
    const carriers::Deadline deadline(patience);
    const auto card = terminal::as_card(payer);
    const auto served = keystores::run_virtual_card(*card, keystores::vpcd_port, [&] {
        return payer.outcome() == Outcome::paid || payer.outcome() == Outcome::voided || deadline.passed();
    });
    if (!served.ok() && payer.outcome() == Outcome::nothing) return served.error();
    if (payer.outcome() == Outcome::nothing && payer.status() == JZ_OK) {
        return Error(ErrorKind::timeout, say("no reader asked for money in time", "超时：没有读卡器请求付款"));
    }
    return payer.outcome();
}

}  // namespace jiaozi::purses
