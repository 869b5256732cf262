// The torn-tap campaign: random payments between a few purses over the real code, with messages lost, doubled, torn and
// bent, power cut at every kind of write, voids, cancellations, restarts, restored backups and syncs; and an auditor
// who has seen everything that was ever said. Everything follows from the seed.
#pragma once

#include <cstdint>
#include <string>

namespace jiaozi::purse_host {

struct CampaignOptions {
    std::uint64_t seed = 1;
    std::uint64_t payments = 10'000;
    std::uint32_t purses = 4;
    // Per thousand payments.
    std::uint32_t faults = 300;   // of a message or of power
    std::uint32_t restores = 10;  // a backup is put back
};

struct CampaignResult {
    std::uint64_t payments = 0;   // attempted
    std::uint64_t completed = 0;  // the payer has the receipt
    std::uint64_t torn = 0;       // a message lost, cut short or bent
    std::uint64_t power_cuts = 0;
    std::uint64_t voids = 0;
    std::uint64_t restores = 0;
    std::uint64_t suspects = 0;  // restored backups that were noticed; the others were up to date
    std::uint64_t syncs = 0;
    std::uint64_t notes = 0;    // different ones seen by the auditor
    std::uint64_t broken = 0;   // invariants
    std::uint64_t accused = 0;  // honest purses with a proof against them
    std::string first_break;    // what and at which payment; empty when none
};

CampaignResult run_campaign(const CampaignOptions& options);

}  // namespace jiaozi::purse_host
