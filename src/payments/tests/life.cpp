#include "life.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace jiaozi::payments::testing {

using enum PaymentState;

Life::Life(World& world, std::uint64_t seed, Mix mix) : w_(world), random_(seed), mix_(mix) {
    w_.limit(World::ana, LimitKind::per_payment, 1'200);
    w_.limit(World::ana, LimitKind::per_day, 3'000);
    w_.limit(World::ana, LimitKind::per_day, 6'000, 3);
    w_.limit(World::ana, LimitKind::per_category, 1'500, 1, "drinks");
    w_.limit(World::car_member, LimitKind::per_day, 2'000, 2);
    balance_ = {
        {World::family_cny, World::family_start}, {World::friend_cny, World::friend_start}, {World::shop_cny, 0}};
}

void Life::step() {
    const std::uint64_t what = pick(100);
    if (what < 40 || expected_.empty()) {
        buy();
    } else if (what < 45) {
        ask_again();
    } else if (what < 55) {
        acknowledge();
    } else if (what < 78) {
        report();
    } else if (what < 83) {
        cancel();
    } else if (what < 92) {
        refund();
    } else if (what < 98 || !mix_.restarts) {
        let_time_pass();
    } else {
        w_.restart();
        for (Expected& e : expected_) {
            e.acknowledged = false;  // forgotten: a refusal counts again
            e.restarted = true;      // but perhaps it was, so nobody can cancel
        }
    }
}

std::uint64_t Life::window_of(const Limit& limit) const {
    return w_.clock.now().s() / 86'400 / limit.window_days;
}

std::uint64_t Life::available(WalletId wallet) const {
    const auto held = held_.find(wallet);
    return balance_.at(wallet) - (held == held_.end() ? 0 : held->second);
}

Reason Life::judge(const Expected& e, MemberId member, const std::string& category, std::vector<Spent>& spent) const {
    for (const LimitKind kind : {LimitKind::per_payment, LimitKind::per_day, LimitKind::per_category}) {
        for (std::size_t i = 0; i < w_.town.limits.size(); ++i) {
            const Limit& limit = w_.town.limits[i];
            if (limit.member != member || limit.kind != kind) continue;
            if (kind == LimitKind::per_category && limit.category != category) continue;
            const std::uint64_t allowed = low64(limit.amount.minor());
            const std::uint64_t window = kind == LimitKind::per_payment ? 0 : window_of(limit);
            const auto found = used_.find({i, window});
            const std::uint64_t used = kind == LimitKind::per_payment || found == used_.end() ? 0 : found->second;
            if (used + e.amount > allowed) {
                return kind == LimitKind::per_payment ? Reason::limit_per_payment
                       : kind == LimitKind::per_day   ? Reason::limit_per_day
                                                      : Reason::limit_per_category;
            }
            if (kind != LimitKind::per_payment) spent.push_back({i, window});
        }
    }
    return e.amount > available(e.payer) ? Reason::insufficient_funds : Reason::none;
}

void Life::buy() {
    Expected e;
    MemberId member = World::ana;
    std::string category;
    const std::uint64_t kind = pick(10);
    if (kind < 6) {
        const bool drink = pick(3) != 0;
        e.request = w_.buy(drink ? World::cola_slot : World::crisps_slot, 1 + static_cast<std::uint32_t>(pick(4)));
        e.unit = drink ? 350 : 500;
        e.amount = e.unit * e.request.quantity;
        category = drink ? "drinks" : "snacks";
    } else if (kind < 8) {
        e.request = w_.park();
        e.unit = e.amount = 800;
        member = World::car_member;
        category = "parking";
    } else {
        e.request = w_.pay_ben(1 + pick(1'500));
        e.unit = e.amount = low64(e.request.amount->minor());
    }
    e.payer = World::family_cny;
    e.payee = e.request.kind == PaymentKind::person ? World::friend_cny : World::shop_cny;
    e.reason = judge(e, member, category, e.spent);
    const Payment p = w_.created(e.request);
    if (e.reason != Reason::none) {
        e.state = declined;
    } else {
        for (const Spent& s : e.spent) used_[{s.limit, s.window}] += e.amount;
        if (e.request.kind == PaymentKind::person) {
            e.state = captured;
            e.captured = e.amount;
            balance_[e.payer] -= e.amount;
            balance_[e.payee] += e.amount;
        } else {
            held_[e.payer] += e.amount;
            e.expires = p.expires;
        }
    }
    EXPECT_EQ(name_of(p.state), name_of(e.state));
    EXPECT_EQ(name_of(p.reason), name_of(e.reason));
    requests_.push_back(e.request);
    expected_.push_back(std::move(e));
}

void Life::ask_again() {
    const Expected& e = some();
    const auto answer = w_.create(e.request);
    ASSERT_TRUE(answer.ok());
    EXPECT_TRUE(answer->replayed);
    const bool was_held = e.request.kind != PaymentKind::person && e.state != declined;
    EXPECT_EQ(name_of(answer->payment.state), name_of(was_held ? authorized : e.state));
}

void Life::give_back(const Expected& e, std::uint64_t amount) {
    for (const Spent& s : e.spent) used_[{s.limit, s.window}] -= amount;
}

void Life::release(Expected& e, Reason reason) {
    e.state = voided;
    e.reason = reason;
    held_[e.payer] -= e.amount;
    give_back(e, e.amount);
}

void Life::acknowledge() {
    Expected& e = some();
    if (e.request.kind == PaymentKind::person || e.state == declined) return;
    const bool accepts = pick(4) != 0;
    w_.payments->command_acknowledged(w_.find(e.request.id).device, e.request.id, accepts);
    if (e.state != authorized) return;
    if (!accepts && !e.acknowledged) {
        ASSERT_TRUE(w_.app.run_until([&] { return w_.find(e.request.id).state != authorized; }));
        release(e, Reason::device_nack);
    }
    e.acknowledged = true;
}

void Life::report() {
    Expected& e = some();
    if (e.request.kind == PaymentKind::person || e.state == declined) return;
    const std::uint32_t units = static_cast<std::uint32_t>(pick(e.request.quantity + 1));
    const DeliveryResult result = units == 0                    ? DeliveryResult::failed
                                  : units == e.request.quantity ? DeliveryResult::delivered
                                                                : DeliveryResult::partial;
    if (e.state == authorized) {
        e.delivered = units;
        if (units == 0) {
            release(e, Reason::not_delivered);
        } else {
            e.state = captured;
            e.captured = e.unit * units;
            held_[e.payer] -= e.amount;
            balance_[e.payer] -= e.captured;
            balance_[e.payee] += e.captured;
            give_back(e, e.amount - e.captured);
        }
    } else if (e.state == voided && units > 0 && !e.late) {
        e.late = true;
        e.delivered = units;
    }
    const auto outcome = w_.report(e.request.id, result, units);
    ASSERT_TRUE(outcome.ok());
    EXPECT_EQ(name_of(outcome->state), name_of(e.state));
    EXPECT_EQ(low64(outcome->captured_minor), e.captured);
    EXPECT_EQ(outcome->late, e.late);
}

void Life::cancel() {
    Expected& e = some();
    const auto answer = w_.cancel(e.request.id);
    if (e.state == authorized && !e.acknowledged && !e.restarted) {
        ASSERT_TRUE(answer.ok());
        release(e, Reason::cancelled);
    } else {
        EXPECT_EQ(answer.ok(), e.reason == Reason::cancelled);
    }
}

void Life::refund() {
    Expected& e = some();
    const std::uint64_t left = e.captured - e.refunded;
    const bool all = pick(3) == 0;
    const std::uint64_t wanted = all ? left : 1 + pick(e.amount);
    const auto answer =
        w_.refund(RefundId(++last_refund_), e.request.id, all ? std::nullopt : std::optional(World::cny(wanted)));
    const bool fits = e.state == captured && wanted > 0 && wanted <= left && wanted <= available(e.payee);
    EXPECT_EQ(answer.ok(), fits);
    if (!fits || !answer.ok()) return;
    EXPECT_EQ(low64(answer->refund.amount.minor()), wanted);
    e.refunded += wanted;
    balance_[e.payee] -= wanted;
    balance_[e.payer] += wanted;
    give_back(e, wanted);
}

void Life::let_time_pass() {
    // The ledger's time runs some nanoseconds ahead of a clock that stands still, one for each event. The extra moment
    // keeps the clock from stopping just before a deadline that the ledger then reaches by itself.
    w_.clock.advance(microseconds(10));
    const std::uint64_t how = pick(10);
    if (how == 0 && mix_.days) {
        w_.clock.advance(seconds(static_cast<std::int64_t>(20'000 + pick(100'000))));
    } else {
        w_.clock.advance(seconds(static_cast<std::int64_t>(pick(40))));
    }
    expire();
    ASSERT_TRUE(w_.app.run_until([&] { return w_.payments->counters().open == open(); }));
}

void Life::expire() {
    for (Expected& e : expected_) {
        if (e.state == authorized && e.expires <= w_.clock.now()) release(e, Reason::device_silent);
    }
}

std::uint64_t Life::open() const {
    return static_cast<std::uint64_t>(std::ranges::count(expected_, authorized, &Expected::state));
}

void Life::check() {
    for (const Expected& e : expected_) {
        const Payment p = w_.find(e.request.id);
        SCOPED_TRACE(p.id.to_string());
        EXPECT_EQ(name_of(p.state), name_of(e.state));
        EXPECT_EQ(name_of(p.reason), name_of(e.reason));
        EXPECT_EQ(low64(p.captured_minor), e.captured);
        EXPECT_EQ(low64(p.refunded_minor), e.refunded);
        EXPECT_EQ(p.delivered, e.delivered);
        EXPECT_EQ(p.late_delivery, e.late);
    }
    for (const auto& [wallet, money] : balance_) {
        EXPECT_EQ(w_.balance(wallet), money);
        EXPECT_EQ(w_.held(wallet), held_[wallet]);
    }
    for (std::size_t i = 0; i < w_.town.limits.size(); ++i) {
        const Limit& limit = w_.town.limits[i];
        if (limit.kind == LimitKind::per_payment) continue;
        const auto left = w_.left(limit);
        if (left) {
            EXPECT_EQ(*left + used_[std::pair(i, window_of(limit))], low64(limit.amount.minor()));
        }
    }
    w_.check_money();
}

}  // namespace jiaozi::payments::testing
