#include "tickets.hpp"

#include <array>
#include <charconv>

#include <jiaozi/codec/emv_qr.hpp>
#include <jiaozi/crypto/secret.hpp>

namespace jiaozi::payments {
namespace {

constexpr std::string_view code_prefix = "62";  // wallets that show codes use 62 to 69
constexpr std::size_t code_digits = 20;
constexpr std::uint64_t code_count = 1'000'000'000'000'000'000;  // 18 digits after the prefix

constexpr std::string_view qr_scheme = "io.jiaozi";
constexpr std::uint8_t qr_payment_field = 1;

// Uniform below code_count: a draw in the incomplete last round is thrown away.
std::uint64_t random_code() {
    constexpr std::uint64_t rounds = UINT64_MAX / code_count;
    for (;;) {
        std::array<std::uint8_t, 8> bytes{};
        crypto::random_bytes(bytes);
        std::uint64_t drawn = 0;
        for (const std::uint8_t byte : bytes) drawn = (drawn << 8) | byte;
        if (drawn < rounds * code_count) return drawn % code_count;
    }
}

std::optional<std::uint64_t> parse_code(std::string_view digits) {
    if (digits.size() != code_digits || !digits.starts_with(code_prefix)) return std::nullopt;
    digits.remove_prefix(code_prefix.size());
    std::uint64_t number = 0;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (failure != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return number;
}

Error too_many(std::string_view what) {
    return {ErrorKind::rate_limited, "too many " + std::string(what) + " are out; try again in a minute"};
}

// At most `count` characters, cut between characters.
std::string first_characters(std::string_view utf8, std::size_t count) {
    std::size_t at = 0;
    for (std::size_t seen = 0; at < utf8.size(); ++at) {
        const bool starts = (static_cast<unsigned char>(utf8[at]) & 0xC0) != 0x80;
        if (starts && seen++ == count) break;
    }
    return std::string(utf8.substr(0, at));
}

// "3.50", without the asset.
std::string plain_amount(const Amount& amount) {
    std::string text = amount.display();
    return text.substr(0, text.find(' '));
}

}  // namespace

Result<api::PaymentCode> PaymentCodes::make(WalletId wallet, MemberId member, Timestamp now, Duration lifetime) {
    while (!order_.empty()) {
        const auto oldest = codes_.find(order_.front());
        if (oldest != codes_.end() && oldest->second.expires > now) break;
        if (oldest != codes_.end()) codes_.erase(oldest);
        order_.pop_front();
    }
    if (codes_.size() >= max_tickets) return too_many("payment codes");
    std::uint64_t number = random_code();
    while (codes_.contains(number)) number = random_code();
    const Timestamp expires = now + lifetime;
    codes_.emplace(number, CodeHolder{wallet, member, expires});
    order_.push_back(number);
    std::string digits = std::to_string(number);
    digits.insert(0, code_digits - code_prefix.size() - digits.size(), '0');
    return api::PaymentCode{std::string(code_prefix) + digits, expires};
}

std::optional<CodeHolder> PaymentCodes::look(std::string_view digits, Timestamp now) const {
    const auto number = parse_code(digits);
    if (!number) return std::nullopt;
    const auto found = codes_.find(*number);
    if (found == codes_.end() || found->second.expires <= now) return std::nullopt;
    return found->second;
}

void PaymentCodes::use_up(std::string_view digits) {
    if (const auto number = parse_code(digits)) codes_.erase(*number);
}

Result<> QrOffers::put(const QrOffer& offer, Timestamp now) {
    while (!order_.empty()) {
        const auto oldest = offers_.find(order_.front());
        if (oldest != offers_.end() && oldest->second.expires > now) break;
        if (oldest != offers_.end()) offers_.erase(oldest);
        order_.pop_front();
    }
    if (offers_.size() >= max_tickets) return too_many("QRs");
    if (offers_.insert_or_assign(offer.payment, offer).second) order_.push_back(offer.payment);
    return {};
}

const QrOffer* QrOffers::look(PaymentId payment, Timestamp now) const {
    const auto found = offers_.find(payment);
    return found == offers_.end() || found->second.expires <= now ? nullptr : &found->second;
}

void QrOffers::set_used(PaymentId payment, bool used) {
    if (const auto found = offers_.find(payment); found != offers_.end()) found->second.used = used;
}

Result<std::string> qr_payload(PaymentId payment, const Amount& amount, const Merchant& merchant) {
    std::string currency = std::to_string(amount.asset().ledger);
    if (currency.size() < 3) currency.insert(0, 3 - currency.size(), '0');
    codec::EmvPayment qr{.one_time = true,
                         .scheme = std::string(qr_scheme),
                         .account = {{qr_payment_field, to_base32_id(payment.value)}},
                         .category = merchant.mcc,
                         .currency = std::move(currency),
                         .amount = plain_amount(amount),
                         .country = merchant.country,
                         .merchant_name = first_characters(merchant.name, 25),
                         .merchant_city = first_characters(merchant.city, 15),
                         .bill_number = std::nullopt,
                         .reference_label = std::nullopt,
                         .terminal_label = std::nullopt};
    return codec::encode_emv_payment(qr);
}

std::optional<PaymentId> payment_of_qr(std::string_view payload) {
    const auto parsed = codec::parse_emv_qr(payload);
    if (!parsed.ok()) return std::nullopt;
    const auto payment = codec::read_emv_payment(*parsed, qr_scheme);
    if (!payment.ok()) return std::nullopt;
    for (const codec::EmvField& field : payment->account) {
        if (field.id != qr_payment_field) continue;
        const auto id = parse_base32_id(field.value);
        return id.ok() && *id != 0 ? std::optional(PaymentId(*id)) : std::nullopt;
    }
    return std::nullopt;
}

}  // namespace jiaozi::payments
