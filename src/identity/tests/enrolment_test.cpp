#include <set>

#include <gtest/gtest.h>

#include <jiaozi/identity/enrolment.hpp>

#include "world.hpp"

namespace jiaozi::identity {
namespace {

using testing::code_of;
using testing::good_sim;
using testing::Machine;
using testing::must;
using testing::World;

TEST(Codes, TenReadableCharacters) {
    std::set<std::string> codes;
    for (int i = 0; i < 1000; ++i) {
        const std::string code = new_enrolment_code();
        ASSERT_EQ(code.size(), 11U);
        EXPECT_EQ(code[5], '-');
        EXPECT_EQ(code.find_first_not_of("0123456789ABCDEFGHJKMNPQRSTVWXYZ-"), std::string::npos);
        codes.insert(code);
    }
    EXPECT_EQ(codes.size(), 1000U);
}

TEST(Codes, ReadAsTheyWereMeant) {
    const auto hash = enrolment_code_hash("0A1BC-DEFGH");
    for (const std::string_view typed : {"0a1bcdefgh", "OAIBC DEFGH", "oalbc-defgh", " 0-A1B-CDEFGH"})
        EXPECT_EQ(enrolment_code_hash(typed), hash) << typed;
    for (const std::string_view typed : {"", "0A1BC-DEFG", "0A1BC-DEFGHH", "1A0BC-DEFGH"})
        EXPECT_NE(enrolment_code_hash(typed), hash) << typed;
}

TEST(Sim, NumbersAreChecked) {
    struct Row {
        std::string_view what;
        SimIdentity sim;
        std::string_view param;  // empty: good
    };
    const Row rows[] = {
        {"nothing given", {}, ""},
        {"all good", good_sim, ""},
        {"ICCID of 19 digits", {"8986012345678901239", "", ""}, ""},
        {"ICCID with a wrong check digit", {"89860123456789012340", "", ""}, "sim.iccid"},
        {"ICCID too short", {"898601234567890123", "", ""}, "sim.iccid"},
        {"ICCID too long", {"898601234567890123480", "", ""}, "sim.iccid"},
        {"ICCID with a letter", {"8986012345678901234F", "", ""}, "sim.iccid"},
        {"shortest IMSI", {"", "460001", ""}, ""},
        {"IMSI too short", {"", "46000", ""}, "sim.imsi"},
        {"IMSI too long", {"", "4600012345678901", ""}, "sim.imsi"},
        {"IMSI with a blank", {"", "46000 123456", ""}, "sim.imsi"},
        {"IMEI with a wrong check digit", {"", "", "490154203237519"}, "sim.imei"},
        {"IMEI with two digits swapped", {"", "", "490154203273518"}, "sim.imei"},
        {"IMEI with a software version (IMEISV)", {"", "", "4901542032375186"}, "sim.imei"},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.what);
        const auto result = check_sim(row.sim);
        EXPECT_EQ(result.ok(), row.param.empty());
        if (!result.ok()) {
            EXPECT_EQ(result.error().param(), row.param);
        }
    }
    EXPECT_FALSE(luhn_valid(""));
    EXPECT_TRUE(luhn_valid("79927398713"));  // the example of ISO/IEC 7812-1's readers everywhere
}

class Enrolment : public ::testing::Test {
  protected:
    protocol::Claim claim_of(const Machine& machine, std::string code, SimIdentity sim = {}) {
        return {std::move(code), machine.pair.suite, machine.pair.public_key, sim.iccid, sim.imsi, sim.imei};
    }
    World world;
};

TEST_F(Enrolment, ClaimMakesTheDeviceActiveInEverySuite) {
    for (const crypto::Suite suite : testing::all_suites) {
        SCOPED_TRACE(crypto::name_of(suite));
        const auto made = world.add();
        EXPECT_EQ(made.device.state, DeviceState::pending);
        EXPECT_NE(to_hex(made.device.enrolment_code_hash), "");
        const Machine machine(made.device.id, suite);
        const ClaimOutcome outcome = must(world.devices->claim(machine.id, claim_of(machine, made.code)));
        EXPECT_EQ(outcome.answer.credential, machine.kid);
        EXPECT_EQ(outcome.answer.server_key, world.server_pair.public_key);
        EXPECT_EQ(world.newest_event(), "device.claimed");
        EXPECT_EQ(world.broker.passwords.at(machine.id), outcome.answer.mqtt_password);
        EXPECT_EQ(outcome.answer.mqtt_password.size(), 48U);
        const auto verifier = must(crypto::make_verifier(crypto::Suite::ed25519, world.server_pair.public_key));
        const auto certificate = must(protocol::verify_certificate(outcome.answer.certificate, verifier));
        EXPECT_EQ(certificate.device, machine.id);
        EXPECT_EQ(certificate.public_key, machine.pair.public_key);
        for (int restarted = 0; restarted < 2; ++restarted, world.start()) {
            const Device* const device = world.devices->find(machine.id);
            ASSERT_NE(device, nullptr);
            EXPECT_EQ(device->state, DeviceState::active);
            EXPECT_TRUE(device->enrolment_code_hash.empty());
            EXPECT_EQ(world.devices->find_by_credential(machine.kid), device);
            ASSERT_NE(world.devices->verifier(machine.id), nullptr);
        }
    }
}

TEST_F(Enrolment, AStartTellsTheBrokerWhoMayConnectWithWhatEachWasTold) {
    std::map<DeviceId, std::string> told;
    std::vector<DeviceId> ids;
    for (int i = 0; i < 4; ++i) {
        const auto made = world.add();
        const Machine machine(made.device.id);
        told[machine.id] = must(world.devices->claim(machine.id, claim_of(machine, made.code))).answer.mqtt_password;
        ids.push_back(machine.id);
    }
    must(world.devices->suspend(ids[0]));
    must(world.devices->report_lost(ids[1]));
    must(world.devices->revoke_credential(ids[2]));
    world.add();  // pending: was told nothing yet
    told.erase(ids[1]);
    told.erase(ids[2]);

    world.broker.passwords.clear();  // a kill came before the broker's file was written
    world.broker.passwords[ids[1]] = "still there";
    world.start();
    EXPECT_EQ(world.broker.passwords, told);
}

TEST_F(Enrolment, EachEnrolmentHasAPasswordOfItsOwnAndARotationKeepsIt) {
    const auto made = world.add();
    Machine machine(made.device.id);
    const auto first = must(world.devices->claim(machine.id, claim_of(machine, made.code))).answer.mqtt_password;
    machine.take_key(crypto::generate_key(crypto::Suite::ed25519));
    const auto proof = must(protocol::make_rotation_proof(*machine.signer, machine.id));
    must(world.devices->rotate(machine.id, {machine.pair.suite, machine.pair.public_key, proof}));
    world.start();
    EXPECT_EQ(world.broker.passwords.at(machine.id), first);
    const auto again = must(world.devices->new_code(machine.id));  // at the same instant of the clock
    const auto second = must(world.devices->claim(machine.id, claim_of(machine, again.code))).answer.mqtt_password;
    EXPECT_NE(second, first);
    world.start();
    EXPECT_EQ(world.broker.passwords.at(machine.id), second);
}

TEST_F(Enrolment, SimIsBoundAtTheClaim) {
    struct Row {
        std::string_view what;
        SimIdentity recorded;
        SimIdentity presented;
        bool accepted;
    };
    const Row rows[] = {
        {"nothing recorded, nothing presented", {}, {}, true},
        {"nothing recorded, all presented", {}, good_sim, true},
        {"the same", good_sim, good_sim, true},
        {"one recorded, more presented", {good_sim.iccid, "", ""}, good_sim, true},
        {"another ICCID", good_sim, {"8986012345678901239", good_sim.imsi, good_sim.imei}, false},
        {"another IMSI", good_sim, {good_sim.iccid, "460001234567891", good_sim.imei}, false},
        {"another IMEI", good_sim, {good_sim.iccid, good_sim.imsi, "356938035643809"}, false},
        {"recorded and not presented", good_sim, {}, false},
        {"one of them not presented", good_sim, {good_sim.iccid, good_sim.imsi, ""}, false},
        {"nothing recorded, a bad number presented", {}, {"", "", "490154203237519"}, false},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.what);
        const auto made = world.add(row.recorded);
        const Machine machine(made.device.id);
        const std::string before = world.everything();
        const auto outcome = world.devices->claim(machine.id, claim_of(machine, made.code, row.presented));
        EXPECT_EQ(code_of(outcome), row.accepted ? "ok" : "claim_refused");
        if (!row.accepted) {
            EXPECT_EQ(world.everything(), before);
            EXPECT_EQ(code_of(world.devices->claim(machine.id, claim_of(machine, made.code, row.recorded))),
                      "ok");  // the code is still good
            continue;
        }
        const SimIdentity& bound = outcome->device.sim;
        EXPECT_EQ(bound.iccid, row.presented.iccid);
        // Bound from now on: a later claim from another SIM is refused, whatever the code.
        const auto again = must(world.devices->new_code(machine.id));
        if (!bound.iccid.empty()) {
            EXPECT_EQ(code_of(world.devices->claim(machine.id, claim_of(machine, again.code))), "claim_refused");
        }
    }
}

TEST_F(Enrolment, CodesAreRefused) {
    struct Row {
        std::string_view what;
        std::string code;
        std::string refusal;
    };
    const auto made = world.add();
    const auto other = world.add();
    const auto replaced = world.add();
    must(world.devices->new_code(replaced.device.id));
    const Machine machine(made.device.id);
    for (const auto& [what, id, code] : {std::tuple{"wrong", made.device.id, std::string("00000-00000")},
                                         std::tuple{"empty", made.device.id, std::string("-")},
                                         std::tuple{"another device's", made.device.id, other.code},
                                         std::tuple{"replaced by a newer one", replaced.device.id, replaced.code}}) {
        SCOPED_TRACE(what);
        const std::string before = world.everything();
        EXPECT_EQ(code_of(world.devices->claim(id, claim_of(machine, code))), "claim_refused");
        EXPECT_EQ(world.everything(), before);
    }
    EXPECT_EQ(code_of(world.devices->claim(DeviceId(1), claim_of(machine, made.code))), "unknown_device");

    // Expired to the second; good until then.
    world.clock.advance(enrolment_code_lifetime);
    std::string before = world.everything();
    EXPECT_EQ(code_of(world.devices->claim(made.device.id, claim_of(machine, made.code))), "claim_refused");
    EXPECT_EQ(world.everything(), before);
    world.clock.advance(seconds(-1));
    EXPECT_EQ(code_of(world.devices->claim(made.device.id, claim_of(machine, made.code))), "ok");
    // Used.
    before = world.everything();
    EXPECT_EQ(code_of(world.devices->claim(made.device.id, claim_of(machine, made.code))), "claim_refused");
    EXPECT_EQ(world.everything(), before);
    // A key that another device has.
    EXPECT_EQ(code_of(world.devices->claim(other.device.id, claim_of(machine, other.code))), "claim_refused");
    EXPECT_EQ(world.everything(), before);
}

TEST_F(Enrolment, ANewCodeReplacesTheKey) {
    Machine machine = testing::enrolled(world);
    machine.connect(world);
    const protocol::KeyId old = machine.kid;
    const std::string password = world.broker.passwords.at(machine.id);
    const auto again = must(world.devices->new_code(machine.id));
    EXPECT_TRUE(world.sessions->has(machine.id));  // until the claim nothing ends
    machine.take_key(crypto::generate_key(crypto::Suite::sm2));
    must(world.devices->claim(machine.id, claim_of(machine, again.code)));
    EXPECT_EQ(world.devices->find_by_credential(old), nullptr);
    EXPECT_FALSE(world.sessions->has(machine.id));
    EXPECT_NE(world.broker.passwords.at(machine.id), password);
    machine.connect(world);
    EXPECT_TRUE(world.sessions->has(machine.id));
}

TEST_F(Enrolment, CreateIsIdempotentWhilePending) {
    const NewDevice wanted{crypto::new_id<DeviceId>(world.clock), DeviceKind::gate, "North gate", {}, good_sim};
    const auto first = must(world.devices->create(wanted));
    const auto second = must(world.devices->create(wanted));
    EXPECT_NE(first.code, second.code);
    EXPECT_EQ(first.device.created, second.device.created);
    NewDevice other = wanted;
    other.name = "South gate";
    EXPECT_EQ(code_of(world.devices->create(other)), "already_exists");
    EXPECT_EQ(code_of(world.devices->create({crypto::new_id<DeviceId>(world.clock), DeviceKind::gate, "", {}, {}})),
              "invalid");
    EXPECT_EQ(code_of(world.devices->create(
                  {crypto::new_id<DeviceId>(world.clock), DeviceKind::gate, "g", {}, {"1", "", ""}})),
              "invalid");
    EXPECT_EQ(code_of(world.devices->create(
                  {crypto::new_id<DeviceId>(world.clock), DeviceKind::gate, "g", MerchantId(5), {}})),
              "reference_not_found");
    std::size_t devices = 0;
    world.devices->for_each([&](const Device&) { ++devices; });
    EXPECT_EQ(devices, 1U);
    const Machine machine(wanted.id);
    must(world.devices->claim(machine.id, claim_of(machine, second.code, good_sim)));
    EXPECT_EQ(code_of(world.devices->create(wanted)), "already_exists");
}

// Every state by every change.
TEST_F(Enrolment, Transitions) {
    using enum DeviceState;
    using Change = Result<Device> (DeviceService::*)(DeviceId);
    struct Row {
        DeviceState from;
        Change change;
        std::optional<DeviceState> to;  // none: refused
    };
    const Change suspend = &DeviceService::suspend;
    const Change resume = &DeviceService::resume;
    const Change lose = &DeviceService::report_lost;
    const Change retire = &DeviceService::retire;
    const Row rows[] = {
        {pending, suspend, {}},      {pending, resume, {}},        {pending, lose, {}},
        {pending, retire, retired},  {active, suspend, suspended}, {active, resume, active},
        {active, lose, lost},        {active, retire, retired},    {suspended, suspend, suspended},
        {suspended, resume, active}, {suspended, lose, lost},      {suspended, retire, retired},
        {lost, suspend, {}},         {lost, resume, {}},           {lost, lose, lost},
        {lost, retire, retired},     {retired, suspend, {}},       {retired, resume, {}},
        {retired, lose, {}},         {retired, retire, retired},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(name_of(row.from));
        DeviceId id;
        if (row.from == pending) {
            id = world.add().device.id;
        } else {
            Machine machine = testing::enrolled(world);
            machine.connect(world);
            id = machine.id;
        }
        if (row.from == suspended) must(world.devices->suspend(id));
        if (row.from == lost) must(world.devices->report_lost(id));
        if (row.from == retired) must(world.devices->retire(id));
        const std::string before = world.everything();
        const auto result = ((*world.devices).*row.change)(id);
        if (!row.to) {
            EXPECT_EQ(code_of(result), "device_state");
            EXPECT_EQ(world.everything(), before);
            continue;
        }
        ASSERT_TRUE(result.ok()) << result.error().to_string();
        EXPECT_EQ(result->state, *row.to);
        if (*row.to == row.from) {
            EXPECT_EQ(world.everything(), before);
            continue;
        }
        EXPECT_FALSE(world.sessions->has(id));
        EXPECT_EQ(must(registry::get_device(*world.session, id)).state, *row.to);
        EXPECT_EQ(world.broker.passwords.contains(id), *row.to == active || *row.to == suspended);
        const bool is_final = *row.to == lost || *row.to == retired;
        EXPECT_EQ(code_of(world.devices->new_code(id)), is_final ? "device_state" : "ok");
    }
    EXPECT_EQ(code_of(world.devices->suspend(DeviceId(1))), "device_not_found");
    EXPECT_EQ(code_of(world.devices->new_code(DeviceId(1))), "device_not_found");
}

TEST_F(Enrolment, RevokedCredentialIsForgotten) {
    Machine machine = testing::enrolled(world);
    machine.connect(world);
    must(world.devices->revoke_credential(machine.id));
    EXPECT_EQ(world.newest_event(), "device.credential_revoked");
    EXPECT_FALSE(world.sessions->has(machine.id));
    EXPECT_FALSE(world.broker.passwords.contains(machine.id));
    const auto refused = world.sessions->open(machine.id, machine.hello(world.clock.now().ms() + 1000));
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, protocol::RefusalCode::unknown_device);
    const std::string before = world.everything();
    must(world.devices->revoke_credential(machine.id));
    EXPECT_EQ(world.everything(), before);
    const auto again = must(world.devices->new_code(machine.id));
    must(world.devices->claim(machine.id, claim_of(machine, again.code)));
    machine.connect(world);
}

TEST(ServerKey, IsMadeOnceAndKept) {
    testing::Folder folder;
    const auto key_file = folder.path / "keystore.key";
    must(crypto::KeystoreUnlock::create_key_file(key_file));
    const auto unlock = must(crypto::KeystoreUnlock::key_file(key_file));
    auto keystore = must(crypto::Keystore::create(folder.path / "keystore", unlock));
    const auto first = must(server_signer(keystore));
    auto reopened = must(crypto::Keystore::open(folder.path / "keystore", unlock));
    const auto second = must(server_signer(reopened));
    EXPECT_EQ(first->suite(), crypto::Suite::ed25519);
    EXPECT_EQ(to_hex(first->public_key()), to_hex(second->public_key()));
}

}  // namespace
}  // namespace jiaozi::identity
