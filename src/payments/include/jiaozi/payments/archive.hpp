// Where payments are read that are no longer in memory: the projection in the registry.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include <jiaozi/base/result.hpp>
#include <jiaozi/model/records.hpp>
#include <jiaozi/payments/known_ids.hpp>
#include <jiaozi/registry/store.hpp>

namespace jiaozi::payments {

class Projector;

// Used on the application thread, except projected_sequence (any thread).
class Archive {
  public:
    virtual ~Archive() = default;
    // nullopt: not there.
    virtual Result<std::optional<Payment>> payment(PaymentId id) = 0;
    // Every change up to this journal sequence can be read here; what is newer must stay in memory.
    virtual std::uint64_t projected_sequence() const = 0;

    // What a service begins with that reads the journal only behind projected_sequence(). Both may be ahead of it.
    // The payments that are authorized:
    virtual Result<std::vector<Payment>> open_payments() = 0;
    // The ids of all, as known_ids.hpp keeps them:
    virtual Result<KnownIds> known_ids() = 0;
};

// The registry's payments table as written by a projector. Both must outlive it.
class RegistryArchive final : public Archive {
  public:
    // `directory`: the engine's, where ids are kept (known_ids.hpp); empty: they are read from the registry.
    RegistryArchive(std::unique_ptr<registry::Session> session, const Projector& projector,
                    std::filesystem::path directory = {})
        : session_(std::move(session)), projector_(projector), directory_(std::move(directory)) {}
    Result<std::optional<Payment>> payment(PaymentId id) override;
    std::uint64_t projected_sequence() const override;
    Result<std::vector<Payment>> open_payments() override;
    Result<KnownIds> known_ids() override;

  private:
    std::unique_ptr<registry::Session> session_;
    const Projector& projector_;
    const std::filesystem::path directory_;
};

}  // namespace jiaozi::payments
