#include <algorithm>
#include <array>
#include <cstring>
#include <unordered_set>

#include <jiaozi/api/json.hpp>
#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/identity/devices.hpp>
#include <jiaozi/identity/enrolment.hpp>
#include <jiaozi/registry/devices.hpp>

#include "record_change.hpp"

namespace jiaozi::identity {
namespace {

using protocol::KeyId;
using protocol::RefusalCode;

constexpr std::size_t password_bytes = 24;
constexpr std::string_view password_key_name = "device-mqtt-passwords";
constexpr std::size_t password_key_bytes = 32;

struct Transition {
    DeviceState from;
    DeviceState to;
};
// `claim` makes pending devices active; the rest is here.
constexpr std::array transitions{
    Transition{DeviceState::active, DeviceState::suspended},  Transition{DeviceState::suspended, DeviceState::active},
    Transition{DeviceState::active, DeviceState::lost},       Transition{DeviceState::suspended, DeviceState::lost},
    Transition{DeviceState::pending, DeviceState::retired},   Transition{DeviceState::active, DeviceState::retired},
    Transition{DeviceState::suspended, DeviceState::retired}, Transition{DeviceState::lost, DeviceState::retired},
};

bool may_become(DeviceState from, DeviceState to) {
    return std::ranges::any_of(transitions, [&](const Transition& t) { return t.from == from && t.to == to; });
}

// The same for as long as the enrolment lasts, another after the next: who held an earlier one learns nothing of it.
std::string mqtt_password(const crypto::SecretBytes& key, const Device& device) {
    const std::string info =
        "jiaozi mqtt password 1 " + device.id.to_string() + " " + std::to_string(device.enrolled.ns);
    return to_hex(crypto::hkdf_sha256(key.view(), {}, as_bytes(info), password_bytes).view());
}

// From these no way leads back to being heard.
bool is_final(DeviceState state) {
    return state == DeviceState::lost || state == DeviceState::retired;
}

std::uint64_t index_of(ByteView kid) {
    std::uint64_t index = 0;
    if (kid.size() == sizeof index) std::memcpy(&index, kid.data(), sizeof index);
    return index;
}

Error refusal(RefusalCode code, ErrorKind kind, std::string text) {
    return Error(kind, std::move(text)).with_code(protocol::name_of(code));
}

Error claim_refused(std::string text) {
    return refusal(RefusalCode::claim_refused, ErrorKind::forbidden, std::move(text));
}

Error state_error(const Device& device, std::string_view wanted) {
    return Error(ErrorKind::conflict, device.id.to_string() + " is " + std::string(name_of(device.state)) +
                                          " and cannot become " + std::string(wanted))
        .with_code("device_state");
}

}  // namespace

Result<std::unique_ptr<crypto::Signer>> server_signer(crypto::Keystore& keystore) {
    const std::vector<std::string> names = keystore.names();
    if (std::ranges::find(names, server_key_name) == names.end()) {
        JZ_CHECK(keystore.add(server_key_name, crypto::generate_key(crypto::Suite::ed25519)));
    }
    return keystore.signer(server_key_name);
}

Result<crypto::SecretBytes> password_key(crypto::Keystore& keystore) {
    return keystore.secret_or_new(password_key_name, password_key_bytes);
}

struct DeviceService::State {
    struct Entry {
        Device device;
        // Made when first needed: most devices of a large fleet are not heard in the first minute.
        mutable std::optional<crypto::Verifier> verifier;
    };

    explicit State(Parts given) : parts(given) {}

    Result<Entry*> get(DeviceId id) {
        if (const auto found = devices.find(id); found != devices.end()) return &found->second;
        return Error(ErrorKind::not_found, "no such device: " + id.to_string())
            .with_code("device_not_found")
            .with_param("device");
    }

    void remember(const Device& device) {
        Entry& entry = devices[device.id];
        if (!entry.device.credential_id.empty()) by_credential.erase(index_of(entry.device.credential_id));
        if (entry.device.public_key != device.public_key) entry.verifier.reset();
        entry.device = device;
        if (!device.credential_id.empty()) by_credential[index_of(device.credential_id)] = device.id;
    }

    // SQL with its event, then memory, then whoever keeps something of the device's.
    Result<> store(const Device& device, std::string_view event) {
        JZ_CHECK(record_change(parts.session, parts.clock, parts.events,
                               [&] { return registry::update(parts.session, device); },
                               {event, device.id.to_string(), api::json_of(device)}));
        remember(device);
        return {};
    }

    void tell_observers(DeviceId id) {
        for (const auto& observer : observers) observer(id);
    }

    Result<Device> change_state(DeviceId id, DeviceState to, std::string_view event) {
        JZ_TRY(const Entry* const entry, get(id));
        if (entry->device.state == to) return entry->device;
        if (!may_become(entry->device.state, to)) return state_error(entry->device, name_of(to));
        Device changed = entry->device;
        changed.state = to;
        if (is_final(to)) changed.enrolment_code_hash.clear();
        JZ_CHECK(store(changed, event));
        tell_observers(id);
        // A suspended device stays connected, so that it can be told why it is not heard.
        if (is_final(to) && broker != nullptr) broker->remove(id);
        return changed;
    }

    Result<> set_credential(Device& device, crypto::Suite suite, const Bytes& public_key) const {
        const KeyId id = protocol::credential_id(suite, public_key);
        const auto holder = by_credential.find(index_of(id));
        if (holder != by_credential.end() && holder->second != device.id) {
            return claim_refused("this key is another device's: make a new one");
        }
        device.suite = static_cast<std::uint8_t>(suite);
        device.public_key = public_key;
        device.credential_id = to_bytes(id);
        return {};
    }

    Result<Bytes> certificate_of(const Device& device) const {
        JZ_TRY(const KeyId kid, protocol::key_id_from(device.credential_id));
        return protocol::make_certificate(parts.server_key, {.device = device.id,
                                                             .suite = static_cast<crypto::Suite>(device.suite),
                                                             .public_key = device.public_key,
                                                             .credential = kid,
                                                             .issued_ms = parts.clock.now().ms()});
    }

    std::string set_code(Device& device) const {
        std::string code = new_enrolment_code();
        device.enrolment_code_hash = to_bytes(enrolment_code_hash(code));
        device.enrolment_expires = parts.clock.now() + enrolment_code_lifetime;
        return code;
    }

    Parts parts;
    std::unordered_map<DeviceId, Entry> devices;
    std::unordered_map<std::uint64_t, DeviceId> by_credential;  // the credential id's bytes
    std::unordered_set<DeviceId> heard;                         // last_hello is newer than what is stored
    std::vector<std::function<void(DeviceId)>> observers;
    api::BrokerCredentials* broker = nullptr;
};

DeviceService::DeviceService(std::unique_ptr<State> state) : state_(std::move(state)) {}
DeviceService::~DeviceService() = default;

Result<std::unique_ptr<DeviceService>> DeviceService::load(Parts parts) {
    auto state = std::make_unique<State>(parts);
    JZ_CHECK(registry::for_each_device(parts.session, [&](const Device& device) {
        state->remember(device);
        return Result<>();
    }));
    return std::unique_ptr<DeviceService>(new DeviceService(std::move(state)));
}

Result<DeviceWithCode> DeviceService::create(const NewDevice& wanted) {
    JZ_CHECK(check_sim(wanted.sim));
    if (const Device* const stored = find(wanted.id)) {
        const bool same = stored->kind == wanted.kind && stored->name == wanted.name &&
                          stored->merchant == wanted.merchant && stored->sim.iccid == wanted.sim.iccid &&
                          stored->sim.imsi == wanted.sim.imsi && stored->sim.imei == wanted.sim.imei;
        if (same && stored->state == DeviceState::pending) return new_code(wanted.id);
        return Error(ErrorKind::conflict, "another device has the id " + wanted.id.to_string())
            .with_code("already_exists")
            .with_param("id");
    }
    Device device;
    device.id = wanted.id;
    device.kind = wanted.kind;
    device.name = wanted.name;
    device.merchant = wanted.merchant;
    device.sim = wanted.sim;
    device.created = state_->parts.clock.now();
    std::string code = state_->set_code(device);
    JZ_CHECK(record_change(state_->parts.session, state_->parts.clock, state_->parts.events,
                           [&] { return registry::insert(state_->parts.session, device); },
                           {"device.created", device.id.to_string(), api::json_of(device)}));
    state_->remember(device);
    return DeviceWithCode{std::move(device), std::move(code)};
}

Result<DeviceWithCode> DeviceService::new_code(DeviceId id) {
    JZ_TRY(const auto* const entry, state_->get(id));
    if (is_final(entry->device.state)) return state_error(entry->device, "enrolled: register it as a new device");
    Device device = entry->device;
    std::string code = state_->set_code(device);
    JZ_CHECK(state_->store(device, "device.enrolment_code_made"));
    return DeviceWithCode{std::move(device), std::move(code)};
}

Result<Device> DeviceService::suspend(DeviceId id) {
    return state_->change_state(id, DeviceState::suspended, "device.suspended");
}

Result<Device> DeviceService::resume(DeviceId id) {
    JZ_TRY(const auto* const entry, state_->get(id));
    if (entry->device.state == DeviceState::pending) return state_error(entry->device, "active but by its claim");
    return state_->change_state(id, DeviceState::active, "device.resumed");
}

Result<Device> DeviceService::report_lost(DeviceId id) {
    return state_->change_state(id, DeviceState::lost, "device.lost");
}
Result<Device> DeviceService::retire(DeviceId id) {
    return state_->change_state(id, DeviceState::retired, "device.retired");
}

Result<Device> DeviceService::revoke_credential(DeviceId id) {
    JZ_TRY(const auto* const entry, state_->get(id));
    if (entry->device.credential_id.empty()) return entry->device;
    Device device = entry->device;
    device.suite = 0;
    device.public_key.clear();
    device.credential_id.clear();
    JZ_CHECK(state_->store(device, "device.credential_revoked"));
    state_->tell_observers(id);
    if (state_->broker != nullptr) state_->broker->remove(id);
    return device;
}

const Device* DeviceService::find(DeviceId id) const {
    const auto found = state_->devices.find(id);
    return found == state_->devices.end() ? nullptr : &found->second.device;
}

const Device* DeviceService::find_by_credential(ByteView kid) const {
    if (kid.size() != KeyId{}.size()) return nullptr;
    const auto found = state_->by_credential.find(index_of(kid));
    return found == state_->by_credential.end() ? nullptr : find(found->second);
}

const crypto::Verifier* DeviceService::verifier(DeviceId id) const {
    const auto found = state_->devices.find(id);
    if (found == state_->devices.end() || found->second.device.public_key.empty()) return nullptr;
    const auto& entry = found->second;
    if (!entry.verifier) {
        auto made = crypto::make_verifier(static_cast<crypto::Suite>(entry.device.suite), entry.device.public_key);
        if (!made.ok()) return nullptr;  // only what verified before was stored; a damaged record cannot be heard
        entry.verifier = std::move(made).value();
    }
    return &*entry.verifier;
}

void DeviceService::for_each(const std::function<void(const Device&)>& visit) const {
    for (const auto& [id, entry] : state_->devices) visit(entry.device);
}

Result<ClaimOutcome> DeviceService::claim(DeviceId id, const protocol::Claim& claim) {
    const auto found = state_->devices.find(id);
    if (found == state_->devices.end())
        return refusal(RefusalCode::unknown_device, ErrorKind::not_found, "no such device: register it first");
    Device device = found->second.device;
    if (device.state != DeviceState::pending && device.state != DeviceState::active) {
        return refusal(RefusalCode::device_not_active, ErrorKind::forbidden,
                       "the device is " + std::string(name_of(device.state)));
    }
    // Compared before looking at the time or for emptiness: what is wrong with a code is told to its holder only.
    const bool right = crypto::constant_time_equal(enrolment_code_hash(claim.code), device.enrolment_code_hash);
    if (!right) return claim_refused("the enrolment code is wrong or was used: ask the operator for a new one");
    if (device.enrolment_expires <= state_->parts.clock.now()) {
        return claim_refused("the enrolment code has expired: ask the operator for a new one");
    }
    auto bound = bind_sim(device.sim, {.iccid = claim.iccid, .imsi = claim.imsi, .imei = claim.imei});
    if (!bound.ok()) return claim_refused(bound.error().message());
    device.sim = std::move(bound).value();
    JZ_CHECK(state_->set_credential(device, claim.suite, claim.public_key));
    // With another key nothing recorded before verifies any more, and the clock may be another, too.
    if (device.credential_id != found->second.device.credential_id) device.last_hello = {};
    device.state = DeviceState::active;
    device.enrolled = std::max(state_->parts.clock.now(), device.enrolled + milliseconds(1));  // never the same again
    device.enrolment_code_hash.clear();
    device.enrolment_expires = {};

    JZ_TRY(const Bytes certificate, state_->certificate_of(device));
    JZ_CHECK(state_->store(device, "device.claimed"));
    state_->heard.erase(id);
    state_->tell_observers(id);
    ClaimOutcome outcome{.device = device,
                         .answer = {.credential = protocol::credential_id(claim.suite, claim.public_key),
                                    .server_suite = state_->parts.server_key.suite(),
                                    .server_key = to_bytes(state_->parts.server_key.public_key()),
                                    .mqtt_password = mqtt_password(state_->parts.password_key, device),
                                    .certificate = certificate}};
    if (state_->broker != nullptr) state_->broker->put(id, outcome.answer.mqtt_password);
    return outcome;
}

Result<protocol::Rotated> DeviceService::rotate(DeviceId id, const protocol::Rotate& rotate) {
    JZ_TRY(const auto* const entry, state_->get(id));
    const auto key = crypto::make_verifier(rotate.suite, rotate.public_key);
    if (!key.ok() || !equal(key->public_key(), rotate.public_key))
        return claim_refused("the new key is not a valid one of its suite");
    if (!protocol::check_rotation_proof(*key, id, rotate.proof))
        return claim_refused("the proof is not the new key's for this device");
    Device device = entry->device;
    JZ_CHECK(state_->set_credential(device, rotate.suite, rotate.public_key));
    JZ_TRY(const Bytes certificate, state_->certificate_of(device));
    JZ_CHECK(state_->store(device, "device.credential_rotated"));
    return protocol::Rotated{protocol::credential_id(rotate.suite, rotate.public_key), certificate};
}

bool DeviceService::advance_hello(DeviceId id, Timestamp time) {
    const auto found = state_->devices.find(id);
    if (found == state_->devices.end() || time <= found->second.device.last_hello) return false;
    found->second.device.last_hello = time;
    state_->heard.insert(id);
    return true;
}

Result<> DeviceService::store_hellos() {
    if (state_->heard.empty()) return {};
    registry::Session& session = state_->parts.session;
    auto stored = session.in_transaction([&]() -> Result<> {
        for (const DeviceId id : state_->heard) {
            // false: a later one is stored already, together with another change of the record.
            JZ_CHECK(registry::advance_last_hello(session, id, state_->devices.at(id).device.last_hello));
        }
        return {};
    });
    if (!stored.ok()) return stored;
    state_->heard.clear();
    return {};
}

void DeviceService::set_broker(api::BrokerCredentials* broker) {
    state_->broker = broker;
    if (broker == nullptr) return;
    std::vector<api::BrokerAccount> accounts;
    for (const auto& [id, entry] : state_->devices) {
        if (entry.device.credential_id.empty() || is_final(entry.device.state)) continue;
        accounts.push_back({id, mqtt_password(state_->parts.password_key, entry.device)});
    }
    broker->reset(accounts);
}
void DeviceService::on_change(std::function<void(DeviceId)> observer) {
    state_->observers.push_back(std::move(observer));
}

}  // namespace jiaozi::identity
