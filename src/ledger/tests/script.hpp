// Ledger tests as scripts that a person who knows payments, but not C++, can read and write. One statement a line:
//
//   account A1 debits<=credits history -> ok        a wallet that may not be overdrawn, with history
//   transfer T1 A1>A2 100 pending timeout 60 -> ok  hold 100 for a minute
//   post T2 of T1 40 -> ok                          capture 40 of it (`everything`: all of it)
//   void T3 of T1 -> pending_transfer_already_posted
//   freeze A1 -> ok          unfreeze A1 -> ok      flags A1 set 16 clear 0 -> ok
//   wait 60 -> T1            time passes; the holds named run out (none: `-> nothing`)
//   pause 60                 time passes, but nobody asks the ledger to expire anything
//   balance A1 debits 60+40 credits 0+1000          pending + posted
//   status T1 posted         amount T1 40           stored T1 / unknown T1
//   open A1                  closed A1
//
// Account lines that follow each other are one batch, and so are transfer, post and void lines; an empty line ends a
// batch. Words after the amount: linked pending timeout N code N ledger N data128 N data64 N data32 N balancing-debit
// balancing-credit closing-debit closing-credit flag N (raw bits) timestamp N of T (pending id) accounts A>A; for
// accounts also reserved N, closed, frozen and the names of the balances. Names are a letter and a number, or `0`, or
// `max`. Ledgers: cny (the default), eur, none. Amounts: digits, max, max-N, everything.
//
// After every statement the invariants are checked; at the end all batches are sent again, and every event must be
// answered as before (`exists` where that was `ok`).
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace jiaozi::ledger::test {

// Runs a script against a new ledger and reports differences as GoogleTest failures with the line.
void run_script(std::string_view script);

// The results that the script's account, or transfer, post and void lines expect.
std::set<std::string> expected_account_results(std::string_view script);
std::set<std::string> expected_transfer_results(std::string_view script);

}  // namespace jiaozi::ledger::test
