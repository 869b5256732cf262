// A file bound to a counter: crashes at every point, and old copies put back.
#include <gtest/gtest.h>

#include <jiaozi/crypto/private_file.hpp>
#include <jiaozi/keystores/counted_file.hpp>

#include "process.hpp"

namespace jiaozi::keystores {
namespace {

// A counter in memory that fails when it is told to, before or after the step.
class BreakableCounter final : public MonotonicCounter {
  public:
    enum class Fault { none, before_step, after_step };
    Result<std::uint64_t> read() override { return value; }
    Result<std::uint64_t> increment() override {
        if (left-- > 0) return ++value;
        if (fault == Fault::after_step) ++value;
        if (fault != Fault::none) return Error(ErrorKind::unavailable, "the counter is gone");
        return ++value;
    }
    void break_after(int steps, Fault how) {
        left = steps;
        fault = how;
    }
    void repair() { fault = Fault::none; }

    std::uint64_t value = 41;
    int left = 0;
    Fault fault = Fault::none;
};

using Fault = BreakableCounter::Fault;

class CountedFileTest : public ::testing::Test {
  protected:
    Result<CountedFile> open() { return CountedFile::open(path, seal.clone(), &counter); }
    Bytes copy() const { return to_bytes(crypto::read_private_file(path, 1 << 20).value().view()); }
    void put_back(const Bytes& bytes) {
        ASSERT_TRUE(crypto::write_private_file(path, bytes, crypto::Existing::replace).ok());
    }
    void create(std::string_view content) {
        const auto file = CountedFile::create(path, seal.clone(), &counter, as_bytes(content));
        ASSERT_TRUE(file.ok()) << file.error().to_string();
    }
    std::string content() {
        const auto file = open();
        return file.ok() ? std::string(as_text(file->content())) : file.error().code();
    }

    testing::TemporaryFolder folder;
    std::filesystem::path path = folder / "purse";
    crypto::SecretBytes seal = crypto::SecretBytes::random(32);
    BreakableCounter counter;
};

TEST_F(CountedFileTest, KeepsWhatWasWritten) {
    create("one");
    EXPECT_EQ(content(), "one");
    {
        auto file = open();
        ASSERT_TRUE(file.ok());
        EXPECT_EQ(file->freshness(), Freshness::newest);
        ASSERT_TRUE(file->write(as_bytes("two")).ok());
        ASSERT_TRUE(file->write(as_bytes("three")).ok());
        EXPECT_EQ(file->value(), counter.value);
    }
    EXPECT_EQ(content(), "three");
}

TEST_F(CountedFileTest, EveryOlderCopyIsRefused) {
    create("0");
    std::vector<Bytes> copies = {copy()};
    for (int i = 1; i < 6; ++i) {
        auto file = open();
        ASSERT_TRUE(file.ok());
        ASSERT_TRUE(file->write(as_bytes(std::to_string(i))).ok());
        copies.push_back(copy());
    }
    const Bytes newest = copies.back();
    for (std::size_t i = 0; i + 1 < copies.size(); ++i) {
        put_back(copies[i]);
        EXPECT_EQ(content(), "rolled_back") << "copy " << i;
    }
    put_back(newest);
    EXPECT_EQ(content(), "5");
}

// Whatever fails in whatever step, the honest owner opens the file again with the old or the new content.
TEST_F(CountedFileTest, ACrashLeavesOldOrNewAndIsNeverCalledARollback) {
    for (const Fault fault : {Fault::before_step, Fault::after_step}) {
        for (int steps = 0; steps < 4; ++steps) {
            std::filesystem::remove(path);
            counter.repair();
            create("old");
            counter.break_after(steps, fault);
            {
                auto file = open();
                if (file.ok()) {
                    const auto written = file->write(as_bytes("new"));
                    if (!written.ok()) {
                        EXPECT_EQ(file->write(as_bytes("newer")).error().kind(), ErrorKind::conflict);
                    }
                }
            }
            counter.repair();
            const std::string found = content();
            EXPECT_TRUE(found == "old" || found == "new") << found << " after " << steps << " steps";
        }
    }
}

// The counter is made to fail on purpose, the half-written file is kept aside and put back after a payment.
TEST_F(CountedFileTest, AFileLeftByACrashIsOldAfterTheNextOpening) {
    for (const Fault fault : {Fault::before_step, Fault::after_step}) {
        for (int steps = 0; steps < 4; ++steps) {
            std::filesystem::remove(path);
            counter.repair();
            create("100 unspent");
            const Bytes start = copy();
            counter.break_after(steps, fault);
            {
                auto file = open();
                if (file.ok()) ignore_error(file->write(as_bytes("100 unspent, half-written")), "broken on purpose");
            }
            const Bytes kept_aside = copy();
            counter.repair();
            for (const Bytes& base : {start, kept_aside}) {
                put_back(base);
                auto file = open();
                if (!file.ok()) continue;
                ASSERT_TRUE(file->write(as_bytes("0 unspent")).ok());
                break;
            }
            ASSERT_EQ(content(), "0 unspent");
            put_back(kept_aside);
            EXPECT_EQ(content(), "rolled_back") << steps;
            put_back(start);
            EXPECT_EQ(content(), "rolled_back") << steps;
        }
    }
}

TEST_F(CountedFileTest, AnotherDevicesFileIsRefused) {
    create("x");
    counter.value = 7;
    EXPECT_EQ(content(), "counter_behind");
}

TEST_F(CountedFileTest, SomebodyElseAtTheCounterIsNoticedBeforeTheFileIsTouched) {
    create("x");
    auto file = open();
    ASSERT_TRUE(file.ok());
    ++counter.value;
    const Bytes before = copy();
    EXPECT_EQ(file->write(as_bytes("y")).error().kind(), ErrorKind::conflict);
    EXPECT_EQ(copy(), before);
}

TEST_F(CountedFileTest, OneProcessAtATime) {
    create("x");
    const auto first = open();
    ASSERT_TRUE(first.ok());
    EXPECT_EQ(open().error().kind(), ErrorKind::conflict);
}

TEST_F(CountedFileTest, EveryChangedByteIsNoticed) {
    create("content");
    const Bytes original = copy();
    for (std::size_t at = 0; at < original.size(); ++at) {
        Bytes changed = original;
        changed[at] ^= 0x80;
        EXPECT_FALSE(decode_counted(seal, changed).ok()) << at;
        EXPECT_FALSE(decode_counted(seal, ByteView(original).first(at)).ok()) << at;
    }
    EXPECT_EQ(decode_counted(crypto::SecretBytes::random(32), original).error().kind(), ErrorKind::unauthenticated);
}

TEST_F(CountedFileTest, TheHeadIsFrozen) {
    const auto file = encode_counted(seal, 0x0102030405060708, as_bytes("abc"));
    ASSERT_TRUE(file.ok());
    EXPECT_EQ(to_hex(ByteView(*file).first(24)), "4a49414f5a492d434f554e5445442d310102030405060708");
    EXPECT_EQ(file->size(), 24U + 12U + 3U + 16U);
}

}  // namespace
}  // namespace jiaozi::keystores
