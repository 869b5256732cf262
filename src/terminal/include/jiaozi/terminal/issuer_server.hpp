// The issuer's server over its HTTP interface (docs/openapi.yaml, tag purses): enrolment, loads, deposits, syncs, loss.
// Every call may be repeated after any failure: a load by its key, everything else by what it is. Blocking; one thread.
#pragma once

#include <span>
#include <string>
#include <vector>

#include <jiaozi/client/http_client.hpp>
#include <jiaozi/terminal/purse_folder.hpp>

namespace jiaozi::terminal {

class IssuerServer {
  public:
    explicit IssuerServer(client::HttpClient client) : client_(std::move(client)) {}

    // Enrols the purse's key for the wallet (or finds it enrolled) and takes over the issuer's keys. `issuers` that are
    // given must be among the server's: then it is not the connection that is trusted, but whoever gave them. `device`
    // may sync it by errands; empty: none.
    Result<void> enrol(PurseFolder& folder, const std::string& wallet, const std::vector<IssuerKey>& issuers = {},
                       const std::string& device = {});
    // Sets `amount` of the wallet aside and loads it. `key` names the load: repeated after a crash it moves nothing
    // more.
    Result<void> load(PurseFolder& folder, std::uint64_t amount, const std::string& asset, const std::string& key);

    struct Synced {
        std::size_t deposited = 0;         // items handed in
        std::vector<std::string> refused;  // reasons of those that were not settled
        std::uint32_t list_version = 0;
        std::size_t carried = 0;           // sealed deposits of others that were handed in, and are forgotten
        bool two_lists = false;            // an alarm was handed in: this issuer signed two lists with one version
        std::vector<std::string> put_off;  // favours that could not be done now, and why
    };
    // Hands in what was received and voided, takes the acknowledgement and the newest blacklist. Then what it carries
    // for others, and an alarm about the issuer: whatever becomes of these, the sync stands.
    Result<Synced> sync(PurseFolder& folder);
    // On the blacklist for good, and this purse says nothing more.
    Result<void> lost(std::uint32_t purse);

  private:
    struct Answer;
    Result<Answer> send(const std::string& method, const std::string& path, const std::string& body,
                        const std::string& key, std::string_view doing);
    Result<void> deposit(std::uint32_t purse, const std::vector<Bytes>& items, Synced& synced);
    Result<void> take_list(PurseFolder& folder, Synced& synced);
    Result<void> learn_deposit_key(PurseFolder& folder);
    Result<std::size_t> hand_in_carried(purse_host::HostPurse& purse);
    Result<void> hand_in(std::span<const Bytes> sealed);
    Result<bool> hand_in_alarm(purse_host::HostPurse& purse);

    client::HttpClient client_;
};

}  // namespace jiaozi::terminal
