#include <jiaozi/api/json.hpp>
#include <jiaozi/http/bodies.hpp>
#include <jiaozi/registry/devices.hpp>

#include "access.hpp"
#include "device_json.hpp"
#include "router.hpp"

namespace jiaozi::http {

std::string device_json(const Parts& parts, const Device& device) {
    const Member* member = parts.groups.member_of_device(device.id);
    std::string json = api::json_of(device);
    json.pop_back();
    json += ',';
    json += api::JsonObject()
                .id("group", member == nullptr ? GroupId{} : member->group)
                .boolean("online", parts.gateway.online(device.id))
                .take()
                .substr(1);
    return json;
}

namespace {

std::string with_code_json(const Parts& parts, const identity::DeviceWithCode& made) {
    std::string json = device_json(parts, made.device);
    json.pop_back();
    json += ",\"enrolment_code\":\"" + api::json_escaped(made.code) + "\"}";
    return json;
}

void create_device(Call&& call) {
    JZ_ANSWER_CHECK(call.reply, operator_only(call));
    JZ_ANSWER_TRY(Device device, call.reply, decode_new_device(call.request.body));
    if (device.merchant && call.parts().merchants.merchant(device.merchant) == nullptr) {
        call.reply.fail(no_such("merchant", device.merchant.to_string()).with_param("merchant"));
        return;
    }
    const identity::NewDevice wanted{DeviceId(call.object_id), device.kind, std::move(device.name), device.merchant,
                                     std::move(device.sim)};
    JZ_ANSWER_TRY(const auto made, call.reply, call.parts().devices.create(wanted));
    call.reply.json(201, with_code_json(call.parts(), made));
}

void list_devices(Call&& call) {
    JZ_ANSWER_CHECK(call.reply, operator_only(call));
    JZ_ANSWER_TRY(Query query, call.reply, Query::parse(call.request.query));
    registry::DeviceFilter filter;
    filter.merchant = query.id<MerchantId>("merchant");
    filter.kind = query.token("kind", parse_device_kind);
    filter.state = query.token("state", parse_device_state);
    const registry::Page page = query.page();
    JZ_ANSWER_CHECK(call.reply, query.finish());
    // Who is online is known on the application thread only, so the text is made there.
    const Parts& parts = call.parts();
    parts.reads.run<registry::Listing<Device>>(
        [filter, page](registry::Session& session) { return registry::list_devices(session, filter, page); },
        [&parts, reply = std::move(call.reply)](Result<registry::Listing<Device>> listing) mutable {
            JZ_ANSWER_TRY(const auto devices, reply, std::move(listing));
            reply.json(200, list_json(devices.data, devices.has_more,
                                      [&parts](const Device& device) { return device_json(parts, device); }));
        });
}

void get_device(Call&& call) {
    JZ_ANSWER_TRY(const DeviceId id, call.reply, call.path_id<DeviceId>(0, "device"));
    JZ_ANSWER_TRY(const Device* device, call.reply, visible_device(call, id));
    call.reply.json(200, device_json(call.parts(), *device));
}

void new_enrolment_code(Call&& call) {
    JZ_ANSWER_TRY(const DeviceId id, call.reply, call.path_id<DeviceId>(0, "device"));
    JZ_ANSWER_CHECK(call.reply, manageable_device(call, id));
    JZ_ANSWER_CHECK(call.reply, decode_nothing(call.request.body));
    JZ_ANSWER_TRY(const auto made, call.reply, call.parts().devices.new_code(id));
    call.reply.json(200, with_code_json(call.parts(), made));
}

template <Result<Device> (identity::DeviceService::*change)(DeviceId)>
void change_state(Call&& call) {
    JZ_ANSWER_TRY(const DeviceId id, call.reply, call.path_id<DeviceId>(0, "device"));
    JZ_ANSWER_CHECK(call.reply, manageable_device(call, id));
    JZ_ANSWER_CHECK(call.reply, decode_nothing(call.request.body));
    JZ_ANSWER_TRY(const Device device, call.reply, (call.parts().devices.*change)(id));
    call.reply.json(200, device_json(call.parts(), device));
}

std::string slot_json(const Slot& slot) {
    return api::json_of(slot);
}

// A catalogue is for everybody who may read devices: customers choose from it.
void list_slots(Call&& call) {
    JZ_ANSWER_TRY(const DeviceId id, call.reply, call.path_id<DeviceId>(0, "device"));
    if (call.parts().devices.find(id) == nullptr) {
        call.reply.fail(no_such("device", id.to_string()));
        return;
    }
    call.reply.json(200, list_json(call.parts().merchants.slots_of(id), false, slot_json));
}

void replace_slots(Call&& call) {
    JZ_ANSWER_TRY(const DeviceId id, call.reply, call.path_id<DeviceId>(0, "device"));
    JZ_ANSWER_CHECK(call.reply, operator_only(call));
    JZ_ANSWER_CHECK(call.reply, visible_device(call, id));
    JZ_ANSWER_TRY(std::vector<Slot> slots, call.reply, decode_new_slots(call.request.body));
    for (Slot& slot : slots) slot.device = id;
    JZ_ANSWER_TRY(const auto replaced, call.reply, call.parts().merchants.replace_slots(id, std::move(slots)));
    call.reply.json(200, list_json(replaced, false, slot_json));
}

void create_qr(Call&& call) {
    JZ_ANSWER_TRY(const DeviceId id, call.reply, call.path_id<DeviceId>(0, "device"));
    JZ_ANSWER_CHECK(call.reply, operator_only(call));
    JZ_ANSWER_CHECK(call.reply, visible_device(call, id));
    JZ_ANSWER_TRY(const NewQr wanted, call.reply, decode_new_qr(call.request.body));
    JZ_ANSWER_TRY(const api::DynamicQr qr, call.reply,
                  call.parts().payments.new_qr(PaymentId(call.object_id), id, wanted.slot, wanted.quantity));
    call.reply.json(
        201,
        api::JsonObject("qr").id("payment", qr.payment).text("payload", qr.payload).time("expires", qr.expires).take());
}

}  // namespace

void add_device_routes(Router& router) {
    using identity::DeviceService;
    router.add({Method::post, "/v1/devices", "devices", "write", Repeat::sealed, create_device});
    router.add({Method::get, "/v1/devices", "devices", "read", Repeat::none, list_devices});
    router.add({Method::get, "/v1/devices/{device}", "devices", "read", Repeat::none, get_device});
    router.add(
        {Method::post, "/v1/devices/{device}/enrolment_code", "devices", "write", Repeat::sealed, new_enrolment_code});
    router.add({Method::post, "/v1/devices/{device}/suspend", "devices", "write", Repeat::stored,
                change_state<&DeviceService::suspend>});
    router.add({Method::post, "/v1/devices/{device}/resume", "devices", "write", Repeat::stored,
                change_state<&DeviceService::resume>});
    router.add({Method::post, "/v1/devices/{device}/lost", "devices", "write", Repeat::stored,
                change_state<&DeviceService::report_lost>});
    router.add({Method::post, "/v1/devices/{device}/retire", "devices", "write", Repeat::stored,
                change_state<&DeviceService::retire>});
    router.add({Method::post, "/v1/devices/{device}/revoke", "devices", "write", Repeat::stored,
                change_state<&DeviceService::revoke_credential>});
    router.add({Method::get, "/v1/devices/{device}/slots", "devices", "read", Repeat::none, list_slots});
    router.add({Method::put, "/v1/devices/{device}/slots", "devices", "write", Repeat::none, replace_slots});
    router.add({Method::post, "/v1/devices/{device}/qr", "payments", "write", Repeat::stored, create_qr});
}

}  // namespace jiaozi::http
