#include <algorithm>
#include <array>
#include <bit>
#include <span>

#include <boost/json.hpp>

#include <jiaozi/codec/base_n.hpp>
#include <jiaozi/crypto/merkle.hpp>
#include <jiaozi/proof/liabilities.hpp>

#include "integers.hpp"
#include "json_fields.hpp"

namespace jiaozi::proof {
namespace {

namespace json = boost::json;

constexpr std::string_view format_name = "jiaozi/liability/1";
constexpr std::string_view file_name = "proof of liability";
constexpr std::string_view name_suffix = "/liabilities";
constexpr std::string_view salt_domain = "jiaozi/liability-salt/1\n";
constexpr std::string_view leaf_domain = "jiaozi/liability/1\n";
constexpr std::string_view node_domain = "jiaozi/liability-node/1\n";
constexpr std::size_t max_proof_bytes = std::size_t{64} * 1024;

Error malformed(std::string what) {
    return Error(ErrorKind::malformed, std::move(what)).in(std::string(file_name));
}

SumNode leaf_node(const Salt& salt, uint128 account, uint128 balance) {
    return {crypto::Sha256()
                .update(as_bytes(leaf_domain))
                .update(salt)
                .update(little(account))
                .update(little(balance))
                .finish(),
            balance};
}

// Error malformed when the sum does not fit: then it is nobody's.
Result<SumNode> join(const SumNode& left, const SumNode& right) {
    if (left.sum > uint128_max - right.sum) return malformed("a sum is over 2^128");
    return SumNode{crypto::Sha256()
                       .update(as_bytes(node_domain))
                       .update(left.hash)
                       .update(little(left.sum))
                       .update(right.hash)
                       .update(little(right.sum))
                       .finish(),
                   left.sum + right.sum};
}

// Over at least one leaf.
template <class Leaf>
Result<SumNode> range_root(std::span<const Leaf> leaves) {
    if (leaves.size() == 1) return leaves.front().node;
    const std::size_t half = std::bit_floor(leaves.size() - 1);
    JZ_TRY(const SumNode left, range_root(leaves.first(half)));
    JZ_TRY(const SumNode right, range_root(leaves.subspan(half)));
    return join(left, right);
}

Salt salt_of(const crypto::HmacKey& key, std::uint64_t size, uint128 account) {
    Bytes message;
    put_little(message, size);
    put_little(message, account);
    const crypto::Digest mac = key.mac({as_bytes(salt_domain), message});
    Salt salt;
    std::copy_n(mac.begin(), salt.size(), salt.begin());
    return salt;
}

template <std::size_t size>
Result<> decode_exactly(std::string_view text, std::array<std::uint8_t, size>& out) {
    JZ_TRY(const Bytes bytes, codec::decode_base64(text));
    if (bytes.size() != size) return malformed("a hash has 32 bytes and a salt 16");
    std::ranges::copy(bytes, out.begin());
    return {};
}

Result<LedgerLiability> parse_line(std::string_view line) {
    JZ_TRY(const auto words, words_of<4>(line));
    LedgerLiability row;
    JZ_TRY(const std::uint64_t ledger, parse_u64(words[0]));
    if (ledger > UINT32_MAX) return malformed("a ledger is below 2^32");
    row.ledger = static_cast<std::uint32_t>(ledger);
    JZ_TRY(row.holders, parse_u64(words[1]));
    JZ_TRY(row.sum, parse_decimal(words[2]));
    JZ_CHECK(decode_exactly(words[3], row.root));
    return row;
}

}  // namespace

NoteKey liabilities_key(const NoteKey& log_key) {
    NoteKey key = log_key;
    key.name += name_suffix;
    return key;
}

std::string LiabilityStatement::text() const {
    Checkpoint named = checkpoint;
    named.origin += name_suffix;
    std::string out = named.text();
    for (const LedgerLiability& row : ledgers) {
        out += std::to_string(row.ledger) + ' ' + std::to_string(row.holders) + ' ' + to_decimal(row.sum) + ' ' +
               codec::encode_base64(row.root) + '\n';
    }
    return out;
}

Result<LiabilityStatement> LiabilityStatement::parse(std::string_view text) {
    LiabilityStatement statement;
    JZ_TRY(statement.checkpoint, Checkpoint::parse(text));
    std::string& origin = statement.checkpoint.origin;
    if (!origin.ends_with(name_suffix)) return malformed("the note states no liabilities");
    origin.resize(origin.size() - name_suffix.size());
    for (int skipped = 0; skipped < 3; ++skipped) text.remove_prefix(text.find('\n') + 1);
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        JZ_TRY(const LedgerLiability row, parse_line(text.substr(0, end)));
        if (!statement.ledgers.empty() && row.ledger <= statement.ledgers.back().ledger)
            return malformed("ledgers are out of order");
        statement.ledgers.push_back(row);
        text.remove_prefix(end + 1);
    }
    return statement;
}

std::string LiabilityProof::to_json() const {
    json::object object;
    object["format"] = format_name;
    object["note"] = note;
    object["ledger"] = ledger;
    object["account"] = hex_of(account);
    object["balance"] = to_decimal(balance);
    object["salt"] = codec::encode_base64(salt);
    object["index"] = std::to_string(index);
    json::array& list = object["path"].emplace_array();
    for (const SumNode& node : path) {
        json::object row;
        row["hash"] = codec::encode_base64(node.hash);
        row["sum"] = to_decimal(node.sum);
        list.emplace_back(std::move(row));
    }
    return json::serialize(object);
}

Result<LiabilityProof> LiabilityProof::parse(std::string_view text) {
    JZ_TRY(const json::value value, parse_json(text, max_proof_bytes, 4, file_name));
    JZ_TRY(const JsonFields fields, JsonFields::of(value, 8, file_name));
    JZ_TRY(const std::string_view format, fields.text("format"));
    if (format != format_name) return malformed("it is of another format");
    LiabilityProof proof;
    JZ_TRY(proof.note, fields.text("note"));
    JZ_TRY(proof.ledger, fields.small("ledger"));
    JZ_TRY(proof.account, fields.id("account"));
    JZ_TRY(proof.balance, fields.amount("balance"));
    JZ_CHECK(fields.bytes("salt", proof.salt));
    JZ_TRY(proof.index, fields.number("index"));
    JZ_TRY(const json::array* path, fields.array("path", crypto::merkle::max_proof_hashes));
    for (const json::value& one : *path) {
        JZ_TRY(const JsonFields node, JsonFields::of(one, 2, file_name));
        SumNode& read = proof.path.emplace_back();
        JZ_CHECK(node.bytes("hash", read.hash));
        JZ_TRY(read.sum, node.amount("sum"));
    }
    return proof;
}

Result<VerifiedLiability> verify(const LiabilityProof& proof, const NoteKey& log_key) {
    VerifiedLiability verified;
    JZ_TRY(const Note note, Note::parse(proof.note));
    JZ_CHECK(verify_note(note, liabilities_key(log_key)));
    JZ_TRY(verified.statement, LiabilityStatement::parse(note.text));
    if (verified.statement.checkpoint.origin != log_key.name)
        return Error(ErrorKind::unauthenticated, "the statement is another log's");
    const auto row = std::ranges::find(verified.statement.ledgers, proof.ledger, &LedgerLiability::ledger);
    if (row == verified.statement.ledgers.end())
        return Error(ErrorKind::unauthenticated, "the statement does not speak of this ledger");
    JZ_TRY(const SumNode reached,
           crypto::merkle::climb(leaf_node(proof.salt, proof.account, proof.balance), proof.index, row->holders,
                                 std::span<const SumNode>(proof.path), join));
    if (reached != SumNode{row->root, row->sum})
        return Error(ErrorKind::unauthenticated, "the balance is not under the signed sum");
    verified.ledger = *row;
    return verified;
}

Result<Liabilities> Liabilities::make(const ledger::Ledger& ledger, const Checkpoint& checkpoint, ByteView salt_key,
                                      const std::function<bool(const ledger::Account&)>& is_holder) {
    Liabilities made;
    made.statement_.checkpoint = checkpoint;
    const crypto::HmacKey key(salt_key);
    for (std::size_t i = 0; i < ledger.account_count(); ++i) {
        const ledger::Account& account = ledger.account_at(i);
        if (!is_holder(account)) {
            made.backing_[account.ledger] += account.debits_posted - account.credits_posted;
            continue;
        }
        if (account.debits_posted > account.credits_posted) {
            return Error(ErrorKind::invalid,
                         "account " + hex_of(account.id) +
                             " of a holder is negative; its debt would hide what is owed to others");
        }
        const uint128 balance = account.credits_posted - account.debits_posted;
        const Salt salt = salt_of(key, checkpoint.size, account.id);
        made.leaves_[account.ledger].push_back({leaf_node(salt, account.id, balance), account.id, salt});
    }
    for (auto& [number, leaves] : made.leaves_) {
        // In the order of salted hashes a place says nothing about an account.
        std::ranges::sort(leaves, {}, [](const Leaf& leaf) { return leaf.node.hash; });
        JZ_TRY(const SumNode root, range_root(std::span<const Leaf>(leaves)));
        made.statement_.ledgers.push_back({number, leaves.size(), root.sum, root.hash});
    }
    return made;
}

uint128 Liabilities::backing(std::uint32_t ledger) const {
    const auto found = backing_.find(ledger);
    return found == backing_.end() ? 0 : found->second;
}

Result<LiabilityProof> Liabilities::prove(uint128 account, std::string note) const {
    for (const auto& [number, leaves] : leaves_) {
        const auto found = std::ranges::find(leaves, account, &Leaf::account);
        if (found == leaves.end()) continue;
        LiabilityProof proof{std::move(note), number, account, found->node.sum, found->salt, 0, {}};
        proof.index = static_cast<std::uint64_t>(found - leaves.begin());
        std::span<const Leaf> range(leaves);
        std::size_t at = static_cast<std::size_t>(proof.index);
        while (range.size() > 1) {
            const std::size_t half = std::bit_floor(range.size() - 1);
            const bool left = at < half;
            JZ_TRY(const SumNode sibling, range_root(left ? range.subspan(half) : range.first(half)));
            proof.path.push_back(sibling);
            range = left ? range.first(half) : range.subspan(half);
            if (!left) at -= half;
        }
        std::ranges::reverse(proof.path);
        return proof;
    }
    return Error(ErrorKind::not_found, "no holder has this account at the checkpoint");
}

}  // namespace jiaozi::proof
