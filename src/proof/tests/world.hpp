// A real engine with payments in it, and the log beside it.
#pragma once

#include <memory>
#include <string>

#include <jiaozi/base/clock.hpp>
#include <jiaozi/engine/engine.hpp>
#include <jiaozi/proof/log.hpp>

#include "folder.hpp"

namespace jiaozi::proof {

class World : public ::testing::Test {
  protected:
    static constexpr uint128 till = 1, ann = 2, bob = 3, shop = 4;
    static constexpr std::uint16_t money = 100, secret = 110;

    bool rows_have_subjects = false;

    void open() {
        engine::Options options;
        options.directory = folder_.path() / "journal";
        options.segment_bytes = std::uint64_t{1} << 20;
        auto opened = engine::Engine::open(options, clock_);
        ASSERT_TRUE(opened.ok()) << opened.error().to_string();
        engine_ = std::move(*opened);
    }
    Result<std::unique_ptr<Log>> start_log(const std::string& origin = "shop.example/journal") {
        LogOptions options;
        options.directory = folder_.path() / "log";
        options.origin = origin;
        options.interval = milliseconds(5);
        // In these tests an annotation is the 16 bytes of its subject, or a row that ends with them.
        options.subject_of = [in_rows = rows_have_subjects](ByteView bytes) -> std::optional<uint128> {
            if (in_rows && bytes.size() == 23) bytes = bytes.subspan(7);
            uint128 subject = 0;
            for (const std::uint8_t byte : bytes) subject = subject << 8 | byte;
            return bytes.size() == 16 ? std::optional(subject) : std::nullopt;
        };
        options.shown = [](const ledger::Transfer& transfer) { return transfer.code == money; };
        return Log::start(*engine_, *crypto::make_signer(key_), salt_.clone(), options);
    }
    void open_log() {
        log_.reset();
        auto started = start_log();
        ASSERT_TRUE(started.ok()) << started.error().to_string();
        log_ = std::move(*started);
    }
    void close() {
        log_.reset();
        engine_.reset();
    }

    static Bytes annotation(uint128 subject) {
        Bytes bytes;
        for (unsigned i = 16; i-- > 0;) bytes.push_back(static_cast<std::uint8_t>(subject >> (8 * i)));
        return bytes;
    }
    static ledger::Transfer transfer(uint128 id, uint128 from, uint128 to, uint128 amount, uint128 payment = 0,
                                     std::uint16_t flags = 0) {
        return {.id = id,
                .debit_account_id = from,
                .credit_account_id = to,
                .amount = amount,
                .user_data_128 = payment,
                .ledger = 156,
                .code = money,
                .flags = flags};
    }
    engine::Outcome commit(engine::Command command) {
        clock_.advance(milliseconds(1));
        auto outcome = engine_->execute(std::move(command));
        EXPECT_TRUE(outcome.ok());
        return outcome.ok() ? std::move(*outcome) : engine::Outcome{};
    }
    void open_accounts() {
        engine::Command command;
        for (const uint128 id : {till, ann, bob, shop}) {
            ledger::Account account{.id = id, .ledger = 156, .code = 1};
            if (id != till) account.flags = ledger::account_flags::debits_must_not_exceed_credits;
            account.code = id == till ? 1 : 10;
            command.accounts.push_back(account);
        }
        commit(std::move(command));
        commit({.transfers = {transfer(10, till, ann, 10'000), transfer(11, till, bob, 5'000)}});
    }
    // Two payments, one after the other: held and posted, with an allowance beside it that is nobody else's business.
    void pay(uint128 payment, uint128 from, uint128 amount) {
        ledger::Transfer allowance = transfer(payment * 10 + 1, from, till, 1, payment);
        allowance.code = secret;
        ledger::Transfer hold =
            transfer(payment * 10 + 2, from, shop, amount, payment, ledger::transfer_flags::pending);
        hold.timeout_s = 60;
        commit({.transfers = {allowance, hold}, .annotation = annotation(payment)});
        ledger::Transfer post = transfer(payment * 10 + 3, 0, 0, amount, 0, ledger::transfer_flags::post_pending);
        post.pending_id = hold.id;
        post.ledger = 0;
        post.code = 0;
        const auto outcome = commit({.transfers = {post}, .annotation = annotation(payment)});
        ASSERT_EQ(outcome.transfers.at(0), ledger::CreateTransferResult::ok);
    }

    Folder folder_;
    TestClock clock_;
    crypto::KeyPair key_ = crypto::generate_key(crypto::Suite::ed25519);
    crypto::SecretBytes salt_ = crypto::SecretBytes::random(32);
    std::unique_ptr<engine::Engine> engine_;
    std::unique_ptr<Log> log_;
};

}  // namespace jiaozi::proof
