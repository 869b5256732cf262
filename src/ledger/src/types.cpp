#include <array>

#include <jiaozi/ledger/types.hpp>

namespace jiaozi::ledger {
namespace {

constexpr std::array<std::string_view, create_account_result_count> account_names{
    "ok",
    "linked_event_failed",
    "linked_event_chain_open",
    "timestamp_must_be_zero",
    "reserved_field",
    "reserved_flag",
    "closed_flag_must_not_be_set",
    "id_must_not_be_zero",
    "id_must_not_be_int_max",
    "flags_are_mutually_exclusive",
    "debits_pending_must_be_zero",
    "debits_posted_must_be_zero",
    "credits_pending_must_be_zero",
    "credits_posted_must_be_zero",
    "ledger_must_not_be_zero",
    "code_must_not_be_zero",
    "exists_with_different_flags",
    "exists_with_different_user_data_128",
    "exists_with_different_user_data_64",
    "exists_with_different_user_data_32",
    "exists_with_different_ledger",
    "exists_with_different_code",
    "exists",
};
static_assert(static_cast<std::uint32_t>(CreateAccountResult::exists) + 1 == create_account_result_count);
static_assert(account_names.back() == "exists");

constexpr std::array<std::string_view, create_transfer_result_count> transfer_names{
    "ok",
    "linked_event_failed",
    "linked_event_chain_open",
    "timestamp_must_be_zero",
    "reserved_flag",
    "id_must_not_be_zero",
    "id_must_not_be_int_max",
    "flags_are_mutually_exclusive",
    "debit_account_id_must_not_be_zero",
    "debit_account_id_must_not_be_int_max",
    "credit_account_id_must_not_be_zero",
    "credit_account_id_must_not_be_int_max",
    "accounts_must_be_different",
    "pending_id_must_be_zero",
    "pending_id_must_not_be_zero",
    "pending_id_must_not_be_int_max",
    "pending_id_must_be_different",
    "timeout_reserved_for_pending_transfer",
    "closing_transfer_must_be_pending",
    "ledger_must_not_be_zero",
    "code_must_not_be_zero",
    "exists_with_different_flags",
    "exists_with_different_pending_id",
    "exists_with_different_timeout",
    "exists_with_different_debit_account_id",
    "exists_with_different_credit_account_id",
    "exists_with_different_amount",
    "exists_with_different_user_data_128",
    "exists_with_different_user_data_64",
    "exists_with_different_user_data_32",
    "exists_with_different_ledger",
    "exists_with_different_code",
    "exists",
    "id_already_failed",
    "debit_account_not_found",
    "credit_account_not_found",
    "accounts_must_have_the_same_ledger",
    "transfer_must_have_the_same_ledger_as_accounts",
    "pending_transfer_not_found",
    "pending_transfer_not_pending",
    "pending_transfer_has_different_debit_account_id",
    "pending_transfer_has_different_credit_account_id",
    "pending_transfer_has_different_ledger",
    "pending_transfer_has_different_code",
    "exceeds_pending_transfer_amount",
    "pending_transfer_has_different_amount",
    "pending_transfer_already_posted",
    "pending_transfer_already_voided",
    "pending_transfer_expired",
    "debit_account_already_closed",
    "credit_account_already_closed",
    "debit_account_frozen",
    "credit_account_frozen",
    "overflows_debits_pending",
    "overflows_credits_pending",
    "overflows_debits_posted",
    "overflows_credits_posted",
    "overflows_debits",
    "overflows_credits",
    "overflows_timeout",
    "exceeds_credits",
    "exceeds_debits",
};
static_assert(static_cast<std::uint32_t>(CreateTransferResult::exceeds_debits) + 1 == create_transfer_result_count);
static_assert(transfer_names.back() == "exceeds_debits");
static_assert(transfer_names[static_cast<std::size_t>(CreateTransferResult::id_already_failed)] == "id_already_failed");

constexpr std::array<std::string_view, set_account_flags_result_count> flags_names{
    "ok", "flag_cannot_be_changed", "set_and_clear_overlap", "account_not_found"};
constexpr std::array<std::string_view, 5> status_names{"none", "pending", "posted", "voided", "expired"};

template <class Enum, std::size_t size>
constexpr std::string_view look_up(const std::array<std::string_view, size>& names, Enum value) noexcept {
    const auto index = static_cast<std::size_t>(value);
    return index < size ? names[index] : std::string_view("unknown");
}

}  // namespace

std::string_view name_of(CreateAccountResult result) noexcept {
    return look_up(account_names, result);
}
std::string_view name_of(CreateTransferResult result) noexcept {
    return look_up(transfer_names, result);
}
std::string_view name_of(SetAccountFlagsResult result) noexcept {
    return look_up(flags_names, result);
}
std::string_view name_of(PendingStatus status) noexcept {
    return look_up(status_names, status);
}

}  // namespace jiaozi::ledger
