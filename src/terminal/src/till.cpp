#include <algorithm>

#include <jiaozi/carriers/deadline.hpp>
#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/terminal/purse_folder.hpp>
#include <jiaozi/terminal/till.hpp>

namespace jiaozi::terminal {
namespace {

constexpr Duration one_payer = seconds(10);  // somebody who holds a device to the machine and does not pay

}  // namespace

Result<std::unique_ptr<Till>> Till::open(purse_host::HostPurse& purse, std::filesystem::path book, Favours* favours) {
    std::unique_ptr<Till> till(new Till(purse, std::move(book), favours));
    JZ_TRY(till->sales_, read_sales(till->book_));
    JZ_CHECK(till->end_what_was_open());
    return till;
}

Result<void> Till::end_what_was_open() {
    std::vector<Sale> kept;
    for (Sale& sale : sales_) {
        if (!sale.paid) {
            const auto voided = purse_.void_request(sale.nonce.data());
            // Unknown: the power went before the purse had written the request, and nobody has heard it; or a sync
            // ended it.
            if (voided.status == JZ_OK || voided.status == JZ_UNKNOWN_REQUEST) continue;
            // A SUSPECT purse says nothing new; when it has synced there is no such request any more.
            sale.paid = voided.status == JZ_ALREADY_CREDITED;
            if (!sale.paid && voided.status != JZ_SUSPECT) return error_of(voided.status, "end an open sale");
        }
        kept.push_back(std::move(sale));
    }
    sales_ = std::move(kept);
    return write_sales(book_, sales_);
}

Result<Sold> Till::sell(const std::string& key, std::uint64_t amount, Duration patience, const Payers& payers) {
    if (std::ranges::find(sales_, key, &Sale::key) != sales_.end()) {
        return Error(ErrorKind::conflict, "sale " + key + " is under way; each sale has a key of its own");
    }
    const crypto::Digest invoice = crypto::sha256(as_bytes(key));
    JZ_TRY(Payee payee, Payee::ask(purse_, amount, ByteView(invoice).first(8)));
    payee.with(favours_);
    sales_.push_back({.key = key, .amount = amount, .nonce = payee.nonce(), .paid = false});
    if (auto written = write_sales(book_, sales_); !written.ok()) {
        sales_.pop_back();
        ignore_error(payee.give_up(), "nobody has heard the request");
        return std::move(written).error();
    }
    const carriers::Deadline deadline(patience);
    while (payee.outcome() == Outcome::nothing && !deadline.passed()) {
        auto link = payers(deadline.left());
        if (!link.ok()) break;
        const Patience with_this_one{.total = deadline.left(one_payer), .answer = seconds(2), .resumes = 0};
        ignore_error(payee.serve(**link, with_this_one),
                     "torn links are mended by the next; the outcome is asked below");
    }
    return end(payee, key);
}

Result<Sold> Till::end(Payee& payee, const std::string& key) {
    // Never left open: what is not paid now is not paid for this sale.
    if (payee.outcome() == Outcome::nothing) JZ_CHECK(payee.give_up());
    if (payee.outcome() != Outcome::credited) {
        JZ_CHECK(remove(key));
        return Sold::nobody;
    }
    std::ranges::find(sales_, key, &Sale::key)->paid = true;
    // If this can't be written, opening the book again finds the credit in the purse.
    ignore_error(write_sales(book_, sales_), "the purse has it");
    return Sold::paid;
}

Result<void> Till::remove(const std::string& key) {
    std::erase_if(sales_, [&](const Sale& sale) { return sale.key == key; });
    return write_sales(book_, sales_);
}

Result<void> Till::delivered(const std::string& key) {
    return remove(key);
}

std::vector<Sale> Till::undelivered() const {
    std::vector<Sale> paid;
    std::ranges::copy_if(sales_, std::back_inserter(paid), &Sale::paid);
    return paid;
}

}  // namespace jiaozi::terminal
