#include "payment_log.hpp"

#include <jiaozi/api/accounts.hpp>
#include <jiaozi/payments/annotation.hpp>
#include <jiaozi/settlement/facts.hpp>

namespace jiaozi::proofs {
namespace {

struct SubjectOf {
    uint128 operator()(const payments::PaymentFact& fact) const { return fact.payment.id.value; }
    uint128 operator()(const payments::ReportFact& fact) const { return fact.payment.value; }
    uint128 operator()(const payments::ReleaseFact& fact) const { return fact.payment.value; }
    uint128 operator()(const payments::LateReportFact& fact) const { return fact.payment.value; }
    uint128 operator()(const payments::RefundFact& fact) const { return fact.payment.value; }
    uint128 operator()(const payments::DepositFact& fact) const { return fact.deposit.value; }
};

// Of one row of notes, or of lapses: the payment that the note is.
std::optional<uint128> offline_subject_of(ByteView annotation) {
    const auto fact = settlement::decode_annotation(annotation);
    if (!fact.ok() || !fact->has_value()) return std::nullopt;
    if (const auto* notes = std::get_if<settlement::NotesFact>(&**fact); notes != nullptr && notes->rows.size() == 1) {
        const auto told = settlement::told_by(notes->rows.front());
        return told ? std::optional(settlement::payment_of(told->id).value) : std::nullopt;
    }
    const auto* lapsed = std::get_if<settlement::LapsedFact>(&**fact);
    if (lapsed == nullptr || lapsed->rows.size() != 1) return std::nullopt;
    return settlement::payment_of(lapsed->rows.front().note).value;
}

}  // namespace

std::optional<uint128> subject_of(ByteView annotation) {
    const auto fact = payments::decode_annotation(annotation);
    if (fact.ok() && fact->has_value()) return std::visit(SubjectOf{}, **fact);
    return offline_subject_of(annotation);
}

bool is_money(const ledger::Transfer& transfer) {
    return transfer.code == api::transfer_payment || transfer.code == api::transfer_refund ||
           transfer.code == api::transfer_deposit || transfer.code == api::transfer_purse_payout;
}

Result<std::unique_ptr<PaymentLog>> PaymentLog::start(engine::Engine& engine, proof::LogKeys keys,
                                                      std::filesystem::path directory, std::string origin) {
    proof::LogOptions options;
    options.directory = std::move(directory);
    options.origin = origin.empty() ? proof::default_origin(*keys.signer) : std::move(origin);
    options.subject_of = subject_of;
    options.shown = is_money;
    JZ_TRY(auto log, proof::Log::start(engine, std::move(keys.signer), std::move(keys.salt), std::move(options)));
    return std::unique_ptr<PaymentLog>(new PaymentLog(std::move(log)));
}

Result<std::string> PaymentLog::receipt(PaymentId payment) {
    JZ_TRY(const proof::Receipt receipt, log_->receipt(payment.value, seconds(10)));
    return receipt.to_json();
}

}  // namespace jiaozi::proofs
