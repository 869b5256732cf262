#include <algorithm>
#include <memory>
#include <thread>

#include <boost/json.hpp>

#include <jiaozi/anchor/evm_node.hpp>
#include <jiaozi/anchor/json_rpc.hpp>

#include "url.hpp"

namespace jiaozi::anchor {
namespace {

namespace json = boost::json;

Error malformed(const std::string& what) {
    return Error(ErrorKind::malformed, "the node's answer: " + what);
}

const char* name_of(Block block) {
    return block == Block::latest ? "latest" : "pending";
}

Result<TransactionReceipt> parse_receipt(const json::object& fields) {
    const json::value* block = fields.if_contains("blockNumber");
    const json::value* status = fields.if_contains("status");
    const json::value* contract = fields.if_contains("contractAddress");
    if (block == nullptr || status == nullptr) return malformed("a receipt has a blockNumber and a status");
    TransactionReceipt receipt;
    JZ_TRY(receipt.block, rpc_quantity(*block));
    JZ_TRY(const std::uint64_t succeeded, rpc_quantity(*status));
    if (succeeded > 1) return malformed("a receipt's status is 0x0 or 0x1");
    receipt.succeeded = succeeded == 1;
    if (contract != nullptr && !contract->is_null()) {
        const json::string* text = contract->if_string();
        const auto address = Address::parse(text != nullptr ? std::string_view(*text) : std::string_view());
        if (!address.ok()) return malformed("a receipt's contractAddress is an address");
        receipt.contract = *address;
    }
    return receipt;
}

}  // namespace

Result<Transport> http_transport(const std::string& url, Duration timeout, std::stop_token stop) {
    JZ_TRY(UrlClient opened, UrlClient::open(url, timeout, max_answer_bytes, std::move(stop)));
    auto client = std::make_shared<UrlClient>(std::move(opened));
    return Transport([client](const std::string& request) -> Result<std::string> {
        JZ_TRY(client::Response response, client->send("POST", request, "application/json"));
        // Some nodes give a status of 400 or 500 to an answer that is an error in JSON.
        if (response.status == 200 || response.content_type.starts_with("application/json"))
            return std::move(response.body);
        return client->refused(response.status);
    });
}

Result<json::value> EvmNode::ask(std::string_view method, json::array parameters) {
    const std::uint64_t id = ++last_id_;
    JZ_TRY(const std::string answer, transport_(rpc_request(id, method, std::move(parameters))));
    auto result = rpc_result(answer, id);
    if (!result.ok()) return std::move(result).error().in(method);
    return result;
}

Result<std::uint64_t> EvmNode::chain_id() {
    JZ_TRY(const json::value value, ask("eth_chainId", {}));
    return rpc_quantity(value);
}

Result<std::uint64_t> EvmNode::block_number() {
    JZ_TRY(const json::value value, ask("eth_blockNumber", {}));
    return rpc_quantity(value);
}

Result<Bytes> EvmNode::code(const Address& address) {
    JZ_TRY(const json::value value, ask("eth_getCode", {address.to_string(), "latest"}));
    return rpc_data(value);
}

Result<Bytes> EvmNode::call(const Address& to, const Bytes& data, Block block) {
    JZ_TRY(const json::value value,
           ask("eth_call", {json::object{{"to", to.to_string()}, {"data", hex_data(data)}}, name_of(block)}));
    return rpc_data(value);
}

Result<Word> EvmNode::send(const Transaction& transaction) {
    json::object fields{{"from", transaction.from.to_string()}, {"data", hex_data(transaction.data)}};
    if (transaction.to) fields["to"] = transaction.to->to_string();
    JZ_TRY(const json::value value, ask("eth_sendTransaction", {std::move(fields)}));
    JZ_TRY(const Bytes hash, rpc_data(value));
    Word word{};
    if (hash.size() != word.size()) return malformed("a transaction's hash has 32 bytes");
    std::ranges::copy(hash, word.begin());
    return word;
}

Result<std::optional<TransactionReceipt>> EvmNode::receipt(const Word& transaction) {
    JZ_TRY(const json::value value, ask("eth_getTransactionReceipt", {hex_data(transaction)}));
    if (value.is_null()) return std::optional<TransactionReceipt>();
    if (!value.is_object()) return malformed("a receipt is an object");
    JZ_TRY(const TransactionReceipt receipt, parse_receipt(value.get_object()));
    return std::optional(receipt);
}

Result<TransactionReceipt> EvmNode::wait_for(const Word& transaction, const Patience& patience) {
    const auto deadline = std::chrono::steady_clock::now() + patience.limit;
    for (;;) {
        // Asked again each time: a chain may put the transaction into another block than at first.
        JZ_TRY(const auto found, receipt(transaction));
        if (found && !found->succeeded)
            return Error(ErrorKind::declined, "the transaction " + hex_data(transaction) + " failed on the chain");
        if (found) {
            JZ_TRY(const std::uint64_t newest, block_number());
            if (newest >= found->block && newest - found->block + 1 >= patience.confirmations) return *found;
        }
        if (patience.stop.stop_requested() || std::chrono::steady_clock::now() >= deadline) {
            return Error(ErrorKind::timeout, "the transaction " + hex_data(transaction) +
                                                 " was sent and is not confirmed yet. Run the command again later: "
                                                 "what is anchored is not sent twice");
        }
        std::this_thread::sleep_for(patience.between);
    }
}

}  // namespace jiaozi::anchor
