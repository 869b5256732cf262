#include "purse_slot.hpp"

#include <algorithm>
#include <iostream>

#include <boost/json.hpp>

#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/terminal/evidence.hpp>

#include "../cli/terminal.hpp"

namespace jiaozi::sim {
namespace {

using cli::say;
constexpr Duration look_up = milliseconds(500);  // how often it looks whether the network is back, or it is to end
constexpr Duration one_sale = seconds(15);

std::string new_sale() {
    Bytes random(16);
    crypto::random_bytes(random);
    return "sale-" + to_hex(random);
}

}  // namespace

Result<std::unique_ptr<PurseSlot>> PurseSlot::open(const PurseSlotOptions& options, Sync sync, bool json) {
    JZ_TRY(const carriers::Place place, carriers::parse_place(options.carrier));
    std::unique_ptr<PurseSlot> slot(new PurseSlot(options, std::move(sync), json));
    JZ_TRY(slot->folder_, purses::open_enrolled(options.purse));
    slot->favours_ = std::make_unique<terminal::Favours>(slot->folder_->favours());
    JZ_TRY(slot->till_, terminal::Till::open(slot->folder_->purse(), slot->folder_->path() / terminal::sales_name,
                                             slot->favours_.get()));
    JZ_TRY(slot->listener_, carriers::listen(place));
    slot->tell_what_is_owed();
    slot->thread_ = std::jthread([self = slot.get()](const std::stop_token& stop) { self->run(stop); });
    return slot;
}

PurseSlot::~PurseSlot() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
}

void PurseSlot::tell(const char* what, const char* words, std::uint64_t amount, const std::string& detail) const {
    std::string line;
    if (json_) {
        line = boost::json::serialize(boost::json::object{{"object", "simulation"},
                                                          {"kind", "purse_slot"},
                                                          {"what", what},
                                                          {"amount", std::to_string(amount)},
                                                          {"detail", detail}});
    } else {
        line = std::string(say("purse slot  ", "钱袋口  ")) + words + "  " +
               purses::amount_text(amount, terminal::asset_of(folder_->purse())) +
               (detail.empty() ? "" : "  " + detail);
    }
    std::cout << line + "\n" << std::flush;
}

// The power was cut between the credit and the goods: whether they fell, a person must see.
void PurseSlot::tell_what_is_owed() {
    for (const terminal::Sale& sale : till_->undelivered()) {
        tell("owed",
             say("paid before the power was cut; look whether it was delivered", "断电前已付款；请查看是否已出货"),
             sale.amount, sale.key);
        ignore_error(till_->delivered(sale.key), "told again the next time");
    }
}

Result<void> PurseSlot::deposit() {
    const std::uint64_t before = folder_->purse().info().received;
    JZ_TRY(const auto synced, sync_(*folder_));
    std::string refused;
    for (const std::string& reason : synced.refused) refused += (refused.empty() ? "" : ", ") + reason;
    const std::uint64_t after = folder_->purse().info().received;
    tell("deposited", say("handed in and settled", "已上交并结算"), before - std::min(before, after), refused);
    if (synced.carried != 0) {
        tell("carried", say("handed in for others, sealed", "代他人上交（密封）"), 0, std::to_string(synced.carried));
    }
    if (synced.two_lists) {
        tell("trouble", say("reported two blacklists with one version", "已上报同一版本的两份黑名单"), 0, "two_lists");
    }
    return {};
}

// Tried again and again. A server that is not back is no trouble; what it says against the deposit is told once.
bool PurseSlot::deposited() {
    const auto done = deposit();
    const bool away =
        !done.ok() && (done.error().kind() == ErrorKind::unavailable || done.error().kind() == ErrorKind::timeout);
    std::string why = done.ok() || away ? std::string() : done.error().to_string();
    if (!why.empty() && why != last_trouble_)
        tell("trouble", say("hands in nothing yet", "尚未上交"), folder_->purse().info().received, why);
    last_trouble_ = std::move(why);
    return done.ok();
}

bool PurseSlot::sell_to(std::unique_ptr<carriers::Link> payer) {
    const std::string key = new_sale();
    const auto sold =
        till_->sell(key, options_.price, one_sale, [&](Duration patience) -> Result<std::unique_ptr<carriers::Link>> {
            if (payer) return std::move(payer);
            return listener_->accept(patience);
        });
    if (!sold.ok()) {
        tell("trouble", say("sells to no purse", "无法向钱袋售货"), 0, sold.error().to_string());
        return false;
    }
    if (*sold != terminal::Sold::paid) return false;
    tell("sold_to_purse", say("sold to a purse", "已售予钱袋"), options_.price,
         say("accepted, not settled", "已接受，未结算"));
    ignore_error(till_->delivered(key), "told as owed at the next start");
    return true;
}

void PurseSlot::run(const std::stop_token& stop) {
    bool to_deposit = folder_->purse().info().notes_held > 0 || folder_->purse().trust_info().carried > 0;
    while (!stop.stop_requested()) {
        // Again after the next pause if the server is not back although the broker is.
        if (up_.load() && to_deposit) to_deposit = !deposited();
        // The request is made when somebody has come, so that waiting costs the purse nothing.
        auto payer = listener_->accept(look_up);
        if (payer.ok() && sell_to(std::move(*payer))) to_deposit = true;
    }
}

}  // namespace jiaozi::sim
