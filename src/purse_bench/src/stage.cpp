#include "stage.hpp"

#include <array>
#include <cstdlib>
#include <string>

#include <jiaozi/api/accounts.hpp>
#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/purse/cose.hpp>

namespace jiaozi::purse_bench {
namespace {

using namespace settlement;

constexpr WalletId wallet{make_uint128(9, 9)};

}  // namespace

Result<std::unique_ptr<Stage>> Stage::make(crypto::Suite suite, std::size_t purses, settlement::Options options) {
    std::unique_ptr<Stage> stage(new Stage());
    JZ_CHECK(stage->open(suite, options));
    JZ_CHECK(stage->enrol(suite, purses + 1));
    return stage;
}

Stage::~Stage() {
    settlement_.reset();
    engine_.reset();
    std::error_code ignored;
    if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
}

Result<> Stage::open(crypto::Suite suite, settlement::Options options) {
    std::string made = std::filesystem::temp_directory_path() / "jiaozi-settling-XXXXXX";
    if (::mkdtemp(made.data()) == nullptr) return Error(ErrorKind::io, "cannot make a directory like " + made);
    directory_ = made;
    engine::Options engine;
    engine.directory = directory_ / "journal";
    engine.segment_bytes = std::uint64_t{1} << 20;  // space made ahead must not hide what notes take
    JZ_TRY(engine_, engine::Engine::open(std::move(engine), clock_));
    JZ_TRY(auto signer, crypto::make_signer(crypto::generate_key(suite)));
    issuer_ = purse_host::key_signer(std::move(signer));
    options.policy.holder_cap = ~std::uint64_t{0} >> 1;
    JZ_TRY(settlement_, Settlement::recover({*engine_, app_, clock_, {issuer_.get()}}, options));
    engine::Command command;
    const uint128 funding = api::system_account(api::code_funding, assets::CNY.ledger);
    command.accounts.push_back({.id = funding, .ledger = assets::CNY.ledger, .code = api::code_funding});
    command.accounts.push_back({.id = wallet.value, .ledger = assets::CNY.ledger, .code = api::code_wallet});
    JZ_TRY(const auto done, engine_->execute(std::move(command)));
    static_cast<void>(done);
    return {};
}

// Until that many answers have come and nothing is under way, or one was an error.
Result<> Stage::wait(const std::size_t& done, std::size_t target) {
    app_.run_until([&] { return failure_ || (done >= target && settlement_->idle()); }, seconds(3'600));
    if (failure_) return *failure_;
    return {};
}

Result<> Stage::enrol(crypto::Suite suite, std::size_t purses) {
    std::size_t done = 0;
    purses_.resize(purses);
    for (Purse& purse : purses_) {
        purse.key = crypto::generate_key(suite);
        settlement_->enrol({purse.key.public_key, suite, 2, wallet, 1, assets::CNY}, [&](Result<std::uint32_t> answer) {
            if (!answer.ok()) return failure_.emplace(answer.error()), void();
            purse.ordinal = *answer;
            ++done;
        });
    }
    JZ_CHECK(wait(done, purses));
    std::uint64_t number = 0;
    done = 0;
    for (Purse& purse : purses_) {
        settlement_->load({LoadId(make_uint128(1, ++number)), purse.ordinal, lot_amount, 0},
                          [&](Result<LoadAnswer> answer) {
                              if (!answer.ok()) return failure_.emplace(answer.error()), void();
                              purse.lot = purse_host::object_id(purse_host::real_cryptography(), answer->certificate);
                              ++done;
                          });
    }
    return wait(done, purses);
}

Bytes Stage::note(std::size_t purse, std::uint32_t nth) const {
    const Purse& payer = purses_[purse];
    purse::Note note;
    note.payer = payer.ordinal;
    note.seq = nth + 1;
    note.payee = purses_.front().ordinal;
    crypto::random_bytes(note.request);
    if (nth > 0) crypto::random_bytes(note.previous);
    note.sources = 1;
    note.source[0] = {payer.lot, nth * note_amount, note_amount};
    note.time = static_cast<std::uint32_t>(clock_.now().s());
    note.balance = lot_amount - (nth + 1) * note_amount;
    note.hop = 1;
    std::array<std::uint8_t, purse::max_payload> room{};
    auto signer = purse_host::key_signer(std::move(*crypto::make_signer(payer.key)));
    return purse_host::sign_object(*signer, purse::write_payload(note, room));
}

}  // namespace jiaozi::purse_bench
