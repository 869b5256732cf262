// chaos PROGRAM: a thousand payments through MQTT with faults at random, the server killed twenty times meanwhile, and
// an audit of every payment and every unit of money. README.md tells what is checked.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include <unistd.h>

#include "auditor.hpp"
#include "customers.hpp"
#include "fleet.hpp"
#include "report.hpp"
#include "server.hpp"

namespace jiaozi::chaos {
namespace {

constexpr std::uint64_t killer_actor = 2;
constexpr Duration patience_for_asking = seconds(120);

// Below the working directory: the temporary one may be memory, where nothing is ever synced. Left behind after a
// failure.
std::filesystem::path make_folder() {
    std::string name = (std::filesystem::current_path() / "jiaozi-chaos-XXXXXX").string();
    JZ_ASSERT(::mkdtemp(name.data()) != nullptr);
    std::filesystem::create_directory(std::filesystem::path(name) / "devices");
    return name;
}

// The kills are spread over the payments asked for, each at a random moment of its share.
Result<> kill_again_and_again(Server& server, Diary& diary, const Plan& plan, Kills& kills) {
    Random random(plan.seed, killer_actor);
    const auto give_up = SteadyClock::now() + std::chrono::nanoseconds(plan.lasting.ns + patience_for_asking.ns);
    for (; kills.done < plan.kills; ++kills.done) {
        const std::uint32_t share = plan.payments / plan.kills;
        const std::uint32_t when = kills.done * share + random.between(1, std::max(share * 3 / 4, 1u));
        while (diary.asked < when) {
            if (SteadyClock::now() > give_up)
                return Error(ErrorKind::timeout, "payments are not even asked for: " + std::to_string(diary.asked));
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        std::this_thread::sleep_for(std::chrono::microseconds(random.between(0, 100'000)));
        if (diary.waiting + diary.in_motors > 0) ++kills.with_payments_under_way;
        JZ_CHECK(server.kill());
        JZ_CHECK(server.start());
    }
    kills.slowest_start_ms = server.slowest_start_ms();
    return {};
}

// Everything that was begun ends: by a report, by an answer, or by the hold's deadline.
Result<> wait_for_the_end(Api& api, Fleet& fleet, Diary& diary, const Plan& plan) {
    const Duration patience = seconds(plan.hold_s + 30);
    fleet.calm_down();
    if (!Auditor::wait_until_none_is_open(api, patience))
        diary.wrong("payments are still open long after the last hold's end");
    const auto give_up = SteadyClock::now() + std::chrono::nanoseconds(patience.ns);
    while (!fleet.is_done()) {
        if (SteadyClock::now() > give_up) {
            diary.wrong("a device still waits for an answer");
            break;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    // An answer to a request that waited until now may have begun a last payment.
    if (!Auditor::wait_until_none_is_open(api, patience)) diary.wrong("payments are still open at the end");
    fleet.stop();
    return {};
}

Result<> audit(Api& api, Server& server, Auditor& auditor) {
    JZ_CHECK(auditor.spend_the_allowance(api));
    auditor.check_replays(api);
    // The list follows the journal by some milliseconds.
    std::this_thread::sleep_for(std::chrono::seconds(1));
    JZ_CHECK(auditor.read(api));
    auditor.check_everybody_is_known();
    auditor.check_payments();
    auditor.check_answers();
    auditor.check_refunds();
    JZ_CHECK(auditor.check_wallets(api));
    JZ_CHECK(server.stop());
    JZ_CHECK(auditor.check_ledger(server.data()));
    JZ_CHECK(server.rebuild_projections());
    JZ_CHECK(server.start());
    JZ_CHECK(auditor.check_rebuilt(api));
    return server.stop();
}

Result<> run(const Plan& plan, const std::filesystem::path& program, const std::filesystem::path& folder,
             bool& passed) {
    const auto began = SteadyClock::now();
    Server server(program, folder, plan.hold_s);
    JZ_CHECK(server.start());
    JZ_TRY(const std::string key, server.operator_key());
    JZ_TRY(Api api, Api::connect(server.url(), key));
    JZ_TRY(const World world, make_world(api, plan));
    Diary diary;
    Fleet fleet(diary, plan);
    JZ_CHECK(fleet.enrol(api, world, folder / "devices", server.mqtt_port()));
    fleet.start();
    std::this_thread::sleep_for(std::chrono::seconds(1));

    Kills kills;
    Customers customers(diary, plan, world, fleet, server.url(), key);
    customers.start();
    if (const auto killed = kill_again_and_again(server, diary, plan, kills); !killed.ok())
        diary.wrong(killed.error().to_string());
    customers.join();
    JZ_CHECK(wait_for_the_end(api, fleet, diary, plan));

    Auditor auditor(diary, plan, world);
    if (const auto audited = audit(api, server, auditor); !audited.ok()) diary.wrong(audited.error().to_string());
    const auto elapsed = std::chrono::duration_cast<std::chrono::nanoseconds>(SteadyClock::now() - began).count();
    print_report(plan, diary, world, auditor.findings(), kills, nanoseconds(elapsed));
    passed = diary.wrongs.empty();
    return {};
}

}  // namespace
}  // namespace jiaozi::chaos

int main(int argc, char** argv) {
    using namespace jiaozi;
    if (argc != 2) {
        std::fputs(
            "usage: chaos PROGRAM (the path of jiaozi); JIAOZI_SEED, JIAOZI_CHAOS_PAYMENTS, JIAOZI_CHAOS_KILLS\n",
            stderr);
        return 2;
    }
    const chaos::Plan plan = chaos::plan_from_environment();
    std::printf("JIAOZI_SEED=%llu: %u payments, %u kills, %u machines, %u cars, %u customers, holds of %u s\n",
                static_cast<unsigned long long>(plan.seed), plan.payments, plan.kills, plan.machines, plan.cars,
                plan.customers, plan.hold_s);
    std::fflush(stdout);
    const std::filesystem::path folder = chaos::make_folder();
    bool passed = false;
    const auto ran = chaos::run(plan, std::filesystem::absolute(argv[1]), folder, passed);
    if (!ran.ok())
        std::printf("FAILED: %s (JIAOZI_SEED=%llu)\n", ran.error().to_string().c_str(),
                    static_cast<unsigned long long>(plan.seed));
    if (!passed) {
        std::printf("The server's directory and log are left in %s\n", folder.c_str());
        return 1;
    }
    std::filesystem::remove_all(folder);
    return 0;
}
