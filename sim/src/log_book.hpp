// What the transparency log must be: docs/formats/receipt.md ("Parts"), tiles.md and checkpoint.md worked out a second
// time, without any of proof's code; only hashes and signatures are the product's. Every command that is read back from
// the journal is a leaf; every checkpoint that was ever shown is kept, and must be the tree's at its size for ever.
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/crypto/signature.hpp>
#include <jiaozi/engine/command.hpp>

namespace jiaozi::sim {

// A Merkle tree as RFC 9162 has it, that only grows and remembers the root of every size.
class GrowingTree {
  public:
    GrowingTree();
    void add(const crypto::Digest& leaf_hash);
    std::uint64_t size() const { return roots_.size() - 1; }
    const crypto::Digest& root(std::uint64_t size) const { return roots_[static_cast<std::size_t>(size)]; }

  private:
    std::vector<crypto::Digest> full_;  // the roots of the full trees that it is made of, the largest first
    std::vector<crypto::Digest> roots_;
};

class LogBook {
  public:
    using Complaint = std::optional<std::string>;

    LogBook(std::string origin, Bytes salt_key, Bytes public_key);

    // The next command of the journal.
    void add(const engine::Committed& committed);
    std::uint64_t size() const { return tree_.size(); }

    // Somebody outside was given this signed note. Larger ones, or the same again, may follow.
    Complaint shown(std::string_view note);
    // Whether it is no checkpoint of the journal as far as it was read back. The note is not kept.
    Complaint contradicts(std::string_view note) const;
    std::uint64_t checkpoints() const { return shown_.size(); }

    // After a restart: all that any checkpoint covers is still there.
    Complaint covers(std::uint64_t commands) const;
    // After the journal was read back: each checkpoint's root is that of the same size.
    Complaint hold() const;
    // What is served below /tile/.
    std::string bundle_path() const;  // of the last bundle
    Complaint bundle(ByteView served) const;

    // The same log, with nothing in it but the checkpoints that were shown: to be filled from the first command on.
    LogBook from_nothing() const;

  private:
    struct Shown {
        std::uint64_t size = 0;
        crypto::Digest root{};
    };
    crypto::Digest entry_of(const engine::Committed& committed) const;
    std::optional<Shown> read(std::string_view note) const;

    std::string origin_;
    Bytes salt_key_;
    Bytes public_key_;
    crypto::Verifier verifier_;
    std::vector<crypto::Digest> entries_;
    GrowingTree tree_;
    std::vector<Shown> shown_;  // sizes ascend
};

}  // namespace jiaozi::sim
