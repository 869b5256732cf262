// A log's newest checkpoint in several places, one of which fails: the others are not held up, and it is tried again.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <mutex>
#include <thread>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <jiaozi/anchor/places.hpp>
#include <jiaozi/anchor/publisher.hpp>
#include <jiaozi/base/log.hpp>

namespace jiaozi::anchor {
namespace {

class PublisherTest : public ::testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = (std::filesystem::temp_directory_path() / "jiaozi-publisher-XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
        signer_ = *crypto::make_signer(crypto::generate_key(crypto::Suite::ed25519));
        key_ = *proof::note_key("shop.example/journal", proof::NoteAlgorithm::ed25519, *signer_);
        log::set_level(log::Level::off);
    }
    void TearDown() override {
        log::set_level(log::Level::info);
        std::filesystem::remove_all(folder_);
    }

    void sign(std::uint64_t size, std::uint8_t root = 1) {
        proof::Checkpoint checkpoint{key_.name, size, {}};
        checkpoint.root.fill(root);
        const std::string text = checkpoint.text();
        const std::lock_guard guard(mutex_);
        newest_ = proof::Note{text, {*proof::sign_note(text, key_, *signer_)}}.to_string();
    }
    PublisherOptions options(std::vector<std::string> places) {
        PublisherOptions made;
        made.places = std::move(places);
        made.rpc = "http://127.0.0.1:1";
        made.every = milliseconds(10);
        made.newest = [this]() -> Result<std::string> {
            const std::lock_guard guard(mutex_);
            ++asked_;
            if (newest_.empty()) return Error(ErrorKind::not_found, "nothing is signed yet");
            return newest_;
        };
        made.key = key_;
        return made;
    }
    std::string path(const std::string& name) const { return (folder_ / name).string(); }
    std::vector<std::uint64_t> sizes_in(const std::string& name) const {
        std::vector<std::uint64_t> sizes;
        const auto list = read_anchor_file(path(name));
        if (!list.ok()) return sizes;
        for (const std::string& note : list->notes) sizes.push_back(proof::open_checkpoint(note, key_)->size);
        return sizes;
    }
    static void wait_until(const std::function<bool()>& reached) {
        while (!reached()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }

    std::filesystem::path folder_;
    std::unique_ptr<crypto::Signer> signer_;
    proof::NoteKey key_;
    std::mutex mutex_;
    std::string newest_;
    std::atomic<int> asked_ = 0;
};

TEST_F(PublisherTest, WhatIsSignedGoesOutOnceAndWhileNothingIsNothingFails) {
    const auto publisher = *Publisher::start(options({path("a"), path("b")}));
    wait_until([&] { return asked_ >= 6; });
    EXPECT_FALSE(publisher->status()[0].failing);
    for (const std::uint64_t size : {3, 8}) {
        sign(size);
        wait_until(
            [&] { return publisher->status()[0].published == size && publisher->status()[1].published == size; });
    }
    const int before = asked_;
    wait_until([&] { return asked_ >= before + 6; });
    EXPECT_EQ(sizes_in("a"), (std::vector<std::uint64_t>{3, 8}));
    EXPECT_EQ(sizes_in("b"), (std::vector<std::uint64_t>{3, 8}));
    EXPECT_EQ(publisher->status()[0].failures, 0U);
}

TEST_F(PublisherTest, APlaceThatFailsIsTriedAgainAndHoldsUpNoOther) {
    sign(5);
    const auto publisher = *Publisher::start(options({path("missing/a"), path("b")}));
    wait_until([&] { return publisher->status()[0].failures >= 3; });
    EXPECT_TRUE(publisher->status()[0].failing);
    wait_until([&] { return publisher->status()[1].published == 5; });
    std::filesystem::create_directory(folder_ / "missing");
    wait_until([&] { return publisher->status()[0].published == 5; });
    EXPECT_FALSE(publisher->status()[0].failing);
    EXPECT_EQ(sizes_in("missing/a"), (std::vector<std::uint64_t>{5}));
}

TEST_F(PublisherTest, NothingIsPutOverAnotherHistory) {
    sign(9);
    {
        const auto publisher = *Publisher::start(options({path("a")}));
        wait_until([&] { return publisher->status()[0].published == 9; });
    }
    sign(9, 2);
    const auto publisher = *Publisher::start(options({path("a")}));
    wait_until([&] { return publisher->status()[0].failures >= 2; });
    EXPECT_EQ(publisher->status()[0].published, 0U);
    EXPECT_EQ(sizes_in("a"), (std::vector<std::uint64_t>{9}));
}

TEST_F(PublisherTest, NamesShowNoSecret) {
    const std::string list = "eip155:1:0x" + std::string(40, '1') + "/0x" + std::string(40, '2');
    const auto publisher = *Publisher::start(
        options({"http://me:secret@127.0.0.1:1/key", "http://127.0.0.1:1/other", list + "@http://127.0.0.1:1/key"}));
    const auto status = publisher->status();
    EXPECT_EQ(status[0].name, "http://127.0.0.1:1");
    EXPECT_EQ(status[1].name, "http://127.0.0.1:1 (2)");
    EXPECT_EQ(status[2].name, list);
}

TEST_F(PublisherTest, SettingsThatAreWrongAreRefusedAtOnce) {
    for (const char* wrong : {"", "ftp://example.com/a", "eip155:1:0x12/0x34", "eip155:one"}) {
        const auto started = Publisher::start(options({wrong}));
        ASSERT_FALSE(started.ok()) << wrong;
        EXPECT_EQ(started.error().kind(), ErrorKind::invalid) << wrong;
    }
    EXPECT_FALSE(Publisher::start(options(std::vector<std::string>(17, path("a")))).ok());
}

// A server that takes the connection and never answers: ending does not wait for the request's own end.
TEST_F(PublisherTest, EndsWhileARequestIsUnderWay) {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ASSERT_EQ(::bind(listener, reinterpret_cast<const sockaddr*>(&address), size), 0);
    ASSERT_EQ(::listen(listener, 1), 0);
    ASSERT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
    sign(5);
    auto publisher =
        *Publisher::start(options({"http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/anchors"}));
    const int connection = ::accept(listener, nullptr, nullptr);
    ASSERT_GE(connection, 0);
    publisher.reset();
    ::close(connection);
    ::close(listener);
}

}  // namespace
}  // namespace jiaozi::anchor
