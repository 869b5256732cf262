// A machine that sells (vending machine, transit gate) to whoever holds a purse to it, with no network. A sale is paid
// once or not at all, whenever the power goes:
//
//   nobody has paid in time      the request is voided: a note that comes later is answered with the VOID, and a sync
//                                gives its amount back to the payer
//   power cut before the credit  the same, when the till is opened again
//   power cut after it           the sale is paid; undelivered() has it, because nobody knows whether its goods fell
//
// What purses have paid is accepted, not settled, until a sync. One thread at a time; what is passed in outlives the
// till. Errors: those of the purse (error_of) and of open_deals.hpp.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <jiaozi/carriers/link.hpp>
#include <jiaozi/terminal/open_deals.hpp>
#include <jiaozi/terminal/payment.hpp>

namespace jiaozi::terminal {

enum class Sold : std::uint8_t {
    paid,    // credited: accepted, not settled. Deliver, and say so with delivered()
    nobody,  // no payer came, or would not pay; the sale is over
};

class Till {
  public:
    // A payer that came: its link, or the error of waiting (timeout: nobody).
    using Payers = std::function<Result<std::unique_ptr<carriers::Link>>(Duration patience)>;

    // `book` is the file of the sales under way. Voids what a crash has left open. `favours`: what it gives to its
    // customers to be carried; null: nothing.
    static Result<std::unique_ptr<Till>> open(purse_host::HostPurse& purse, std::filesystem::path book,
                                              Favours* favours = nullptr);

    // One sale; `key` names it and is never used for another (Error conflict while it is known). Error declined when
    // the purse asks for nothing (it is full, say: it must sync first).
    Result<Sold> sell(const std::string& key, std::uint64_t amount, Duration patience, const Payers& payers);
    // The goods are out. A sale that is not known is no error.
    Result<void> delivered(const std::string& key);
    // Paid, and not said to be delivered.
    std::vector<Sale> undelivered() const;

  private:
    Till(purse_host::HostPurse& purse, std::filesystem::path book, Favours* favours)
        : purse_(purse), book_(std::move(book)), favours_(favours) {}
    Result<void> end_what_was_open();
    Result<Sold> end(Payee& payee, const std::string& key);
    Result<void> remove(const std::string& key);

    purse_host::HostPurse& purse_;
    std::filesystem::path book_;
    Favours* favours_;
    std::vector<Sale> sales_;
};

}  // namespace jiaozi::terminal
