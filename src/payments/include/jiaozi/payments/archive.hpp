// Where payments are read that are no longer in memory: the projection in the registry.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include <jiaozi/base/result.hpp>
#include <jiaozi/model/records.hpp>
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
};

// The registry's payments table as written by a projector. Both must outlive it.
class RegistryArchive final : public Archive {
  public:
    RegistryArchive(std::unique_ptr<registry::Session> session, const Projector& projector)
        : session_(std::move(session)), projector_(projector) {}
    Result<std::optional<Payment>> payment(PaymentId id) override;
    std::uint64_t projected_sequence() const override;

  private:
    std::unique_ptr<registry::Session> session_;
    const Projector& projector_;
};

}  // namespace jiaozi::payments
