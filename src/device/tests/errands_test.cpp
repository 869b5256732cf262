// What a device hands in for its purse: in pieces, from where the server is, however often the line is cut.
#include "bench.hpp"

namespace jiaozi::device::test {
namespace {

using protocol::PurseAnswer;
using protocol::PurseMore;
using protocol::PursePiece;
using protocol::PurseTaken;

Bytes counting(std::size_t size, std::uint8_t first = 0) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(first + i * 7);
    return bytes;
}

struct Line : Bench {
    Bytes errand = counting(5'000);
    Bytes answer = counting(3'000, 9);
    protocol::TransferId id = protocol::transfer_id(errand);

    Line() { open(); }
    PursePiece piece() { return std::get<PursePiece>(expect<PursePiece>().message.body); }
    void taken(std::uint32_t offset) { say(PurseTaken{id, offset}); }
    void answers(std::uint32_t offset, const Bytes& from) {
        const ByteView rest = ByteView(from).subspan(offset);
        say(PurseAnswer{.transfer = id,
                        .size = static_cast<std::uint32_t>(from.size()),
                        .offset = offset,
                        .data = to_bytes(rest.first(std::min(rest.size(), protocol::max_purse_piece))),
                        .check = protocol::answer_check(from)});
    }
};

TEST(Errands, GoOutInPiecesAndTheAnswerComesInPieces) {
    Line line;
    ASSERT_TRUE(line.client->run_errand(line.errand).ok());
    Bytes arrived;
    for (const std::uint32_t offset : {0U, 2'048U, 4'096U}) {
        const PursePiece piece = line.piece();
        EXPECT_EQ(piece.offset, offset);
        EXPECT_EQ(piece.size, 5'000U);
        append(arrived, piece.data);
        if (offset != 4'096) line.taken(offset + 2'048);
    }
    EXPECT_EQ(arrived, line.errand);
    line.answers(0, line.answer);
    EXPECT_EQ(std::get<PurseMore>(line.expect<PurseMore>().message.body).offset, 2'048U);
    line.answers(2'048, line.answer);
    ASSERT_EQ(line.errands.size(), 1U);
    EXPECT_EQ(line.errands[0], line.answer);
    line.pass(seconds(20));
    EXPECT_TRUE(line.refused_errands.empty());
    ASSERT_TRUE(line.client->run_errand(counting(10)).ok()) << "the next one";
}

TEST(Errands, GoOnWhereTheServerIs) {
    Line line;
    ASSERT_TRUE(line.client->run_errand(line.errand).ok());
    ASSERT_TRUE(line.client->run_errand(line.errand).ok()) << "the same is the same";
    EXPECT_EQ(line.client->run_errand(counting(10)).error().kind(), ErrorKind::conflict);
    EXPECT_EQ(line.piece().offset, 0U);
    line.pass(seconds(2));
    EXPECT_EQ(line.piece().offset, 0U) << "lost: the same again";
    line.taken(4'096);  // it had more from before
    EXPECT_EQ(line.piece().offset, 4'096U);
    line.client->disconnected();
    line.pass(seconds(5));
    line.sent.clear();
    line.server.restart();
    line.connect();
    EXPECT_EQ(line.piece().offset, 4'096U);
    line.taken(0);  // a server that has started anew
    EXPECT_EQ(line.piece().offset, 0U);
    line.taken(0);
    line.taken(9'999);
    EXPECT_TRUE(line.sent.empty()) << "said twice, and nonsense";
    line.answers(0, line.answer);  // it has done it meanwhile
    line.expect<PurseMore>();
    line.taken(0);  // and has forgotten it again
    EXPECT_EQ(line.piece().offset, 0U);
}

TEST(Errands, AnAnswerThatChangesIsReadAnew) {
    Line line;
    ASSERT_TRUE(line.client->run_errand(line.errand).ok());
    line.piece();
    const Bytes other = counting(3'000, 77);
    line.answers(0, line.answer);
    line.expect<PurseMore>();
    line.answers(2'048, other);
    EXPECT_EQ(std::get<PurseMore>(line.expect<PurseMore>().message.body).offset, 0U);
    line.answers(0, other);
    line.expect<PurseMore>();
    line.answers(0, other);  // doubled
    line.answers(2'048, other);
    ASSERT_EQ(line.errands.size(), 1U);
    EXPECT_EQ(line.errands[0], other);
}

TEST(Errands, WhatTheServerRefusesEndsIt) {
    Line line;
    ASSERT_TRUE(line.client->run_errand(line.errand).ok());
    const auto heard = line.expect<PursePiece>();
    line.client->receive(line.server.error(protocol::RefusalCode::request_refused, heard.message.seq));
    ASSERT_EQ(line.refused_errands.size(), 1U);
    EXPECT_TRUE(line.refusals.empty());
    EXPECT_EQ(line.client->run_errand(Bytes()).error().kind(), ErrorKind::too_large);
    EXPECT_EQ(line.client->run_errand(Bytes(protocol::max_errand + 1)).error().kind(), ErrorKind::too_large);
    ASSERT_TRUE(line.client->run_errand(line.errand).ok());
    line.client->give_up_errand();
    line.sent.clear();
    line.pass(seconds(20));
    for (const Bytes& sent : line.sent) {
        EXPECT_FALSE(std::holds_alternative<PursePiece>(line.server.hear(sent)->message.body));
    }
}

}  // namespace
}  // namespace jiaozi::device::test
