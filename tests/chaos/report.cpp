#include "report.hpp"

#include <algorithm>
#include <cstdio>

namespace jiaozi::chaos {
namespace {

constexpr std::size_t wrongs_shown = 40;

void line(const std::string& name, std::uint64_t count) {
    std::printf("  %-42s %8llu\n", name.c_str(), static_cast<unsigned long long>(count));
}

void print_counts(const char* title, const std::map<std::string, std::uint64_t>& counts) {
    std::printf("\n%s\n", title);
    for (const auto& [name, count] : counts) line(name, count);
}

std::uint64_t count_of(const std::map<std::string, std::uint64_t>& counts, const char* name) {
    const auto found = counts.find(name);
    return found == counts.end() ? 0 : found->second;
}

}  // namespace

void print_report(const Plan& plan, const Diary& diary, const World& world, const Findings& findings,
                  const Kills& kills, Duration elapsed) {
    std::uint64_t payments = 0;
    for (const auto& [outcome, count] : findings.outcomes) payments += count;
    print_counts("Payments by outcome", findings.outcomes);
    line("all", payments);
    print_counts("Payments by kind", findings.kinds);
    print_counts("Faults ordered", diary.faults);
    std::printf("\nWhat happened meanwhile\n");
    line("server killed (SIGKILL)", kills.done);
    line("  of these with payments under way", kills.with_payments_under_way);
    line("  slowest start, ms", static_cast<std::uint64_t>(kills.slowest_start_ms));
    line("devices restarted", count_of(diary.faults, "power cut") +
                                  count_of(diary.faults, "power cut between drop and report") +
                                  count_of(diary.faults, "jam until power cut"));
    line("device sessions", diary.messages.sessions);
    line("device messages sent", diary.messages.sent);
    line("  of these resent", diary.messages.resent);
    line("messages received by devices", diary.messages.received);
    line("  of these duplicates", diary.messages.duplicates);
    line("messages lost on purpose", diary.messages.lost_by_fault);
    const auto repeated =
        std::ranges::count_if(diary.purchases, [](const Purchase& purchase) { return purchase.first.tries > 1; });
    line("HTTP payments asked for more than once", static_cast<std::uint64_t>(repeated));
    line("keys replayed at the end", findings.replays);
    line("units ordered", findings.units_ordered);
    line("units that fell", findings.units_fallen);
    line("refunds", findings.refunds);
    line("refunds refused", findings.refunds_refused);
    line("late deliveries", findings.late.size());
    for (const std::string& late : findings.late) std::printf("    %s\n", late.c_str());
    std::printf(
        "\nMoney, in minor units of CNY\n  deposited %llu = in wallets %s, of which held %s; captured %s, refunded "
        "%s\n",
        static_cast<unsigned long long>(world.deposited()), to_decimal(findings.total).c_str(),
        to_decimal(findings.held).c_str(), to_decimal(findings.captured).c_str(),
        to_decimal(findings.refunded).c_str());
    for (std::size_t i = 0; i < std::min(diary.wrongs.size(), wrongs_shown); ++i)
        std::printf("WRONG: %s\n", diary.wrongs[i].c_str());
    if (diary.wrongs.empty()) {
        std::printf(
            "\n%llu payments, %u kills, %lld s: every payment ended captured with what fell, or without money and "
            "without a drop, and no unit of money was lost or made "
            "(JIAOZI_SEED=%llu).\n",
            static_cast<unsigned long long>(payments), kills.done, static_cast<long long>(elapsed.s()),
            static_cast<unsigned long long>(plan.seed));
    } else {
        std::printf("\nFAILED with %zu findings; JIAOZI_SEED=%llu orders the same faults again.\n", diary.wrongs.size(),
                    static_cast<unsigned long long>(plan.seed));
    }
    std::fflush(stdout);
}

}  // namespace jiaozi::chaos
