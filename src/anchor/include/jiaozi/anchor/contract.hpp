// The contract contracts/CheckpointAnchor.sol: a list of (size, root) for each publisher and log, on an EVM chain.
//
// Blocking; not thread-safe. Errors: the node's; malformed when what answers is not this contract.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <jiaozi/anchor/evm_node.hpp>
#include <jiaozi/proof/note.hpp>

namespace jiaozi::anchor {

// Creation code, hexadecimal, as solc 0.8.37 makes it with the settings of tests/anchors/compile.cjs.
std::string_view contract_code() noexcept;

struct EvmAnchor {
    std::uint64_t size = 0;
    crypto::Digest root{};
    std::uint64_t time_s = 0;  // of the block, since 1970
    bool operator==(const EvmAnchor&) const = default;
};

// How the contract names a log: SHA-256 of its origin.
Word origin_word(std::string_view origin);

// One publisher's list of one log.
class AnchorList {
  public:
    // The node outlives this.
    AnchorList(EvmNode& node, const Address& contract, const Address& publisher, std::string_view origin)
        : node_(node), contract_(contract), publisher_(publisher), origin_(origin_word(origin)) {}

    // None: the list is empty. Error not_found: there is no contract at the address.
    Result<std::optional<EvmAnchor>> latest(Block block = Block::latest);
    // All of it, oldest first. Error too_large above 100,000.
    Result<std::vector<EvmAnchor>> all();

    struct Published {
        bool already = false;             // it was there
        std::optional<Word> transaction;  // ours
        std::optional<std::uint64_t> block;
    };
    // Returns once the chain has it. Error conflict: the list has a larger size, or another root of this size: the log
    // was cut or forked, or this is not its data.
    Result<Published> publish(const proof::Checkpoint& checkpoint, const Patience& patience);

  private:
    Result<> require_contract();
    Result<Published> wait_until_there(const EvmAnchor& wanted, const Patience& patience);

    EvmNode& node_;
    Address contract_;
    Address publisher_;
    Word origin_;
};

struct Deployed {
    Address contract;
    Word transaction{};
    std::uint64_t block = 0;
};
Result<Deployed> deploy_contract(EvmNode& node, const Address& from, const Patience& patience);

// Whether a checkpoint may follow what a place has last. True: it is newer. False: it is there already. Error conflict
// otherwise.
Result<bool> follows(std::uint64_t last_size, const crypto::Digest& last_root, const proof::Checkpoint& checkpoint);

}  // namespace jiaozi::anchor
