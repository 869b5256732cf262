// What must be true of every ledger after every batch, as small checkers that know nothing of how the ledger works:
// they recompute from the stored transfers and compare. For tests, simulation and audits; each costs a pass over all.
// Thread-safe as far as nobody changes the ledger meanwhile.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <jiaozi/ledger/ledger.hpp>

namespace jiaozi::ledger {

struct Violation {
    std::string_view checker;
    std::string detail;  // which account or transfer, and what is wrong with it
};

struct Checker {
    std::string_view name;
    void (*check)(const Ledger& ledger, std::string_view name, std::vector<Violation>& violations);
};

// In the order of docs/ledger.md, "Invariants". Static storage.
std::span<const Checker> invariant_checkers();

// Runs all of them; empty when all is well.
std::vector<Violation> check_invariants(const Ledger& ledger);

}  // namespace jiaozi::ledger
