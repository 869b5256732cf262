// Devices. Errors and threading: store.hpp.
#pragma once

#include <functional>
#include <optional>

#include <jiaozi/model/records.hpp>
#include <jiaozi/registry/page.hpp>
#include <jiaozi/registry/store.hpp>

namespace jiaozi::registry {

struct DeviceFilter {
    MerchantId merchant;  // zero: any
    std::optional<DeviceKind> kind;
    std::optional<DeviceState> state;
};

// credential_id and enrolment_code_hash are unique where they are not empty (already_exists).
Result<> insert(Session& session, const Device& device);
// Replaces the whole record, so read and write in one transaction; for the newest hello use advance_last_hello.
Result<> update(Session& session, const Device& device);
Result<Device> get_device(Session& session, DeviceId id);
Result<Device> get_device_by_credential(Session& session, ByteView credential_id);
Result<Device> get_device_by_enrolment_code_hash(Session& session, ByteView hash);
Result<Listing<Device>> list_devices(Session& session, const DeviceFilter& filter, const Page& page);

// Calls `visit` for every device, in order of id, in memory bounded whatever their number; stops at its first error.
// Not a snapshot: devices that change meanwhile are seen before or after the change. `visit` may use the session.
Result<> for_each_device(Session& session, const std::function<Result<>(const Device&)>& visit);

// Sets last_hello if `time` is later than what is stored. false: not later, so a replay. Error device_not_found.
Result<bool> advance_last_hello(Session& session, DeviceId id, Timestamp time);

}  // namespace jiaozi::registry
