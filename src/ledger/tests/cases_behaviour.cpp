#include "cases.hpp"

namespace jiaozi::ledger::test {

std::vector<Case> behaviour_cases() {
    return {
        {"double_entry", R"(
account A1                                            -> ok
account A2                                            -> ok
transfer T1 A1>A2 100                                 -> ok
transfer T2 A2>A1 30                                  -> ok
transfer T3 A1>A2 0                                   -> ok
balance A1 debits 0+100 credits 0+30
balance A2 debits 0+30 credits 0+100
status T1 none
)"},
        {"authorize_and_capture", R"(
account A1 debits<=credits                            -> ok
account A2                                            -> ok
account A3                                            -> ok
transfer T1 A3>A1 100                                 -> ok
transfer T2 A1>A2 80 pending                          -> ok
balance A1 debits 80+0 credits 0+100
balance A2 debits 0+0 credits 80+0
status T2 pending
post T3 of T2 everything                              -> ok
balance A1 debits 0+80 credits 0+100
balance A2 debits 0+0 credits 0+80
status T2 posted
amount T3 80
)"},
        {"capture_of_a_part_releases_the_rest", R"(
account A1 debits<=credits                            -> ok
account A2                                            -> ok
transfer T1 A2>A1 100                                 -> ok
transfer T2 A1>A2 100 pending                         -> ok
post T3 of T2 60                                      -> ok
balance A1 debits 0+60 credits 0+100
transfer T4 A1>A2 40                                  -> ok
transfer T5 A1>A2 0 pending                           -> ok
post T6 of T5 everything                              -> ok
transfer T7 A2>A1 9 pending                           -> ok
post T8 of T7 0                                       -> ok    # of nothing: like a void
balance A1 debits 0+100 credits 0+100
)"},
        {"a_void_gives_everything_back", R"(
account A1 debits<=credits                            -> ok
account A2                                            -> ok
transfer T1 A2>A1 100                                 -> ok
transfer T2 A1>A2 100 pending                         -> ok
void T3 of T2                                         -> ok
amount T3 100
status T2 voided
balance A1 debits 0+0 credits 0+100
transfer T4 A1>A2 50 pending                          -> ok
void T5 of T4 50                                      -> ok
transfer T6 A1>A2 50 pending                          -> ok
void T7 of T6 everything                              -> ok
transfer T8 A1>A2 100                                 -> ok
)"},
        {"holds_run_out_in_the_order_of_their_time", R"(
account A1                                            -> ok
account A2                                            -> ok
transfer T1 A1>A2 1 pending timeout 90                -> ok
transfer T2 A1>A2 2 pending timeout 30                -> ok
transfer T3 A1>A2 4 pending                           -> ok
transfer T4 A1>A2 8 pending timeout 60                -> ok
transfer T5 A1>A2 16 pending timeout 60               -> ok
transfer T6 A1>A2 32 pending timeout 60               -> ok
void T7 of T5                                         -> ok
wait 29 -> nothing
balance A1 debits 47+0 credits 0+0
wait 1  -> T2
wait 30 -> T4 T6
wait 0  -> nothing
balance A1 debits 5+0 credits 0+0
wait 1000000 -> T1
status T1 expired
status T3 pending
balance A2 debits 0+0 credits 4+0
)"},
        {"balancing_sweeps_what_is_left", R"(
account A1 debits<=credits                            -> ok
account A2                                            -> ok
transfer T1 A2>A1 100                                 -> ok
transfer T2 A1>A2 30 pending                          -> ok
transfer T3 A1>A2 50 balancing-debit                  -> ok
transfer T4 A1>A2 50 balancing-debit                  -> ok
transfer T5 A1>A2 everything balancing-debit          -> ok
amount T3 50
amount T4 20
amount T5 0
balance A1 debits 30+70 credits 0+100
)"},
        {"balancing_pays_back_what_is_owed", R"(
account A1                                            -> ok
account A2                                            -> ok
account A3                                            -> ok
transfer T1 A1>A3 70                                  -> ok
transfer T2 A2>A1 20 pending                          -> ok
transfer T3 A2>A1 everything balancing-credit         -> ok
amount T3 50
transfer T4 A3>A2 10                                  -> ok
transfer T5 A3>A1 5 balancing-credit                  -> ok
amount T5 0
)"},
        {"balancing_both_sides_takes_the_smaller", R"(
account A1                                            -> ok
account A2                                            -> ok
account A3                                            -> ok
transfer T1 A3>A1 40                                  -> ok
transfer T2 A2>A3 25                                  -> ok
transfer T3 A1>A2 everything pending balancing-debit balancing-credit -> ok
amount T3 25
post T4 of T3 everything                              -> ok
amount T4 25
transfer T5 A1>A2 everything balancing-debit          -> ok
amount T5 15
transfer T6 A2>A1 3 balancing-debit                   -> ok
amount T6 3
)"},
        {"balancing_makes_an_amount_fit", R"(
account A1 debits<=credits                            -> ok
account A2                                            -> ok
account A3                                            -> ok
transfer T1 A2>A3 max-5                               -> ok
transfer T2 A2>A1 5                                   -> ok
transfer T3 A1>A3 everything balancing-debit          -> ok
amount T3 5
)"},
        {"closing_and_reopening", R"(
account A1                                            -> ok
account A2                                            -> ok
transfer T1 A2>A1 10                                  -> ok
transfer T2 A1>A2 everything pending balancing-debit closing-debit -> ok
closed A1
amount T2 10
void T3 of T2                                         -> ok
open A1
transfer T4 A1>A2 0 pending closing-debit closing-credit timeout 60 -> ok
closed A1
closed A2
wait 60 -> T4
open A1
open A2
transfer T5 A1>A2 1                                   -> ok
)"},
        {"closing_waits_for_no_other_hold", R"(
account A1                                            -> ok
account A2                                            -> ok
transfer T1 A1>A2 10 pending                          -> ok
transfer T2 A2>A1 0 pending closing-credit            -> ok
void T3 of T1                                         -> ok
closed A1                                                  # only its own transfer reopens it
void T4 of T2                                         -> ok
open A1
)"},
        {"account_flags", R"(
account A1 debits<=credits                            -> ok
account A2 frozen                                     -> ok
flags A1 set 32 clear 0                               -> flag_cannot_be_changed
flags A1 set 0 clear 2                                -> flag_cannot_be_changed
flags A9 set 24 clear 16                              -> flag_cannot_be_changed
flags A9 set 16 clear 16                              -> set_and_clear_overlap
flags A9 set 16 clear 0                               -> account_not_found
flags A1 set 0 clear 0                                -> ok
freeze A1                                             -> ok
freeze A1                                             -> ok
transfer T1 A2>A1 1                                   -> debit_account_frozen
unfreeze A2                                           -> ok
transfer T2 A2>A1 1                                   -> credit_account_frozen
unfreeze A1                                           -> ok
unfreeze A1                                           -> ok
transfer T3 A2>A1 1                                   -> ok
)"},
        {"a_payment_and_its_limit_in_one_chain", R"(
account A1 debits<=credits                            -> ok     # the wallet
account A2                                            -> ok     # the shop
account A3 debits<=credits ledger eur                 -> ok     # what today's limit still allows
account A4 ledger eur                                 -> ok
transfer T1 A2>A1 1000                                -> ok
transfer T2 A4>A3 150 ledger eur                      -> ok

transfer T3 A1>A2 100 linked pending timeout 60       -> ok
transfer T4 A3>A4 100 pending timeout 60 ledger eur   -> ok

transfer T5 A1>A2 100 linked pending timeout 60       -> linked_event_failed
transfer T6 A3>A4 100 pending timeout 60 ledger eur   -> exceeds_credits

balance A1 debits 100+0 credits 0+1000
balance A3 debits 100+0 credits 0+150
post T7 of T3 everything linked                       -> ok
post T8 of T4 everything                              -> ok

post T9 of T3 everything linked                       -> pending_transfer_already_posted
void T10 of T4                                        -> linked_event_failed
)"},
        {"a_broken_chain_undoes_resolutions", R"(
account A1 history                                    -> ok
account A2                                            -> ok
transfer T1 A1>A2 10 pending timeout 60               -> ok
transfer T2 A1>A2 20 pending timeout 30               -> ok
transfer T3 A2>A1 0 pending closing-credit timeout 90 -> ok

void T4 of T3 linked                                  -> linked_event_failed
post T5 of T1 5 linked                                -> linked_event_failed
void T6 of T2 linked                                  -> linked_event_failed
transfer T7 A1>A2 7 pending timeout 10 linked         -> linked_event_failed
transfer T8 A1>A9 7                                   -> credit_account_not_found

closed A1
status T1 pending
status T2 pending
status T3 pending
status T7 none
balance A1 debits 30+0 credits 0+0
wait 120 -> T2 T1 T3
)"},
        {"one_id_twice_in_a_chain", R"(
account A1                                            -> ok
account A2                                            -> ok
transfer T1 A1>A2 10                                  -> ok
transfer T2 A1>A2 10 linked                           -> ok
transfer T3 A1>A2 10                                  -> ok

transfer T2 A1>A2 10 linked                           -> exists      # a repeated chain: exists throughout
transfer T3 A1>A2 10                                  -> exists
)"},
    };
}

}  // namespace jiaozi::ledger::test
