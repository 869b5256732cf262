#include <jiaozi/api/json.hpp>
#include <jiaozi/http/bodies.hpp>

#include "access.hpp"
#include "device_json.hpp"
#include "router.hpp"

namespace jiaozi::http {
namespace {

Error sandbox_only() {
    return Error(ErrorKind::not_found, "this exists in sandbox mode only").with_code("sandbox_only");
}

void advance_clock(Call&& call) {
    JZ_ANSWER_CHECK(call.reply, operator_only(call));
    if (call.parts().sandbox_clock == nullptr) {
        call.reply.fail(sandbox_only());
        return;
    }
    JZ_ANSWER_TRY(const Duration by, call.reply, decode_clock_advance(call.request.body));
    const Timestamp now = call.parts().sandbox_clock->advance(by);
    call.reply.json(200, api::JsonObject("test_clock").time("now", now).take());
}

std::string sandbox_device_json(const Parts& parts, const api::SandboxDevice& simulated) {
    const Device* device = parts.devices.find(simulated.device);
    return api::JsonObject("sandbox_device")
        .id("device", simulated.device)
        .text("name", device == nullptr ? "" : device->name)
        .text("kind", name_of(device == nullptr ? DeviceKind::terminal : device->kind))
        .boolean("online", parts.gateway.online(simulated.device))
        .text("fault", api::name_of(simulated.fault))
        .take();
}

void list_sandbox_devices(Call&& call) {
    JZ_ANSWER_CHECK(call.reply, operator_only(call));
    if (call.parts().sandbox_devices == nullptr) {
        call.reply.fail(sandbox_only());
        return;
    }
    const Parts& parts = call.parts();
    call.reply.json(200, list_json(parts.sandbox_devices->list(), false, [&parts](const api::SandboxDevice& device) {
                        return sandbox_device_json(parts, device);
                    }));
}

void set_fault(Call&& call) {
    JZ_ANSWER_CHECK(call.reply, operator_only(call));
    if (call.parts().sandbox_devices == nullptr) {
        call.reply.fail(sandbox_only());
        return;
    }
    JZ_ANSWER_TRY(const DeviceId id, call.reply, call.path_id<DeviceId>(0, "device"));
    JZ_ANSWER_TRY(const api::SandboxFault fault, call.reply, decode_new_sandbox_fault(call.request.body));
    JZ_ANSWER_TRY(const api::SandboxDevice device, call.reply, call.parts().sandbox_devices->set_fault(id, fault));
    call.reply.json(200, sandbox_device_json(call.parts(), device));
}

}  // namespace

void add_sandbox_routes(Router& router) {
    router.add({Method::post, "/v1/test_clock/advance", "sandbox", "write", Repeat::none, advance_clock});
    router.add({Method::get, "/v1/sandbox/devices", "sandbox", "read", Repeat::none, list_sandbox_devices});
    router.add({Method::post, "/v1/sandbox/devices/{device}/faults", "sandbox", "write", Repeat::none, set_fault});
}

}  // namespace jiaozi::http
