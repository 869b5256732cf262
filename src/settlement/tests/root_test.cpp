#include <gtest/gtest.h>

#include <jiaozi/settlement/root.hpp>

namespace jiaozi::settlement {
namespace {

// Offline keys of the operator, and roots that some of them sign.
class Keys {
  public:
    explicit Keys(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            pairs_.push_back(crypto::generate_key(crypto::Suite::ed25519));
            keys.push_back({crypto::Suite::ed25519, pairs_.back().public_key});
        }
    }
    std::vector<RootSignature> sign(ByteView document, std::initializer_list<std::uint32_t> who) const {
        std::vector<RootSignature> out;
        for (const std::uint32_t index : who) {
            const auto signer = crypto::make_signer(pairs_[index]);
            out.push_back({index, (*signer)->sign(root_message(document)).value()});
        }
        return out;
    }
    std::vector<RootKey> keys;

  private:
    std::vector<crypto::KeyPair> pairs_;
};

Root root_of(const Keys& keys, std::uint32_t version) {
    Root root;
    root.version = version;
    root.signers = keys.keys;
    root.threshold = 2;
    root.issuing.push_back({Keys(1).keys.front(), 1'000, 2'000, 1'000'000});
    return root;
}

class Rotation : public ::testing::Test {
  protected:
    Rotation() {
        const Bytes document = encode(root_of(old_, 1));
        auto accepted = accept_root(std::nullopt, signed_root(document, old_.sign(document, {0, 2}), {}));
        EXPECT_TRUE(accepted.ok());
        if (accepted.ok()) current_ = *accepted;
    }
    Result<Root> rotate(std::uint32_t version, std::initializer_list<std::uint32_t> by_new,
                        std::initializer_list<std::uint32_t> by_old) {
        const Bytes document = encode(root_of(new_, version));
        return accept_root(current_, signed_root(document, new_.sign(document, by_new), old_.sign(document, by_old)));
    }
    Keys old_{3};
    Keys new_{3};
    std::optional<Root> current_;
};

TEST_F(Rotation, BothThresholdsSignAndTheNextVersionIsAccepted) {
    const auto accepted = rotate(2, {0, 1}, {1, 2});
    ASSERT_TRUE(accepted.ok()) << accepted.error().to_string();
    EXPECT_EQ(accepted->signers, new_.keys);
}

TEST_F(Rotation, A55_OnlyNewSignaturesRejected) {
    const auto refused = rotate(2, {0, 1, 2}, {});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code(), "root_threshold");
    EXPECT_FALSE(rotate(2, {0, 1}, {1}).ok());
    EXPECT_FALSE(rotate(2, {0}, {0, 1, 2}).ok());
}

TEST_F(Rotation, A49_AVersionJumpByALeakedKeyIsRefusedAndTheOwnersStillRotate) {
    const auto jump = rotate(4'000'000'000U, {0, 1}, {0, 1});
    ASSERT_FALSE(jump.ok());
    EXPECT_EQ(jump.error().code(), "root_version");
    EXPECT_TRUE(rotate(2, {0, 1}, {1, 2}).ok());
}

TEST_F(Rotation, AnotherDocumentUnderTheSameSignaturesIsRefused) {
    const Bytes document = encode(root_of(new_, 2));
    const Bytes other = encode(root_of(new_, 2));  // with another issuing key
    EXPECT_FALSE(
        accept_root(current_, signed_root(other, new_.sign(document, {0, 1}), old_.sign(document, {0, 1}))).ok());
}

TEST_F(Rotation, EveryCutAndEveryFlippedByteIsRefused) {
    const Bytes document = encode(root_of(new_, 2));
    const Bytes whole = signed_root(document, new_.sign(document, {0, 1}), old_.sign(document, {0, 1}));
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_FALSE(accept_root(current_, ByteView(whole).first(size)).ok()) << size;
    }
    for (std::size_t i = 0; i < whole.size(); i += 7) {
        Bytes flipped = whole;
        flipped[i] ^= 0x20;
        EXPECT_FALSE(accept_root(current_, flipped).ok()) << i;
    }
}

}  // namespace
}  // namespace jiaozi::settlement
