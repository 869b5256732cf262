// The ledger's events and answers: accounts, transfers, their flags, and the closed enums of refusals. The meaning of
// every value, the order of the checks and what is remembered are specified in docs/ledger.md.
//
// Source: the double-entry data model that TigerBeetle settled (accounts with pending and posted debits and credits,
// two-phase transfers, linked chains), written afresh; where we differ the page says so.
// Amounts are whole minor units of the ledger's asset. Times are nanoseconds since 1970 unless the name says seconds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include <jiaozi/base/uint128.hpp>

namespace jiaozi::ledger {

// The most events one call may carry. A caller with more splits; more in one call is a bug.
inline constexpr std::size_t max_batch = 8190;

// As the amount of a post, a void or a balancing transfer: "everything there is". Elsewhere it is an ordinary number.
inline constexpr uint128 everything = uint128_max;

namespace account_flags {
inline constexpr std::uint16_t linked = 1;  // created together with the next account in the batch, or not at all
inline constexpr std::uint16_t debits_must_not_exceed_credits = 2;  // may not be overdrawn: a wallet
inline constexpr std::uint16_t credits_must_not_exceed_debits = 4;  // the mirror image: a funding source
inline constexpr std::uint16_t history = 8;                         // keep the balances after every change
inline constexpr std::uint16_t frozen = 16;  // refuses everything but voids and expiry; set_account_flags changes it
inline constexpr std::uint16_t closed = 32;  // set by a closing transfer, cleared when that is voided or expires
inline constexpr std::uint16_t all = 63;
}  // namespace account_flags

namespace transfer_flags {
inline constexpr std::uint16_t linked = 1;   // succeeds together with the next transfer in the batch, or not at all
inline constexpr std::uint16_t pending = 2;  // holds the amount until posted, voided or expired
inline constexpr std::uint16_t post_pending = 4;       // moves a held amount, or a part of it, and releases the rest
inline constexpr std::uint16_t void_pending = 8;       // releases a held amount
inline constexpr std::uint16_t balancing_debit = 16;   // amount is a ceiling: at most what the debit account has left
inline constexpr std::uint16_t balancing_credit = 32;  // amount is a ceiling: at most what the credit account is owed
inline constexpr std::uint16_t closing_debit = 64;     // closes the debit account; must be pending
inline constexpr std::uint16_t closing_credit = 128;   // closes the credit account; must be pending
inline constexpr std::uint16_t all = 255;
}  // namespace transfer_flags

// As an event every balance, `reserved` and `timestamp` are zero. As stored, the ledger keeps them.
struct Account {
    uint128 id = 0;
    uint128 debits_pending = 0;
    uint128 debits_posted = 0;
    uint128 credits_pending = 0;
    uint128 credits_posted = 0;
    uint128 user_data_128 = 0;
    std::uint64_t user_data_64 = 0;
    std::uint32_t user_data_32 = 0;
    std::uint32_t ledger = 0;  // one ledger per asset; money never crosses ledgers
    std::uint16_t code = 0;    // the caller's chart of accounts
    std::uint16_t flags = 0;   // account_flags
    std::uint32_t reserved = 0;
    std::uint64_t timestamp = 0;  // set by the ledger
    bool operator==(const Account&) const = default;
};

// As an event `timestamp` is zero. As stored, `amount` is what was really moved or held (a balancing or partial amount
// resolved), and a post or void carries the accounts, ledger, code and user data it inherited. Immutable once stored.
struct Transfer {
    uint128 id = 0;
    uint128 debit_account_id = 0;
    uint128 credit_account_id = 0;
    uint128 amount = 0;
    uint128 pending_id = 0;  // for post_pending and void_pending: the transfer they resolve
    uint128 user_data_128 = 0;
    std::uint64_t user_data_64 = 0;
    std::uint32_t user_data_32 = 0;
    std::uint32_t timeout_s = 0;  // of a pending transfer; zero: never expires
    std::uint32_t ledger = 0;
    std::uint16_t code = 0;       // the caller's reason for the movement
    std::uint16_t flags = 0;      // transfer_flags
    std::uint64_t timestamp = 0;  // set by the ledger
    bool operator==(const Transfer&) const = default;
};

// Balances of an account with the history flag, as they were after one change.
enum class ChangeCause : std::uint64_t { transfer = 0, expiry = 1 };
struct BalanceChange {
    uint128 transfer_id = 0;  // for an expiry: the pending transfer that ran out
    uint128 debits_pending = 0;
    uint128 debits_posted = 0;
    uint128 credits_pending = 0;
    uint128 credits_posted = 0;
    std::uint64_t timestamp = 0;
    ChangeCause cause = ChangeCause::transfer;
    bool operator==(const BalanceChange&) const = default;
};

// These layouts are journaled as they are in memory (little-endian); they can only be extended under a new name.
static_assert(sizeof(Account) == 128 && sizeof(Transfer) == 128 && sizeof(BalanceChange) == 96);
static_assert(std::has_unique_object_representations_v<Account>, "no padding");
static_assert(std::has_unique_object_representations_v<Transfer>, "no padding");
static_assert(std::has_unique_object_representations_v<BalanceChange>, "no padding");
static_assert(std::is_trivially_copyable_v<Account> && std::is_trivially_copyable_v<Transfer> &&
              std::is_trivially_copyable_v<BalanceChange>);
static_assert(offsetof(Account, user_data_64) == 96 && offsetof(Account, user_data_32) == 104 &&
              offsetof(Account, ledger) == 108 && offsetof(Account, code) == 112 && offsetof(Account, flags) == 114 &&
              offsetof(Account, reserved) == 116 && offsetof(Account, timestamp) == 120);
static_assert(offsetof(Transfer, user_data_64) == 96 && offsetof(Transfer, user_data_32) == 104 &&
              offsetof(Transfer, timeout_s) == 108 && offsetof(Transfer, ledger) == 112 &&
              offsetof(Transfer, code) == 116 && offsetof(Transfer, flags) == 118 &&
              offsetof(Transfer, timestamp) == 120);

enum class PendingStatus : std::uint8_t {
    none = 0,  // unknown, or not a pending transfer
    pending = 1,
    posted = 2,
    voided = 3,
    expired = 4,
};

// A pending transfer that time has voided. `timestamp` is when the ledger released it (the argument of expire).
struct Expired {
    uint128 pending_id = 0;
    std::uint64_t timestamp = 0;
    bool operator==(const Expired&) const = default;
};

// The numbers are stable and, from 3 on, the precedence: of several faults the lowest number is answered.
enum class CreateAccountResult : std::uint32_t {
    ok = 0,
    linked_event_failed = 1,
    linked_event_chain_open = 2,
    // The event by itself.
    timestamp_must_be_zero = 3,
    reserved_field = 4,
    reserved_flag = 5,
    closed_flag_must_not_be_set = 6,
    id_must_not_be_zero = 7,
    id_must_not_be_int_max = 8,
    flags_are_mutually_exclusive = 9,
    debits_pending_must_be_zero = 10,
    debits_posted_must_be_zero = 11,
    credits_pending_must_be_zero = 12,
    credits_posted_must_be_zero = 13,
    ledger_must_not_be_zero = 14,
    code_must_not_be_zero = 15,
    // The id is known.
    exists_with_different_flags = 16,
    exists_with_different_user_data_128 = 17,
    exists_with_different_user_data_64 = 18,
    exists_with_different_user_data_32 = 19,
    exists_with_different_ledger = 20,
    exists_with_different_code = 21,
    exists = 22,
};
inline constexpr std::uint32_t create_account_result_count = 23;

enum class CreateTransferResult : std::uint32_t {
    ok = 0,
    linked_event_failed = 1,
    linked_event_chain_open = 2,
    // The event by itself.
    timestamp_must_be_zero = 3,
    reserved_flag = 4,
    id_must_not_be_zero = 5,
    id_must_not_be_int_max = 6,
    flags_are_mutually_exclusive = 7,
    debit_account_id_must_not_be_zero = 8,
    debit_account_id_must_not_be_int_max = 9,
    credit_account_id_must_not_be_zero = 10,
    credit_account_id_must_not_be_int_max = 11,
    accounts_must_be_different = 12,
    pending_id_must_be_zero = 13,
    pending_id_must_not_be_zero = 14,
    pending_id_must_not_be_int_max = 15,
    pending_id_must_be_different = 16,
    timeout_reserved_for_pending_transfer = 17,
    closing_transfer_must_be_pending = 18,
    ledger_must_not_be_zero = 19,
    code_must_not_be_zero = 20,
    // The id is known.
    exists_with_different_flags = 21,
    exists_with_different_pending_id = 22,
    exists_with_different_timeout = 23,
    exists_with_different_debit_account_id = 24,
    exists_with_different_credit_account_id = 25,
    exists_with_different_amount = 26,
    exists_with_different_user_data_128 = 27,
    exists_with_different_user_data_64 = 28,
    exists_with_different_user_data_32 = 29,
    exists_with_different_ledger = 30,
    exists_with_different_code = 31,
    exists = 32,
    id_already_failed = 33,
    // The state of the ledger. These are remembered: the same event gets the same answer for ever.
    debit_account_not_found = 34,
    credit_account_not_found = 35,
    accounts_must_have_the_same_ledger = 36,
    transfer_must_have_the_same_ledger_as_accounts = 37,
    pending_transfer_not_found = 38,
    pending_transfer_not_pending = 39,
    pending_transfer_has_different_debit_account_id = 40,
    pending_transfer_has_different_credit_account_id = 41,
    pending_transfer_has_different_ledger = 42,
    pending_transfer_has_different_code = 43,
    exceeds_pending_transfer_amount = 44,
    pending_transfer_has_different_amount = 45,
    pending_transfer_already_posted = 46,
    pending_transfer_already_voided = 47,
    pending_transfer_expired = 48,
    debit_account_already_closed = 49,
    credit_account_already_closed = 50,
    debit_account_frozen = 51,
    credit_account_frozen = 52,
    overflows_debits_pending = 53,
    overflows_credits_pending = 54,
    overflows_debits_posted = 55,
    overflows_credits_posted = 56,
    overflows_debits = 57,
    overflows_credits = 58,
    overflows_timeout = 59,
    exceeds_credits = 60,
    exceeds_debits = 61,
};
inline constexpr std::uint32_t create_transfer_result_count = 62;

enum class SetAccountFlagsResult : std::uint32_t {
    ok = 0,                      // also when nothing had to change
    flag_cannot_be_changed = 1,  // only account_flags::frozen can
    set_and_clear_overlap = 2,
    account_not_found = 3,
};
inline constexpr std::uint32_t set_account_flags_result_count = 4;

// The stable name of a value, as spelled above; "unknown" for a number outside the enum. Static storage.
std::string_view name_of(CreateAccountResult result) noexcept;
std::string_view name_of(CreateTransferResult result) noexcept;
std::string_view name_of(SetAccountFlagsResult result) noexcept;
std::string_view name_of(PendingStatus status) noexcept;

}  // namespace jiaozi::ledger
