// The same conversation over every carrier a machine has without a camera or an antenna.
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <jiaozi/carriers/framing.hpp>
#include <jiaozi/carriers/link.hpp>
#include <jiaozi/carriers/qr.hpp>

namespace jiaozi::carriers {
namespace {

constexpr Duration patience = seconds(20);

class Folder {
  public:
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "jiaozi-link-XXXXXX").string();
        if (::mkdtemp(name.data()) != nullptr) path = name;
    }
    ~Folder() { std::filesystem::remove_all(path); }
    std::filesystem::path path;
};

void converse(Link& payee, Link& payer) {
    for (const std::size_t size : {1U, 150U, 4608U}) {
        const Bytes there(size, 0x21);
        const Bytes back(size, 0x22);
        std::thread other([&] { EXPECT_TRUE(payee.send(there).ok() && payee.send(back).ok()); });
        EXPECT_EQ(payer.receive(patience).value(), there);
        EXPECT_EQ(payer.receive(patience).value(), back);
        other.join();
        std::thread answer([&] { EXPECT_TRUE(payer.send(back).ok()); });
        EXPECT_EQ(payee.receive(patience).value(), back);
        answer.join();
    }
    EXPECT_EQ(payee.receive(milliseconds(1)).error().kind(), ErrorKind::timeout);
}

TEST(Place, Forms) {
    EXPECT_EQ(parse_place("tcp:127.0.0.1:7700").value().port, 7700);
    EXPECT_EQ(parse_place("unix:/tmp/purse").value().where, "/tmp/purse");
    EXPECT_EQ(parse_place("file:./exchange").value().kind, Kind::file);
    EXPECT_EQ(parse_place("qr:").value().kind, Kind::qr);
    for (const char* text : {"", "tcp", "tcp:7700", "tcp:localhost:1", "tcp:1.2.3.4:70000",
                             "unix:", "file:", "serial:", "http://x", "tcp:127.0.0.1:"}) {
        const auto place = parse_place(text);
        ASSERT_FALSE(place.ok()) << text;
        EXPECT_NE(place.error().message().find("tcp:127.0.0.1:7700"), std::string::npos);
    }
}

TEST(Link, OverTcp) {
    auto listener = listen(parse_place("tcp:127.0.0.1:0").value()).value();
    auto payer = open_link(listener->place(), Side::payer, patience).value();
    auto payee = listener->accept(patience).value();
    converse(*payee, *payer);
    payer.reset();
    EXPECT_EQ(payee->receive(patience).error().kind(), ErrorKind::unavailable);
}

TEST(Link, OverAUnixSocketWhoseFileIsPrivateAndGoesAway) {
    const Folder folder;
    const Place place = parse_place("unix:" + (folder.path / "purse").string()).value();
    {
        auto listener = listen(place).value();
        EXPECT_EQ(std::filesystem::status(folder.path / "purse").permissions() & std::filesystem::perms(077),
                  std::filesystem::perms::none);
        auto payer = open_link(place, Side::payer, patience).value();
        auto payee = listener->accept(patience).value();
        converse(*payee, *payer);
    }
    EXPECT_FALSE(std::filesystem::exists(folder.path / "purse"));
    EXPECT_EQ(open_link(place, Side::payer, milliseconds(1)).error().kind(), ErrorKind::unavailable);
}

TEST(Link, OverAFolder) {
    const Folder folder;
    const Place place = parse_place("file:" + (folder.path / "exchange").string()).value();
    auto payee = open_link(place, Side::payee, patience).value();
    auto payer = open_link(place, Side::payer, patience).value();
    converse(*payee, *payer);
    EXPECT_TRUE(std::filesystem::is_empty(folder.path / "exchange"));
    // What is no message is said once and out of the way.
    std::ofstream(folder.path / "exchange" / "to-payee-000001.jzpm") << "JZPM";
    EXPECT_EQ(payee->receive(patience).error().kind(), ErrorKind::malformed);
    EXPECT_EQ(payee->receive(milliseconds(1)).error().kind(), ErrorKind::timeout);
}

// A serial line's two ends: a pseudo-terminal.
struct Line {
    Line() {
        master = ::posix_openpt(O_RDWR | O_NOCTTY);
        if (master >= 0 && ::grantpt(master) == 0 && ::unlockpt(master) == 0) path = ::ptsname(master);
    }
    int master = -1;
    std::string path;
};

TEST(Link, OverASerialLine) {
    const Line line;
    ASSERT_FALSE(line.path.empty());
    auto payer = open_link({Kind::serial, line.path, 0}, Side::payer, patience).value();
    auto payee = link_over(line.master, true);
    converse(*payee, *payer);
}

TEST(Link, ASerialLineThatLostBytesIsUsableAfterAPause) {
    const Line line;
    auto payer = open_link({Kind::serial, line.path, 0}, Side::payer, patience).value();
    const Bytes torn{0x01, 0x00, 0x02};  // 256 announced, one sent
    ASSERT_EQ(::write(line.master, torn.data(), torn.size()), 3);
    std::thread later([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(1500));
        const Bytes whole = frame(Bytes{0x0F, 0x0D}).value();
        EXPECT_EQ(::write(line.master, whole.data(), whole.size()), 4);
    });
    EXPECT_EQ(payer->receive(patience).value(), (Bytes{0x0F, 0x0D}));
    later.join();
    ::close(line.master);
}

TEST(Link, OverCodesThatAScannerTypes) {
    int typed[2];
    ASSERT_EQ(::pipe(typed), 0);
    std::ostringstream screen;
    const Folder folder;
    auto link = open_link({Kind::qr, folder.path.string(), 0}, Side::payee, patience, {&screen, typed[0]}).value();
    const Bytes message(450, 0x33);
    ASSERT_TRUE(link->send(message).ok());
    EXPECT_NE(screen.str().find("3/3"), std::string::npos);
    EXPECT_TRUE(std::filesystem::exists(folder.path / "1-3.pgm"));
    std::string lines = "https://example.org\r\n";
    const auto parts = split_for_qr(message).value();
    for (const std::string& part : parts) lines += part + "\r\n" + part + "\n";
    ASSERT_EQ(::write(typed[1], lines.data(), lines.size()), static_cast<ssize_t>(lines.size()));
    EXPECT_EQ(link->receive(patience).value(), message);
    ::close(typed[1]);
    EXPECT_EQ(link->receive(patience).error().kind(), ErrorKind::unavailable);
    ::close(typed[0]);
}

TEST(Link, AJunkStreamEndsTheConnection) {
    int pair[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    auto link = link_over(pair[0]);
    ASSERT_EQ(::write(pair[1], "GET / HTTP/1.1\r\n", 16), 16);
    EXPECT_EQ(link->receive(patience).error().kind(), ErrorKind::malformed);
    ::close(pair[1]);
}

}  // namespace
}  // namespace jiaozi::carriers
