#include <algorithm>

#include <jiaozi/carriers/deadline.hpp>
#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/terminal/favours.hpp>
#include <jiaozi/terminal/open_deals.hpp>

namespace jiaozi::terminal {
namespace {

constexpr std::size_t deposit_key_size = 32;
constexpr std::size_t most_heard = 64;           // messages of one meeting; a peer that says more is not listened to
constexpr Duration silence = milliseconds(600);  // longer than a payee listens after the receipt

std::string name_of_deposit(ByteView deposit) {
    return to_hex(ByteView(crypto::sha256(deposit)).first(16));
}

}  // namespace

Result<std::vector<Bytes>> Favours::give() {
    std::vector<Bytes> messages;
    if (deposit_key_.size() != deposit_key_size) return messages;
    JZ_TRY(const std::vector<Given> before, read_given(book_));
    std::vector<Given> after;          // of what is still held; the rest is settled
    std::vector<std::size_t> at_hand;  // places in `after`, which are the purse's
    for (unsigned i = 0;; ++i) {
        const auto deposit = purse_.deposit(i);
        if (deposit.status != JZ_OK) break;
        Given given{.deposit = name_of_deposit(deposit.bytes), .copies = 0};
        const auto known = std::ranges::find(before, given.deposit, &Given::deposit);
        if (known != before.end()) given.copies = known->copies;
        if (given.copies < copies) at_hand.push_back(after.size());
        after.push_back(std::move(given));
    }
    // What nobody carries yet goes first.
    std::ranges::sort(at_hand, {}, [&](std::size_t i) { return std::pair(after[i].copies, i); });
    for (const std::size_t i : at_hand) {
        if (messages.size() == most_a_meeting) break;
        auto message = purse_.mule(static_cast<unsigned>(i), deposit_key_.data());
        if (message.status != JZ_OK) continue;
        messages.push_back(std::move(message.bytes));
        ++after[i].copies;
    }
    std::erase_if(after, [](const Given& one) { return one.copies == 0; });
    if (after != before) JZ_CHECK(write_given(book_, after));
    return messages;
}

void Favours::keep_company(carriers::Link& link) {
    const auto gossip = purse_.gossip();
    if (gossip.status != JZ_OK || !link.send(gossip.bytes).ok()) return;
    if (const auto messages = give(); messages.ok()) {
        for (const Bytes& message : *messages) {
            if (!link.send(message).ok()) return;
        }
    }
    for (std::size_t heard = 0; heard < most_heard; ++heard) {
        const auto message = link.receive(silence);
        if (!message.ok()) return;
        // What it would answer is advice (no room, say), which helps nobody now.
        static_cast<void>(purse_.receive(*message));
    }
}

}  // namespace jiaozi::terminal
