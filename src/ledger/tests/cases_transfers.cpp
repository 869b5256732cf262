#include "cases.hpp"

namespace jiaozi::ledger::test {

std::vector<Case> transfer_cases() {
    return {
        {"the_event_by_itself", R"(
account A1                                            -> ok
account A2                                            -> ok
transfer T1 A1>A2 1 timestamp 1                       -> timestamp_must_be_zero
transfer T1 A1>A2 1 flag 256                          -> reserved_flag
transfer 0 A1>A2 1                                    -> id_must_not_be_zero
transfer max A1>A2 1                                  -> id_must_not_be_int_max
transfer T1 0>A2 1                                    -> debit_account_id_must_not_be_zero
transfer T1 max>A2 1                                  -> debit_account_id_must_not_be_int_max
transfer T1 A1>0 1                                    -> credit_account_id_must_not_be_zero
transfer T1 A1>max 1                                  -> credit_account_id_must_not_be_int_max
transfer T1 A1>A1 1                                   -> accounts_must_be_different
transfer T1 A1>A2 1 of T9                             -> pending_id_must_be_zero
transfer T1 A1>A2 1 timeout 60                        -> timeout_reserved_for_pending_transfer
transfer T1 A1>A2 1 closing-debit                     -> closing_transfer_must_be_pending
transfer T1 A1>A2 1 closing-credit                    -> closing_transfer_must_be_pending
transfer T1 A1>A2 1 ledger none                       -> ledger_must_not_be_zero
transfer T1 A1>A2 1 code 0                            -> code_must_not_be_zero
transfer T1 A1>A2 1                                   -> ok   # refused for its form, its id stayed free
)"},
        {"posts_and_voids_by_themselves", R"(
account A1                                            -> ok
account A2                                            -> ok
transfer T1 A1>A2 5 pending                           -> ok
post T2 of T1 5 void                                  -> flags_are_mutually_exclusive
post T2 of T1 5 pending                               -> flags_are_mutually_exclusive
void T2 of T1 pending                                 -> flags_are_mutually_exclusive
post T2 of T1 5 balancing-debit                       -> flags_are_mutually_exclusive
void T2 of T1 balancing-credit                        -> flags_are_mutually_exclusive
post T2 of T1 5 closing-debit                         -> flags_are_mutually_exclusive
void T2 of T1 closing-credit                          -> flags_are_mutually_exclusive
post T2 of 0 5                                        -> pending_id_must_not_be_zero
void T2 of max                                        -> pending_id_must_not_be_int_max
post T2 of T2 5                                       -> pending_id_must_be_different
post T2 of T1 5 timeout 60                            -> timeout_reserved_for_pending_transfer
post T2 of T1 5                                       -> ok
)"},
        {"the_lowest_number_wins", R"(
account A1                                            -> ok
account A2                                            -> ok
account A3 ledger eur frozen                          -> ok
account A4 frozen                                     -> ok
transfer 0 0>0 1 timestamp 1 flag 256                 -> timestamp_must_be_zero
transfer 0 0>0 1 flag 256                             -> reserved_flag
transfer 0 0>0 1 code 0                               -> id_must_not_be_zero
transfer max 0>0 1 post pending                       -> id_must_not_be_int_max
transfer T1 0>0 1 post pending                        -> flags_are_mutually_exclusive
transfer T1 0>0 1 code 0                              -> debit_account_id_must_not_be_zero
transfer T1 A1>0 1 code 0                             -> credit_account_id_must_not_be_zero
transfer T1 A1>A1 1 of T9 timeout 9 code 0            -> accounts_must_be_different
transfer T1 A1>A2 1 of T9 timeout 9 code 0            -> pending_id_must_be_zero
transfer T1 A1>A2 1 timeout 9 closing-debit code 0    -> timeout_reserved_for_pending_transfer
transfer T1 A1>A2 1 closing-debit ledger none code 0  -> closing_transfer_must_be_pending
transfer T1 A1>A2 1 ledger none code 0                -> ledger_must_not_be_zero
transfer T1 A1>A2 1                                   -> ok
transfer T1 A1>A2 2 code 0                            -> code_must_not_be_zero
transfer T1 A8>A9 2 data32 1                          -> exists_with_different_debit_account_id
transfer T2 A8>A9 1 ledger eur                        -> debit_account_not_found
transfer T3 A3>A9 1                                   -> credit_account_not_found
transfer T4 A3>A4 1                                   -> accounts_must_have_the_same_ledger
transfer T5 A1>A4 1 ledger eur                        -> transfer_must_have_the_same_ledger_as_accounts
transfer T6 A1>A4 max                                 -> credit_account_frozen
transfer T7 A4>A1 max                                 -> debit_account_frozen
)"},
        {"the_id_is_known", R"(
account A1                                                            -> ok
account A2                                                            -> ok
account A3                                                            -> ok
transfer T1 A1>A2 5 pending timeout 60 data128 7 data64 8 data32 9    -> ok
transfer T1 A1>A2 5 pending timeout 60 data128 7 data64 8 data32 9    -> exists
transfer T1 A1>A2 5                    data128 7 data64 8 data32 9    -> exists_with_different_flags
transfer T1 A1>A2 5 pending timeout 61 data128 7 data64 8 data32 9    -> exists_with_different_timeout
transfer T1 A3>A2 5 pending timeout 60 data128 7 data64 8 data32 9    -> exists_with_different_debit_account_id
transfer T1 A1>A3 5 pending timeout 60 data128 7 data64 8 data32 9    -> exists_with_different_credit_account_id
transfer T1 A1>A2 6 pending timeout 60 data128 7 data64 8 data32 9    -> exists_with_different_amount
transfer T1 A1>A2 5 pending timeout 60 data128 0 data64 8 data32 9    -> exists_with_different_user_data_128
transfer T1 A1>A2 5 pending timeout 60 data128 7 data64 0 data32 9    -> exists_with_different_user_data_64
transfer T1 A1>A2 5 pending timeout 60 data128 7 data64 8 data32 0    -> exists_with_different_user_data_32
transfer T1 A1>A2 5 pending timeout 60 data128 7 data64 8 data32 9 ledger eur -> exists_with_different_ledger
transfer T1 A1>A2 5 pending timeout 60 data128 7 data64 8 data32 9 code 2     -> exists_with_different_code
)"},
        {"the_id_of_a_post_is_known", R"(
account A1                                            -> ok
account A2                                            -> ok
transfer T1 A1>A2 5 pending data64 8                  -> ok
transfer T2 A1>A2 5 pending                           -> ok
post T3 of T1 everything                              -> ok
post T3 of T1 everything                              -> exists
post T3 of T1 5 accounts A1>A2 ledger cny code 1 data64 8 -> exists    # the same, spelled out
post T3 of T2 everything                              -> exists_with_different_pending_id
post T3 of T9 everything                              -> exists_with_different_pending_id
void T3 of T1                                         -> exists_with_different_flags
post T3 of T1 4                                       -> exists_with_different_amount
post T3 of T1 6                                       -> exists_with_different_amount
post T3 of T1 everything accounts A2>A1               -> exists_with_different_debit_account_id
post T3 of T1 everything data64 9                     -> exists_with_different_user_data_64
post T3 of T1 everything ledger eur                   -> exists_with_different_ledger
post T3 of T1 everything code 9                       -> exists_with_different_code
void T4 of T2                                         -> ok
void T4 of T2 5                                       -> exists
void T4 of T2 everything                              -> exists
void T4 of T2 4                                       -> exists_with_different_amount
)"},
        {"a_balancing_transfer_is_compared_by_its_ceiling", R"(
account A1 debits<=credits                            -> ok
account A2                                            -> ok
transfer T1 A2>A1 100                                 -> ok
transfer T2 A1>A2 500 balancing-debit                 -> ok
transfer T2 A1>A2 500 balancing-debit                 -> exists
transfer T2 A1>A2 100 balancing-debit                 -> exists_with_different_amount
transfer T2 A1>A2 everything balancing-debit          -> exists_with_different_amount

amount T2 100
)"},
        {"a_refusal_is_remembered", R"(
account A1 debits<=credits                            -> ok
account A2                                            -> ok
transfer T1 A1>A2 50                                  -> exceeds_credits
transfer T2 A2>A1 100                                 -> ok
transfer T1 A1>A2 50                                  -> exceeds_credits     # though by now it would fit
transfer T1 A1>A2 40                                  -> id_already_failed
transfer T1 A1>A2 50 data32 1                         -> id_already_failed
transfer T1 A1>A2 50 code 0                           -> code_must_not_be_zero
post T9 of T1 50                                      -> pending_transfer_not_found
transfer T3 A1>A2 50                                  -> ok                  # a new attempt has a new id
)"},
        {"accounts_and_ledgers", R"(
account A1                                            -> ok
account A2                                            -> ok
account A3 ledger eur                                 -> ok
account A4 ledger eur                                 -> ok
transfer T1 A9>A2 1                                   -> debit_account_not_found
transfer T2 A1>A9 1                                   -> credit_account_not_found
transfer T3 A1>A3 1                                   -> accounts_must_have_the_same_ledger
transfer T4 A1>A3 1 ledger eur                        -> accounts_must_have_the_same_ledger
transfer T5 A1>A2 1 ledger eur                        -> transfer_must_have_the_same_ledger_as_accounts
transfer T6 A3>A4 1 ledger eur                        -> ok

account A9                                            -> ok
transfer T1 A9>A2 1                                   -> debit_account_not_found
transfer T7 A9>A2 1                                   -> ok
)"},
        {"resolving_a_hold", R"(
account A1                                            -> ok
account A2                                            -> ok
account A3                                            -> ok
transfer T1 A1>A2 100 pending code 7                  -> ok
transfer T2 A1>A2 100                                 -> ok
post T10 of T9 1                                      -> pending_transfer_not_found
post T11 of T2 1                                      -> pending_transfer_not_pending
void T12 of T2                                        -> pending_transfer_not_pending
post T13 of T1 1 accounts A3>A2 ledger eur            -> pending_transfer_has_different_debit_account_id
post T14 of T1 1 accounts A1>A3 ledger eur            -> pending_transfer_has_different_credit_account_id
post T15 of T1 1 ledger eur code 8                    -> pending_transfer_has_different_ledger
post T16 of T1 101 code 8                             -> pending_transfer_has_different_code
post T17 of T1 101                                    -> exceeds_pending_transfer_amount
void T18 of T1 101                                    -> exceeds_pending_transfer_amount
void T19 of T1 99                                     -> pending_transfer_has_different_amount
post T20 of T1 99                                     -> ok
post T21 of T1 1                                      -> pending_transfer_already_posted
void T22 of T1                                        -> pending_transfer_already_posted
void T23 of T1 1                                      -> pending_transfer_has_different_amount
post T24 of T20 1                                     -> pending_transfer_not_pending
transfer T3 A1>A2 100 pending                         -> ok
void T25 of T3                                        -> ok
post T26 of T3 1                                      -> pending_transfer_already_voided
void T27 of T3                                        -> pending_transfer_already_voided
)"},
        {"a_hold_that_ran_out", R"(
account A1                                            -> ok
account A2                                            -> ok
transfer T1 A1>A2 100 pending timeout 60              -> ok
transfer T2 A1>A2 100 pending timeout 60              -> ok
pause 61
post T3 of T1 1                                       -> pending_transfer_expired   # even before expire() is called
void T4 of T2                                         -> pending_transfer_expired
balance A1 debits 200+0 credits 0+0
wait 0                                                -> T1 T2
balance A1 debits 0+0 credits 0+0
post T5 of T1 1                                       -> pending_transfer_expired
freeze A1                                             -> ok
post T6 of T2 1                                       -> pending_transfer_expired   # not debit_account_frozen
)"},
        {"closed_accounts", R"(
account A1                                            -> ok
account A2                                            -> ok
account A3                                            -> ok
transfer T1 A1>A2 10 pending                          -> ok
transfer T2 A3>A1 10 pending                          -> ok
transfer T3 A1>A2 0 pending closing-debit             -> ok
transfer T4 A1>A2 5                                   -> debit_account_already_closed
transfer T5 A2>A1 5                                   -> credit_account_already_closed
post T6 of T1 5                                       -> debit_account_already_closed
post T7 of T2 5                                       -> credit_account_already_closed
post T8 of T3 0                                       -> debit_account_already_closed   # closing is not posted
transfer T9 A1>A2 0 pending closing-debit             -> debit_account_already_closed
void T10 of T1                                        -> ok
freeze A1                                             -> ok
transfer T11 A1>A2 5                                  -> debit_account_already_closed   # rather than frozen
)"},
        {"frozen_accounts", R"(
account A1                                            -> ok
account A2                                            -> ok
account A3                                            -> ok
transfer T1 A1>A2 10 pending                          -> ok
transfer T2 A3>A1 10 pending timeout 60               -> ok
transfer T3 A2>A1 10 pending                          -> ok
freeze A1                                             -> ok
transfer T4 A1>A2 5                                   -> debit_account_frozen
transfer T5 A2>A1 5                                   -> credit_account_frozen
transfer T6 A1>A2 5 pending                           -> debit_account_frozen
post T7 of T1 5                                       -> debit_account_frozen
post T8 of T3 5                                       -> credit_account_frozen
void T9 of T1                                         -> ok
wait 61                                               -> T2
unfreeze A1                                           -> ok
transfer T4 A1>A2 5                                   -> debit_account_frozen           # remembered
transfer T10 A1>A2 5                                  -> ok
post T11 of T3 5                                      -> ok
)"},
        {"nothing_wraps", R"(
account A1                                            -> ok
account A2                                            -> ok
account A3                                            -> ok
account A4                                            -> ok
transfer T1 A1>A2 max-10 pending                      -> ok
transfer T2 A1>A3 11 pending                          -> overflows_debits_pending
transfer T3 A3>A2 11 pending                          -> overflows_credits_pending
transfer T4 A1>A3 11                                  -> overflows_debits
transfer T5 A3>A2 11                                  -> overflows_credits
transfer T6 A1>A2 10 pending                          -> ok
void T7 of T1                                         -> ok
void T8 of T6                                         -> ok
transfer T9 A1>A2 max-10                              -> ok
transfer T10 A1>A3 11                                 -> overflows_debits_posted
transfer T11 A3>A2 11                                 -> overflows_credits_posted
transfer T12 A1>A3 11 pending                         -> overflows_debits_posted
transfer T13 A3>A2 11 pending                         -> overflows_credits_posted
transfer T14 A1>A3 5 pending                          -> ok
transfer T15 A1>A3 6                                  -> overflows_debits
transfer T16 A1>A2 10                                 -> overflows_debits
transfer T17 A3>A2 10                                 -> ok
transfer T18 A3>A2 1                                  -> overflows_credits_posted
transfer T19 A4>A2 0                                  -> ok
)"},
        {"a_timeout_that_does_not_fit", R"(
account A1                                            -> ok
account A2                                            -> ok
pause 14500000000
transfer T1 A1>A2 1 pending timeout 4294967295        -> overflows_timeout
transfer T2 A1>A2 max pending timeout 4294967295      -> overflows_timeout
transfer T3 A1>A2 1 pending timeout 60                -> ok
)"},
        {"limits", R"(
account A1 debits<=credits                            -> ok     # a wallet
account A2 credits<=debits                            -> ok     # a funding source
account A3                                            -> ok
transfer T1 A2>A1 100                                 -> ok
transfer T2 A1>A3 101                                 -> exceeds_credits
transfer T3 A1>A3 60 pending                          -> ok
transfer T4 A1>A3 41                                  -> exceeds_credits   # what is held is not there to spend
transfer T5 A1>A3 41 pending                          -> exceeds_credits
transfer T6 A1>A3 40                                  -> ok
transfer T7 A3>A2 101                                 -> exceeds_debits
transfer T8 A3>A2 60 pending                          -> ok
transfer T9 A3>A2 41                                  -> exceeds_debits
transfer T10 A3>A1 50 pending                         -> ok
transfer T11 A1>A3 1                                  -> exceeds_credits   # what is on its way is not there either
transfer T12 A1>A2 200                                -> exceeds_credits   # rather than exceeds_debits
)"},
        {"chains_all_or_nothing", R"(
account A1 debits<=credits history                    -> ok
account A2 history                                    -> ok
transfer T1 A2>A1 100                                 -> ok

transfer T2 A1>A2 30 linked                           -> linked_event_failed
transfer T3 A1>A2 30 linked pending timeout 60        -> linked_event_failed
transfer T4 A1>A2 50 linked                           -> exceeds_credits
transfer T5 A1>A2 1 linked                            -> linked_event_failed
transfer T6 A1>A2 1                                   -> linked_event_failed
transfer T7 A1>A2 100                                 -> ok      # what the chain did is undone

unknown T2
unknown T6
balance A1 debits 0+100 credits 0+100
transfer T6 A1>A2 1                                   -> linked_event_failed   # it is remembered for each
transfer T6 A1>A2 2                                   -> id_already_failed
wait 100 -> nothing
)"},
        {"members_after_the_break", R"(
account A1 debits<=credits                            -> ok
account A2                                            -> ok
transfer T1 A2>A1 100                                 -> ok

transfer T2 A1>A2 500 linked                          -> exceeds_credits
transfer T3 A1>A2 1 linked code 0                     -> code_must_not_be_zero    # checked by itself
transfer T1 A2>A1 100 linked                          -> exists_with_different_flags  # and looked up
transfer T2 A1>A2 5 linked                            -> id_already_failed
transfer T4 A1>A2 500                                 -> linked_event_failed      # but not judged
transfer T5 A1>A2 5                                   -> ok

transfer T6 A1>A2 1 linked                            -> linked_event_failed
transfer T1 A2>A1 100                                 -> exists                   # so the chain did not succeed
transfer T7 A1>A2 1 linked                            -> linked_event_failed
transfer T8 A1>A2 1 linked code 0                     -> code_must_not_be_zero
transfer T9 A1>A2 1                                   -> linked_event_failed
)"},
        {"an_open_chain", R"(
account A1                                            -> ok
account A2                                            -> ok
transfer T1 A1>A2 1 linked                            -> linked_event_failed
transfer T2 A1>A2 1 linked                            -> linked_event_chain_open

transfer T3 A1>A2 1 linked code 0                     -> linked_event_chain_open   # whatever else is wrong

transfer T2 A1>A2 1 linked                            -> ok                        # it was not remembered
transfer T4 A1>A2 1                                   -> ok

transfer T5 A9>A2 1 linked                            -> debit_account_not_found
transfer T6 A1>A2 1 linked                            -> linked_event_chain_open
)"},
    };
}

}  // namespace jiaozi::ledger::test
