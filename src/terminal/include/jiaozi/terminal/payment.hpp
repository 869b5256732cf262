// One side of a payment over any carrier (docs/protocol/offline.md, sections 5 and 8). A carrier may tear at any byte:
// what was begun goes on with RESUME, on this link or a later one, and has one effect.
//
// What an outcome means, and how it must be shown:
//   credited  (payee)  accepted, not settled: the issuer has not seen it yet
//   paid      (payer)  the payee's receipt is here
//   unknown   (payer)  the note was sent and nobody answered: the money is neither here nor, as far as we know, there.
//                      Never shown as failed. RESUME, or CANCEL, or a sync, tells.
//   voided    (payer)  the payee will never credit it; the amount is locked until a sync gives it back
//   nothing            no money was promised
//
// One thread at a time; the purse and the link outlive these objects.
#pragma once

#include <array>
#include <functional>
#include <optional>

#include <jiaozi/carriers/link.hpp>
#include <jiaozi/purse_host/platform.hpp>
#include <jiaozi/terminal/favours.hpp>

namespace jiaozi::terminal {

enum class Outcome : std::uint8_t { nothing, credited, paid, unknown, voided };
std::string_view name_of(Outcome outcome) noexcept;

// What the holder says to a request that was verified.
struct Decision {
    bool pay = false;
    bool cvm = false;  // the holder was verified for this payment
};
using Approve = std::function<Decision(const jz_offer&)>;

struct Patience {
    Duration total = seconds(60);
    Duration answer = seconds(5);  // then a payer asks again (RESUME), and a payee on a bare line
    unsigned resumes = 3;
};

class Payer {
  public:
    // `favours`: what it does for a payee over a link once it has paid; null: nothing.
    Payer(purse_host::HostPurse& purse, Approve approve, Favours* favours = nullptr)
        : purse_(purse), approve_(std::move(approve)), favours_(favours) {}

    // The answer to one message, empty for none: what a purse in a phone says to a reader (APDU). A REQUEST is put to
    // the holder.
    Bytes answer(ByteView message);

    // Waits for a REQUEST, pays it, waits for the receipt. An Error only when nothing was promised: declined (status()
    // says what), timeout, unavailable.
    Result<Outcome> pay(carriers::Link& link, const Patience& patience = {});
    // Asks what became of every payment of unknown outcome; REQUESTs that come are not paid. With `cancel` it is voided
    // if it was not credited.
    Result<Outcome> resume(carriers::Link& link, const Patience& patience = {}, bool cancel = false);

    Outcome outcome() const noexcept { return outcome_; }
    // Of the last refusal, this purse's or (advice of nobody proven) the peer's.
    jz_status status() const noexcept { return status_; }
    const std::optional<jz_offer>& offer() const noexcept { return offer_; }

  private:
    Bytes on_request(ByteView message);
    Bytes on_answer(ByteView message);
    Result<void> converse(carriers::Link& link, const Patience& patience);

    purse_host::HostPurse& purse_;
    Approve approve_;
    Favours* favours_;
    Outcome outcome_ = Outcome::nothing;
    jz_status status_ = JZ_OK;
    std::optional<jz_offer> offer_;
};

class Payee {
  public:
    // Error declined when the purse asks for nothing (its status as code).
    static Result<Payee> ask(purse_host::HostPurse& purse, std::uint64_t amount, ByteView invoice = {});
    // Answers only: for payers that come back to an earlier request.
    static Payee answering(purse_host::HostPurse& purse) { return Payee(purse); }
    // What it gives to a payer over a link, once that has begun to talk of other things than the payment.
    void with(Favours* favours) noexcept { favours_ = favours; }

    const Bytes& request() const noexcept { return request_; }
    const std::array<std::uint8_t, 16>& nonce() const noexcept { return nonce_; }

    // The answer to one message, empty for none.
    Bytes answer(ByteView message);
    // Sends the request (again: for each payer that connects, and on a bare line after each pause) and answers until
    // it is credited and the payer has had its receipt, or time is up. Error timeout, unavailable (the payer went away:
    // serve the next one), declined.
    Result<Outcome> serve(carriers::Link& link, const Patience& patience = {}, bool repeat_request = false);
    Outcome outcome() const noexcept { return outcome_; }
    jz_status status() const noexcept { return status_; }
    // "Never": VOIDED, for whoever asks. Error declined when it was credited.
    Result<Bytes> give_up();

  private:
    explicit Payee(purse_host::HostPurse& purse) : purse_(&purse) {}

    Result<void> send_answer(carriers::Link& link, ByteView message);

    purse_host::HostPurse* purse_;
    Favours* favours_ = nullptr;
    Bytes request_;
    std::array<std::uint8_t, 16> nonce_{};
    Outcome outcome_ = Outcome::nothing;
    jz_status status_ = JZ_OK;
};

}  // namespace jiaozi::terminal
