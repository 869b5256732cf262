#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>
#include <utility>

#include <jiaozi/api/accounts.hpp>
#include <jiaozi/api/json.hpp>
#include <jiaozi/api/text.hpp>
#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/merchants/merchants.hpp>
#include <jiaozi/registry/devices.hpp>
#include <jiaozi/registry/events.hpp>
#include <jiaozi/registry/merchants.hpp>
#include <jiaozi/registry/people.hpp>

namespace jiaozi::merchants {

struct MerchantService::State {
    explicit State(Parts given) : parts(std::move(given)) {}

    Result<> load_merchants();
    Result<> load_products();
    Result<> load_slots();
    Result<> record(Event event, const std::function<Result<>()>& work);
    Event event(std::string_view type, std::string object_id, std::string data) const;
    Result<Merchant> finish_creation(Merchant merchant, Asset asset);
    Result<> check_slot(const Device& machine, const Asset& asset, const Slot& slot) const;

    Parts parts;
    std::unordered_map<MerchantId, Merchant> merchants;
    std::unordered_map<MerchantId, Asset> assets;  // of the merchants' wallets
    std::unordered_map<ProductId, Product> products;
    std::unordered_map<DeviceId, std::map<std::uint32_t, Slot>> slots;
    std::shared_ptr<char> alive = std::make_shared<char>();
};

namespace {

Error invalid(std::string message, std::string_view param) {
    return Error(ErrorKind::invalid, std::move(message)).with_param(param);
}

Error already_exists(std::string_view kind, std::string_view id) {
    return Error(ErrorKind::conflict,
                 std::string(kind) + " " + std::string(id) + " exists with other content; use a new id")
        .with_code("already_exists");
}

bool all_between(std::string_view text, char first, char last) {
    return std::ranges::all_of(text, [&](char c) { return c >= first && c <= last; });
}

Result<> check(const Merchant& merchant, const Asset& asset) {
    if (!merchant.id) return invalid("id must not be zero; make one", "id");
    JZ_CHECK(api::check_name(merchant.name, "name"));
    JZ_CHECK(api::check_name(merchant.city, "city"));
    if (merchant.country.size() != 2 || !all_between(merchant.country, 'A', 'Z')) {
        return invalid("country must be two capital letters (ISO 3166-1), such as CN", "country");
    }
    if (merchant.mcc.size() != 4 || !all_between(merchant.mcc, '0', '9')) {
        return invalid("mcc must be four digits (ISO 18245), such as 5814", "mcc");
    }
    JZ_TRY(const Asset known, find_asset(asset.ledger));
    if (known.name() != asset.name()) return invalid("asset and ledger number do not agree", "asset");
    return {};
}

Result<> check(const Product& product) {
    if (!product.id) return invalid("id must not be zero; make one", "id");
    JZ_CHECK(api::check_name(product.name, "name"));
    if (!product.name_zh.empty()) JZ_CHECK(api::check_name(product.name_zh, "name_zh"));
    const auto is_allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    };
    if (product.category.empty() || product.category.size() > 64 ||
        !std::ranges::all_of(product.category, is_allowed)) {
        return invalid("category must be 1 to 64 of a-z 0-9 _ -", "category");
    }
    return {};
}

bool same(const Merchant& a, const Merchant& b) {
    return a.name == b.name && a.city == b.city && a.country == b.country && a.mcc == b.mcc;
}

bool same(const Product& a, const Product& b) {
    return a.merchant == b.merchant && a.name == b.name && a.name_zh == b.name_zh && a.category == b.category;
}

template <class T>
bool older(const T* a, const T* b) {
    return std::tie(a->created, a->id) < std::tie(b->created, b->id);
}

template <class Map, class Key>
auto find_in(const Map& map, Key key) -> const typename Map::mapped_type* {
    const auto found = map.find(key);
    return found == map.end() ? nullptr : &found->second;
}

// An event holds at most 64 KiB; a catalogue longer than this is told by its count alone.
constexpr std::size_t slots_told_max = 256;

std::string json_of(DeviceId machine, std::span<const Slot> slots) {
    api::JsonObject catalogue("catalogue");
    catalogue.id("device", machine).number("slot_count", slots.size());
    if (slots.size() > slots_told_max) return catalogue.take();
    std::string list = "[";
    for (const Slot& slot : slots) {
        if (list.size() > 1) list += ',';
        list += api::json_of(slot);
    }
    return catalogue.raw("slots", list + "]").take();
}

// Every page of a list of the registry, through `visit`.
template <class List, class Visit>
Result<> for_each_page(List list, Visit visit) {
    registry::Page page{.limit = registry::page_limit_max, .starting_after = {}, .ending_before = {}};
    for (bool more = true; more;) {
        JZ_TRY(const auto listing, list(page));
        for (const auto& item : listing.data) JZ_CHECK(visit(item));
        more = listing.has_more && !listing.data.empty();
        if (more) page.starting_after = listing.data.back().id.to_string();
    }
    return {};
}

}  // namespace

Result<> MerchantService::State::load_merchants() {
    registry::Session& session = parts.session;
    const auto visit = [&](const Merchant& merchant) -> Result<> {
        JZ_TRY(const Wallet wallet, registry::get_wallet(session, merchant.wallet));
        merchants[merchant.id] = merchant;
        assets[merchant.id] = wallet.asset;
        return {};
    };
    return for_each_page([&](const registry::Page& page) { return registry::list_merchants(session, page); }, visit);
}

Result<> MerchantService::State::load_products() {
    const auto visit = [&](const Product& product) -> Result<> {
        products[product.id] = product;
        return {};
    };
    return for_each_page([&](const registry::Page& page) { return registry::list_products(parts.session, {}, page); },
                         visit);
}

Result<> MerchantService::State::load_slots() {
    return registry::for_each_device(parts.session, [&](const Device& device) -> Result<> {
        if (!device.merchant) return {};
        JZ_TRY(const auto stored, registry::all_slots(parts.session, device.id));
        for (const Slot& slot : stored) slots[device.id][slot.slot] = slot;
        return {};
    });
}

Result<> MerchantService::State::record(Event event, const std::function<Result<>()>& work) {
    const auto work_and_tell = [&]() -> Result<> {
        JZ_CHECK(work());
        return registry::append_many(parts.session, std::span(&event, 1));
    };
    JZ_CHECK(parts.session.in_transaction(work_and_tell));
    const auto position = registry::newest_event_position(parts.session);
    if (position.ok()) {
        parts.events.stored_up_to(*position);
    } else {
        ignore_error(position, "the change is stored; followers see it with the next event");
    }
    return {};
}

Event MerchantService::State::event(std::string_view type, std::string object_id, std::string data) const {
    Event event;
    event.id = crypto::new_id<EventId>(parts.clock);
    event.type = type;
    event.object_id = std::move(object_id);
    event.data = std::move(data);
    event.created = parts.clock.now();
    return event;
}

MerchantService::MerchantService(std::unique_ptr<State> state) : state_(std::move(state)) {}
MerchantService::~MerchantService() = default;

Result<std::unique_ptr<MerchantService>> MerchantService::load(Parts parts) {
    auto state = std::make_unique<State>(std::move(parts));
    JZ_CHECK(state->load_merchants());
    JZ_CHECK(state->load_products());
    JZ_CHECK(state->load_slots());
    return std::unique_ptr<MerchantService>(new MerchantService(std::move(state)));
}

void MerchantService::create(Merchant merchant, Asset asset, api::Done<Merchant> done) {
    if (auto checked = check(merchant, asset); !checked.ok()) return done(std::move(checked).error());
    merchant.wallet = WalletId(merchant.id.value);
    engine::Command command;
    command.accounts.push_back(
        {.id = merchant.wallet.value,
         .ledger = asset.ledger,
         .code = api::code_merchant_wallet,
         .flags = ledger::account_flags::debits_must_not_exceed_credits | ledger::account_flags::history});
    // The account first, so that no merchant is ever shown without one.
    api::AppThread& app = state_->parts.app;
    state_->parts.engine.submit(std::move(command), [&app, state = state_.get(), alive = std::weak_ptr(state_->alive),
                                                     merchant = std::move(merchant), asset,
                                                     done = std::move(done)](Result<engine::Outcome> outcome) mutable {
        app.post([state, alive = std::move(alive), merchant = std::move(merchant), asset, done = std::move(done),
                  outcome = std::move(outcome)]() mutable {
            if (alive.expired()) return;
            if (!outcome.ok()) return done(std::move(outcome).error());
            const ledger::CreateAccountResult opened = outcome->accounts.at(0);
            if (opened != ledger::CreateAccountResult::ok && opened != ledger::CreateAccountResult::exists) {
                return done(already_exists("merchant", merchant.id.to_string()));
            }
            done(state->finish_creation(std::move(merchant), asset));
        });
    });
}

Result<Merchant> MerchantService::State::finish_creation(Merchant merchant, Asset asset) {
    if (const Merchant* stored = find_in(merchants, merchant.id)) {
        if (same(*stored, merchant)) return *stored;
        return already_exists("merchant", merchant.id.to_string());
    }
    merchant.created = parts.clock.now();
    Wallet wallet;
    wallet.id = merchant.wallet;
    wallet.merchant = merchant.id;
    wallet.name = merchant.name;
    wallet.asset = asset;
    wallet.created = merchant.created;
    const auto insert_both = [&]() -> Result<> {
        JZ_CHECK(registry::insert(parts.session, merchant));
        return registry::insert(parts.session, wallet);
    };
    JZ_CHECK(record(event("merchant.created", merchant.id.to_string(), api::json_of(merchant)), insert_both));
    merchants[merchant.id] = merchant;
    assets[merchant.id] = asset;
    if (parts.wallet_opened) parts.wallet_opened(wallet);
    return merchant;
}

Result<Product> MerchantService::create_product(Product product) {
    JZ_CHECK(check(product));
    if (!merchant(product.merchant)) {
        return Error(ErrorKind::not_found, "there is no merchant " + product.merchant.to_string())
            .with_code("merchant_not_found");
    }
    if (const Product* stored = this->product(product.id)) {
        if (same(*stored, product)) return *stored;
        return already_exists("product", product.id.to_string());
    }
    product.created = state_->parts.clock.now();
    JZ_CHECK(state_->record(state_->event("product.created", product.id.to_string(), api::json_of(product)),
                            [&] { return registry::insert(state_->parts.session, product); }));
    state_->products[product.id] = product;
    return product;
}

Result<> MerchantService::State::check_slot(const Device& machine, const Asset& asset, const Slot& slot) const {
    const std::string which = "slot " + std::to_string(slot.slot) + ": ";
    if (slot.slot < 1 || slot.slot > slot_max) return invalid(which + "must be 1 to 999", "slot");
    const Product* product = find_in(products, slot.product);
    if (!product || product->merchant != machine.merchant) {
        return invalid(which + "the machine's merchant has no product " + slot.product.to_string(), "product");
    }
    if (slot.price.is_zero() || high64(slot.price.minor()) != 0) {
        return invalid(which + "price must be above zero and below 2^64", "price");
    }
    if (slot.price.asset() != asset) {
        return invalid(which + "the merchant is paid in " + std::string(asset.name()), "asset")
            .with_code("asset_mismatch");
    }
    return {};
}

Result<std::vector<Slot>> MerchantService::replace_slots(DeviceId id, std::vector<Slot> slots) {
    const Device* machine = state_->parts.devices.find(id);
    if (!machine)
        return Error(ErrorKind::not_found, "there is no device " + id.to_string()).with_code("device_not_found");
    const Asset* asset = find_in(state_->assets, machine->merchant);
    if (!asset) return invalid(id.to_string() + " belongs to no merchant, so it sells nothing", "device");
    std::map<std::uint32_t, Slot> catalogue;
    for (Slot& slot : slots) {
        slot.device = id;
        JZ_CHECK(state_->check_slot(*machine, *asset, slot));
        if (!catalogue.emplace(slot.slot, slot).second) {
            return invalid("slot " + std::to_string(slot.slot) + " occurs twice", "slot");
        }
    }
    std::ranges::sort(slots, {}, &Slot::slot);
    JZ_CHECK(state_->record(state_->event("catalogue.replaced", id.to_string(), json_of(id, slots)),
                            [&] { return registry::replace_slots(state_->parts.session, id, slots); }));
    state_->slots[id] = std::move(catalogue);
    return slots;
}

std::vector<const Merchant*> MerchantService::merchants() const {
    std::vector<const Merchant*> all;
    for (const auto& [id, merchant] : state_->merchants) all.push_back(&merchant);
    std::ranges::sort(all, older<Merchant>);
    return all;
}

std::vector<const Product*> MerchantService::products_of(MerchantId merchant) const {
    std::vector<const Product*> all;
    for (const auto& [id, product] : state_->products) {
        if (product.merchant == merchant) all.push_back(&product);
    }
    std::ranges::sort(all, older<Product>);
    return all;
}

const Merchant* MerchantService::merchant(MerchantId id) const {
    return find_in(state_->merchants, id);
}
const Product* MerchantService::product(ProductId id) const {
    return find_in(state_->products, id);
}

const Slot* MerchantService::slot(DeviceId machine, std::uint32_t slot) const {
    const auto* catalogue = find_in(state_->slots, machine);
    return catalogue ? find_in(*catalogue, slot) : nullptr;
}

std::vector<const Slot*> MerchantService::slots_of(DeviceId machine) const {
    std::vector<const Slot*> all;
    if (const auto* catalogue = find_in(state_->slots, machine)) {
        for (const auto& [number, slot] : *catalogue) all.push_back(&slot);
    }
    return all;
}

}  // namespace jiaozi::merchants
