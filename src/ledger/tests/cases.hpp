// The scripts of the table tests, by subject.
#pragma once

#include <string>
#include <vector>

namespace jiaozi::ledger::test {

struct Case {
    const char* name;
    const char* script;
};

std::vector<Case> account_cases();    // refusals of accounts: cases_accounts.cpp
std::vector<Case> transfer_cases();   // refusals of transfers: cases_transfers.cpp
std::vector<Case> behaviour_cases();  // what accepted events do: cases_behaviour.cpp

}  // namespace jiaozi::ledger::test
