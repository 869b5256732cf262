// What a seller and a buyer must still know after their power was cut (docs/formats/purse-folder.md, "Open deals"):
// sales that a till has asked money for, purchases of which nobody knows yet whether they were paid, and which deposits
// were given to mules. Written before anything is said to the other side; a file without entries is not there.
//
// Errors: malformed, with the member at fault; too_large; forbidden (others may read the file); io.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <jiaozi/base/result.hpp>

namespace jiaozi::terminal {

// At a till. Gone from the file once nobody can pay it any more, or once it was delivered.
struct Sale {
    std::string key;
    std::uint64_t amount = 0;
    std::array<std::uint8_t, 16> nonce{};  // of the request that a purse may pay
    bool paid = false;                     // and, as far as is known, not delivered
    bool operator==(const Sale&) const = default;
};

// What is bought, and for whom.
struct Order {
    std::string device;  // the machine
    std::uint32_t slot = 1;
    std::uint32_t quantity = 1;
    std::string wallet;  // that pays online
    std::string member;  // and in whose name
    bool operator==(const Order&) const = default;
};

// At a buyer. Gone from the file once it is known to be paid, or known not to be.
struct Purchase {
    Order order;
    std::uint64_t amount = 0;
    std::string asset;
    bool online = false;  // otherwise by the purse
    std::string key;      // online: what the payment is called, however often it is asked for
    // By the purse: the note that pays, if there is one.
    std::uint32_t payee = 0;
    std::uint32_t seq = 0;
    bool operator==(const Purchase&) const = default;
};

// A deposit that others carry to the issuer, too.
struct Given {
    std::string deposit;       // the first 16 bytes of its SHA-256, hexadecimal
    std::uint32_t copies = 0;  // to how many mules
    bool operator==(const Given&) const = default;
};

// Their names in a purse's folder.
inline constexpr const char* sales_name = "sales.json";
inline constexpr const char* purchases_name = "purchases.json";
inline constexpr const char* given_name = "given.json";

inline constexpr std::size_t max_deals = 64;
inline constexpr std::size_t max_deals_file = std::size_t{64} * 1024;

std::string encode_sales(const std::vector<Sale>& sales);
Result<std::vector<Sale>> decode_sales(std::string_view json);
std::string encode_purchases(const std::vector<Purchase>& purchases);
Result<std::vector<Purchase>> decode_purchases(std::string_view json);
std::string encode_given(const std::vector<Given>& given);
Result<std::vector<Given>> decode_given(std::string_view json);

// None where there is no file.
Result<std::vector<Sale>> read_sales(const std::filesystem::path& file);
Result<std::vector<Purchase>> read_purchases(const std::filesystem::path& file);
Result<std::vector<Given>> read_given(const std::filesystem::path& file);
// Durable when they return. Error too_large for more than max_deals.
Result<void> write_sales(const std::filesystem::path& file, const std::vector<Sale>& sales);
Result<void> write_purchases(const std::filesystem::path& file, const std::vector<Purchase>& purchases);
Result<void> write_given(const std::filesystem::path& file, const std::vector<Given>& given);

}  // namespace jiaozi::terminal
