#include "log_book.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <utility>

#include <jiaozi/base/assert.hpp>
#include <jiaozi/codec/base_n.hpp>

namespace jiaozi::sim {

namespace {

using crypto::Digest;

constexpr std::uint64_t bundle_entries = 256;

template <class Unsigned>
void put(Bytes& out, Unsigned value) {
    for (std::size_t i = 0; i < sizeof value; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

template <class Row>
void put_row(Bytes& out, const Row& row) {
    static_assert(sizeof row == 128 && std::is_trivially_copyable_v<Row>);
    std::array<std::uint8_t, sizeof row> bytes;
    std::memcpy(bytes.data(), &row, sizeof row);
    append(out, bytes);
}

Digest hash_of(std::initializer_list<ByteView> parts) {
    crypto::Sha256 hash;
    for (const ByteView part : parts) hash.update(part);
    return hash.finish();
}

constexpr std::array<std::uint8_t, 1> leaf_prefix = {0};
constexpr std::array<std::uint8_t, 1> node_prefix = {1};

Digest node(const Digest& left, const Digest& right) {
    return hash_of({node_prefix, left, right});
}

// The definition, literally: split at the largest power of two below the count.
Digest root_of(std::span<const Digest> leaves) {
    if (leaves.size() == 1) return leaves[0];
    std::size_t split = 1;
    while (split * 2 < leaves.size()) split *= 2;
    return node(root_of(leaves.first(split)), root_of(leaves.subspan(split)));
}

// All parts of a command, in order.
std::vector<Bytes> parts_of(const engine::Committed& committed) {
    const engine::Command& command = committed.command;
    std::vector<Bytes> parts;
    const auto begin = [&](std::uint8_t kind) -> Bytes& { return parts.emplace_back(Bytes{kind}); };
    Bytes& header = begin(0);
    put(header, committed.sequence);
    put(header, committed.timestamp.ns);
    for (const std::size_t count : {committed.expired.size(), command.accounts.size(), command.flag_changes.size(),
                                    command.transfers.size(), command.annotation.size()})
        put(header, static_cast<std::uint32_t>(count));
    for (const ledger::Expired& expired : committed.expired) {
        Bytes& part = begin(1);
        put(part, expired.pending_id);
        put(part, expired.timestamp);
    }
    // Events follow each other by a nanosecond; the command's time is that of its last one.
    std::uint64_t time =
        committed.timestamp.ns - command.accounts.size() - command.flag_changes.size() - command.transfers.size();
    for (std::size_t i = 0; i < command.accounts.size(); ++i) {
        ledger::Account account = command.accounts[i];
        account.timestamp = ++time;
        Bytes& part = begin(2);
        put_row(part, account);
        put(part, static_cast<std::uint32_t>(committed.outcome.accounts[i]));
    }
    for (std::size_t i = 0; i < command.flag_changes.size(); ++i) {
        const engine::FlagChange& change = command.flag_changes[i];
        ++time;
        Bytes& part = begin(3);
        put(part, change.account_id);
        put(part, change.set);
        put(part, change.clear);
        put(part, static_cast<std::uint32_t>(committed.outcome.flag_changes[i]));
    }
    for (std::size_t i = 0; i < command.transfers.size(); ++i) {
        ledger::Transfer transfer = command.transfers[i];
        transfer.timestamp = ++time;
        Bytes& part = begin(4);
        put_row(part, transfer);
        put(part, static_cast<std::uint32_t>(committed.outcome.transfers[i]));
    }
    if (!command.annotation.empty()) append(begin(5), command.annotation);
    return parts;
}

// The line up to the next newline, which it takes off the text; none when there is no newline.
std::optional<std::string_view> take_line(std::string_view& text) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    return line;
}

}  // namespace

// ---------------------------------------------------------------- the tree

GrowingTree::GrowingTree() : roots_{crypto::sha256({})} {}

void GrowingTree::add(const Digest& leaf_hash) {
    full_.push_back(leaf_hash);
    // As many merges as the old size has ones at its end.
    for (std::uint64_t before = size(); before % 2 == 1; before /= 2) {
        const Digest right = full_.back();
        full_.pop_back();
        full_.back() = node(full_.back(), right);
    }
    Digest root = full_.back();
    for (std::size_t i = full_.size() - 1; i-- > 0;) root = node(full_[i], root);
    roots_.push_back(root);
}

// ---------------------------------------------------------------- the log

LogBook::LogBook(std::string origin, Bytes salt_key, Bytes public_key)
    : origin_(std::move(origin)),
      salt_key_(std::move(salt_key)),
      public_key_(std::move(public_key)),
      verifier_(crypto::make_verifier(crypto::Suite::ed25519, public_key_).value()) {}

Digest LogBook::entry_of(const engine::Committed& committed) const {
    Bytes seeded = to_bytes(as_bytes("jiaozi/salt/1\n"));
    put(seeded, committed.sequence);
    const Digest seed = crypto::hmac_sha256(salt_key_, seeded);
    std::vector<Digest> hashes;
    for (const Bytes& part : parts_of(committed)) {
        Bytes index;
        put(index, static_cast<std::uint32_t>(hashes.size()));
        const Digest salt = hash_of({seed, index});
        hashes.push_back(hash_of({leaf_prefix, as_bytes("jiaozi/part/1\n"), ByteView(salt).first(16), part}));
    }
    Bytes count;
    put(count, static_cast<std::uint32_t>(hashes.size()));
    return hash_of({as_bytes("jiaozi/command/1\n"), count, root_of(hashes)});
}

void LogBook::add(const engine::Committed& committed) {
    entries_.push_back(entry_of(committed));
    tree_.add(hash_of({leaf_prefix, entries_.back()}));
}

// The five lines of our checkpoints: origin, size, root, none, signature.
std::optional<LogBook::Shown> LogBook::read(std::string_view note) const {
    std::string_view rest = note;
    const auto origin = take_line(rest);
    const auto size = take_line(rest);
    const auto root = take_line(rest);
    if (!origin || !size || !root || *origin != origin_) return std::nullopt;
    const std::string_view text = note.substr(0, note.size() - rest.size());
    const std::string begin = "\u2014 " + origin_ + " ";
    if (take_line(rest) != "" || !rest.starts_with(begin)) return std::nullopt;
    rest.remove_prefix(begin.size());
    const auto signature = take_line(rest);
    if (!signature || !rest.empty()) return std::nullopt;
    const auto signed_by = codec::decode_base64(*signature);
    const auto hash = codec::decode_base64(*root);
    if (!signed_by.ok() || !hash.ok() || signed_by->size() != 4 + crypto::signature_size || hash->size() != 32)
        return std::nullopt;
    constexpr std::array<std::uint8_t, 2> newline_and_ed25519 = {'\n', 1};
    const Digest key_hash = hash_of({as_bytes(origin_), newline_and_ed25519, public_key_});
    const ByteView bytes(*signed_by);
    if (!equal(bytes.first(4), ByteView(key_hash).first(4))) return std::nullopt;
    if (!verifier_.verify(as_bytes(text), bytes.subspan(4))) return std::nullopt;
    Shown shown;
    const auto [end, failed] = std::from_chars(size->data(), size->data() + size->size(), shown.size);
    if (failed != std::errc() || end != size->data() + size->size()) return std::nullopt;
    std::ranges::copy(*hash, shown.root.begin());
    return shown;
}

LogBook::Complaint LogBook::shown(std::string_view note) {
    const auto checkpoint = read(note);
    if (!checkpoint) return "the log showed what is no checkpoint signed by it: " + std::string(note);
    const std::uint64_t newest = shown_.empty() ? 0 : shown_.back().size;
    if (checkpoint->size < newest) {
        return "the log shows a checkpoint of " + std::to_string(checkpoint->size) + " commands after one of " +
               std::to_string(newest) + ": it forgot what it has signed";
    }
    if (!shown_.empty() && checkpoint->size == newest) {
        if (checkpoint->root == shown_.back().root) return std::nullopt;
        return "the log signed two roots for " + std::to_string(newest) + " commands";
    }
    shown_.push_back(*checkpoint);
    return std::nullopt;
}

LogBook::Complaint LogBook::contradicts(std::string_view note) const {
    const auto checkpoint = read(note);
    if (checkpoint && checkpoint->size <= size() && checkpoint->root == tree_.root(checkpoint->size))
        return std::nullopt;
    return "the log shows a checkpoint that is not the journal's: " + std::string(note);
}

LogBook::Complaint LogBook::covers(std::uint64_t commands) const {
    if (shown_.empty() || shown_.back().size <= commands) return std::nullopt;
    return "a checkpoint of " + std::to_string(shown_.back().size) + " commands was shown, but the journal has only " +
           std::to_string(commands) + ": it was signed for what was not durable";
}

LogBook::Complaint LogBook::hold() const {
    for (const Shown& one : shown_) {
        if (one.size > size()) return covers(size());
        if (one.root != tree_.root(one.size))
            return "the checkpoint of " + std::to_string(one.size) + " commands has another root than the journal's";
    }
    return std::nullopt;
}

std::string LogBook::bundle_path() const {
    JZ_ASSERT(size() > 0 && size() < 1000 * bundle_entries);
    const std::uint64_t index = (size() - 1) / bundle_entries;
    const std::uint64_t width = size() - index * bundle_entries;
    const std::string digits = std::to_string(index);
    const std::string path = "entries/" + std::string(3 - digits.size(), '0') + digits;
    return width == bundle_entries ? path : path + ".p/" + std::to_string(width);
}

LogBook::Complaint LogBook::bundle(ByteView served) const {
    Bytes wanted;
    for (std::size_t i = static_cast<std::size_t>((size() - 1) / bundle_entries * bundle_entries); i < size(); ++i) {
        append(wanted, std::array<std::uint8_t, 2>{0, 32});
        append(wanted, entries_[i]);
    }
    if (equal(served, wanted)) return std::nullopt;
    return "the log serves other entries than the journal gives, at /tile/" + bundle_path();
}

LogBook LogBook::from_nothing() const {
    LogBook empty(origin_, salt_key_, public_key_);
    empty.shown_ = shown_;
    return empty;
}

}  // namespace jiaozi::sim
