// The transparency log with what it does not know itself: what an annotation tells of, and which transfers are money.
#pragma once

#include <memory>
#include <optional>

#include <jiaozi/api/proofs.hpp>
#include <jiaozi/engine/engine.hpp>
#include <jiaozi/proof/keys.hpp>
#include <jiaozi/proof/log.hpp>

namespace jiaozi::proofs {

// The payment, or the deposit, that a command's annotation tells of.
std::optional<uint128> subject_of(ByteView annotation);
// Money, as against allowances, which are the payer's own business.
bool is_money(const ledger::Transfer& transfer);

// Any thread, but for the application thread in receipt().
class PaymentLog final : public api::Proofs {
  public:
    // An empty origin: the default one.
    static Result<std::unique_ptr<PaymentLog>> start(engine::Engine& engine, proof::LogKeys keys,
                                                     std::filesystem::path directory, std::string origin);

    Result<std::string> checkpoint() const override { return log_->checkpoint(); }
    Result<Bytes> tile(std::string_view path) const override { return log_->tile(path); }
    Result<std::string> receipt(PaymentId payment) override;

    const proof::Log& log() const noexcept { return *log_; }

  private:
    explicit PaymentLog(std::unique_ptr<proof::Log> log) : log_(std::move(log)) {}
    std::unique_ptr<proof::Log> log_;
};

}  // namespace jiaozi::proofs
