// The Merkle tree of RFC 9162 (Certificate Transparency 2.0), section 2.1, over SHA-256: leaf hashes are
// SHA-256(0x00 ‖ entry), node hashes SHA-256(0x01 ‖ left ‖ right), so that no node can pass for a leaf.
//
// What is here is pure: a tree kept in O(log n) memory, proofs made from any source of stored hashes, and their
// verification, which is safe on hostile input. Not thread-safe per object.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/hash.hpp>

namespace jiaozi::crypto::merkle {

using Proof = std::vector<Digest>;

// A proof for a tree of 2^64 leaves has at most this many hashes (twice the depth for consistency, less one).
inline constexpr std::size_t max_proof_hashes = 128;

Digest hash_leaf(ByteView entry) noexcept;
Digest hash_node(const Digest& left, const Digest& right) noexcept;
// The root of no leaves: SHA-256 of nothing.
Digest empty_root() noexcept;

// The roots of the complete subtrees a tree is made of, largest first: at most 64 hashes whatever the size.
class Frontier {
  public:
    void append(const Digest& leaf_hash);
    std::uint64_t size() const noexcept { return size_; }
    Digest root() const noexcept;

  private:
    std::uint64_t size_ = 0;
    std::vector<Digest> peaks_;  // one for each bit of size_, highest first
};

Digest root_of(std::span<const Digest> leaf_hashes) noexcept;

// Where proofs are made from. node(level, index) is the root of the complete subtree over the leaves
// [index << level, (index + 1) << level); it is asked only for subtrees that lie within the tree.
class NodeSource {
  public:
    virtual ~NodeSource() = default;
    virtual Result<Digest> node(unsigned level, std::uint64_t index) = 0;
};

// A tree whose leaf hashes are in memory. The span must outlive it.
class LeafSource final : public NodeSource {
  public:
    explicit LeafSource(std::span<const Digest> leaf_hashes) : leaves_(leaf_hashes) {}
    Result<Digest> node(unsigned level, std::uint64_t index) override;

  private:
    std::span<const Digest> leaves_;
};

// Error invalid when the leaf or the smaller tree is not within the tree; or the source's own.
Result<Digest> root_at(NodeSource& source, std::uint64_t size);
Result<Proof> inclusion_proof(NodeSource& source, std::uint64_t index, std::uint64_t size);
Result<Proof> consistency_proof(NodeSource& source, std::uint64_t from_size, std::uint64_t to_size);

// Where a path leads from a leaf, in any tree of this shape (RFC 9162, 2.1.3.2): join(left, right) makes a node of two,
// as a Result. Error malformed when the path has not exactly the nodes that a leaf at this index in a tree of this size
// needs; or join's own.
template <class Node, class Join>
Result<Node> climb(Node node, std::uint64_t index, std::uint64_t size, std::span<const Node> path, Join&& join) {
    if (index >= size) return Error(ErrorKind::malformed, "the leaf's index lies outside of the tree");
    const auto wrong = [] { return Error(ErrorKind::malformed, "the inclusion proof has the wrong number of hashes"); };
    std::uint64_t at = index;
    std::uint64_t last = size - 1;
    for (const Node& sibling : path) {
        if (last == 0) return wrong();
        const bool right = (at & 1) != 0 || at == last;
        JZ_TRY(node, right ? join(sibling, node) : join(node, sibling));
        // Levels at which the last node has no sibling do not occur in the path.
        while (right && (at & 1) == 0 && at != 0) {
            at >>= 1;
            last >>= 1;
        }
        at >>= 1;
        last >>= 1;
    }
    if (last != 0) return wrong();
    return node;
}

// The root that the proof leads to (RFC 9162, 2.1.3.2). Error malformed when it has not exactly the hashes that a leaf
// at this index in a tree of this size needs.
Result<Digest> root_from_inclusion(const Digest& leaf_hash, std::uint64_t index, std::uint64_t size,
                                   std::span<const Digest> proof);
// The tree of `to_size` leaves begins with that of `from_size` leaves (RFC 9162, 2.1.4.2). A tree of no leaves begins
// every tree: its proof is empty.
bool verify_consistency(std::uint64_t from_size, const Digest& from_root, std::uint64_t to_size, const Digest& to_root,
                        std::span<const Digest> proof) noexcept;

}  // namespace jiaozi::crypto::merkle
