// The tree of RFC 9162 against the reference roots and proofs of Certificate Transparency's own tests, and against
// itself for every pair of sizes up to a few hundred.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <jiaozi/crypto/merkle.hpp>

namespace jiaozi::crypto::merkle {
namespace {

// The eight leaves of certificate-transparency's merkle_tree_test and of transparency-dev/merkle's reference data.
const std::vector<std::string> reference_leaves = {
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
const std::vector<std::string> reference_roots = {"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                                                  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                                                  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                                                  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                                                  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                                                  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                                                  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                                                  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                                                  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
constexpr const char* leaf_1 = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7";
constexpr const char* leaves_2_3 = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e";
constexpr const char* leaves_4_7 = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4";
constexpr const char* leaf_4 = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b";
constexpr const char* leaves_4_5 = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a";
constexpr const char* leaves_6_7 = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0";

std::vector<Digest> reference_hashes() {
    std::vector<Digest> hashes;
    for (const std::string& leaf : reference_leaves) hashes.push_back(hash_leaf(*from_hex(leaf)));
    return hashes;
}

std::vector<std::string> hex(const Proof& proof) {
    std::vector<std::string> text;
    for (const Digest& hash : proof) text.push_back(to_hex(hash));
    return text;
}

std::vector<Digest> some_leaves(std::size_t count) {
    std::vector<Digest> hashes;
    for (std::size_t i = 0; i < count; ++i) hashes.push_back(hash_leaf(as_bytes("leaf " + std::to_string(i))));
    return hashes;
}

TEST(Merkle, RootsAreThoseOfCertificateTransparency) {
    const auto hashes = reference_hashes();
    Frontier tree;
    for (std::size_t size = 0; size <= hashes.size(); ++size) {
        EXPECT_EQ(to_hex(tree.root()), reference_roots[size]) << size << " leaves";
        LeafSource source{std::span(hashes)};
        EXPECT_EQ(to_hex(*root_at(source, size)), reference_roots[size]) << size << " leaves";
        if (size < hashes.size()) tree.append(hashes[size]);
    }
}

TEST(Merkle, InclusionProofsAreThoseOfCertificateTransparency) {
    struct Row {
        std::uint64_t index, size;
        std::vector<std::string> proof;
    };
    const Row rows[] = {
        {0, 1, {}},
        {0, 8, {leaf_1, leaves_2_3, leaves_4_7}},
        {5, 8, {leaf_4, leaves_6_7, reference_roots[4]}},
        {2, 3, {reference_roots[2]}},
        {1, 5, {reference_roots[1], leaves_2_3, leaf_4}},
    };
    const auto hashes = reference_hashes();
    LeafSource source{std::span(hashes)};
    for (const Row& row : rows) {
        const auto proof = inclusion_proof(source, row.index, row.size);
        ASSERT_TRUE(proof.ok());
        EXPECT_EQ(hex(*proof), row.proof) << row.index << " in " << row.size;
        EXPECT_EQ(to_hex(*root_from_inclusion(hashes[row.index], row.index, row.size, *proof)),
                  reference_roots[row.size]);
    }
}

TEST(Merkle, ConsistencyProofsAreThoseOfCertificateTransparency) {
    struct Row {
        std::uint64_t from, to;
        std::vector<std::string> proof;
    };
    const Row rows[] = {
        {1, 1, {}},
        {1, 8, {leaf_1, leaves_2_3, leaves_4_7}},
        {6, 8, {leaves_4_5, leaves_6_7, reference_roots[4]}},
        {2, 5, {leaves_2_3, leaf_4}},
    };
    const auto hashes = reference_hashes();
    LeafSource source{std::span(hashes)};
    for (const Row& row : rows) {
        const auto proof = consistency_proof(source, row.from, row.to);
        ASSERT_TRUE(proof.ok());
        EXPECT_EQ(hex(*proof), row.proof) << row.from << " to " << row.to;
    }
}

TEST(Merkle, EveryLeafOfEveryTreeIsProvedAndNoOther) {
    const auto hashes = some_leaves(70);
    LeafSource source{std::span(hashes)};
    for (std::uint64_t size = 1; size <= hashes.size(); ++size) {
        const Digest root = *root_at(source, size);
        for (std::uint64_t index = 0; index < size; ++index) {
            auto proof = *inclusion_proof(source, index, size);
            EXPECT_EQ(*root_from_inclusion(hashes[index], index, size, proof), root);
            // Another leaf, another place, one hash more, one less, one changed: none leads to the root.
            const auto leads = [&](const Digest& leaf, std::uint64_t at, const Proof& given) {
                const auto reached = root_from_inclusion(leaf, at, size, given);
                return reached.ok() && *reached == root;
            };
            EXPECT_FALSE(leads(hashes[(index + 1) % hashes.size()], index, proof));
            EXPECT_FALSE(leads(hashes[index], size, proof));
            if (size > 1) {
                EXPECT_FALSE(leads(hashes[index], index == 0 ? 1 : index - 1, proof));
                Proof changed = proof;
                changed[index % changed.size()][7] ^= 1;
                EXPECT_FALSE(leads(hashes[index], index, changed));
                changed = proof;
                changed.pop_back();
                EXPECT_FALSE(leads(hashes[index], index, changed));
            }
            proof.push_back(root);
            EXPECT_FALSE(leads(hashes[index], index, proof));
        }
    }
}

TEST(Merkle, EveryTreeBeginsEveryLargerOneAndOthersDoNot) {
    const auto hashes = some_leaves(70);
    LeafSource source{std::span(hashes)};
    auto other = hashes;
    for (Digest& leaf : other) leaf[0] ^= 1;
    LeafSource liar{std::span(other)};
    for (std::uint64_t to = 0; to <= hashes.size(); ++to) {
        const Digest to_root = *root_at(source, to);
        for (std::uint64_t from = 0; from <= to; ++from) {
            const Digest from_root = *root_at(source, from);
            auto proof = *consistency_proof(source, from, to);
            EXPECT_TRUE(verify_consistency(from, from_root, to, to_root, proof)) << from << " to " << to;
            if (from != 0) {
                EXPECT_FALSE(verify_consistency(from, *root_at(liar, from), to, to_root, proof));
                EXPECT_FALSE(verify_consistency(from, from_root, to, *root_at(liar, to), proof));
            }
            if (!proof.empty()) {
                Proof changed = proof;
                changed.back()[3] ^= 1;
                EXPECT_FALSE(verify_consistency(from, from_root, to, to_root, changed));
                changed.pop_back();
                EXPECT_FALSE(verify_consistency(from, from_root, to, to_root, changed));
            }
            proof.push_back(to_root);
            EXPECT_FALSE(verify_consistency(from, from_root, to, to_root, proof));
        }
        EXPECT_FALSE(verify_consistency(to + 1, to_root, to, to_root, {}));
    }
}

TEST(Merkle, WhatIsOutsideOfTheTreeIsRefused) {
    const auto hashes = some_leaves(5);
    LeafSource source{std::span(hashes)};
    EXPECT_EQ(inclusion_proof(source, 5, 5).error().kind(), ErrorKind::invalid);
    EXPECT_EQ(inclusion_proof(source, 0, 0).error().kind(), ErrorKind::invalid);
    EXPECT_EQ(consistency_proof(source, 6, 5).error().kind(), ErrorKind::invalid);
    EXPECT_EQ(root_from_inclusion(hashes[0], 0, 0, {}).error().kind(), ErrorKind::malformed);
    EXPECT_EQ(root_from_inclusion(hashes[0], UINT64_MAX, UINT64_MAX, {}).error().kind(), ErrorKind::malformed);
}

}  // namespace
}  // namespace jiaozi::crypto::merkle
