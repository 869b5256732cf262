#include <jiaozi/registry/devices.hpp>

#include "rows.hpp"

namespace jiaozi::registry {

template <>
struct Map<Device> {
    static constexpr std::string_view kind = "device", table = "devices", order = "created";
    static void fields(auto& visit, auto& device) {
        visit("id", device.id);
        visit("kind", device.kind);
        visit("name", device.name, Text{1, 200});
        visit("merchant_id", device.merchant);
        visit("state", device.state);
        visit("iccid", device.sim.iccid, Text{0, 20});
        visit("imsi", device.sim.imsi, Text{0, 15});
        visit("imei", device.sim.imei, Text{0, 15});
        visit("suite", device.suite);
        visit("public_key", device.public_key, Text{0, 256});
        visit("credential_id", device.credential_id, Text{0, 32});
        visit("enrolment_code_hash", device.enrolment_code_hash, Text{0, 64});
        visit("enrolment_expires", device.enrolment_expires);
        visit("enrolled", device.enrolled);
        visit("last_hello", device.last_hello);
        visit("created", device.created);
    }
};

namespace {

constexpr std::uint64_t devices_per_step = 1000;

// Looks up by a value of which the empty one is shared by many devices, and the message must not repeat it.
Result<Device> by_unique_bytes(Session& session, std::string_view column, ByteView value, std::string_view what) {
    if (value.empty()) return row_not_found("device", what);
    return get_row<Device>(session, column, param(value), what);
}

}  // namespace

Result<> insert(Session& session, const Device& device) {
    return insert_row(session, device);
}
Result<> update(Session& session, const Device& device) {
    return update_row(session, device);
}
Result<Device> get_device(Session& session, DeviceId id) {
    return get_row<Device>(session, id);
}

Result<Device> get_device_by_credential(Session& session, ByteView credential_id) {
    return by_unique_bytes(session, "credential_id", credential_id, "with this credential");
}

Result<Device> get_device_by_enrolment_code_hash(Session& session, ByteView hash) {
    return by_unique_bytes(session, "enrolment_code_hash", hash, "with this enrolment code");
}

Result<Listing<Device>> list_devices(Session& session, const DeviceFilter& filter, const Page& page) {
    Where where(select_from<Device>());
    where.equal("merchant_id", filter.merchant);
    if (filter.kind) where.equal("kind", name_of(*filter.kind));
    if (filter.state) where.equal("state", name_of(*filter.state));
    return list_rows<Device>(session, std::move(where), page);
}

Result<> for_each_device(Session& session, const std::function<Result<>(const Device&)>& visit) {
    std::string last;
    for (;;) {
        JZ_TRY(const auto step, read_all<Device>(session, Sql(select_from<Device>())
                                                              << " WHERE id > " << param(last) << " ORDER BY id LIMIT "
                                                              << param(devices_per_step)));
        for (const Device& device : step) JZ_CHECK(visit(device));
        if (step.size() < devices_per_step) return {};
        last = step.back().id.to_string();
    }
}

Result<bool> advance_last_hello(Session& session, DeviceId id, Timestamp time) {
    JZ_TRY(const std::uint64_t changed,
           session.connection().execute("device", Sql("UPDATE devices SET last_hello = ")
                                                      << param(time) << " WHERE id = " << param(id)
                                                      << " AND last_hello < " << param(time)));
    if (changed == 1) return true;
    JZ_CHECK(get_device(session, id));
    return false;
}

}  // namespace jiaozi::registry
