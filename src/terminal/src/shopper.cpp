#include <algorithm>
#include <array>

#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/terminal/evidence.hpp>
#include <jiaozi/terminal/purse_folder.hpp>
#include <jiaozi/terminal/shopper.hpp>

namespace jiaozi::terminal {
namespace {

// Nobody is there to be asked. Anything else the server said itself, and the purse is no way around it.
bool is_no_network(const Error& error) {
    return error.kind() == ErrorKind::unavailable || error.kind() == ErrorKind::timeout ||
           error.kind() == ErrorKind::rate_limited;
}

std::string new_key() {
    std::array<std::uint8_t, 16> random{};
    crypto::random_bytes(random);
    return "purchase-" + to_hex(random);
}

Bought bought(const Purchase& purchase, Outcome outcome) {
    Bought result;
    result.outcome = outcome;
    result.online = purchase.online;
    result.amount = purchase.amount;
    result.asset = purchase.asset;
    result.payee = purchase.payee;
    return result;
}

Outcome outcome_of(purse_host::HostPurse& purse, const Purchase& purchase) {
    return outcome_of_note(purse, purchase.seq, purchase.payee, purchase.amount);
}

}  // namespace

Purchase* Shopper::find(const Order& order) {
    const auto found = std::ranges::find(open_, order, &Purchase::order);
    return found == open_.end() ? nullptr : &*found;
}

Result<void> Shopper::keep(Purchase purchase) {
    std::vector<Purchase> next = open_;
    std::erase_if(next, [&](const Purchase& one) { return one.order == purchase.order; });
    next.push_back(std::move(purchase));
    JZ_CHECK(write_purchases(book_, next));
    open_ = std::move(next);
    return {};
}

Result<void> Shopper::drop(const Order& order) {
    if (std::erase_if(open_, [&](const Purchase& one) { return one.order == order; }) == 0) return {};
    return write_purchases(book_, open_);
}

// What is paid is paid, whether or not its entry could be taken out of the file.
Result<void> Shopper::end(const Order& order, Outcome outcome) {
    auto dropped = drop(order);
    if (outcome != Outcome::paid) return dropped;
    ignore_error(std::move(dropped), "the same order again is then told of this purchase");
    return {};
}

Result<Bought> Shopper::buy(const Order& order, const Machine& machine, const Patience& patience) {
    JZ_TRY(open_, read_purchases(book_));
    if (const Purchase* const open = find(order)) {
        const Purchase earlier = *open;
        if (earlier.online) return pay_online(earlier, true, machine, patience);
        JZ_TRY(const auto known, go_on_with_purse(earlier, machine, patience));
        if (known) return *known;
    }
    const auto price = network_.price(order);
    if (!price.ok()) {
        if (is_no_network(price.error())) return pay_with_purse(order, machine, patience);
        return price.error();
    }
    if (!agree_(price->amount, price->asset, 0).pay) {
        return Error(ErrorKind::declined, "the holder did not agree").with_code("not_agreed");
    }
    const Purchase purchase{.order = order,
                            .amount = price->amount,
                            .asset = price->asset,
                            .online = true,
                            .key = new_key(),
                            .payee = 0,
                            .seq = 0};
    JZ_CHECK(keep(purchase));
    return pay_online(purchase, false, machine, patience);
}

Result<Bought> Shopper::pay_online(const Purchase& open, bool earlier, const Machine& machine,
                                   const Patience& patience) {
    const auto paid = network_.pay(open.order, {open.amount, open.asset}, open.key, patience.total);
    if (!paid.ok()) {
        // A key that was revoked since, say, tells nothing of what was asked for with it.
        if (!earlier) JZ_CHECK(drop(open.order));
        return paid.error();
    }
    Bought result = bought(open, Outcome::unknown);
    result.earlier = earlier;
    result.payment = paid->payment;
    result.reason = paid->reason;
    if (paid->answer == OnlineRoute::Answer::unknown) return result;
    result.outcome = paid->answer == OnlineRoute::Answer::captured ? Outcome::paid : Outcome::nothing;
    JZ_CHECK(end(open.order, result.outcome));
    if (paid->answer == OnlineRoute::Answer::machine_away) return pay_with_purse(open.order, machine, patience);
    return result;
}

// Nothing: it is known not to have been paid.
Result<std::optional<Bought>> Shopper::go_on_with_purse(const Purchase& open, const Machine& machine,
                                                        const Patience& patience) {
    Outcome outcome = outcome_of(purse_, open);
    if (outcome == Outcome::unknown) {
        if (const auto link = machine(); link.ok()) {
            Payer payer(purse_, [](const jz_offer&) { return Decision{}; });
            ignore_error(payer.resume(**link, patience), "the journal is asked below");
        }
        outcome = outcome_of(purse_, open);
    }
    if (outcome != Outcome::unknown) JZ_CHECK(end(open.order, outcome));
    if (outcome != Outcome::unknown && outcome != Outcome::paid) return std::optional<Bought>();
    Bought result = bought(open, outcome);
    result.earlier = true;
    return std::optional(result);
}

Result<Bought> Shopper::pay_with_purse(const Order& order, const Machine& machine, const Patience& patience) {
    JZ_TRY(const auto link, machine());
    Result<void> kept;
    Payer payer(
        purse_,
        [&](const jz_offer& offer) {
            Decision decision = agree_(offer.amount, offer.asset, offer.payee);
            if (!decision.pay) return decision;
            // Before it is signed: the number that the note will have finds it again.
            kept = keep({.order = order,
                         .amount = offer.amount,
                         .asset = offer.asset,
                         .online = false,
                         .key = {},
                         .payee = offer.payee,
                         .seq = purse_.info().seq + 1});
            decision.pay = kept.ok();
            return decision;
        },
        favours_);
    const auto paid = payer.pay(*link, patience);
    const Purchase* const found = find(order);
    Bought result = found != nullptr ? bought(*found, Outcome::nothing) : Bought{};
    result.outcome = paid.ok() ? *paid : Outcome::nothing;
    result.status = payer.status();
    if (result.outcome != Outcome::unknown) JZ_CHECK(end(order, result.outcome));
    if (!kept.ok()) return kept.error();
    if (!paid.ok() && (paid.error().kind() != ErrorKind::declined || payer.status() == JZ_OK)) return paid.error();
    return result;
}

Result<void> forget_decided(purse_host::HostPurse& purse, const std::filesystem::path& book) {
    JZ_TRY(std::vector<Purchase> open, read_purchases(book));
    const auto decided = std::erase_if(
        open, [&](const Purchase& one) { return !one.online && outcome_of(purse, one) != Outcome::unknown; });
    return decided == 0 ? Result<void>() : write_purchases(book, open);
}

}  // namespace jiaozi::terminal
