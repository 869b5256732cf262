// Errands in pieces: lost, doubled, reordered, overlapping, of a wrong size, hostile; and never more memory than said.
#include "../src/transfers.hpp"

#include <algorithm>
#include <deque>
#include <iostream>
#include <random>

#include <gtest/gtest.h>

namespace jiaozi::devices {
namespace {

using protocol::PurseAnswer;
using protocol::PurseMore;
using protocol::PursePiece;
using protocol::PurseTaken;
using Step = Transfers::Step;

constexpr std::size_t room = std::size_t{1} << 20;
constexpr Duration kept = seconds(600);
constexpr Timestamp today{1'700'000'000'000'000'000};
const DeviceId ann{make_uint128(1, 1)};
const DeviceId bob{make_uint128(1, 2)};

Bytes errand_of(std::size_t size, std::uint32_t seed) {
    std::mt19937 random(seed);
    Bytes bytes(size);
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
    return bytes;
}

PursePiece piece_of(const Bytes& errand, std::size_t offset, std::size_t length = protocol::max_purse_piece) {
    const ByteView rest = ByteView(errand).subspan(offset);
    return {.transfer = protocol::transfer_id(errand),
            .size = static_cast<std::uint32_t>(errand.size()),
            .offset = static_cast<std::uint32_t>(offset),
            .data = to_bytes(rest.first(std::min(rest.size(), length)))};
}

std::optional<std::uint32_t> taken(const Step& step) {
    const auto* const taken = std::get_if<PurseTaken>(&step);
    return taken == nullptr ? std::nullopt : std::optional(taken->offset);
}

// All of it in order: the last step.
Step send(Transfers& transfers, DeviceId device, const Bytes& errand, Timestamp now = today) {
    Step last;
    for (std::size_t at = 0; at < errand.size(); at += protocol::max_purse_piece) {
        last = transfers.take(device, piece_of(errand, at), now);
    }
    return last;
}

TEST(Transfers, InOrderTheLastPieceMakesItWholeOnce) {
    Transfers transfers(room, kept);
    const Bytes errand = errand_of(5'000, 1);
    EXPECT_EQ(taken(transfers.take(ann, piece_of(errand, 0), today)), 2'048U);
    EXPECT_EQ(taken(transfers.take(ann, piece_of(errand, 2'048), today)), 4'096U);
    const Step whole = transfers.take(ann, piece_of(errand, 4'096), today);
    ASSERT_TRUE(std::holds_alternative<Transfers::Whole>(whole));
    EXPECT_EQ(std::get<Transfers::Whole>(whole).errand, errand);
    EXPECT_TRUE(std::holds_alternative<Transfers::Silence>(transfers.take(ann, piece_of(errand, 4'096), today)))
        << "it is being done";
    const Bytes answer = errand_of(3'000, 2);
    const Step first = transfers.answered(ann, protocol::transfer_id(errand), answer, today);
    ASSERT_TRUE(std::holds_alternative<PurseAnswer>(first));
    EXPECT_EQ(std::get<PurseAnswer>(first).size, 3'000U);
    const Step rest = transfers.more(ann, {protocol::transfer_id(errand), 2'048}, today);
    EXPECT_EQ(std::get<PurseAnswer>(rest).data, Bytes(answer.begin() + 2'048, answer.end()));
    EXPECT_EQ(std::get<PurseAnswer>(rest).check, protocol::answer_check(answer));
    EXPECT_TRUE(std::holds_alternative<PurseAnswer>(transfers.take(ann, piece_of(errand, 0), today)))
        << "what is done is not done again while its answer is here";
}

// Attack 72 over the broker: what a device says of its pieces costs it its own transfer and nobody else anything.
TEST(Attack, A72_HostilePiecesHarmOnlyTheirSender) {
    Transfers transfers(room, kept);
    const Bytes honest = errand_of(5'000, 3);
    EXPECT_EQ(taken(transfers.take(bob, piece_of(honest, 0), today)), 2'048U);
    const Bytes errand = errand_of(5'000, 4);
    EXPECT_EQ(taken(transfers.take(ann, piece_of(errand, 4'096), today)), 0U) << "a hole";
    EXPECT_EQ(taken(transfers.take(ann, piece_of(errand, 0), today)), 2'048U);
    EXPECT_EQ(taken(transfers.take(ann, piece_of(errand, 1'000), today)), 2'048U) << "an overlap changes nothing";
    PursePiece larger = piece_of(errand, 2'048);
    larger.size = 6'000;
    EXPECT_TRUE(std::holds_alternative<Error>(transfers.take(ann, larger, today)));
    PursePiece bent = piece_of(errand, 2'048);
    bent.data[7] ^= 1;
    EXPECT_EQ(taken(transfers.take(ann, bent, today)), 4'096U);
    EXPECT_TRUE(std::holds_alternative<Error>(transfers.take(ann, piece_of(errand, 4'096), today))) << "another hash";
    EXPECT_EQ(taken(transfers.more(ann, {protocol::transfer_id(errand), 0}, today)), 0U) << "and it is forgotten";
    EXPECT_TRUE(std::holds_alternative<Transfers::Whole>(send(transfers, ann, errand))) << "and may be sent anew";
    EXPECT_TRUE(std::holds_alternative<Transfers::Silence>(transfers.take(ann, piece_of(honest, 0), today)))
        << "one errand of a device at a time";
    EXPECT_EQ(taken(transfers.take(bob, piece_of(honest, 2'048), today)), 4'096U);
    EXPECT_TRUE(std::holds_alternative<Transfers::Whole>(transfers.take(bob, piece_of(honest, 4'096), today)));
}

TEST(Transfers, MemoryIsBoundedAndTheOldestGivesWay) {
    constexpr std::size_t little = 200'000;
    Transfers transfers(little, kept);
    for (std::uint32_t i = 1; i <= 1'000; ++i) {
        const DeviceId device{make_uint128(2, i)};
        EXPECT_TRUE(taken(transfers.take(device, piece_of(errand_of(40'000, i), 0), today)).has_value());
        EXPECT_LE(transfers.bytes(), little);
    }
    EXPECT_LT(transfers.count(), 100U);
    EXPECT_GT(transfers.count(), 50U);
    const Bytes first = errand_of(40'000, 1);
    EXPECT_EQ(taken(transfers.more(DeviceId{make_uint128(2, 1)}, {protocol::transfer_id(first), 0}, today)), 0U);
    EXPECT_TRUE(std::holds_alternative<Transfers::Whole>(send(transfers, ann, first))) << "the newest fits";
}

TEST(Transfers, WhatNobodyAsksAboutIsForgotten) {
    Transfers transfers(room, kept);
    const Bytes errand = errand_of(5'000, 5);
    EXPECT_EQ(taken(transfers.take(ann, piece_of(errand, 0), today)), 2'048U);
    EXPECT_EQ(taken(transfers.take(ann, piece_of(errand, 2'048), today + seconds(600))), 4'096U);
    EXPECT_EQ(taken(transfers.take(ann, piece_of(errand, 4'096), today + seconds(1'201))), 0U);
    EXPECT_EQ(transfers.count(), 1U);
    EXPECT_TRUE(taken(transfers.take(bob, piece_of(errand, 0), today + seconds(1'900))).has_value());
    EXPECT_EQ(transfers.count(), 1U);
}

TEST(Transfers, WhatCouldNotBeDoneNowIsTriedWithTheNextPiece) {
    Transfers transfers(room, kept);
    const Bytes errand = errand_of(100, 6);
    EXPECT_TRUE(std::holds_alternative<Transfers::Whole>(send(transfers, ann, errand)));
    transfers.failed(ann, protocol::transfer_id(errand), false);
    EXPECT_TRUE(std::holds_alternative<Transfers::Whole>(transfers.take(ann, piece_of(errand, 100, 0), today)));
    transfers.failed(ann, protocol::transfer_id(errand), true);
    EXPECT_EQ(transfers.count(), 0U);
    EXPECT_EQ(transfers.bytes(), 0U);
    EXPECT_TRUE(std::holds_alternative<Transfers::Silence>(
        transfers.answered(ann, protocol::transfer_id(errand), Bytes(10), today)));
    send(transfers, ann, errand);
    EXPECT_TRUE(std::holds_alternative<Error>(
        transfers.answered(ann, protocol::transfer_id(errand), Bytes(protocol::max_errand_answer + 1), today)));
}

// A device over a network that loses, doubles and reorders, and a server that forgets everything now and then.
struct Journey {
    explicit Journey(std::uint32_t seed) : random(seed), transfers(room, kept) {
        errand = errand_of(1 + random() % 40'000, seed);
        answer = errand_of(1 + random() % 20'000, seed + 1);
    }
    bool chance(std::uint32_t percent) { return random() % 100 < percent; }

    void device_sends() {
        up.push_back(asks_more ? std::variant<PursePiece, PurseMore>(
                                     PurseMore{protocol::transfer_id(errand), static_cast<std::uint32_t>(got.size())})
                               : piece_of(errand, offset, 1 + random() % protocol::max_purse_piece));
    }
    void device_hears(const Step& step) {
        if (const auto to = taken(step)) {
            offset = std::min<std::size_t>(*to, errand.size());
            asks_more = false;
            got.clear();
        }
        const auto* const piece = std::get_if<PurseAnswer>(&step);
        if (piece == nullptr) return;
        if (!got.empty() && piece->check != check) got.clear();
        asks_more = true;
        if (piece->offset != got.size()) return;
        check = piece->check;
        append(got, piece->data);
        done = got.size() == piece->size;
    }
    void server_hears(const std::variant<PursePiece, PurseMore>& message) {
        Step step = std::holds_alternative<PursePiece>(message)
                        ? transfers.take(ann, std::get<PursePiece>(message), today)
                        : transfers.more(ann, std::get<PurseMore>(message), today);
        EXPECT_FALSE(std::holds_alternative<Error>(step));
        if (const auto* const whole = std::get_if<Transfers::Whole>(&step)) {
            EXPECT_EQ(whole->errand, errand);
            ++runs;
            step = transfers.answered(ann, protocol::transfer_id(errand), answer, today);
        }
        down.push_back(std::move(step));
    }
    template <class Message, class Hear>
    void deliver(std::deque<Message>& line, Hear hear) {
        while (!line.empty()) {
            const std::size_t which = chance(20) ? random() % line.size() : 0;
            const Message message = line[which];
            if (!chance(15)) line.erase(line.begin() + static_cast<std::ptrdiff_t>(which));
            if (!chance(20)) hear(message);
            if (chance(50)) return;
        }
    }
    void travel() {
        for (int round = 0; round < 20'000 && !done; ++round) {
            device_sends();
            if (chance(1)) {
                transfers = Transfers(room, kept);
                ++restarts;
            }
            deliver(up, [&](const auto& message) { server_hears(message); });
            deliver(down, [&](const Step& step) { device_hears(step); });
        }
    }

    std::mt19937 random;
    Transfers transfers;
    Bytes errand;
    Bytes answer;
    std::deque<std::variant<PursePiece, PurseMore>> up;
    std::deque<Step> down;
    std::size_t offset = 0;
    bool asks_more = false;
    bool done = false;
    Bytes got;
    protocol::AnswerCheck check{};
    int runs = 0;
    int restarts = 0;
};

TEST(Transfers, ArriveWholeOverAnyNetworkAndAreDoneOnceAServersLife) {
    std::random_device entropy;
    const std::uint32_t seed = entropy();
    std::cout << "seed " << seed << '\n';
    for (std::uint32_t i = 0; i < 200; ++i) {
        Journey journey(seed + i);
        journey.travel();
        ASSERT_TRUE(journey.done) << seed + i;
        ASSERT_EQ(journey.got, journey.answer) << seed + i;
        ASSERT_LE(journey.runs, journey.restarts + 1) << seed + i;
    }
}

}  // namespace
}  // namespace jiaozi::devices
