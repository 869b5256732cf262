// What a device asks for its offline purse, done with the settlement service: deposits, sync, list, what it carries, an
// alarm, in this order (docs/protocol/device.md, 4.2). A device speaks for the purses that were enrolled for it and for
// no other. Application thread only; `settlement` and `clock` must outlive it, and errands under way when it ends are
// dropped.
#pragma once

#include <memory>

#include <jiaozi/api/purse_errands.hpp>
#include <jiaozi/base/token_bucket.hpp>
#include <jiaozi/settlement/settlement.hpp>

namespace jiaozi::settlement {

struct ErrandLimits {
    std::uint32_t items_per_s = 1'000;  // of one device; as of an API key
    std::uint32_t items_burst = 10'000;
};

class Errands final : public api::PurseErrands {
  public:
    Errands(Settlement& settlement, const Clock& clock, ErrandLimits limits = {});
    ~Errands() override;
    Errands(const Errands&) = delete;
    Errands& operator=(const Errands&) = delete;

    void run(DeviceId device, Bytes errand, api::Done<Bytes> done) override;

  private:
    class Run;

    Settlement& settlement_;
    const Clock& clock_;
    RateLimit<DeviceId> limit_;  // devices with a purse only
    std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace jiaozi::settlement
