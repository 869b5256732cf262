#include <algorithm>
#include <bit>
#include <string>

#include <jiaozi/base/assert.hpp>
#include <jiaozi/crypto/merkle.hpp>

namespace jiaozi::crypto::merkle {
namespace {

constexpr std::uint8_t leaf_prefix = 0x00;
constexpr std::uint8_t node_prefix = 0x01;

// The largest power of two below n, for n > 1: where a tree of n leaves is split.
std::uint64_t split(std::uint64_t n) noexcept {
    return std::bit_floor(n - 1);
}

// The root over the leaves [begin, end). `begin` is a multiple of the subtree it starts, as splitting from the root
// gives it, so that a range of a power of two is one stored node.
Result<Digest> range_root(NodeSource& source, std::uint64_t begin, std::uint64_t end) {
    const std::uint64_t count = end - begin;
    if (std::has_single_bit(count)) {
        const auto level = static_cast<unsigned>(std::countr_zero(count));
        return source.node(level, begin >> level);
    }
    const std::uint64_t middle = begin + split(count);
    JZ_TRY(const Digest left, range_root(source, begin, middle));
    JZ_TRY(const Digest right, range_root(source, middle, end));
    return hash_node(left, right);
}

}  // namespace

Digest hash_leaf(ByteView entry) noexcept {
    return Sha256().update(ByteView(&leaf_prefix, 1)).update(entry).finish();
}

Digest hash_node(const Digest& left, const Digest& right) noexcept {
    return Sha256().update(ByteView(&node_prefix, 1)).update(left).update(right).finish();
}

Digest empty_root() noexcept {
    return sha256({});
}

void Frontier::append(const Digest& leaf_hash) {
    Digest hash = leaf_hash;
    // As many peaks fall into one as the size has ones at its end, like the carry of an addition.
    for (std::uint64_t bits = size_; (bits & 1) != 0; bits >>= 1) {
        hash = hash_node(peaks_.back(), hash);
        peaks_.pop_back();
    }
    peaks_.push_back(hash);
    ++size_;
}

Digest Frontier::root() const noexcept {
    if (peaks_.empty()) return empty_root();
    Digest root = peaks_.back();
    for (std::size_t i = peaks_.size() - 1; i-- > 0;) root = hash_node(peaks_[i], root);
    return root;
}

Digest root_of(std::span<const Digest> leaf_hashes) noexcept {
    Frontier tree;
    for (const Digest& leaf : leaf_hashes) tree.append(leaf);
    return tree.root();
}

Result<Digest> LeafSource::node(unsigned level, std::uint64_t index) {
    const std::uint64_t begin = index << level;
    JZ_ASSERT(level < 64 && begin + (std::uint64_t{1} << level) <= leaves_.size());
    return root_of(leaves_.subspan(static_cast<std::size_t>(begin), std::size_t{1} << level));
}

Result<Digest> root_at(NodeSource& source, std::uint64_t size) {
    if (size == 0) return empty_root();
    return range_root(source, 0, size);
}

Result<Proof> inclusion_proof(NodeSource& source, std::uint64_t index, std::uint64_t size) {
    if (index >= size) {
        return Error(ErrorKind::invalid,
                     "leaf " + std::to_string(index) + " is not in a tree of " + std::to_string(size));
    }
    Proof proof;
    std::uint64_t begin = 0;
    std::uint64_t end = size;
    while (end - begin > 1) {
        const std::uint64_t middle = begin + split(end - begin);
        const bool left = index < middle;
        JZ_TRY(const Digest sibling, left ? range_root(source, middle, end) : range_root(source, begin, middle));
        proof.push_back(sibling);
        (left ? end : begin) = middle;
    }
    std::ranges::reverse(proof);
    return proof;
}

Result<Proof> consistency_proof(NodeSource& source, std::uint64_t from_size, std::uint64_t to_size) {
    if (from_size > to_size) {
        return Error(ErrorKind::invalid,
                     "a tree of " + std::to_string(from_size) + " does not begin one of " + std::to_string(to_size));
    }
    Proof proof;
    if (from_size == 0 || from_size == to_size) return proof;
    std::uint64_t begin = 0;
    std::uint64_t end = to_size;
    // Down to the subtree that ends where the smaller tree ends. Unless that is a whole left edge of the tree, whose
    // hash the verifier has already, its own hash comes first.
    while (end != from_size) {
        const std::uint64_t middle = begin + split(end - begin);
        const bool left = from_size <= middle;
        JZ_TRY(const Digest sibling, left ? range_root(source, middle, end) : range_root(source, begin, middle));
        proof.push_back(sibling);
        (left ? end : begin) = middle;
    }
    if (begin != 0) {
        JZ_TRY(const Digest own, range_root(source, begin, end));
        proof.push_back(own);
    }
    std::ranges::reverse(proof);
    return proof;
}

Result<Digest> root_from_inclusion(const Digest& leaf_hash, std::uint64_t index, std::uint64_t size,
                                   std::span<const Digest> proof) {
    return climb(leaf_hash, index, size, proof,
                 [](const Digest& left, const Digest& right) { return Result<Digest>(hash_node(left, right)); });
}

bool verify_consistency(std::uint64_t from_size, const Digest& from_root, std::uint64_t to_size, const Digest& to_root,
                        std::span<const Digest> proof) noexcept {
    if (from_size > to_size) return false;
    if (from_size == to_size) return proof.empty() && from_root == to_root;
    if (from_size == 0) return proof.empty() && from_root == empty_root();
    if (proof.empty()) return false;
    std::uint64_t at = from_size - 1;
    std::uint64_t last = to_size - 1;
    while ((at & 1) != 0) {
        at >>= 1;
        last >>= 1;
    }
    // A smaller tree of 2^n leaves is itself the subtree that the proof starts from, and is left out of it.
    const bool own_first = !std::has_single_bit(from_size);
    Digest from = own_first ? proof.front() : from_root;
    Digest to = from;
    for (const Digest& sibling : proof.subspan(own_first ? 1 : 0)) {
        if (last == 0) return false;
        if ((at & 1) != 0 || at == last) {
            from = hash_node(sibling, from);
            to = hash_node(sibling, to);
            while ((at & 1) == 0 && at != 0) {
                at >>= 1;
                last >>= 1;
            }
        } else {
            to = hash_node(to, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    return last == 0 && from == from_root && to == to_root;
}

}  // namespace jiaozi::crypto::merkle
