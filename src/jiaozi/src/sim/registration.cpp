#include "registration.hpp"

#include <fstream>
#include <iterator>
#include <vector>

#include <boost/json.hpp>

namespace jiaozi::sim {
namespace {

namespace json = boost::json;

constexpr const char* play_money = "100000";  // 1,000.00 CNY

struct Ware {
    const char* name;
    const char* name_zh;
    const char* category;
    const char* price;
};

std::vector<Ware> wares_of(DeviceKind kind) {
    switch (kind) {
        case DeviceKind::gate:
            return {{"One hour of parking", "停车一小时", "parking", "500"}};
        case DeviceKind::charger:
            return {{"1 kWh", "充电 1 度", "charging", "120"}, {"10 kWh", "充电 10 度", "charging", "1150"}};
        case DeviceKind::terminal:
            return {{"Purchase", "消费", "shopping", "1000"}};
        default:
            return {{"Cola", "可乐", "drinks", "350"},
                    {"Water", "矿泉水", "drinks", "200"},
                    {"Crisps", "薯片", "snacks", "600"}};
    }
}

class Registrar {
  public:
    explicit Registrar(cli::Operator& op) : op_(op) {}

    Result<Registration> run(const std::string& url, DeviceKind kind, bool seller_wanted) {
        Registration made;
        made.url = url;
        JZ_CHECK(family(made));
        if (pays_by_itself(kind)) {
            JZ_TRY(made.device, device(kind, {}));
            JZ_CHECK(op_.call("POST", "/v1/groups/" + group_ + "/members", {{"device", made.device.to_string()}}));
            if (seller_wanted) {
                JZ_TRY(made.seller, seller(seller_for(kind)));
            }
        } else {
            JZ_TRY(made.device, seller(kind));
        }
        return made;
    }

  private:
    Result<> family(Registration& made) {
        JZ_TRY(const auto person, op_.call("POST", "/v1/people", {{"name", "Simulated person"}}));
        JZ_TRY(const auto group,
               op_.call("POST", "/v1/groups",
                        {{"kind", "family"}, {"name", "Simulated family"}, {"owner", person.at("id")}}));
        group_ = cli::text_of(group, "id");
        JZ_TRY(const auto members, op_.call("GET", "/v1/groups/" + group_ + "/members"));
        made.member = cli::text_of(members.at("data").as_array().at(0).as_object(), "id");
        JZ_TRY(const auto wallet,
               op_.call("POST", "/v1/groups/" + group_ + "/wallets", {{"name", "Play money"}, {"asset", "CNY"}}));
        made.wallet = cli::text_of(wallet, "id");
        JZ_CHECK(
            op_.call("POST", "/v1/wallets/" + made.wallet + "/deposits", {{"amount", play_money}, {"asset", "CNY"}}));
        return {};
    }

    Result<DeviceId> seller(DeviceKind kind) {
        JZ_TRY(const auto merchant,
               op_.call("POST", "/v1/merchants", {{"name", "Simulated merchant"}, {"asset", "CNY"}}));
        const std::string merchant_id = cli::text_of(merchant, "id");
        json::array slots;
        for (const Ware& ware : wares_of(kind)) {
            JZ_TRY(const auto product, op_.call("POST", "/v1/products",
                                                {{"merchant", merchant_id},
                                                 {"name", ware.name},
                                                 {"name_zh", ware.name_zh},
                                                 {"category", ware.category}}));
            slots.push_back(
                {{"slot", slots.size() + 1}, {"product", product.at("id")}, {"price", ware.price}, {"asset", "CNY"}});
        }
        JZ_TRY(const DeviceId id, device(kind, merchant_id));
        JZ_CHECK(op_.call("PUT", "/v1/devices/" + id.to_string() + "/slots", {{"slots", std::move(slots)}}));
        return id;
    }

    Result<DeviceId> device(DeviceKind kind, const std::string& merchant) {
        json::object wanted{{"kind", name_of(kind)}, {"name", "Simulated " + std::string(name_of(kind))}};
        if (!merchant.empty()) wanted["merchant"] = merchant;
        JZ_TRY(const auto made, op_.call("POST", "/v1/devices", wanted));
        return DeviceId::parse(cli::text_of(made, "id"));
    }

    cli::Operator& op_;
    std::string group_;
};

std::filesystem::path file_of(const std::filesystem::path& folder, DeviceKind kind) {
    return folder / (std::string(name_of(kind)) + ".json");
}

}  // namespace

bool pays_by_itself(DeviceKind kind) {
    return kind == DeviceKind::car || kind == DeviceKind::meter || kind == DeviceKind::phone;
}

DeviceKind seller_for(DeviceKind kind) {
    if (kind == DeviceKind::car) return DeviceKind::gate;
    return kind == DeviceKind::meter ? DeviceKind::charger : DeviceKind::vending;
}

Result<Registration> register_device(cli::Operator& op, const std::string& url, DeviceKind kind, bool seller_wanted) {
    return Registrar(op).run(url, kind, seller_wanted);
}

Result<std::optional<Registration>> load_registration(const std::filesystem::path& folder, DeviceKind kind) {
    const auto path = file_of(folder, kind);
    std::ifstream file(path);
    if (!file) return std::optional<Registration>();
    const std::string text(std::istreambuf_iterator<char>(file), {});
    boost::system::error_code failed;
    const json::value parsed = json::parse(text, failed);
    if (failed || !parsed.is_object())
        return Error(ErrorKind::corrupt, path.string() + " is not a registration: remove it, or give another --state");
    const json::object& object = parsed.get_object();
    Registration registration;
    registration.url = cli::text_of(object, "url");
    registration.wallet = cli::text_of(object, "wallet");
    registration.member = cli::text_of(object, "member");
    JZ_TRY(registration.device, DeviceId::parse(cli::text_of(object, "device")));
    if (const std::string seller = cli::text_of(object, "seller"); !seller.empty()) {
        JZ_TRY(registration.seller, DeviceId::parse(seller));
    }
    return std::optional(std::move(registration));
}

Result<> store_registration(const std::filesystem::path& folder, DeviceKind kind, const Registration& registration) {
    std::error_code failed;
    if (std::filesystem::create_directories(folder, failed))
        std::filesystem::permissions(folder, std::filesystem::perms::owner_all, failed);
    if (failed)
        return Error(ErrorKind::io, "cannot make the folder " + folder.string() + ": " + failed.message())
            .with_param("state");
    json::object object{{"url", registration.url},
                        {"device", registration.device.to_string()},
                        {"wallet", registration.wallet},
                        {"member", registration.member}};
    if (registration.seller) object["seller"] = registration.seller.to_string();
    std::ofstream file(file_of(folder, kind));
    file << json::serialize(object) << '\n';
    file.close();
    if (!file) return Error(ErrorKind::io, "cannot write " + file_of(folder, kind).string()).with_param("state");
    return {};
}

Result<std::string> new_enrolment_code(cli::Operator& op, DeviceId device) {
    JZ_TRY(const auto made, op.call("POST", "/v1/devices/" + device.to_string() + "/enrolment_code"));
    return cli::text_of(made, "enrolment_code");
}

}  // namespace jiaozi::sim
