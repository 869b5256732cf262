// Devices: records, states, enrolment and credentials. Every change is one SQL transaction with its event, then memory.
//
//   pending ── claim ──► active ◄── suspend, resume ──► suspended        pending, active, suspended ──► lost, retired
//   lost ──► retired                                                     (pending cannot be lost: it was never heard)
//
// Errors: conflict `device_state` (the transition does not exist), not_found `device_not_found`, invalid, those of the
// registry. Refusals of claims and rotations are Errors whose code is a token of protocol::RefusalCode.
// Application thread only.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <jiaozi/api/broker_credentials.hpp>
#include <jiaozi/api/devices.hpp>
#include <jiaozi/api/events.hpp>
#include <jiaozi/base/clock.hpp>
#include <jiaozi/crypto/keystore.hpp>
#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/crypto/signature.hpp>
#include <jiaozi/model/records.hpp>
#include <jiaozi/protocol/protocol.hpp>
#include <jiaozi/registry/store.hpp>

namespace jiaozi::identity {

inline constexpr Duration enrolment_code_lifetime = seconds(24 * 60 * 60);
inline constexpr std::string_view server_key_name = "device-server";

// The server's own signing key (Ed25519) out of the keystore; made and stored there at the first start.
Result<std::unique_ptr<crypto::Signer>> server_signer(crypto::Keystore& keystore);

// What the devices' MQTT passwords are derived from, so that a start can set the broker right without having kept them.
// Made and stored in the keystore at the first start.
Result<crypto::SecretBytes> password_key(crypto::Keystore& keystore);

// All must outlive the service. `session` is the service's own.
struct Parts {
    registry::Session& session;
    const Clock& clock;
    api::EventSignal& events;
    const crypto::Signer& server_key;
    const crypto::SecretBytes& password_key;
};

struct NewDevice {
    DeviceId id;
    DeviceKind kind = DeviceKind::vending;
    std::string name;
    MerchantId merchant;
    SimIdentity sim;
};

struct DeviceWithCode {
    Device device;
    std::string code;  // shown once
};

struct ClaimOutcome {
    Device device;
    protocol::Claimed answer;
};

class DeviceService final : public api::Devices {
  public:
    static Result<std::unique_ptr<DeviceService>> load(Parts parts);
    ~DeviceService() override;
    DeviceService(const DeviceService&) = delete;
    DeviceService& operator=(const DeviceService&) = delete;

    // The same id and content again, while the device is pending, makes a new code (the first one may never have
    // arrived); other content is Error conflict `already_exists`.
    Result<DeviceWithCode> create(const NewDevice& wanted);
    // pending, active (to enrol it anew, with another key) and suspended devices; replaces a code that was not used.
    Result<DeviceWithCode> new_code(DeviceId id);
    // A device that is in the wanted state already is returned as it is.
    Result<Device> suspend(DeviceId id);
    Result<Device> resume(DeviceId id);
    Result<Device> report_lost(DeviceId id);
    Result<Device> retire(DeviceId id);
    // The state stays; the device must enrol again with a new code. No credential: fine.
    Result<Device> revoke_credential(DeviceId id);

    const Device* find(DeviceId id) const override;
    const Device* find_by_credential(ByteView kid) const;
    // The device's public key, ready to verify; nullptr before the claim. Good until the next change of the device.
    const crypto::Verifier* verifier(DeviceId id) const;
    // In no particular order.
    void for_each(const std::function<void(const Device&)>& visit) const;

    // ---- for the device gateway

    // The envelope's signature by the key in the claim was verified. Order of refusals: unknown_device,
    // device_not_active, claim_refused.
    Result<ClaimOutcome> claim(DeviceId id, const protocol::Claim& claim);
    // Error claim_refused: the proof or the key is wrong, or another device has it. The session goes on, so that the
    // answer can be sealed; the caller ends it then.
    Result<protocol::Rotated> rotate(DeviceId id, const protocol::Rotate& rotate);
    // Remembers a hello's time in memory; false if it is not later than the last. store_hellos() makes it durable.
    bool advance_hello(DeviceId id, Timestamp time);
    // All that were advanced since, in one transaction. Answer a hello only after this. On an error nothing is stored
    // and they stay remembered for the next call.
    Result<> store_hellos();

    // ---- wiring

    // Told at once of all devices that may connect, later of claims and of devices that may connect no more. nullptr:
    // nobody.
    void set_broker(api::BrokerCredentials* broker);
    // Called after a device's state or credential changed.
    void on_change(std::function<void(DeviceId)> observer);

  private:
    struct State;
    explicit DeviceService(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace jiaozi::identity
