#include <algorithm>
#include <string>

#include <boost/json.hpp>

#include <jiaozi/codec/base_n.hpp>
#include <jiaozi/proof/receipt.hpp>

#include "integers.hpp"
#include "json_fields.hpp"

namespace jiaozi::proof {
namespace {

namespace json = boost::json;

constexpr std::string_view format_name = "jiaozi/receipt/1";
constexpr std::string_view file_name = "receipt";

json::array hashes_json(const crypto::merkle::Proof& proof) {
    json::array hashes;
    for (const crypto::Digest& hash : proof) hashes.emplace_back(codec::encode_base64(hash));
    return hashes;
}

Result<DisclosedPart> parse_part(const json::value& value) {
    JZ_TRY(const JsonFields fields, JsonFields::of(value, 4, file_name));
    DisclosedPart part;
    JZ_TRY(part.index, fields.small("index"));
    JZ_CHECK(fields.bytes("salt", part.salt));
    JZ_TRY(part.bytes, fields.bytes("part"));
    JZ_TRY(part.path, fields.hashes("path"));
    return part;
}

Result<DisclosedCommand> parse_command(const json::value& value) {
    JZ_TRY(const JsonFields fields, JsonFields::of(value, 4, file_name));
    DisclosedCommand command;
    JZ_TRY(command.sequence, fields.number("sequence"));
    JZ_TRY(command.parts, fields.small("parts"));
    JZ_TRY(const json::array* disclosed, fields.array("disclosed", 3 * engine::max_events));
    for (const json::value& part : *disclosed) {
        JZ_TRY(auto read, parse_part(part));
        command.disclosed.push_back(std::move(read));
    }
    JZ_TRY(command.inclusion, fields.hashes("inclusion"));
    return command;
}

// ---- verifying

Error proves_nothing(const DisclosedCommand& command, const std::string& why) {
    return Error(ErrorKind::unauthenticated, "command " + std::to_string(command.sequence) + ": " + why);
}

// The parts lead to one root, whose entry is in the log.
Result<> verify_parts(const DisclosedCommand& command, const Checkpoint& checkpoint) {
    if (command.disclosed.empty()) return proves_nothing(command, "it discloses nothing");
    crypto::Digest root{};
    for (std::size_t i = 0; i < command.disclosed.size(); ++i) {
        const DisclosedPart& part = command.disclosed[i];
        if (i != 0 && part.index <= command.disclosed[i - 1].index)
            return proves_nothing(command, "its parts are out of order");
        JZ_TRY(const crypto::Digest reached, crypto::merkle::root_from_inclusion(hash_part(part.salt, part.bytes),
                                                                                 part.index, command.parts, part.path));
        if (i == 0) root = reached;
        if (reached != root) return proves_nothing(command, "its parts are not of one command");
    }
    if (command.sequence == 0 || command.sequence > checkpoint.size)
        return proves_nothing(command, "the checkpoint does not reach to it");
    JZ_TRY(const crypto::Digest log_root,
           crypto::merkle::root_from_inclusion(crypto::merkle::hash_leaf(command_entry(command.parts, root)),
                                               command.sequence - 1, checkpoint.size, command.inclusion));
    if (log_root != checkpoint.root) return proves_nothing(command, "its parts do not lead to the checkpoint's root");
    return {};
}

// What the parts say, and that it agrees with the header.
Result<VerifiedCommand> read_parts(const DisclosedCommand& command) {
    VerifiedCommand verified;
    for (const DisclosedPart& disclosed : command.disclosed) {
        JZ_TRY(auto part, decode_part(disclosed.bytes));
        if (&disclosed == &command.disclosed.front()) {
            const auto* header = std::get_if<HeaderPart>(&part);
            if (header == nullptr || disclosed.index != 0)
                return proves_nothing(command, "its first part is not its header");
            if (header->sequence != command.sequence || header->parts() != command.parts)
                return proves_nothing(command, "its header is another command's");
            verified.header = *header;
        } else if (std::holds_alternative<HeaderPart>(part)) {
            return proves_nothing(command, "it has two headers");
        } else {
            verified.parts.push_back(std::move(part));
        }
    }
    return verified;
}

}  // namespace

std::string Receipt::to_json() const {
    json::object object;
    object["format"] = format_name;
    object["subject"] = hex_of(subject);
    object["checkpoint"] = checkpoint;
    json::array& list = object["commands"].emplace_array();
    for (const DisclosedCommand& command : commands) {
        json::array parts;
        for (const DisclosedPart& part : command.disclosed) {
            json::object row;
            row["index"] = part.index;
            row["salt"] = codec::encode_base64(part.salt);
            row["part"] = codec::encode_base64(part.bytes);
            row["path"] = hashes_json(part.path);
            parts.emplace_back(std::move(row));
        }
        json::object row;
        row["sequence"] = std::to_string(command.sequence);
        row["parts"] = command.parts;
        row["disclosed"] = std::move(parts);
        row["inclusion"] = hashes_json(command.inclusion);
        list.emplace_back(std::move(row));
    }
    return json::serialize(object);
}

Result<Receipt> Receipt::parse(std::string_view text) {
    JZ_TRY(const json::value value, parse_json(text, max_receipt_bytes, 8, file_name));
    JZ_TRY(const JsonFields fields, JsonFields::of(value, 4, file_name));
    JZ_TRY(const std::string_view format, fields.text("format"));
    if (format != format_name)
        return fields.malformed("it is of the format " + std::string(format) + ", not " + std::string(format_name));
    Receipt receipt;
    JZ_TRY(receipt.subject, fields.id("subject"));
    JZ_TRY(const std::string_view checkpoint, fields.text("checkpoint"));
    receipt.checkpoint = checkpoint;
    JZ_TRY(const json::array* commands, fields.array("commands", max_receipt_commands));
    for (const json::value& command : *commands) {
        JZ_TRY(auto read, parse_command(command));
        receipt.commands.push_back(std::move(read));
    }
    return receipt;
}

DisclosedCommand disclose(const Record& record, std::uint64_t sequence, const std::vector<std::uint32_t>& parts) {
    DisclosedCommand command;
    command.sequence = sequence;
    command.parts = static_cast<std::uint32_t>(record.parts());
    for (const std::uint32_t index : parts)
        command.disclosed.push_back({index, record.salt(index), to_bytes(record.part(index)), record.path(index)});
    return command;
}

Result<VerifiedReceipt> verify(const Receipt& receipt, const NoteKey& key) {
    VerifiedReceipt verified;
    JZ_TRY(verified.checkpoint, open_checkpoint(receipt.checkpoint, key));
    if (receipt.commands.empty()) return Error(ErrorKind::unauthenticated, "the receipt has no commands");
    Belonging belongs(receipt.subject);
    for (std::size_t i = 0; i < receipt.commands.size(); ++i) {
        const DisclosedCommand& command = receipt.commands[i];
        if (i != 0 && command.sequence <= receipt.commands[i - 1].sequence)
            return proves_nothing(command, "the commands are out of order");
        JZ_CHECK(verify_parts(command, verified.checkpoint));
        JZ_TRY(auto read, read_parts(command));
        for (const Part& part : read.parts) {
            const auto* transfer = std::get_if<TransferPart>(&part);
            if (receipt.subject != 0 && transfer != nullptr && !belongs(transfer->transfer))
                return proves_nothing(command, "one of its transfers is not of the receipt's subject");
            const auto* expired = std::get_if<ExpiredPart>(&part);
            if (receipt.subject != 0 && expired != nullptr && !belongs.held(expired->pending_id))
                return proves_nothing(command, "it names an expired hold that is not of the receipt's subject");
        }
        verified.commands.push_back(std::move(read));
    }
    return verified;
}

bool Belonging::operator()(const ledger::Transfer& transfer) {
    if (transfer.user_data_128 != subject_ && !held(transfer.pending_id)) return false;
    transfers_.push_back(transfer.id);
    return true;
}

bool Belonging::held(uint128 pending_id) const {
    return pending_id != 0 && std::ranges::find(transfers_, pending_id) != transfers_.end();
}

}  // namespace jiaozi::proof
