#include <gtest/gtest.h>

#include <jiaozi/carriers/framing.hpp>

namespace jiaozi::carriers {
namespace {

Bytes message_of(std::size_t size, std::uint8_t first = 1) {
    Bytes message(size);
    for (std::size_t i = 0; i < size; ++i) message[i] = static_cast<std::uint8_t>(first + i * 7);
    return message;
}

TEST(Framing, AMessageHasTwoBytesOfLengthInFront) {
    EXPECT_EQ(to_hex(frame(Bytes{0x0F, 0x0D}).value()), "00020f0d");
    EXPECT_EQ(frame(message_of(max_message)).value().size(), 2 + max_message);
    EXPECT_FALSE(frame({}).ok());
    EXPECT_FALSE(frame(message_of(max_message + 1)).ok());
}

TEST(Framing, HoweverTheStreamIsCutTheMessagesAreTheSame) {
    const std::vector<Bytes> sent = {message_of(1), message_of(256), message_of(max_message), message_of(3, 200)};
    Bytes stream;
    for (const Bytes& message : sent) append(stream, frame(message).value());
    for (const std::size_t piece : {1U, 2U, 3U, 255U, 4096U, 100'000U}) {
        StreamReader reader;
        std::vector<Bytes> got;
        for (std::size_t at = 0; at < stream.size(); at += piece) {
            ByteView input = ByteView(stream).subspan(at, std::min(piece, stream.size() - at));
            while (!input.empty()) {
                auto message = reader.take(input);
                ASSERT_TRUE(message.ok());
                if (message->has_value()) got.push_back(std::move(**message));
            }
        }
        EXPECT_EQ(got, sent) << "in pieces of " << piece;
        EXPECT_FALSE(reader.torn());
    }
}

TEST(Framing, LengthsThatNoMessageHasEndTheConnection) {
    for (const Bytes& bytes : {Bytes{0x00, 0x00}, Bytes{0x12, 0x01}, Bytes{0xFF, 0xFF}}) {
        StreamReader reader;
        ByteView input(bytes);
        EXPECT_EQ(reader.take(input).error().kind(), ErrorKind::malformed) << to_hex(bytes);
    }
    StreamReader reader;
    const Bytes longest{0x12, 0x00};  // 4,608
    ByteView input(longest);
    EXPECT_TRUE(reader.take(input).ok());
    EXPECT_TRUE(reader.torn());
}

TEST(MessageFile, OneMessageAndNothingElse) {
    const Bytes file = write_message_file(Bytes{0x06, 0x01}).value();
    EXPECT_EQ(to_hex(file), "4a5a504d00020601");
    EXPECT_EQ(read_message_file(file).value(), (Bytes{0x06, 0x01}));
    for (std::size_t size = 0; size < file.size(); ++size) {
        EXPECT_FALSE(read_message_file(ByteView(file).first(size)).ok()) << size;
    }
    Bytes longer = file;
    longer.push_back(0);
    EXPECT_FALSE(read_message_file(longer).ok());
    longer = file;
    longer[3] = 'N';
    EXPECT_FALSE(read_message_file(longer).ok());
}

}  // namespace
}  // namespace jiaozi::carriers
