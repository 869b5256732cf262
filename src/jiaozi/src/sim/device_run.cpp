#include "device_run.hpp"

#include <csignal>
#include <iostream>
#include <memory>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/json.hpp>
#include <unistd.h>

#include <jiaozi/terminal/errands.hpp>

#include "../cli/terminal.hpp"
#include "errand_bridge.hpp"

namespace jiaozi::sim {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using cli::say;
using simulators::Note;
using simulators::Simulator;
using simulators::What;

constexpr std::size_t max_line = 256;

const char* words_for(What what) {
    switch (what) {
        case What::enrolled:
            return say("enrolled: it has its key", "已注册：已有密钥");
        case What::online:
            return say("online", "在线");
        case What::offline:
            return say("offline", "离线");
        case What::command:
            return say("told to deliver", "收到出货指令");
        case What::dropped:
            return say("delivered", "已出货");
        case What::settled:
            return say("settled", "已结算");
        case What::cancelled:
            return say("cancelled", "已取消");
        case What::asked:
            return say("asks to pay", "请求付款");
        case What::answered:
            return say("answered", "已答复");
        case What::refused:
            return say("refused by the server", "被服务器拒绝");
        case What::jammed:
            return say("jammed", "卡货");
        case What::crashed:
            return say("power cut; starts again", "断电重启");
        case What::trouble:
            return say("trouble", "故障");
    }
    return "";
}

std::string amount_text(const Note& note) {
    if (note.asset.empty()) return std::to_string(note.amount);
    const auto asset = find_asset(note.asset);
    return asset.ok() ? Amount(note.amount, *asset).display() : std::to_string(note.amount) + " " + note.asset;
}

std::string details_of(const Note& note) {
    std::string text;
    const auto add = [&text](const std::string& more) {
        if (!more.empty()) text += (text.empty() ? "" : ", ") + more;
    };
    if (note.what == What::command)
        add(std::to_string(note.units) + " x " + note.text + ", " + amount_text(note));
    else if (note.what == What::dropped)
        add(std::to_string(note.units) + (note.units == 1 ? say(" unit", " 件") : say(" units", " 件")) +
            (note.text.empty() ? "" : " (" + note.text + ")"));
    else if (note.what == What::answered)
        add(std::string(name_of(note.state)) +
            (note.reason == Reason::none ? "" : ": " + std::string(name_of(note.reason))) + ", " + amount_text(note));
    else if (note.what == What::settled)
        add(std::string(name_of(note.state)) + ", " + amount_text(note) + (note.text.empty() ? "" : ", " + note.text));
    else
        add(note.text);
    return text;
}

void print_line(DeviceId device, DeviceKind kind, const Note& note) {
    std::cout << name_of(kind) << ' ' << device.to_string().substr(22) << "  " << words_for(note.what);
    if (note.payment) std::cout << "  " << note.payment.to_string();
    if (const std::string details = details_of(note); !details.empty()) std::cout << "  " << details;
    std::cout << std::endl;  // NOLINT(performance-avoid-endl): read live, by people and pipes
}

void print_json(DeviceId device, DeviceKind kind, const Note& note) {
    json::object line{{"object", "simulation"},
                      {"device", device.to_string()},
                      {"kind", name_of(kind)},
                      {"what", simulators::name_of(note.what)}};
    if (note.payment) line["payment"] = note.payment.to_string();
    if (note.what == What::answered || note.what == What::settled) line["state"] = name_of(note.state);
    if (note.what == What::answered) line["reason"] = name_of(note.reason);
    if (note.what == What::command || note.what == What::answered)
        line["amount"] = std::to_string(note.amount), line["asset"] = note.asset;
    if (note.what == What::settled) line["captured"] = std::to_string(note.amount);
    if (note.what == What::command || note.what == What::dropped) line["units"] = note.units;
    if (!note.text.empty()) line["detail"] = note.text;
    std::cout << json::serialize(line) << std::endl;  // NOLINT(performance-avoid-endl)
}

// A till: whoever types, or a barcode reader that acts as a keyboard, gives one payment code a line.
class Scanner {
  public:
    // `takes_purses`: a code that is typed while there is no network is not kept for later, because whoever typed it
    // may pay with a purse meanwhile.
    Scanner(asio::io_context& io, Simulator& till, bool takes_purses)
        : till_(till), takes_purses_(takes_purses), input_(io), buffer_(max_line) {
        boost::system::error_code failed;
        input_.assign(::dup(STDIN_FILENO), failed);
        if (!failed) read();
    }

  private:
    void read() {
        asio::async_read_until(input_, buffer_, '\n', [this](const boost::system::error_code& ended, std::size_t) {
            if (ended) return;  // no more input: the till goes on delivering
            std::istream stream(&buffer_);
            std::string code;
            std::getline(stream, code);
            std::erase_if(code, [](char c) { return c < '0' || c > '9'; });
            if (!code.empty() && takes_purses_ && !till_.in_session()) {
                std::cerr << say("jiaozi: offline: no payment code is taken now; hold a purse to the slot\n",
                                 "jiaozi: 离线：现在不接受付款码；请使用钱袋\n");
            } else if (!code.empty()) {
                const auto asked = till_.scanned(code, 1, 1);
                if (!asked.ok()) std::cerr << "jiaozi: " << asked.error().to_string() << '\n';
            }
            read();
        });
    }

    Simulator& till_;
    bool takes_purses_;
    asio::posix::stream_descriptor input_;
    asio::streambuf buffer_;
};

// A purse that was enrolled for this machine needs no API key: the machine carries for it.
Result<PurseSlot::Sync> how_to_sync(const DeviceRun& run, ErrandBridge& bridge) {
    JZ_TRY(const auto settings, terminal::PurseFolder::read_settings(run.purse_slot->purse.folder));
    if (!settings.device.empty() && settings.device == run.devices.back().device.to_string()) {
        return PurseSlot::Sync([&bridge](terminal::PurseFolder& folder) {
            return terminal::sync_by_errands(folder, [&](const Bytes& errand) { return bridge.carry(errand); });
        });
    }
    JZ_TRY(auto client, client::HttpClient::create({.base_url = run.url,
                                                    .key = run.key,
                                                    .timeout = seconds(10),
                                                    .max_response_bytes = std::size_t{4} << 20,
                                                    .stop = {}}));
    auto server = std::make_shared<terminal::IssuerServer>(std::move(client));
    return PurseSlot::Sync([server](terminal::PurseFolder& folder) { return server->sync(folder); });
}

}  // namespace

Result<> run_devices(const DeviceRun& run) {
    asio::io_context io(1);
    SystemClock clock;
    asio::signal_set signals(io, SIGINT, SIGTERM);
    signals.async_wait([&io](const boost::system::error_code&, int) { io.stop(); });
    std::uint32_t settled = 0;
    ErrandBridge bridge(io);
    std::unique_ptr<PurseSlot> slot;
    if (run.purse_slot) {
        JZ_TRY(auto sync, how_to_sync(run, bridge));
        JZ_TRY(slot, PurseSlot::open(*run.purse_slot, std::move(sync), run.json));
    }
    std::vector<std::unique_ptr<Simulator>> devices;
    for (const simulators::Options& options : run.devices) {
        const auto listener = [&run, &io, &settled, &slot, device = options.device,
                               kind = options.kind](const Note& note) {
            run.json ? print_json(device, kind, note) : print_line(device, kind, note);
            if (slot && note.what == What::online) slot->network(true);
            if (slot && (note.what == What::offline || note.what == What::crashed)) slot->network(false);
            if (note.what == What::settled && ++settled == run.settled) io.stop();
        };
        JZ_TRY(auto simulator, Simulator::create(io, clock, options, listener));
        JZ_CHECK(simulator->start());
        devices.push_back(std::move(simulator));
    }
    bridge.attach(devices.back().get());
    std::optional<Scanner> scanner;
    if (run.scans) scanner.emplace(io, *devices.back(), run.purse_slot.has_value());
    asio::steady_timer end(io);
    if (run.seconds > 0) {
        end.expires_after(std::chrono::seconds(run.seconds));
        end.async_wait([&io](const boost::system::error_code& cancelled) {
            if (!cancelled) io.stop();
        });
    }
    io.run();
    bridge.end();
    scanner.reset();
    slot.reset();  // before the machine that carries for it
    devices.clear();
    return {};
}

}  // namespace jiaozi::sim
