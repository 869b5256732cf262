#include "purse_slot.hpp"

#include <iostream>

#include <boost/json.hpp>

#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/terminal/evidence.hpp>

#include "../cli/terminal.hpp"

namespace jiaozi::sim {
namespace {

using cli::say;
constexpr Duration look_up = milliseconds(500);  // how often it looks whether the network is back, or it is to end

std::string new_sale() {
    Bytes random(16);
    crypto::random_bytes(random);
    return "sale-" + to_hex(random);
}

}  // namespace

Result<std::unique_ptr<PurseSlot>> PurseSlot::open(const PurseSlotOptions& options, terminal::IssuerServer server,
                                                   bool json) {
    JZ_TRY(const carriers::Place place, carriers::parse_place(options.carrier));
    std::unique_ptr<PurseSlot> slot(new PurseSlot(options, std::move(server), json));
    JZ_TRY(slot->folder_, purses::open_enrolled(options.purse));
    JZ_TRY(slot->listener_, carriers::listen(place));
    slot->thread_ = std::jthread([self = slot.get()](const std::stop_token& stop) { self->run(stop); });
    return slot;
}

PurseSlot::~PurseSlot() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
}

void PurseSlot::tell(const char* what, std::uint64_t amount, const std::string& detail) const {
    std::string line;
    if (json_) {
        line = boost::json::serialize(boost::json::object{{"object", "simulation"},
                                                          {"kind", "purse_slot"},
                                                          {"what", what},
                                                          {"amount", std::to_string(amount)},
                                                          {"detail", detail}});
    } else {
        line = std::string(say("purse slot  ", "钱袋口  ")) + what + "  " +
               purses::amount_text(amount, terminal::asset_of(folder_->purse())) +
               (detail.empty() ? "" : "  " + detail);
    }
    std::cout << line + "\n" << std::flush;
}

Result<void> PurseSlot::deposit() {
    JZ_TRY(const auto synced, server_.sync(*folder_));
    std::string refused;
    for (const std::string& reason : synced.refused) refused += (refused.empty() ? "" : ", ") + reason;
    tell("deposited", folder_->purse().info().received, refused);
    return {};
}

void PurseSlot::run(const std::stop_token& stop) {
    bool to_deposit = folder_->purse().info().notes_held > 0;
    while (!stop.stop_requested()) {
        if (up_.load()) {
            if (to_deposit) {
                // Again after the next pause if the server is not back although the broker is.
                to_deposit = !deposit().ok();
            }
            std::this_thread::sleep_for(std::chrono::nanoseconds(look_up.ns));
            continue;
        }
        // The request is made when somebody has come, so that waiting costs the purse nothing.
        auto payer = listener_->accept(look_up);
        if (!payer.ok()) continue;
        simulators::PurseTill sale(folder_->purse(), *this,
                                   [&](Duration patience) -> Result<std::unique_ptr<carriers::Link>> {
                                       if (*payer) return std::move(*payer);
                                       return listener_->accept(patience);
                                   });
        const simulators::Sold sold = sale.sell(new_sale(), options_.price, seconds(15));
        if (sold == simulators::Sold::purse) {
            to_deposit = true;
            tell("sold_to_purse", options_.price, say("accepted, not settled", "已接受，未结算"));
        }
    }
}

}  // namespace jiaozi::sim
