// A node of an EVM chain, asked over JSON-RPC. It holds the keys, or a signer behind it does: a transaction is sent
// with eth_sendTransaction, from an account that the node says it can sign for. We hold no keys of a chain.
//
// Blocking; not thread-safe. What a node says is believed of the chain: run one, or ask one that is not the log
// keeper's.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <jiaozi/anchor/abi.hpp>
#include <jiaozi/base/clock.hpp>
#include <jiaozi/base/result.hpp>

namespace jiaozi::anchor {

// Sends the body of a request, and gives that of the answer.
using Transport = std::function<Result<std::string>(const std::string& request)>;
// By HTTP POST. Errors: invalid when the URL is not http:// or https://; later unavailable, timeout. No message has
// more of the URL than its host, because providers put their keys into the path. `stop` ends a request early.
Result<Transport> http_transport(const std::string& url, Duration timeout, std::stop_token stop = {});

enum class Block : std::uint8_t {
    latest,
    pending,  // with what the node has but no block has yet
};

struct Transaction {
    Address from;
    std::optional<Address> to;  // none: makes a contract
    Bytes data;
};

struct TransactionReceipt {
    std::uint64_t block = 0;
    bool succeeded = false;
    std::optional<Address> contract;  // that was made
};

// How long a transaction is waited for.
struct Patience {
    std::uint64_t confirmations = 1;  // blocks, its own counted
    std::chrono::milliseconds limit{120'000};
    std::chrono::milliseconds between{500};
    std::stop_token stop = {};  // ends the waiting as if the time had run out
};

class EvmNode {
  public:
    explicit EvmNode(Transport transport) : transport_(std::move(transport)) {}

    Result<std::uint64_t> chain_id();
    Result<std::uint64_t> block_number();
    Result<Bytes> code(const Address& address);
    Result<Bytes> call(const Address& to, const Bytes& data, Block block = Block::latest);
    // Its hash. Not sent twice by us: after Error timeout it may or may not be on its way.
    Result<Word> send(const Transaction& transaction);
    // None while no block has it.
    Result<std::optional<TransactionReceipt>> receipt(const Word& transaction);
    // Error timeout with the transaction's hash; declined when it failed on the chain.
    Result<TransactionReceipt> wait_for(const Word& transaction, const Patience& patience);

  private:
    Result<boost::json::value> ask(std::string_view method, boost::json::array parameters);

    Transport transport_;
    std::uint64_t last_id_ = 0;
};

}  // namespace jiaozi::anchor
