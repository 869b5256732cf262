#include "cases.hpp"

namespace jiaozi::ledger::test {

std::vector<Case> account_cases() {
    return {
        {"the_event_by_itself", R"(
account A1 timestamp 1                    -> timestamp_must_be_zero
account A1 reserved 1                     -> reserved_field
account A1 flag 64                        -> reserved_flag
account A1 flag 32768                     -> reserved_flag
account A1 closed                         -> closed_flag_must_not_be_set
account 0                                 -> id_must_not_be_zero
account max                               -> id_must_not_be_int_max
account A1 debits<=credits credits<=debits -> flags_are_mutually_exclusive
account A1 debits_pending 1               -> debits_pending_must_be_zero
account A1 debits_posted 1                -> debits_posted_must_be_zero
account A1 credits_pending 1              -> credits_pending_must_be_zero
account A1 credits_posted 1               -> credits_posted_must_be_zero
account A1 ledger none                    -> ledger_must_not_be_zero
account A1 code 0                         -> code_must_not_be_zero
account A1                                -> ok    # a refused id is free
)"},
        {"the_lowest_number_wins", R"(
account 0 timestamp 1 reserved 1 closed code 0   -> timestamp_must_be_zero
account 0 reserved 1 flag 64 closed code 0       -> reserved_field
account 0 flag 64 closed code 0                  -> reserved_flag
account 0 closed code 0                          -> closed_flag_must_not_be_set
account 0 debits<=credits credits<=debits code 0 -> id_must_not_be_zero
account A1 debits_posted 1 ledger none code 0    -> debits_posted_must_be_zero
account A1 ledger none code 0                    -> ledger_must_not_be_zero
account A1                                       -> ok
account A1 code 0                                -> code_must_not_be_zero   # not exists_with_different_code
account A1 history data64 1 code 2               -> exists_with_different_flags
account A1 data64 1 code 2                       -> exists_with_different_user_data_64
)"},
        {"the_id_is_known", R"(
account A1 history data128 7 data64 8 data32 9 code 10 ledger eur -> ok
account A1 history data128 7 data64 8 data32 9 code 10 ledger eur -> exists
account A1         data128 7 data64 8 data32 9 code 10 ledger eur -> exists_with_different_flags
account A1 history data128 0 data64 8 data32 9 code 10 ledger eur -> exists_with_different_user_data_128
account A1 history data128 7 data64 0 data32 9 code 10 ledger eur -> exists_with_different_user_data_64
account A1 history data128 7 data64 8 data32 0 code 10 ledger eur -> exists_with_different_user_data_32
account A1 history data128 7 data64 8 data32 9 code 10 ledger cny -> exists_with_different_ledger
account A1 history data128 7 data64 8 data32 9 code 11 ledger eur -> exists_with_different_code
)"},
        {"frozen_and_closed_are_no_difference", R"(
account A1                               -> ok
account A2 frozen                        -> ok
freeze A1                                -> ok
account A1                               -> exists
account A1 frozen                        -> exists
account A2                               -> exists
account A3                               -> ok
account A4                               -> ok
transfer T1 A3>A4 0 pending closing-debit -> ok
account A3                               -> exists
)"},
        {"a_chain_is_created_together_or_not_at_all", R"(
account A1 linked       -> linked_event_failed
account A2 linked       -> linked_event_failed
account A3 code 0       -> code_must_not_be_zero
account A4              -> ok

missing A1
missing A2

account A1 linked       -> ok
account A2 linked history -> ok
account A3              -> ok
)"},
        {"members_after_the_break", R"(
account A9              -> ok
account A1 linked       -> linked_event_failed
account A2 linked code 0 -> code_must_not_be_zero
account A9 linked       -> exists_with_different_flags
account A3              -> linked_event_failed
account A4              -> ok

missing A3
)"},
        {"an_open_chain", R"(
account A1 linked       -> linked_event_failed
account A2 linked       -> linked_event_chain_open

account A1 linked code 0 -> linked_event_chain_open  # whatever else is wrong

account A1              -> ok
)"},
    };
}

}  // namespace jiaozi::ledger::test
