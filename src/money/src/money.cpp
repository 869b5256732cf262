#include <algorithm>
#include <array>

#include <jiaozi/money/amount.hpp>
#include <jiaozi/money/asset.hpp>

namespace jiaozi {
namespace {

constexpr std::array known = {assets::CNY, assets::EUR, assets::GBP, assets::HKD,
                              assets::INR, assets::JPY, assets::SGD, assets::USD};

Error mixed(const Amount& a, const Amount& b) {
    return {ErrorKind::invalid,
            "amounts of different assets: " + std::string(a.asset().name()) + " and " + std::string(b.asset().name())};
}

}  // namespace

Result<Asset> find_asset(std::string_view code) {
    const auto* found = std::ranges::find(known, code, &Asset::name);
    if (found == known.end()) {
        return Error(ErrorKind::not_found, "no asset is called '" + std::string(code.substr(0, 16)) + "'")
            .with_code("unknown_asset")
            .with_param("asset");
    }
    return *found;
}

Result<Asset> find_asset(std::uint32_t ledger) {
    const auto* found = std::ranges::find(known, ledger, &Asset::ledger);
    if (found == known.end()) {
        return Error(ErrorKind::not_found, "no asset has ledger number " + std::to_string(ledger))
            .with_code("unknown_asset")
            .with_param("asset");
    }
    return *found;
}

std::string Amount::display() const {
    std::string digits = minor_text();
    if (const std::size_t places = asset_.exponent; places > 0) {
        if (digits.size() <= places) digits.insert(0, places + 1 - digits.size(), '0');
        digits.insert(digits.size() - places, ".");
    }
    return digits + " " + std::string(asset_.name());
}

Result<Amount> add(const Amount& a, const Amount& b) {
    if (!(a.asset() == b.asset())) return mixed(a, b);
    if (a.minor() > uint128_max - b.minor()) return Error(ErrorKind::invalid, "the sum is over 2^128 - 1 minor units");
    return Amount(a.minor() + b.minor(), a.asset());
}

Result<Amount> subtract(const Amount& a, const Amount& b) {
    if (!(a.asset() == b.asset())) return mixed(a, b);
    if (a.minor() < b.minor()) return Error(ErrorKind::invalid, "the difference would be negative");
    return Amount(a.minor() - b.minor(), a.asset());
}

Result<bool> less(const Amount& a, const Amount& b) {
    if (!(a.asset() == b.asset())) return mixed(a, b);
    return a.minor() < b.minor();
}

Result<Amount> parse_minor(std::string_view digits, Asset asset) {
    JZ_TRY(const uint128 minor, parse_decimal(digits));
    return Amount(minor, asset);
}

Result<Amount> parse_display(std::string_view text, Asset asset) {
    const std::size_t point = text.find('.');
    const std::string_view whole = text.substr(0, point);
    const std::string_view part = point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
    if (point != std::string_view::npos && part.empty())
        return Error(ErrorKind::malformed, "digits are missing after the point");
    if (part.size() > asset.exponent) {
        return Error(ErrorKind::malformed,
                     std::string(asset.name()) + " has " + std::to_string(asset.exponent) + " decimal places");
    }
    JZ_CHECK(parse_decimal(whole));
    std::string digits(whole);
    digits += part;
    digits.append(asset.exponent - part.size(), '0');
    const std::size_t first = std::min(digits.find_first_not_of('0'), digits.size() - 1);
    return parse_minor(std::string_view(digits).substr(first), asset);
}

}  // namespace jiaozi
