// Merchants, their products, and what their machines sell at what price.
//
// Everything is kept in memory and changed after each registry write, so that no payment waits for SQL.
// Idempotency: the caller gives each object its id. The same id and content again answers the stored object and changes
// nothing; the same id with other content is Error conflict `already_exists`.
// Threading: application thread only; to be destroyed there; completions that come later are dropped.
// Errors besides: those of the registry (store.hpp) and of the engine (engine.hpp).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <jiaozi/api/app_thread.hpp>
#include <jiaozi/api/devices.hpp>
#include <jiaozi/api/events.hpp>
#include <jiaozi/api/merchants.hpp>
#include <jiaozi/base/clock.hpp>
#include <jiaozi/engine/engine.hpp>
#include <jiaozi/registry/store.hpp>

namespace jiaozi::merchants {

inline constexpr std::uint32_t slot_max = 999;

// All must outlive the service. `session` is the service's own. `wallet_opened` tells the service groups of a
// merchant's wallet (GroupService::adopt); it may be empty.
struct Parts {
    registry::Session& session;
    engine::Engine& engine;
    const Clock& clock;
    api::AppThread& app;
    api::EventSignal& events;
    const api::Devices& devices;
    std::function<void(const Wallet&)> wallet_opened;
};

class MerchantService final : public api::Merchants {
  public:
    static Result<std::unique_ptr<MerchantService>> load(Parts parts);
    ~MerchantService() override;
    MerchantService(const MerchantService&) = delete;
    MerchantService& operator=(const MerchantService&) = delete;

    // Opens the merchant's wallet in `asset` too: its id has the merchant id's number. `wallet` and `created` are set
    // here. country: two capital letters; mcc: four digits.
    void create(Merchant merchant, Asset asset, api::Done<Merchant> done);
    // category: 1 to 64 of a-z 0-9 _ -. name_zh may be empty: then the name is shown.
    Result<Product> create_product(Product product);
    // The machine's whole catalogue. Each slot 1 to slot_max and once; its product is the machine's merchant's; its
    // price above zero in the asset of that merchant's wallet. Nothing changes unless all are right.
    Result<std::vector<Slot>> replace_slots(DeviceId machine, std::vector<Slot> slots);

    std::vector<const Merchant*> merchants() const;                      // oldest first
    std::vector<const Product*> products_of(MerchantId merchant) const;  // oldest first
    const Merchant* merchant(MerchantId id) const override;
    const Product* product(ProductId id) const override;
    const Slot* slot(DeviceId machine, std::uint32_t slot) const override;
    std::vector<const Slot*> slots_of(DeviceId machine) const override;  // by number

  private:
    struct State;
    explicit MerchantService(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace jiaozi::merchants
