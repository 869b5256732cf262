// Amount: a whole number of minor units and the asset they are of. There is no operator*, no operator+ and no
// conversion to a bare number by accident: sums are checked, and mixing assets is an Error.
#pragma once

#include <string>
#include <string_view>

#include <jiaozi/base/result.hpp>
#include <jiaozi/base/uint128.hpp>
#include <jiaozi/money/asset.hpp>

namespace jiaozi {

class Amount {
  public:
    Amount() = default;
    constexpr Amount(uint128 minor, Asset asset) : minor_(minor), asset_(asset) {}

    constexpr uint128 minor() const noexcept { return minor_; }
    constexpr const Asset& asset() const noexcept { return asset_; }
    constexpr bool is_zero() const noexcept { return minor_ == 0; }
    constexpr bool operator==(const Amount&) const noexcept = default;

    // Wire form: minor units as decimal digits, "350". Display form: "3.50 CNY".
    std::string minor_text() const { return to_decimal(minor_); }
    std::string display() const;

  private:
    uint128 minor_ = 0;
    Asset asset_;
};

// Error invalid when assets differ, or on overflow or a negative result.
Result<Amount> add(const Amount& a, const Amount& b);
Result<Amount> subtract(const Amount& a, const Amount& b);
// Ordering within one asset; Error invalid across assets.
Result<bool> less(const Amount& a, const Amount& b);

// From the wire form; from the display form of a person ("3.5", "3.50"; no grouping, no sign, at most the asset's
// decimal places). Error malformed.
Result<Amount> parse_minor(std::string_view digits, Asset asset);
Result<Amount> parse_display(std::string_view text, Asset asset);

}  // namespace jiaozi
