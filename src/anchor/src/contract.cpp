#include <thread>

#include <jiaozi/anchor/contract.hpp>
#include <jiaozi/base/assert.hpp>

namespace jiaozi::anchor {
namespace {

// Keccak-256 of the signatures; functional.anchors calls them all in the contract as the compiler makes it.
constexpr Selector publish_selector = 0x4080e14e;  // publish(bytes32,uint64,bytes32)
constexpr Selector count_selector = 0xd185dd4e;    // count(address,bytes32)
constexpr Selector latest_selector = 0x68205bc3;   // latest(address,bytes32)
constexpr Selector entry_selector = 0xb852af4c;    // entry(address,bytes32,uint256)

constexpr std::uint64_t max_anchors = 100'000;

Result<EvmAnchor> decode_anchor(ByteView answer) {
    JZ_TRY(const auto words, decode_words(answer, 3));
    EvmAnchor anchor;
    anchor.root = words[0];
    JZ_TRY(anchor.size, decode_number(words[1]));
    JZ_TRY(anchor.time_s, decode_number(words[2]));
    return anchor;
}

}  // namespace

Word origin_word(std::string_view origin) {
    return crypto::sha256(as_bytes(origin));
}

Result<bool> follows(std::uint64_t last_size, const crypto::Digest& last_root, const proof::Checkpoint& checkpoint) {
    if (checkpoint.size > last_size) return true;
    if (checkpoint.size == last_size && checkpoint.root == last_root) return false;
    const std::string size = std::to_string(last_size);
    const std::string what = checkpoint.size == last_size
                                 ? "another root for the same " + size + " commands is anchored there (" +
                                       to_hex(last_root) + ", not " + to_hex(checkpoint.root) + ")"
                                 : size + " commands are anchored there, but the newest checkpoint here has only " +
                                       std::to_string(checkpoint.size);
    return Error(ErrorKind::conflict,
                 what +
                     ": the log was cut or forked, or this is another copy of it. Nothing was sent; see `jiaozi audit "
                     "--anchors`")
        .with_code("anchor_conflict");
}

Result<> AnchorList::require_contract() {
    JZ_TRY(const Bytes code, node_.code(contract_));
    if (!code.empty()) return {};
    return Error(ErrorKind::not_found, "there is no contract at " + contract_.to_string() +
                                           " on this chain; `jiaozi anchor deploy` makes one");
}

Result<std::optional<EvmAnchor>> AnchorList::latest(Block block) {
    JZ_CHECK(require_contract());
    JZ_TRY(const Bytes answer,
           node_.call(contract_, Call(latest_selector).address(publisher_).word(origin_).bytes(), block));
    JZ_TRY(const EvmAnchor anchor, decode_anchor(answer));
    return anchor.size == 0 ? std::nullopt : std::optional(anchor);
}

Result<std::vector<EvmAnchor>> AnchorList::all() {
    JZ_CHECK(require_contract());
    JZ_TRY(const Bytes answer, node_.call(contract_, Call(count_selector).address(publisher_).word(origin_).bytes()));
    JZ_TRY(const auto words, decode_words(answer, 1));
    JZ_TRY(const std::uint64_t count, decode_number(words[0]));
    if (count > max_anchors)
        return Error(ErrorKind::too_large, "the contract has over 100,000 anchors of this log, or says so");
    std::vector<EvmAnchor> anchors;
    for (std::uint64_t i = 0; i < count; ++i) {
        JZ_TRY(const Bytes one,
               node_.call(contract_, Call(entry_selector).address(publisher_).word(origin_).number(i).bytes()));
        JZ_TRY(anchors.emplace_back(), decode_anchor(one));
    }
    return anchors;
}

Result<AnchorList::Published> AnchorList::publish(const proof::Checkpoint& checkpoint, const Patience& patience) {
    const EvmAnchor wanted{checkpoint.size, checkpoint.root, 0};
    JZ_TRY(const auto last, latest());
    if (last) {
        JZ_TRY(const bool newer, follows(last->size, last->root, checkpoint));
        if (!newer) return Published{.already = true, .transaction = {}, .block = {}};
    }
    // What an earlier run has sent, and no block has yet. Some nodes don't tell; then the contract refuses the second.
    if (const auto pending = latest(Block::pending); pending.ok() && *pending) {
        JZ_TRY(const bool newer, follows((*pending)->size, (*pending)->root, checkpoint));
        if (!newer) return wait_until_there(wanted, patience);
    }
    const Bytes data = Call(publish_selector).word(origin_).number(checkpoint.size).word(checkpoint.root).bytes();
    JZ_TRY(const Word hash, node_.send({publisher_, contract_, data}));
    JZ_TRY(const TransactionReceipt receipt, node_.wait_for(hash, patience));
    // What counts is what readers see.
    JZ_TRY(const auto now, latest());
    if (!now || now->size != wanted.size || now->root != wanted.root) {
        return Error(ErrorKind::conflict, "the transaction " + hex_data(hash) +
                                              " is on the chain, but the contract's newest anchor is another one: "
                                              "does somebody else publish from this account?");
    }
    return Published{.already = false, .transaction = hash, .block = receipt.block};
}

Result<AnchorList::Published> AnchorList::wait_until_there(const EvmAnchor& wanted, const Patience& patience) {
    const auto deadline = std::chrono::steady_clock::now() + patience.limit;
    for (;;) {
        JZ_TRY(const auto now, latest());
        if (now && now->size == wanted.size && now->root == wanted.root)
            return Published{.already = true, .transaction = {}, .block = {}};
        if (patience.stop.stop_requested() || std::chrono::steady_clock::now() >= deadline)
            return Error(ErrorKind::timeout,
                         "an earlier transaction with this checkpoint waits for a block; nothing was sent");
        std::this_thread::sleep_for(patience.between);
    }
}

Result<Deployed> deploy_contract(EvmNode& node, const Address& from, const Patience& patience) {
    const auto code = from_hex(contract_code());
    JZ_ASSERT(code.ok());
    JZ_TRY(const Word hash, node.send({from, std::nullopt, *code}));
    JZ_TRY(const TransactionReceipt receipt, node.wait_for(hash, patience));
    if (!receipt.contract) return Error(ErrorKind::malformed, "the node's answer: the receipt names no contract");
    return Deployed{*receipt.contract, hash, receipt.block};
}

}  // namespace jiaozi::anchor
