// The model (protocol_model.hpp) against the real code: random histories, taken step by step by both. After every step
// each purse says of itself what the model says of it. So what is proven of the model's states is proven of a machine
// that does what the code does.
#include <iostream>
#include <map>
#include <random>

#include "forge.hpp"
#include "protocol_model.hpp"

namespace jiaozi::purse_host::model {
namespace {

class Twin {
  public:
    Twin(const Scenario& scenario, std::uint64_t seed) : machine_(scenario), state_(machine_.start()), random_(seed) {
        const Terms nothing{.amount = 0};
        const Terms lot{.amount = lot_units};
        for (std::size_t p = 0; p < scenario.purses; ++p) devices_.push_back(&world_.device(0, p == 0 ? lot : nothing));
        lot_ = object_id(world_.cryptography, devices_[0]->last_certificate);
        request_.resize(scenario.payee_of.size());
        nonce_.resize(scenario.payee_of.size());
    }

    void walk(int steps) {
        std::vector<Action> choices;
        for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) {
            machine_.actions(state_, choices);
            Action action = choices[random_() % choices.size()];
            history_ += "  " + name_of(action) + "\n";
            if (!take(action)) continue;
            machine_.apply(state_, action);
            ASSERT_TRUE(machine_.holds(state_)) << machine_.broken() << "\n" << history_;
            for (std::uint8_t p = 0; p < machine_.scenario().purses; ++p) compare(p);
            ++steps_;
        }
    }
    std::size_t steps() const { return steps_; }

  private:
    Device& device(std::uint8_t p) { return *devices_[p]; }

    // What `call` leaves of a purse whose power goes between record and counter.
    HostPurse::Written run(const Action& action, const std::function<HostPurse::Written(HostPurse&)>& call) {
        Device& d = device(action.purse);
        d.anchor.lose_next_advance = action.crash;
        const auto said = call(d.purse);
        d.anchor.lose_next_advance = false;
        EXPECT_EQ(said.status, action.crash ? JZ_STORAGE_FAILED : JZ_OK) << history_;
        return said;
    }

    bool take(Action& a) {
        Device& d = device(a.purse);
        switch (a.deed) {
            case Deed::ask:
                request_[a.what] = d.ask(1);
                std::ranges::copy(d.nonce, nonce_[a.what].begin());
                return true;
            case Deed::pay:
                return pay(a);
            case Deed::take_note: {
                const auto said = run(a, [&](HostPurse& p) { return p.receive(note_.at(a.what)); });
                if (!a.crash) receipt_[a.what] = said.bytes;
                return true;
            }
            case Deed::take_receipt:
                // The keys that open it may have gone with the power: RESUME brings it again, unless the payee has
                // settled and forgotten it. Then the SACK tells, and the step is not taken.
                if (receipt_.contains(a.what) && d.purse.receive(receipt_[a.what]).status == JZ_OK) return true;
                return ask_again(a);
            case Deed::void_request:
                void_[a.what] = run(a, [&](HostPurse& p) { return p.void_request(nonce_[a.what].data()); }).bytes;
                return true;
            case Deed::take_void:
                if (void_[a.what].empty()) void_[a.what] = voided_by(a.what);
                EXPECT_EQ(d.purse.receive(void_[a.what]).status, JZ_OK) << history_;
                return true;
            case Deed::power_on:
                EXPECT_EQ(d.restart(), JZ_OK);
                send_again(a.purse);
                return true;
            case Deed::back_up:
                backup_ = d.storage.content();
                return true;
            case Deed::restore:
                d.storage.content() = backup_;
                EXPECT_EQ(d.restart(), JZ_OK);
                send_again(a.purse);
                return true;
            case Deed::cheat:
                return false;
            case Deed::hand_in:
                return true;  // nothing comes back
            case Deed::sync:
                sync(a.purse);
                return true;
        }
        return false;
    }

    // The code chooses what it spends; the model allows each choice, and goes along.
    bool pay(Action& a) {
        Device& d = device(a.purse);
        const auto said = run(a, [&](HostPurse& p) { return p.pay(request_[a.what], false); });
        const purse::Note note = read_note(all_evidence(d, kind_note).back());
        a.source = 0;
        if (note.source[0].id != lot_) {
            EXPECT_TRUE(number_of_.contains(note.source[0].id)) << history_;
            a.source = static_cast<std::uint8_t>(number_of_[note.source[0].id] + 1);
        }
        Note twin{.payer = a.purse, .request = a.what, .seq = static_cast<std::uint8_t>(note.seq), .hop = note.hop};
        twin.source = a.source;
        twin.unit =
            static_cast<std::uint8_t>(a.source == 0 ? note.source[0].offset : machine_.notes()[a.source - 1U].unit);
        const std::uint8_t number = machine_.notes().number(twin);
        number_of_[object_id(world_.cryptography, all_evidence(d, kind_note).back())] = number;
        if (!a.crash) note_[number] = said.bytes;
        return true;
    }

    // After a restart what is open is sent again: PAY with everything, and the answers when asked for.
    void send_again(std::uint8_t p) {
        for (std::uint8_t r = 0; r < machine_.scenario().payee_of.size(); ++r) {
            if (machine_.scenario().payee_of[r] == p && void_[r].empty() && !request_[r].empty())
                void_[r] = voided_by(r);
        }
        for (unsigned i = 0; i < most_requests; ++i) {
            const auto again = device(p).purse.pay_again(i);
            if (again.status != JZ_OK) break;
            purse::Object object;
            const Bytes note = nth_unknown(p, i);
            note_[number_of_.at(object_id(world_.cryptography, note))] = again.bytes;
        }
    }

    Bytes nth_unknown(std::uint8_t p, unsigned index) {
        // In the order they were made, as the purse numbers them.
        unsigned at = 0;
        for (const Bytes& note : all_evidence(device(p), kind_note)) {
            const std::uint8_t number = number_of_.at(object_id(world_.cryptography, note));
            const auto& payment = state_.journal[p].paid[machine_.notes()[number].request];
            const Journal& restored = state_.backup;
            const bool waits = payment.state == sent ||
                               (state_.backup_of == p && restored.paid[machine_.notes()[number].request].state == sent);
            if (waits && at++ == index) return note;
        }
        ADD_FAILURE() << history_;
        return all_evidence(device(p), kind_note).front();
    }

    bool ask_again(const Action& a) {
        Device& payer = device(a.purse);
        Device& payee = device(machine_.payee_of(machine_.notes()[a.what]));
        for (unsigned i = 0; i < most_requests; ++i) {
            const auto resume = payer.purse.resume(i);
            if (resume.status != JZ_OK) break;
            if (number_of_.at(object_id(world_.cryptography, nth_unknown(a.purse, i))) != a.what) continue;
            const auto answer = payee.purse.receive(resume.bytes);
            return answer.status == JZ_OK && payer.purse.receive(answer.bytes).status == JZ_OK;
        }
        return false;
    }

    // From the payee's journal: it may have forgotten it since.
    Bytes voided_by(std::uint8_t request) {
        constexpr unsigned kind_void = 8;
        const purse::Id id = object_id(world_.cryptography, request_object(request_[request]));
        for (const Bytes& object : all_evidence(device(machine_.scenario().payee_of[request]), kind_void)) {
            ByteView rest = object;
            purse::Object read;
            purse::Void voided;
            EXPECT_EQ(purse::read_object(rest, read), JZ_OK);
            EXPECT_EQ(purse::parse(read, voided), JZ_OK);
            if (voided.request != id) continue;
            Bytes message{static_cast<std::uint8_t>(purse::Verb::voided)};
            append(message, object);
            return message;
        }
        return {};
    }

    void sync(std::uint8_t p) {
        State after = state_;
        machine_.apply(after, {.deed = Deed::hand_in, .purse = p});
        const Machine::Ack said = machine_.ack_for(after, p);
        purse::SyncAck ack;
        ack.purse = device(p).ordinal;
        ack.sync = ++syncs_[p];
        ack.time = today_s;
        ack.through = said.through;
        ack.next = said.next;
        ack.flags = said.restart ? purse::sync_restart : 0;
        for (const std::uint8_t number : said.released) {
            for (const auto& [id, known] : number_of_) {
                if (known == number) ack.release[ack.released++] = id;
            }
        }
        EXPECT_EQ(jz_purse_sync(device(p).purse.get(), c_view(world_.issuer.sync_ack(ack))), JZ_OK) << history_;
    }

    void compare(std::uint8_t p) {
        if (state_.off[p] != 0) return;  // it says nothing
        const jz_info real = device(p).purse.info();
        const Journal& j = state_.journal[p];
        const bool suspect = state_.suspect[p] != 0;
        EXPECT_EQ(real.state, suspect ? JZ_STATE_SUSPECT : JZ_ACTIVE) << history_;
        EXPECT_EQ(real.seq, j.seq) << history_;
        EXPECT_EQ(device(p).anchor.counter, state_.counter[p]) << history_;
        std::uint64_t free = static_cast<std::uint64_t>((j.lot & 1) + (j.lot >> 1 & 1));
        std::uint32_t held = 0;
        std::uint32_t asking = 0;
        std::uint32_t unknown = 0;
        std::uint64_t locked = 0;
        for (std::uint8_t r = 0; r < most_requests; ++r) {
            if (j.asked[r].held == held_free) ++free;
            if (machine_.holds_note(state_, p, r)) ++held;
            if (j.asked[r].state == open) ++asking;
            if (j.paid[r].state == sent) ++unknown;
            if (j.paid[r].state == void_held) ++locked;
        }
        EXPECT_EQ(real.spendable, suspect ? 0 : free) << "purse " << int{p} << "\n" << history_;
        EXPECT_EQ(real.notes_held, held) << "purse " << int{p} << "\n" << history_;
        EXPECT_EQ(real.requests_open, asking) << "purse " << int{p} << "\n" << history_;
        EXPECT_EQ(real.payments_unknown, unknown) << "purse " << int{p} << "\n" << history_;
        EXPECT_EQ(real.void_held, locked) << "purse " << int{p} << "\n" << history_;
    }

    World world_;
    Machine machine_;
    State state_;
    std::mt19937_64 random_;
    std::vector<Device*> devices_;
    purse::Id lot_{};
    std::vector<Bytes> request_;
    std::vector<std::array<std::uint8_t, 16>> nonce_;
    std::map<std::uint8_t, Bytes> note_;
    std::map<std::uint8_t, Bytes> receipt_;
    std::map<std::uint8_t, Bytes> void_;
    std::map<purse::Id, std::uint8_t> number_of_;
    MemoryStorage::Content backup_;
    std::array<std::uint32_t, most_purses> syncs_{};
    std::string history_;
    std::size_t steps_ = 0;
};

TEST(Conformance, TheCodeDoesWhatTheModelDoes) {
    const std::vector<Scenario> scenarios{{.purses = 2, .payee_of = {1, 1, 0}},
                                          {.purses = 2, .payee_of = {1, 0}, .restores = true},
                                          {.purses = 3, .payee_of = {1, 2, 0}},
                                          {.purses = 3, .payee_of = {1, 2}, .restores = true}};
    std::size_t steps = 0;
    for (const Scenario& scenario : scenarios) {
        for (std::uint64_t seed = 1; seed <= 100; ++seed) {
            SCOPED_TRACE("seed " + std::to_string(seed));
            Twin twin(scenario, seed);
            twin.walk(40);
            steps += twin.steps();
            if (::testing::Test::HasFailure()) return;
        }
    }
    std::cout << "400 random histories, " << steps << " steps, the same in the model and in the code\n";
}

}  // namespace
}  // namespace jiaozi::purse_host::model
