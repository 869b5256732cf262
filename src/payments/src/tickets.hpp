// Payment codes and dynamic QRs: what makes a payment possible for a short time and only once. In memory only; a
// restart voids them. Application thread only.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include <boost/unordered/unordered_flat_map.hpp>

#include <jiaozi/api/payments.hpp>
#include <jiaozi/base/clock.hpp>

namespace jiaozi::payments {

// How many may be out at one time; more are refused (rate_limited) until some expire.
inline constexpr std::size_t max_tickets = 200'000;

struct CodeHolder {
    WalletId wallet;
    MemberId member;
    Timestamp expires;
};

class PaymentCodes {
  public:
    // Error rate_limited.
    Result<api::PaymentCode> make(WalletId wallet, MemberId member, Timestamp now, Duration lifetime);
    // Good and not expired. Does not use it up.
    std::optional<CodeHolder> look(std::string_view digits, Timestamp now) const;
    void use_up(std::string_view digits);

  private:
    boost::unordered_flat_map<std::uint64_t, CodeHolder> codes_;  // by the digits after the prefix
    std::deque<std::uint64_t> order_;                             // by expiry
};

// What a QR asks for.
struct QrOffer {
    PaymentId payment;
    DeviceId machine;
    std::uint32_t slot = 0;
    std::uint32_t quantity = 1;
    Amount amount;
    Timestamp expires;
    bool used = false;
};

class QrOffers {
  public:
    // Error rate_limited.
    Result<> put(const QrOffer& offer, Timestamp now);
    // Not expired; perhaps used. nullptr: none.
    const QrOffer* look(PaymentId payment, Timestamp now) const;
    void set_used(PaymentId payment, bool used);

  private:
    boost::unordered_flat_map<PaymentId, QrOffer, std::hash<PaymentId>> offers_;
    std::deque<PaymentId> order_;  // by expiry
};

// The text of a QR (EMVCo merchant-presented mode): the payment's id stands in template 26 under io.jiaozi.
// Error invalid: the amount or the merchant does not fit the format.
Result<std::string> qr_payload(PaymentId payment, const Amount& amount, const Merchant& merchant);
// None if the text is not one of ours.
std::optional<PaymentId> payment_of_qr(std::string_view payload);

}  // namespace jiaozi::payments
