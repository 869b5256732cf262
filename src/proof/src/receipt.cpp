#include <algorithm>
#include <string>

#include <boost/json.hpp>

#include <jiaozi/codec/base_n.hpp>
#include <jiaozi/proof/receipt.hpp>

#include "integers.hpp"

namespace jiaozi::proof {
namespace {

namespace json = boost::json;

constexpr std::string_view format_name = "jiaozi/receipt/1";

Error malformed(std::string what) {
    return Error(ErrorKind::malformed, std::move(what)).in("receipt");
}

std::string hex_of(uint128 value) {
    Bytes bytes;
    for (unsigned i = 16; i-- > 0;) bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    return to_hex(bytes);
}

json::array hashes_json(const crypto::merkle::Proof& proof) {
    json::array hashes;
    for (const crypto::Digest& hash : proof) hashes.emplace_back(codec::encode_base64(hash));
    return hashes;
}

// ---- reading: every field is asked for by name and type, and no other may be there

class Fields {
  public:
    static Result<Fields> of(const json::value& value, std::size_t count) {
        if (!value.is_object()) return malformed("an object is expected");
        if (value.get_object().size() != count) return malformed("an object has a field too many or too few");
        return Fields(value.get_object());
    }
    Result<std::string_view> text(std::string_view name) const {
        const json::value* value = object_->if_contains(name);
        if (value == nullptr || !value->is_string()) return malformed(std::string(name) + " must be a text");
        return std::string_view(value->get_string());
    }
    Result<std::uint64_t> number(std::string_view name) const {
        JZ_TRY(const std::string_view digits, text(name));
        auto value = parse_u64(digits);
        if (!value.ok()) return malformed(std::string(name) + " must be a decimal number in a text");
        return *value;
    }
    Result<std::uint32_t> small(std::string_view name) const {
        const json::value* value = object_->if_contains(name);
        if (value == nullptr || !value->is_int64() || value->get_int64() < 0 || value->get_int64() > UINT32_MAX)
            return malformed(std::string(name) + " must be a number below 2^32");
        return static_cast<std::uint32_t>(value->get_int64());
    }
    Result<Bytes> bytes(std::string_view name) const {
        JZ_TRY(const std::string_view encoded, text(name));
        return codec::decode_base64(encoded);
    }
    Result<const json::array*> array(std::string_view name, std::size_t max) const {
        const json::value* value = object_->if_contains(name);
        if (value == nullptr || !value->is_array()) return malformed(std::string(name) + " must be a list");
        if (value->get_array().size() > max)
            return Error(ErrorKind::too_large, "receipt: " + std::string(name) + " is too long");
        return &value->get_array();
    }
    Result<crypto::merkle::Proof> hashes(std::string_view name) const {
        JZ_TRY(const json::array* list, array(name, crypto::merkle::max_proof_hashes));
        crypto::merkle::Proof proof;
        for (const json::value& one : *list) {
            if (!one.is_string()) return malformed(std::string(name) + " holds hashes");
            JZ_TRY(const Bytes hash, codec::decode_base64(std::string_view(one.get_string())));
            if (hash.size() != sizeof(crypto::Digest)) return malformed("a hash has 32 bytes");
            std::ranges::copy(hash, proof.emplace_back().begin());
        }
        return proof;
    }

  private:
    explicit Fields(const json::object& object) : object_(&object) {}
    const json::object* object_;
};

Result<DisclosedPart> parse_part(const json::value& value) {
    JZ_TRY(const Fields fields, Fields::of(value, 4));
    DisclosedPart part;
    JZ_TRY(part.index, fields.small("index"));
    JZ_TRY(const Bytes salt, fields.bytes("salt"));
    if (salt.size() != part.salt.size()) return malformed("a salt has 16 bytes");
    std::ranges::copy(salt, part.salt.begin());
    JZ_TRY(part.bytes, fields.bytes("part"));
    JZ_TRY(part.path, fields.hashes("path"));
    return part;
}

Result<DisclosedCommand> parse_command(const json::value& value) {
    JZ_TRY(const Fields fields, Fields::of(value, 4));
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
    if (text.size() > max_receipt_bytes) return Error(ErrorKind::too_large, "a receipt is at most 64 MiB");
    boost::system::error_code failed;
    json::parse_options options;
    options.max_depth = 8;
    const json::value value = json::parse(text, failed, {}, options);
    if (failed) return malformed("it is not JSON: " + failed.message());
    JZ_TRY(const Fields fields, Fields::of(value, 4));
    JZ_TRY(const std::string_view format, fields.text("format"));
    if (format != format_name)
        return malformed("it is of the format " + std::string(format) + ", not " + std::string(format_name));
    Receipt receipt;
    JZ_TRY(const std::string_view subject, fields.text("subject"));
    JZ_TRY(const Bytes id, from_hex(subject));
    if (id.size() != sizeof receipt.subject) return malformed("subject has 32 hexadecimal digits");
    for (const std::uint8_t byte : id) receipt.subject = receipt.subject << 8 | byte;
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
