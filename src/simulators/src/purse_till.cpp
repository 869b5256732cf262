#include <array>
#include <chrono>

#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/simulators/purse_till.hpp>

namespace jiaozi::simulators {
namespace {

constexpr Duration one_payer = seconds(10);  // somebody who holds a device to the machine and does not pay

}  // namespace

std::string_view name_of(Sold sold) noexcept {
    constexpr std::array<std::string_view, 5> names = {"online", "purse", "declined", "nobody", "unknown"};
    return names[static_cast<std::size_t>(sold)];
}

Sold PurseTill::sell(const std::string& key, std::uint64_t amount, Duration patience) {
    if (network_.reachable()) return sell_online(key, amount);
    const Sold sold = sell_to_purse(key, amount, patience);
    // Nobody has paid and nobody can any more (the request is void): if the network came back, it is asked now.
    if (sold == Sold::nobody && network_.reachable()) return sell_online(key, amount);
    return sold;
}

Sold PurseTill::sell_online(const std::string& key, std::uint64_t amount) {
    switch (network_.pay(key, amount)) {
        case OnlineRoute::Answer::captured:
            ++sold_online_;
            return Sold::online;
        case OnlineRoute::Answer::declined:
            return Sold::declined;
        case OnlineRoute::Answer::unknown:
            break;
    }
    unknown_.push_back(key);
    unknown_amounts_.push_back(amount);
    return Sold::unknown;
}

Sold PurseTill::sell_to_purse(const std::string& key, std::uint64_t amount, Duration patience) {
    const crypto::Digest invoice = crypto::sha256(as_bytes(key));
    auto payee = terminal::Payee::ask(purse_, amount, ByteView(invoice).first(8));
    if (!payee.ok()) return Sold::nobody;  // the purse is full, say: it asks for nothing until it has synced
    const auto end = std::chrono::steady_clock::now() + std::chrono::nanoseconds(patience.ns);
    while (payee->outcome() == terminal::Outcome::nothing) {
        const auto left = std::chrono::nanoseconds(end - std::chrono::steady_clock::now()).count();
        if (left <= 0) break;
        auto link = payers_(nanoseconds(left));
        if (!link.ok()) break;
        const terminal::Patience with_this_one{
            .total = std::min(nanoseconds(left), one_payer), .answer = seconds(2), .resumes = 0};
        ignore_error(payee->serve(**link, with_this_one),
                     "torn links are mended by the next; the outcome is asked below");
    }
    // Never left open: what is not paid now is not paid for this sale.
    if (payee->outcome() == terminal::Outcome::nothing) {
        ignore_error(payee->give_up(), "a credit that came first is the outcome");
    }
    if (payee->outcome() != terminal::Outcome::credited) return Sold::nobody;
    ++sold_to_purses_;
    return Sold::purse;
}

std::vector<std::string> PurseTill::network_is_back() {
    std::vector<std::string> paid;
    for (std::size_t i = 0; i < unknown_.size();) {
        const auto answer = network_.pay(unknown_[i], unknown_amounts_[i]);
        if (answer == OnlineRoute::Answer::unknown) {
            ++i;
            continue;
        }
        if (answer == OnlineRoute::Answer::captured) {
            ++sold_online_;
            paid.push_back(unknown_[i]);
        }
        unknown_.erase(unknown_.begin() + static_cast<std::ptrdiff_t>(i));
        unknown_amounts_.erase(unknown_amounts_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    ignore_error(network_.deposit(), "the next time is as good: nothing is lost by waiting");
    return paid;
}

}  // namespace jiaozi::simulators
