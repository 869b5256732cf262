// What settlement reads from outside and from its journal: annotations, root documents, and deposits, these by the
// whole service over a real engine. An annotation that is read is written back to something that reads the same; a root
// needs signatures that no fuzzer makes; whatever is deposited, signed by a purse or not, the service answers, no lot
// pays more than its amount, and the book agrees with the ledger.
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>

#include <jiaozi/api/accounts.hpp>
#include <jiaozi/api/stepped_app_thread.hpp>
#include <jiaozi/base/assert.hpp>
#include <jiaozi/engine/engine.hpp>
#include <jiaozi/purse_host/issuer.hpp>
#include <jiaozi/settlement/settlement.hpp>

using namespace jiaozi;

namespace {

std::unique_ptr<purse_host::PurseSigner> fixed_key(std::uint8_t byte) {
    return purse_host::key_signer(
        crypto::make_signer(crypto::key_from_private(crypto::Suite::ed25519, Bytes(32, byte)).value()).value());
}

// Two purses, the first with a lot of 10,000, the second with the certificate that names it.
class Service {
  public:
    Service() {
        std::string name = (std::filesystem::temp_directory_path() / "jiaozi-fuzz-settlement-XXXXXX").string();
        JZ_ASSERT(mkdtemp(name.data()) != nullptr);
        folder_ = name;
        engine_ = engine::Engine::open({.directory = folder_ / "journal"}, clock_).value();
        settlement_ =
            settlement::Settlement::recover({*engine_, app_, clock_, {issuer_.get()}}, {.verify_threads = 0}).value();
        for (std::size_t i = 0; i < purses_.size(); ++i) enrol(i);
    }
    ~Service() {
        settlement_.reset();
        engine_.reset();
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    void deposit(ByteView item, std::uint32_t depositor) {
        std::optional<Result<std::vector<settlement::ItemAnswer>>> answer;
        settlement_->settle({to_bytes(item)}, depositor, [&](auto given) { answer = std::move(given); });
        JZ_ASSERT(app_.run_until([&] { return answer.has_value() && settlement_->idle(); }));
        JZ_ASSERT(answer->ok() && (*answer)->size() == 1);
        const settlement::Book& book = settlement_->book();
        for (settlement::LotIndex index = 0; index < book.lots(); ++index) {
            const settlement::LotRecord& lot = book.lot(index);
            JZ_ASSERT(lot.paid <= lot.amount && balance(lot.escrow_account) == lot.amount - lot.paid);
        }
        for (std::uint32_t ordinal = 1; ordinal <= book.enrolled(); ++ordinal) {
            JZ_ASSERT(balance(book.purse(ordinal)->received_account) == book.purse(ordinal)->received);
        }
    }
    // The payload as one of the purses has signed it.
    void deposit_signed(ByteView payload, std::size_t purse, std::uint32_t depositor) {
        if (payload.size() > purse::max_payload) return;
        deposit(purse_host::sign_object(*purses_[purse % purses_.size()], payload), depositor);
    }

  private:
    void enrol(std::size_t index) {
        const WalletId wallet(make_uint128(9, index + 1));
        const uint128 funding = api::system_account(api::code_funding, assets::CNY.ledger);
        engine::Command command;
        command.accounts.push_back({.id = funding, .ledger = assets::CNY.ledger, .code = api::code_funding});
        command.accounts.push_back({.id = wallet.value, .ledger = assets::CNY.ledger, .code = api::code_wallet});
        command.transfers.push_back({.id = make_uint128(7, index + 1),
                                     .debit_account_id = funding,
                                     .credit_account_id = wallet.value,
                                     .amount = 100'000,
                                     .ledger = assets::CNY.ledger,
                                     .code = api::transfer_deposit});
        JZ_ASSERT(engine_->execute(std::move(command)).ok());
        std::optional<Result<std::uint32_t>> enrolled;
        settlement::NewPurse purse;
        purse.key = purses_[index]->public_key();
        purse.assurance = 3;
        purse.wallet = wallet;
        purse.holder = wallet.value;
        purse.asset = assets::CNY;
        settlement_->enrol(std::move(purse), [&](auto given) { enrolled = std::move(given); });
        JZ_ASSERT(app_.run_until([&] { return enrolled.has_value(); }) && enrolled->ok());
        std::optional<Result<settlement::LoadAnswer>> loaded;
        settlement_->load({settlement::LoadId(make_uint128(8, index + 1)), **enrolled, index == 0 ? 10'000U : 0U, 0},
                          [&](auto given) { loaded = std::move(given); });
        JZ_ASSERT(app_.run_until([&] { return loaded.has_value(); }) && loaded->ok());
    }
    std::uint64_t balance(uint128 id) const {
        const auto account = engine_->account(id);
        return account ? low64(account->credits_posted - account->debits_posted) : 0;
    }

    TestClock clock_;
    api::SteppedAppThread app_;
    std::filesystem::path folder_;
    std::unique_ptr<purse_host::PurseSigner> issuer_ = fixed_key(0xa1);
    std::array<std::unique_ptr<purse_host::PurseSigner>, 2> purses_{fixed_key(0x01), fixed_key(0x02)};
    std::unique_ptr<engine::Engine> engine_;
    std::unique_ptr<settlement::Settlement> settlement_;
};

void annotation(ByteView input) {
    const auto fact = settlement::decode_annotation(input);
    if (!fact.ok() || !*fact) return;
    const Bytes written = settlement::encode(**fact);
    const auto again = settlement::decode_annotation(written);
    JZ_ASSERT(again.ok() && again->has_value());
    JZ_ASSERT(settlement::encode(**again) == written);
}

void root(ByteView input) {
    JZ_ASSERT(!settlement::accept_root({}, input).ok());  // one signature of its own signers at least
    const auto stored = settlement::stored_root(input);
    if (stored.ok()) JZ_ASSERT(!settlement::encode(*stored).empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2 || size > 16'384) return 0;
    const ByteView rest(data + 2, size - 2);
    static std::unique_ptr<Service> service;
    static unsigned uses = 0;
    // Now and then a new one, so that what one input has left is not in the way of all others.
    if (data[0] % 4 >= 2 && (service == nullptr || ++uses % 2'000 == 0)) service = std::make_unique<Service>();
    switch (data[0] % 4) {
        case 0:
            annotation(rest);
            break;
        case 1:
            root(rest);
            break;
        case 2:
            service->deposit(rest, data[1] % 3);
            break;
        case 3:
            service->deposit_signed(rest, data[1] & 1U, (data[1] >> 1) % 3);
            break;
    }
    return 0;
}
