#include <algorithm>
#include <cstring>
#include <random>

#include <gtest/gtest.h>

#include <jiaozi/engine/payload.hpp>

namespace jiaozi::engine {
namespace {

Command mixed_command(unsigned seed) {
    std::mt19937_64 random(seed);
    Command command;
    for (unsigned i = 0; i < random() % 4; ++i) command.accounts.push_back({.id = random(), .ledger = 1, .code = 2});
    for (unsigned i = 0; i < random() % 4; ++i) command.flag_changes.push_back({random(), 16, 1});
    for (unsigned i = 0; i < random() % 4; ++i) command.transfers.push_back({.id = random(), .amount = random()});
    command.annotation.resize(random() % 50, static_cast<std::uint8_t>(seed));
    return command;
}

bool same(const Command& a, const Command& b) {
    return a.accounts == b.accounts && a.flag_changes == b.flag_changes && a.transfers == b.transfers &&
           a.annotation == b.annotation;
}

Bytes encoded(const std::vector<TimedCommand>& commands, std::uint64_t first_sequence = 1) {
    PayloadEncoder encoder;
    encoder.begin(first_sequence);
    for (const TimedCommand& timed : commands) encoder.add(timed.command, timed.timestamp);
    Bytes outcomes;
    OutcomeRecorder().finish(outcomes);
    return to_bytes(encoder.finish(outcomes));
}

TEST(Payload, GoesRoundAndItsSizeIsKnownBeforehand) {
    std::vector<TimedCommand> commands;
    std::size_t size = sizeof(PayloadHeader) + sizeof(OutcomesHeader);
    for (unsigned i = 0; i < 40; ++i) {
        commands.push_back({Timestamp{1000 * (i + 1)}, mixed_command(i)});
        size += encoded_size(commands.back().command);
    }
    const Bytes bytes = encoded(commands, 77);
    EXPECT_EQ(bytes.size(), size);
    const auto decoded = decode_payload(bytes);
    ASSERT_TRUE(decoded.ok()) << decoded.error().to_string();
    EXPECT_EQ(decoded->first_sequence, 77u);
    ASSERT_EQ(decoded->commands.size(), commands.size());
    for (std::size_t i = 0; i < commands.size(); ++i) {
        EXPECT_EQ(decoded->commands[i].timestamp, commands[i].timestamp);
        EXPECT_TRUE(same(decoded->commands[i].command, commands[i].command)) << i;
    }
}

TEST(Payload, EveryShorterPrefixIsRefused) {
    const Bytes bytes = encoded({{Timestamp{1000}, mixed_command(3)}, {Timestamp{2000}, mixed_command(5)}});
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const auto decoded = decode_payload(ByteView(bytes).first(size));
        ASSERT_FALSE(decoded.ok()) << size;
        ASSERT_EQ(decoded.error().kind(), ErrorKind::corrupt);
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
             {"no commands", 8, 0},
             {"more commands than bytes", 11, 0xFF},
             {"fewer commands than bytes", 8, 1},
             {"outcomes longer than the payload", 14, 0xFF},
             {"outcomes that begin inside the commands", 12, 32},
             {"reserved in the payload header", 16, 1},
             {"accounts that are not there", command + 8, 1},
             {"more accounts than can be submitted", command + 10, 1},
             {"a longer annotation than can be submitted", command + 22, 2},
             {"reserved in the command header", command + 24, 1},
             {"padding", command + sizeof(CommandHeader) + 3, 1},
             {"time that goes back", command + sizeof(CommandHeader) + 16, 0xE8},
         }) {
        Bytes bad = good;
        bad[one.at] = one.value;
        EXPECT_FALSE(decode_payload(bad).ok()) << one.what;
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
