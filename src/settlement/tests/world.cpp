#include "world.hpp"

#include <algorithm>
#include <array>

#include <gtest/gtest.h>

#include <jiaozi/api/accounts.hpp>
#include <jiaozi/crypto/secret.hpp>

namespace jiaozi::settlement::testing {
namespace {

template <class Value>
Bytes sign(purse_host::PurseSigner& signer, const Value& value) {
    std::array<std::uint8_t, purse::max_payload> room{};
    return purse_host::sign_object(signer, purse::write_payload(value, room));
}

purse::Id id_of(const Bytes& object) {
    return purse_host::object_id(purse_host::real_cryptography(), object);
}

std::unique_ptr<purse_host::PurseSigner> new_key(crypto::Suite suite) {
    return purse_host::key_signer(crypto::make_signer(crypto::generate_key(suite)).value());
}

const uint128 funding = api::system_account(api::code_funding, assets::CNY.ledger);

}  // namespace

World::World(Options given, Follower* told) : options(given), follower(told) {
    std::array<std::uint8_t, 8> name{};
    crypto::random_bytes(name);
    directory = std::filesystem::temp_directory_path() / ("jiaozi-settlement-" + to_hex(name));
    std::filesystem::create_directories(directory);
    for (const auto suite : {crypto::Suite::ed25519, crypto::Suite::p256, crypto::Suite::sm2}) {
        issuers.push_back(new_key(suite));
    }
    go();
    engine::Command command;
    command.accounts.push_back({.id = funding, .ledger = assets::CNY.ledger, .code = api::code_funding});
    EXPECT_TRUE(engine->execute(std::move(command)).ok());
}

World::~World() {
    settlement.reset();
    engine.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory, ignored);
}

void World::go() {
    auto opened = engine::Engine::open({.directory = directory / "journal", .tick = milliseconds(1)}, clock);
    ASSERT_TRUE(opened.ok()) << opened.error().to_string();
    engine = std::move(*opened);
    Parts parts{*engine, app, clock, {}, follower, mules};
    for (const auto& issuer : issuers) parts.issuers.push_back(issuer.get());
    if (keeps_book) parts.directory = directory / "journal";
    auto recovered = Settlement::recover(parts, options);
    ASSERT_TRUE(recovered.ok()) << recovered.error().to_string();
    settlement = std::move(*recovered);
}

void World::restart() {
    settlement.reset();
    engine.reset();
    app.run_posted();
    go();
    settle_down();
}

void World::settle_down() {
    EXPECT_TRUE(app.run_until([&] { return settlement->idle(); }));
}

void World::move(uint128 from, uint128 to, std::uint64_t amount) {
    engine::Command command;
    command.transfers.push_back({.id = make_uint128(7, ++last_id_),
                                 .debit_account_id = from,
                                 .credit_account_id = to,
                                 .amount = amount,
                                 .ledger = assets::CNY.ledger,
                                 .code = api::transfer_deposit});
    auto outcome = engine->execute(std::move(command));
    ASSERT_TRUE(outcome.ok());
    ASSERT_EQ(outcome->transfers.front(), ledger::CreateTransferResult::ok);
}

Device World::enrol(std::uint8_t assurance, crypto::Suite suite, uint128 holder) {
    Device device;
    device.signer = new_key(suite);
    device.wallet = WalletId(make_uint128(9, ++last_id_));
    engine::Command command;
    command.accounts.push_back({.id = device.wallet.value,
                                .ledger = assets::CNY.ledger,
                                .code = api::code_wallet,
                                .flags = ledger::account_flags::debits_must_not_exceed_credits});
    EXPECT_TRUE(engine->execute(std::move(command)).ok());
    move(funding, device.wallet.value, start);
    brought_in_ += start;
    wallets_.push_back(device.wallet);
    std::optional<Result<std::uint32_t>> answer;
    settlement->enrol({device.signer->public_key(), suite, assurance, device.wallet,
                       holder == 0 ? device.wallet.value : holder, assets::CNY},
                      [&](Result<std::uint32_t> given) { answer = std::move(given); });
    auto ordinal = wait(answer);
    EXPECT_TRUE(ordinal.ok());
    if (ordinal.ok()) device.ordinal = *ordinal;
    return device;
}

Result<LoadAnswer> World::try_load(const Device& device, std::uint64_t amount, LoadId id, std::uint32_t directed) {
    std::optional<Result<LoadAnswer>> answer;
    settlement->load({id, device.ordinal, amount, directed},
                     [&](Result<LoadAnswer> given) { answer = std::move(given); });
    return wait(answer);
}

Lot World::load(const Device& device, std::uint64_t amount, std::uint32_t directed) {
    auto answer = try_load(device, amount, new_load(), directed);
    EXPECT_TRUE(answer.ok()) << answer.error().to_string();
    if (!answer.ok()) return {};
    return {answer->certificate, id_of(answer->certificate)};
}

Said World::pay(Device& payer, const Device& payee, std::vector<purse::Source> sources, std::uint8_t hop,
                std::uint32_t seq, const purse::Id* request) {
    purse::Note note;
    note.payer = payer.ordinal;
    note.seq = seq != 0 ? seq : ++payer.seq;
    note.previous = note.seq == 1 ? purse::Id{} : payer.previous;
    note.payee = payee.ordinal;
    if (request != nullptr) {
        note.request = *request;
    } else {
        crypto::random_bytes(note.request);
    }
    note.sources = static_cast<std::uint8_t>(sources.size());
    std::ranges::copy(sources, note.source.begin());
    note.time = static_cast<std::uint32_t>(clock.now().s());
    note.hop = hop;
    Said said{sign(*payer.signer, note), {}, note.request, note.total()};
    said.id = id_of(said.bytes);
    payer.previous = said.id;
    return said;
}

Bytes World::receipt(Device& payee, const Said& note) {
    purse::Receipt receipt;
    receipt.payee = payee.ordinal;
    receipt.seq = ++payee.seq;
    receipt.previous = receipt.seq == 1 ? purse::Id{} : payee.previous;
    receipt.note = note.id;
    receipt.amount = note.amount;
    receipt.time = static_cast<std::uint32_t>(clock.now().s());
    Bytes bytes = sign(*payee.signer, receipt);
    payee.previous = id_of(bytes);
    return bytes;
}

Bytes World::void_request(Device& payee, const Said& note) {
    purse::Void value;
    value.payee = payee.ordinal;
    value.seq = ++payee.seq;
    value.previous = value.seq == 1 ? purse::Id{} : payee.previous;
    value.request = note.request;
    Bytes bytes = sign(*payee.signer, value);
    payee.previous = id_of(bytes);
    return bytes;
}

Bytes World::deposit(std::initializer_list<Bytes> parts) {
    Bytes out;
    for (const Bytes& part : parts) append(out, part);
    return out;
}

std::vector<ItemAnswer> World::settle(std::vector<Bytes> items, std::uint32_t depositor) {
    std::optional<Result<std::vector<ItemAnswer>>> answer;
    settlement->settle(std::move(items), depositor,
                       [&](Result<std::vector<ItemAnswer>> given) { answer = std::move(given); });
    auto answers = wait(answer);
    EXPECT_TRUE(answers.ok());
    return answers.ok() ? std::move(*answers) : std::vector<ItemAnswer>();
}

ItemAnswer World::settle_one(Bytes item, std::uint32_t depositor) {
    const auto answers = settle({std::move(item)}, depositor);
    return answers.empty() ? ItemAnswer() : answers.front();
}

std::vector<Reason> World::bring(std::vector<Bytes> messages, uint128 sender) {
    std::optional<Result<std::vector<Reason>>> answer;
    settlement->settle_carried(std::move(messages), sender,
                               [&](Result<std::vector<Reason>> given) { answer = std::move(given); });
    auto rows = wait(answer);
    EXPECT_TRUE(rows.ok()) << rows.error().to_string();
    return rows.ok() ? *rows : std::vector<Reason>();
}

Result<HeadIs> World::report(Bytes heads) {
    std::optional<Result<HeadIs>> answer;
    settlement->report_heads(std::move(heads), [&](Result<HeadIs> given) { answer = std::move(given); });
    return wait(answer);
}

Result<Bytes> World::sync(const Device& device, std::uint32_t last_seen) {
    std::optional<Result<Bytes>> answer;
    settlement->sync({.purse = device.ordinal, .last_seen = last_seen},
                     [&](Result<Bytes> given) { answer = std::move(given); });
    return wait(answer);
}

void World::lose(const Device& device) {
    std::optional<Result<PurseState>> answer;
    settlement->declare_lost(device.ordinal, [&](Result<PurseState> given) { answer = std::move(given); });
    EXPECT_TRUE(wait(answer).ok());
}

void World::advance() {
    std::optional<Result<std::uint32_t>> answer;
    settlement->advance([&](Result<std::uint32_t> given) { answer = std::move(given); });
    EXPECT_TRUE(wait(answer).ok());
}

void World::pass_days(std::uint32_t days) {
    clock.advance(seconds(std::int64_t{days} * 86'400));
    advance();
}

void World::fund_reserve(std::uint64_t amount) {
    const uint128 reserve = api::system_account(api::code_reserve, assets::CNY.ledger);
    engine::Command command;  // the first enrolment would make it, too
    command.accounts.push_back({.id = reserve,
                                .ledger = assets::CNY.ledger,
                                .code = api::code_reserve,
                                .flags = ledger::account_flags::debits_must_not_exceed_credits});
    ASSERT_TRUE(engine->execute(std::move(command)).ok());
    move(funding, reserve, amount);
    brought_in_ += amount;
}

void World::spend(const Device& device, std::uint64_t amount) {
    move(device.wallet.value, funding, amount);
    brought_in_ -= amount;
}

std::uint64_t World::balance(uint128 id) const {
    const auto account = engine->account(id);
    return account ? low64(account->credits_posted - account->debits_posted) : 0;
}

std::uint64_t World::escrow(const Lot& lot) const {
    return balance(settlement->book().lot(settlement->book().find_lot(lot.id)).escrow_account);
}

void World::check_money() const {
    const Book& book = settlement->book();
    std::uint64_t total = balance(api::system_account(api::code_reserve, assets::CNY.ledger));
    for (const WalletId wallet : wallets_) total += balance(wallet.value);
    for (std::uint32_t ordinal = 1; ordinal <= book.enrolled(); ++ordinal) {
        const PurseRecord& purse = *book.purse(ordinal);
        EXPECT_EQ(balance(purse.received_account), purse.received) << "purse " << ordinal;
        EXPECT_EQ(balance(collateral_account(ordinal)), purse.collateral) << "purse " << ordinal;
        total += purse.received + purse.collateral;
    }
    for (LotIndex index = 0; index < book.lots(); ++index) {
        const LotRecord& lot = book.lot(index);
        if (lot.state == LotState::refused) continue;
        EXPECT_LE(lot.paid, lot.amount);
        EXPECT_EQ(balance(lot.escrow_account), lot.amount - lot.paid) << "lot " << lot.serial;
        total += balance(lot.escrow_account);
    }
    EXPECT_EQ(total, brought_in_);
    EXPECT_TRUE(engine->check_invariants().empty());
}

}  // namespace jiaozi::settlement::testing
