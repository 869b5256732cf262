#include "customers.hpp"

#include <utility>

namespace jiaozi::chaos {
namespace {

constexpr std::uint64_t first_customer_actor = 1000;

constexpr std::uint32_t by_code_percent = 12;
constexpr std::uint32_t by_qr_percent = 12;
constexpr std::uint32_t asks_twice_percent = 10;
constexpr std::uint32_t gives_back_percent = 15;

}  // namespace

class Customers::Customer {
  public:
    Customer(Customers& all, std::uint32_t number, Api api)
        : all_(all),
          name_("customer" + std::to_string(number)),
          random_(all.plan_.seed, first_customer_actor + number),
          api_(std::move(api)) {}

    // The n-th payment of all is due when n/all of the time has passed; whoever is free makes it.
    void run() {
        const std::chrono::nanoseconds each(all_.plan_.lasting.ns / all_.plan_.by_customers());
        for (;;) {
            const std::uint32_t number = all_.next_++;
            if (number >= all_.plan_.by_customers()) return;
            std::this_thread::sleep_until(all_.began_ + each * number);
            ++all_.diary_.asked;
            buy();
            if (random_.percent(gives_back_percent)) give_back();
        }
    }

  private:
    std::string new_key() { return name_ + "-" + std::to_string(++keys_); }

    Answer ask(const std::string& path, const json::object& body, const std::string& key) {
        ++all_.diary_.waiting;
        Answer answer = api_.ask("POST", path, body, key);
        --all_.diary_.waiting;
        if (answer.status == 0)
            all_.diary_.wrong("nobody answered POST " + path + " with key " + key + ": " + answer.last_words);
        return answer;
    }

    void buy() {
        const std::uint32_t draw = random_.between(0, 99);
        const std::size_t machine = random_.between(0, all_.plan_.machines - 1);
        const std::uint32_t slot = random_.between(1, prices.size());
        const std::uint32_t quantity = random_.between(1, 4);
        const bool poor = random_.percent(6);
        const Payer& payer =
            random_.percent(12) ? all_.world_.limited : all_.world_.payers[poor ? 3 : random_.between(0, 2)];
        if (draw < by_code_percent) return show_code(payer, machine, slot, quantity);
        if (draw < by_code_percent + by_qr_percent) return scan_qr(payer, machine, slot, quantity);
        json::object body{{"kind", "machine"},
                          {"payer_wallet", payer.wallet},
                          {"payer_member", payer.member},
                          {"device", all_.world_.machines[machine].id.to_string()},
                          {"slot", slot},
                          {"quantity", quantity}};
        if (random_.percent(2)) body["slot"] = slot_of_nothing;
        if (random_.percent(20)) {
            body["amount"] = std::to_string(price_of(slot) * quantity + (random_.percent(10) ? 1 : 0));
            body["asset"] = "CNY";
        }
        pay(std::move(body), {});
    }

    void show_code(const Payer& payer, std::size_t machine, std::uint32_t slot, std::uint32_t quantity) {
        const Answer code = ask("/v1/payment_codes", {{"wallet", payer.wallet}, {"member", payer.member}}, new_key());
        if (code.status != 201) return all_.diary_.wrong("a payment code was refused: " + code.text);
        all_.fleet_.scan(machine, text(code.body, "digits"), slot, quantity);
    }

    void scan_qr(const Payer& payer, std::size_t machine, std::uint32_t slot, std::uint32_t quantity) {
        const Answer qr = ask("/v1/devices/" + all_.world_.machines[machine].id.to_string() + "/qr",
                              {{"slot", slot}, {"quantity", quantity}}, new_key());
        const auto id = PaymentId::parse(text(qr.body, "payment"));
        if (qr.status != 201 || !id.ok()) return all_.diary_.wrong("a QR was refused: " + qr.text);
        pay({{"kind", "qr"},
             {"payer_wallet", payer.wallet},
             {"payer_member", payer.member},
             {"qr", text(qr.body, "payload")}},
            *id);
    }

    void pay(json::object body, PaymentId qr) {
        Purchase purchase{new_key(), std::move(body), qr, {}};
        purchase.first = ask("/v1/payments", purchase.body, purchase.key);
        if (random_.percent(asks_twice_percent)) ask("/v1/payments", purchase.body, purchase.key);
        if (purchase.first.status == 201) paid_.push_back(text(purchase.first.body, "id"));
        all_.diary_.bought(std::move(purchase));
    }

    // All of it, a part, or now and then more than was paid.
    void give_back() {
        if (paid_.empty()) return;
        Giveback giveback{paid_[random_.between(0, static_cast<std::uint32_t>(paid_.size() - 1))], new_key(), {}, {}};
        const Answer found = api_.ask("GET", "/v1/payments/" + giveback.payment);
        if (found.status != 200)
            return all_.diary_.wrong("an authorized payment is not found: " + giveback.payment + " " + found.text);
        const auto captured = static_cast<std::uint32_t>(minor(found.body, "captured"));
        if (captured > 0 && random_.percent(60)) {
            giveback.body = {
                {"amount", std::to_string(random_.percent(10) ? captured + 1 : random_.between(1, captured))},
                {"asset", "CNY"}};
        }
        giveback.first = ask("/v1/payments/" + giveback.payment + "/refunds", giveback.body, giveback.key);
        all_.diary_.gave_back(std::move(giveback));
    }

    Customers& all_;
    std::string name_;
    Random random_;
    Api api_;
    std::uint32_t keys_ = 0;
    std::vector<std::string> paid_;
};

Customers::Customers(Diary& diary, const Plan& plan, const World& world, Fleet& fleet, std::string url, std::string key)
    : diary_(diary), plan_(plan), world_(world), fleet_(fleet), url_(std::move(url)), key_(std::move(key)) {}

void Customers::start() {
    began_ = SteadyClock::now();
    for (std::uint32_t number = 0; number < plan_.customers; ++number) {
        threads_.emplace_back([this, number] {
            auto api = Api::connect(url_, key_);
            if (!api.ok()) return diary_.wrong(api.error().to_string());
            Customer(*this, number, std::move(*api)).run();
        });
    }
}

void Customers::join() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
}

}  // namespace jiaozi::chaos
