// What two purses do for each other once a payment is over (docs/protocol/offline.md, 9): GOSSIP, and deposits as MULE
// messages that the other one carries to the issuer. Nothing of it moves value or changes a payment: a failure ends it,
// and nobody need hear of it.
//
// A deposit is given to three mules at most (docs/adr/0029-a-mule-carries-48.md); how often stands in a file, so that
// a machine's regulars do not fill up with the same. One thread at a time; what is passed in outlives it. Errors: those
// of open_deals.hpp.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <jiaozi/carriers/link.hpp>
#include <jiaozi/purse_host/platform.hpp>

namespace jiaozi::terminal {

class Favours {
  public:
    static constexpr unsigned copies = 3;
    static constexpr std::size_t most_a_meeting = 16;

    // `deposit_key`: the issuer's, 32 bytes; with another size nothing is given out. `book`: the file.
    Favours(purse_host::HostPurse& purse, ByteView deposit_key, std::filesystem::path book)
        : purse_(purse), deposit_key_(to_bytes(deposit_key)), book_(std::move(book)) {}

    // For a peer that is here: MULE messages, remembered as given before they are returned.
    Result<std::vector<Bytes>> give();
    // The payer's part once it has paid: says what it knows and gives what it has, and takes what comes until the payee
    // is silent or gone.
    void keep_company(carriers::Link& link);

  private:
    purse_host::HostPurse& purse_;
    Bytes deposit_key_;
    std::filesystem::path book_;
};

}  // namespace jiaozi::terminal
