#include <algorithm>
#include <cstring>
#include <random>

#include <gtest/gtest.h>

#include <jiaozi/engine/payload.hpp>

namespace jiaozi::engine {
namespace {

// Every field now and then, in every size, also such as no ledger accepts: what was submitted is journaled.
Command mixed_command(unsigned seed) {
    std::mt19937_64 random(seed);
    const auto number = [&] { return random() >> random() % 64; };
    const auto maybe = [&](std::uint64_t value) { return random() % 3 == 0 ? value : 0; };
    const auto wide = [&] { return random() % 4 == 0 ? make_uint128(number(), number()) : uint128{number()}; };
    Command command;
    for (unsigned i = 0; i < random() % 4; ++i) {
        command.accounts.push_back({.id = random() % 5 == 0 ? uint128{i} : wide(),
                                    .debits_pending = maybe(number()),
                                    .credits_posted = random() % 9 == 0 ? uint128_max : uint128{0},
                                    .user_data_128 = maybe(number()),
                                    .user_data_64 = maybe(number()),
                                    .user_data_32 = static_cast<std::uint32_t>(maybe(number())),
                                    .ledger = static_cast<std::uint32_t>(random() % 2),
                                    .code = static_cast<std::uint16_t>(random() % 2),
                                    .flags = static_cast<std::uint16_t>(maybe(number())),
                                    .reserved = static_cast<std::uint32_t>(maybe(number())),
                                    .timestamp = maybe(number())});
    }
    for (unsigned i = 0; i < random() % 4; ++i) command.flag_changes.push_back({random(), 16, 1});
    for (unsigned i = 0; i < random() % 6; ++i) {
        const uint128 last = command.transfers.empty() ? 0 : command.transfers.back().id;
        command.transfers.push_back({.id = random() % 3 == 0 ? last + 1 : wide(),
                                     .debit_account_id = random() % 2,
                                     .credit_account_id = random() % 2 == 0 ? uint128{7} : wide(),
                                     .amount = random() % 5 == 0 ? ledger::everything : wide(),
                                     .pending_id = random() % 2 == 0 ? uint128{0} : wide(),
                                     .user_data_128 = maybe(number()),
                                     .user_data_64 = maybe(number()),
                                     .user_data_32 = static_cast<std::uint32_t>(maybe(number())),
                                     .timeout_s = static_cast<std::uint32_t>(maybe(number())),
                                     .ledger = static_cast<std::uint32_t>(random() % 2),
                                     .code = static_cast<std::uint16_t>(random() % 2),
                                     .flags = static_cast<std::uint16_t>(maybe(number())),
                                     .timestamp = maybe(number())});
    }
    command.annotation.resize(random() % 50, static_cast<std::uint8_t>(seed));
    return command;
}

bool same(const Command& a, const Command& b) {
    return a.accounts == b.accounts && a.flag_changes == b.flag_changes && a.transfers == b.transfers &&
           a.annotation == b.annotation;
}

Bytes encoded(const std::vector<TimedCommand>& commands, std::uint64_t first_sequence = 1,
              const CarriedOutcomes& outcomes = {}) {
    PayloadEncoder encoder;
    encoder.begin(first_sequence);
    for (const TimedCommand& timed : commands) encoder.add(timed.command, timed.timestamp);
    return to_bytes(encoder.finish(outcomes));
}

TEST(Payload, GoesRound) {
    for (unsigned seed = 0; seed < 2000; ++seed) {
        std::vector<TimedCommand> commands;
        for (unsigned i = 0; i < 1 + seed % 7; ++i)
            commands.push_back({Timestamp{1000 * (i + 1) + seed}, mixed_command(seed * 8 + i)});
        const Bytes bytes = encoded(commands, 77);
        const auto decoded = decode_payload(bytes);
        ASSERT_TRUE(decoded.ok()) << "seed " << seed << ": " << decoded.error().to_string();
        EXPECT_EQ(decoded->first_sequence, 77u);
        ASSERT_EQ(decoded->commands.size(), commands.size());
        for (std::size_t i = 0; i < commands.size(); ++i) {
            EXPECT_EQ(decoded->commands[i].timestamp, commands[i].timestamp);
            ASSERT_TRUE(same(decoded->commands[i].command, commands[i].command)) << "seed " << seed << ", " << i;
        }
        ASSERT_EQ(encoded(decoded->commands, 77), bytes) << "seed " << seed << ": there is one way to write it";
    }
}

// Bytes that a program of version 2 once wrote. They must decode to this for ever.
// Small commands and such as go over several stretches, in any order.
std::vector<TimedCommand> long_payload(unsigned seed) {
    std::mt19937_64 random(seed);
    std::vector<TimedCommand> commands;
    std::uint64_t time = 1'000'000;
    for (unsigned i = 0; i < 300; ++i) {
        Command command = mixed_command(seed * 1000 + i);
        for (std::uint64_t more = random() % 20 == 0 ? random() % 900 : 0; more > 0; --more)
            command.transfers.push_back({.id = random(), .debit_account_id = 1, .credit_account_id = more});
        commands.push_back({Timestamp{time += 2000}, std::move(command)});
    }
    return commands;
}

TEST(Payload, StretchesAreReadWithoutTheRest) {
    for (unsigned seed = 0; seed < 40; ++seed) {
        const auto commands = long_payload(seed);
        PayloadEncoder encoder;
        encoder.begin(1);
        std::vector<ledger::Transfer> all;
        for (const TimedCommand& timed : commands) {
            encoder.add(timed.command, timed.timestamp);
            std::uint64_t time = timed.timestamp.ns - timed.command.transfers.size();
            for (const ledger::Transfer& transfer : timed.command.transfers) {
                all.push_back(transfer);
                all.back().timestamp = ++time;
            }
        }
        const Bytes bytes = to_bytes(encoder.finish({}));
        const auto decoded = decode_payload(bytes);
        ASSERT_TRUE(decoded.ok()) << "seed " << seed;
        ASSERT_EQ(encoder.stretches().size(), (all.size() + Stretch::max_events - 1) / Stretch::max_events);
        ASSERT_EQ(decoded->stretches.size(), encoder.stretches().size()) << "the reader finds those of the writer";
        for (std::size_t i = 0; i < decoded->stretches.size(); ++i) {
            const Stretch& stretch = decoded->stretches[i];
            ASSERT_EQ(stretch.check, encoder.stretches()[i].check);
            Bytes part = to_bytes(ByteView(bytes).subspan(stretch.offset, stretch.size));
            const auto events = decode_stretch(stretch, part);
            ASSERT_TRUE(events.ok()) << "seed " << seed << ", stretch " << i << ": " << events.error().to_string();
            ASSERT_TRUE(std::ranges::equal(*events, std::span(all).subspan(stretch.first, stretch.events)))
                << "seed " << seed << ", stretch " << i;
            part[seed % part.size()] ^= 1;
            EXPECT_EQ(decode_stretch(stretch, part).error().kind(), ErrorKind::corrupt);
        }
    }
}

TEST(Payload, GoldenVersion2) {
    const char* hex =
        "29000000000000000600000000000000020000004000000001000000000000000f02010204faffa7b1e39fe7cb170011"
        "00ffeeddccbbaa9988776655443322119c010102a0180705000000000000000000000000000000100000000a1a020000"
        "0000000000010000000000000000ffeeddccbbaa998877665544332211039c0109ac02023c2683020000000000000001"
        "000000000000000000040100006e6f746510000015090403010101010000000100000000000000000000000000000002"
        "000000000000003c0000000700000000000000000000000000000084030000000000000000000000000000";
    const uint128 wallet = make_uint128(0x1122334455667788, 0x99aabbccddeeff00);
    TimedCommand first{.timestamp = Timestamp{1'700'000'000'000'000'000}, .command = {}};
    first.command.accounts = {{.id = wallet, .ledger = 156, .code = 1, .flags = 2},
                              {.id = wallet + 1, .user_data_64 = 7, .ledger = 156, .code = 1}};
    first.command.flag_changes = {{5, 16, 0}};
    first.command.transfers = {{.id = make_uint128(1, 2),
                                .debit_account_id = wallet,
                                .credit_account_id = 3,
                                .amount = 300,
                                .timeout_s = 60,
                                .ledger = 156,
                                .code = 9,
                                .flags = 2},
                               {.id = make_uint128(1, 3),
                                .amount = ledger::everything,
                                .pending_id = make_uint128(1, 2),
                                .user_data_128 = 1,
                                .flags = 4}};
    first.command.annotation = to_bytes(as_bytes("note"));
    TimedCommand second{.timestamp = first.timestamp + nanoseconds(2), .command = {}};
    second.command.transfers = {
        {.id = 9, .debit_account_id = 4, .credit_account_id = 3, .amount = 1, .ledger = 1, .code = 1}};

    const Bytes golden = *from_hex(hex);
    const auto decoded = decode_payload(golden);
    ASSERT_TRUE(decoded.ok()) << decoded.error().to_string();
    EXPECT_EQ(decoded->first_sequence, 41u);
    EXPECT_EQ(decoded->outcomes.first_entry, 6u);
    ASSERT_EQ(decoded->commands.size(), 2u);
    EXPECT_EQ(decoded->commands[0].timestamp, first.timestamp);
    EXPECT_TRUE(same(decoded->commands[0].command, first.command));
    EXPECT_EQ(decoded->commands[1].timestamp, second.timestamp);
    EXPECT_TRUE(same(decoded->commands[1].command, second.command));
    EXPECT_EQ(to_hex(encoded({first, second}, 41, decoded->outcomes)), hex);
}

TEST(Payload, AnOrdinaryTransferIsSmall) {
    std::mt19937_64 random(1);
    Command command;
    for (unsigned i = 0; i < 1000; ++i) {
        const auto id = [&] { return make_uint128(random(), random()); };
        command.transfers.push_back({.id = id(),
                                     .debit_account_id = id(),
                                     .credit_account_id = id(),
                                     .amount = random() % 10'000,
                                     .ledger = 156,
                                     .code = 1});
    }
    EXPECT_LE(encoded({{Timestamp{5000}, command}}).size(), 52u * 1000 + 64);
}

TEST(Payload, EveryShorterPrefixIsRefused) {
    const Bytes bytes = encoded({{Timestamp{1000}, mixed_command(3)}, {Timestamp{2000}, mixed_command(5)}});
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const auto decoded = decode_payload(ByteView(bytes).first(size));
        ASSERT_FALSE(decoded.ok()) << size;
        ASSERT_EQ(decoded.error().kind(), ErrorKind::corrupt);
    }
}

// Whatever one changes either does not decode, or is the one way to write something else.
TEST(Payload, EveryChangedByteIsRefusedOrMeansSomethingElse) {
    Bytes outcomes;
    OutcomeRecorder().finish(outcomes);
    const Bytes good = encoded({{Timestamp{1000}, mixed_command(3)}, {Timestamp{2000}, mixed_command(5)}}, 9,
                               {.first_entry = 4, .count = 1, .blocks = outcomes});
    for (std::size_t at = 0; at < good.size(); ++at) {
        for (unsigned value = 0; value < 256; ++value) {
            Bytes bad = good;
            bad[at] = static_cast<std::uint8_t>(value);
            const auto decoded = decode_payload(bad);
            if (!decoded.ok()) continue;
            ASSERT_EQ(encoded(decoded->commands, decoded->first_sequence, decoded->outcomes), bad) << at;
        }
    }
}

TEST(Payload, WrongFieldsAreRefused) {
    struct Case {
        const char* what;
        std::size_t at;
        std::uint8_t value;
    };
    Command small;
    small.annotation = {1, 2, 3};
    const Bytes good = encoded({{Timestamp{1000}, small}, {Timestamp{1001}, {}}});
    ASSERT_TRUE(decode_payload(good).ok());
    const std::size_t command = sizeof(PayloadHeader);
    for (const Case& one : std::vector<Case>{
             {"sequence zero", 0, 0},
             {"outcomes of an entry, but none there", 8, 1},
             {"no commands", 16, 0},
             {"more commands than bytes", 19, 0xFF},
             {"fewer commands than bytes", 16, 1},
             {"outcomes longer than the payload", 22, 0xFF},
             {"outcomes of no entry", 20, 2},
             {"reserved in the payload header", 28, 1},
             {"accounts that are not there", command, 9},
             {"a part that does not exist", command, 0x28},
             {"a longer annotation than is there", command + 1, 90},
             {"an annotation of nothing", command + 1, 0},
         }) {
        Bytes bad = good;
        bad[one.at] = one.value;
        EXPECT_FALSE(decode_payload(bad).ok()) << one.what;
    }
}

TEST(Payload, OutcomesOfSeveralEntriesTravelTogether) {
    OutcomeRecorder recorder;
    recorder.begin();
    recorder.add(0, {.transfers = {ledger::CreateTransferResult::exceeds_credits}}, {});
    Bytes blocks;
    recorder.finish(blocks);
    const Bytes first = blocks;
    OutcomeRecorder().finish(blocks);
    const Bytes bytes = encoded({{Timestamp{9}, {}}}, 5, {.first_entry = 3, .count = 2, .blocks = blocks});
    const auto decoded = decode_payload(bytes);
    ASSERT_TRUE(decoded.ok()) << decoded.error().to_string();
    EXPECT_EQ(decoded->outcomes.first_entry, 3u);
    const auto split = split_outcomes(decoded->outcomes);
    ASSERT_TRUE(split.ok());
    ASSERT_EQ(split->size(), 2u);
    EXPECT_TRUE(equal((*split)[0], first));
    for (const std::uint32_t count : {1u, 3u}) {
        CarriedOutcomes other = decoded->outcomes;
        other.count = count;
        EXPECT_FALSE(split_outcomes(other).ok()) << count;
    }
}

TEST(Payload, OutcomesAreSparseAndComeBack) {
    std::vector<TimedCommand> commands(3);
    commands[0].command.accounts.resize(2);
    commands[1].command.flag_changes.resize(1);
    commands[2].command.transfers.resize(3);
    std::vector<Outcome> outcomes(3);
    outcomes[0].accounts = {ledger::CreateAccountResult::ok, ledger::CreateAccountResult::exists};
    outcomes[1].flag_changes = {ledger::SetAccountFlagsResult::account_not_found};
    outcomes[2].transfers = {ledger::CreateTransferResult::ok, ledger::CreateTransferResult::exceeds_credits,
                             ledger::CreateTransferResult::ok};
    const std::vector<ledger::Expired> expired = {{7, 900}, {8, 950}};
    OutcomeRecorder recorder;
    recorder.begin();
    for (std::uint32_t i = 0; i < 3; ++i)
        recorder.add(i, outcomes[i], i == 1 ? expired : std::vector<ledger::Expired>{});
    Bytes bytes;
    recorder.finish(bytes);
    EXPECT_EQ(bytes.size(), sizeof(OutcomesHeader) + 3 * sizeof(ExceptionRow) + 2 * sizeof(ExpiredRow));
    const auto joined = with_outcomes(10, commands, bytes);
    ASSERT_TRUE(joined.ok());
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ((*joined)[i].sequence, 10 + i);
        EXPECT_EQ((*joined)[i].outcome.accounts, outcomes[i].accounts);
        EXPECT_EQ((*joined)[i].outcome.flag_changes, outcomes[i].flag_changes);
        EXPECT_EQ((*joined)[i].outcome.transfers, outcomes[i].transfers);
        EXPECT_EQ((*joined)[i].expired.size(), i == 1 ? 2u : 0u);
    }
    // Every way to point outside is refused.
    const auto refused = [&](std::size_t at, std::uint8_t value) {
        Bytes bad = bytes;
        bad[at] = value;
        return !with_outcomes(10, commands, bad).ok();
    };
    const std::size_t row = sizeof(OutcomesHeader);
    EXPECT_TRUE(refused(row + 0, 9)) << "a command that is not there";
    EXPECT_TRUE(refused(row + 4, 3)) << "a kind that is not there";
    EXPECT_TRUE(refused(row + 8, 2)) << "an event that is not there";
    EXPECT_TRUE(refused(row + 12, 200)) << "a result that is not there";
    EXPECT_TRUE(refused(row + 12, 0)) << "ok is no exception";
    EXPECT_TRUE(refused(0, 200)) << "more rows than bytes";
    EXPECT_TRUE(refused(0, 2)) << "fewer rows than bytes";
    EXPECT_TRUE(refused(bytes.size() - 8, 9)) << "an expiry before no command";
}

}  // namespace
}  // namespace jiaozi::engine
