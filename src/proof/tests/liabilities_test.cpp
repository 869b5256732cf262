// Sum trees and disclosures: what a holder and an auditor can rely on.
#include <jiaozi/proof/disclosure.hpp>
#include <jiaozi/proof/liabilities.hpp>
#include <jiaozi/proof/replay.hpp>

#include "world.hpp"

namespace jiaozi::proof {
namespace {

class LiabilitiesTest : public World {
  protected:
    void SetUp() override {
        open();
        open_log();
        open_accounts();
        for (uint128 payment = 100; payment < 105; ++payment) pay(payment, ann, 20);
        pay(200, bob, 70);
        note_ = *log_->sign_now(seconds(20));
        vkey_ = log_->key();
        close();
    }
    Liabilities at_checkpoint() {
        ledger::Ledger ledger;
        const auto replayed = replay_journal(storage::system_disk(), folder_.path() / "journal", ledger,
                                             [](const engine::Committed&) { return Result<bool>(true); });
        EXPECT_TRUE(replayed.ok() && !replayed->damage);
        auto made = Liabilities::make(ledger, *open_checkpoint(note_, vkey_), salt_.view(),
                                      [](const ledger::Account& account) { return account.code == 10; });
        EXPECT_TRUE(made.ok()) << made.error().to_string();
        return std::move(*made);
    }
    std::string sign(const Liabilities& liabilities) {
        const auto signer = *crypto::make_signer(key_);
        const std::string text = liabilities.statement().text();
        return Note{text, {*sign_note(text, liabilities_key(vkey_), *signer)}}.to_string();
    }
    Result<Receipt> disclose(std::optional<uint128> account, std::uint64_t from = 0, std::uint64_t to = UINT64_MAX) {
        DisclosureOptions options;
        options.journal = folder_.path() / "journal";
        options.salt_key = to_bytes(salt_.view());
        options.checkpoint = note_;
        options.key = vkey_;
        options.account = account;
        options.from_ns = from;
        options.to_ns = to;
        return make_disclosure(options, storage::system_disk());
    }

    std::string note_;
    NoteKey vkey_;
};

TEST_F(LiabilitiesTest, EveryHolderIsCountedAndTheSumIsBacked) {
    const Liabilities liabilities = at_checkpoint();
    ASSERT_EQ(liabilities.statement().ledgers.size(), 1U);
    const LedgerLiability& row = liabilities.statement().ledgers[0];
    EXPECT_EQ(row.holders, 3U);
    EXPECT_EQ(row.sum, 15'000U - 6);  // what came in, less the six allowances that went back
    EXPECT_EQ(liabilities.backing(156), row.sum);
    const std::string note = sign(liabilities);
    const std::pair<uint128, uint128> balances[] = {{ann, 9'895}, {bob, 4'929}, {shop, 170}};
    for (const auto& [account, balance] : balances) {
        const auto proof = liabilities.prove(account, note);
        ASSERT_TRUE(proof.ok());
        EXPECT_EQ(proof->balance, balance);
        const auto read = LiabilityProof::parse(proof->to_json());
        ASSERT_TRUE(read.ok()) << read.error().to_string();
        EXPECT_EQ(*read, *proof);
        const auto verified = verify(*read, vkey_);
        ASSERT_TRUE(verified.ok()) << verified.error().to_string();
        EXPECT_EQ(verified->ledger, row);
    }
    EXPECT_EQ(liabilities.prove(till, note).error().kind(), ErrorKind::not_found);
}

TEST_F(LiabilitiesTest, WhatIsChangedProvesNothing) {
    const Liabilities liabilities = at_checkpoint();
    const LiabilityProof good = *liabilities.prove(ann, sign(liabilities));
    ASSERT_TRUE(verify(good, vkey_).ok());
    struct Row {
        const char* what;
        void (*change)(LiabilityProof&);
    };
    const Row rows[] = {
        {"the balance", [](LiabilityProof& p) { ++p.balance; }},
        {"the account", [](LiabilityProof& p) { p.account = bob; }},
        {"the salt", [](LiabilityProof& p) { p.salt[3] ^= 1; }},
        {"the ledger", [](LiabilityProof& p) { p.ledger = 840; }},
        {"the index", [](LiabilityProof& p) { p.index ^= 1; }},
        {"a sibling's sum", [](LiabilityProof& p) { ++p.path[0].sum; }},
        {"a sum that overflows", [](LiabilityProof& p) { p.path[0].sum = uint128_max; }},
        {"a sibling's hash", [](LiabilityProof& p) { p.path[0].hash[0] ^= 1; }},
        {"the path's length", [](LiabilityProof& p) { p.path.pop_back(); }},
        {"the note", [](LiabilityProof& p) { p.note[p.note.find('\n') + 1] ^= 1; }},
    };
    for (const Row& row : rows) {
        LiabilityProof changed = good;
        row.change(changed);
        EXPECT_FALSE(verify(changed, vkey_).ok()) << row.what;
    }
    // The statement is no checkpoint, and a checkpoint no statement.
    EXPECT_FALSE(open_checkpoint(good.note, vkey_).ok());
    LiabilityProof checkpoint = good;
    checkpoint.note = note_;
    EXPECT_FALSE(verify(checkpoint, vkey_).ok());
}

TEST_F(LiabilitiesTest, ANegativeHolderIsRefused) {
    ledger::Ledger ledger;
    std::vector<ledger::CreateAccountResult> made;
    const ledger::Account accounts[] = {{.id = 1, .ledger = 156, .code = 10}, {.id = 2, .ledger = 156, .code = 10}};
    ledger.create_accounts(accounts, 10, made);
    std::vector<ledger::CreateTransferResult> results;
    const ledger::Transfer moved[] = {transfer(5, 1, 2, 7)};
    ledger.create_transfers(moved, 20, results);
    ASSERT_EQ(results[0], ledger::CreateTransferResult::ok);
    const auto refused = Liabilities::make(ledger, {}, salt_.view(), [](const auto&) { return true; });
    EXPECT_EQ(refused.error().kind(), ErrorKind::invalid);
}

TEST_F(LiabilitiesTest, AnAccountsDisclosureShowsItsTransfersAndNoOthers) {
    const auto made = disclose(bob);
    ASSERT_TRUE(made.ok()) << made.error().to_string();
    const auto verified = verify(*Receipt::parse(made->to_json()), vkey_);
    ASSERT_TRUE(verified.ok()) << verified.error().to_string();
    std::vector<uint128> shown;
    for (const VerifiedCommand& command : verified->commands) {
        for (const Part& part : command.parts) shown.push_back(std::get<TransferPart>(part).transfer.id);
    }
    // What came in, the allowance, the hold, and its posting, which names no account.
    EXPECT_EQ(shown, (std::vector<uint128>{11, 2001, 2002, 2003}));
    EXPECT_EQ(disclose(4711).error().kind(), ErrorKind::not_found);
}

TEST_F(LiabilitiesTest, APeriodsDisclosureIsWithoutGaps) {
    const auto all = disclose(std::nullopt);
    ASSERT_TRUE(all.ok());
    const auto verified = *verify(*all, vkey_);
    EXPECT_EQ(verified.commands.size(), verified.checkpoint.size);
    const std::uint64_t from = verified.commands[4].header.timestamp_ns;
    const std::uint64_t to = verified.commands[8].header.timestamp_ns;
    const auto some = disclose(std::nullopt, from, to);
    ASSERT_TRUE(some.ok());
    ASSERT_EQ(some->commands.size(), 4U);
    EXPECT_EQ(some->commands.front().sequence, 5U);
    EXPECT_TRUE(verify(*some, vkey_).ok());
}

}  // namespace
}  // namespace jiaozi::proof
