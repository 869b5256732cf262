#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include <jiaozi/base/assert.hpp>
#include <jiaozi/model/enums.hpp>

namespace jiaozi {
namespace {

template <class E, std::size_t N>
using Names = std::array<std::pair<E, std::string_view>, N>;

template <class E>
struct TableOf;

#define JZ_NAMES(Enum, Count, ...)                                   \
    template <>                                                      \
    struct TableOf<Enum> {                                           \
        static constexpr Names<Enum, Count> names = {{__VA_ARGS__}}; \
    };

JZ_NAMES(GroupKind, 5, {GroupKind::family, "family"}, {GroupKind::car, "car"}, {GroupKind::fleet, "fleet"},
         {GroupKind::home, "home"}, {GroupKind::shop, "shop"})
JZ_NAMES(Role, 3, {Role::owner, "owner"}, {Role::admin, "admin"}, {Role::member, "member"})
JZ_NAMES(DeviceKind, 7, {DeviceKind::vending, "vending"}, {DeviceKind::gate, "gate"}, {DeviceKind::charger, "charger"},
         {DeviceKind::car, "car"}, {DeviceKind::meter, "meter"}, {DeviceKind::phone, "phone"},
         {DeviceKind::terminal, "terminal"})
JZ_NAMES(DeviceState, 5, {DeviceState::pending, "pending"}, {DeviceState::active, "active"},
         {DeviceState::suspended, "suspended"}, {DeviceState::lost, "lost"}, {DeviceState::retired, "retired"})
JZ_NAMES(PaymentKind, 6, {PaymentKind::machine, "machine"}, {PaymentKind::device, "device"},
         {PaymentKind::person, "person"}, {PaymentKind::payment_code, "payment_code"}, {PaymentKind::qr, "qr"},
         {PaymentKind::offline, "offline"})
JZ_NAMES(PaymentState, 6, {PaymentState::pending, "pending"}, {PaymentState::authorized, "authorized"},
         {PaymentState::captured, "captured"}, {PaymentState::voided, "voided"}, {PaymentState::declined, "declined"},
         {PaymentState::failed, "failed"})
JZ_NAMES(Reason, 22, {Reason::none, "none"}, {Reason::payer_not_member, "payer_not_member"},
         {Reason::payer_frozen, "payer_frozen"}, {Reason::device_not_active, "device_not_active"},
         {Reason::product_unavailable, "product_unavailable"}, {Reason::price_changed, "price_changed"},
         {Reason::asset_mismatch, "asset_mismatch"}, {Reason::code_invalid, "code_invalid"},
         {Reason::self_payment, "self_payment"}, {Reason::limit_per_payment, "limit_per_payment"},
         {Reason::limit_per_day, "limit_per_day"}, {Reason::limit_per_category, "limit_per_category"},
         {Reason::insufficient_funds, "insufficient_funds"}, {Reason::ledger_refused, "ledger_refused"},
         {Reason::device_offline, "device_offline"}, {Reason::device_busy, "device_busy"},
         {Reason::not_delivered, "not_delivered"}, {Reason::device_nack, "device_nack"},
         {Reason::device_silent, "device_silent"}, {Reason::cancelled, "cancelled"},
         {Reason::payee_voided, "payee_voided"}, {Reason::not_claimed, "not_claimed"})
JZ_NAMES(LimitKind, 3, {LimitKind::per_payment, "per_payment"}, {LimitKind::per_day, "per_day"},
         {LimitKind::per_category, "per_category"})
JZ_NAMES(DeliveryResult, 3, {DeliveryResult::delivered, "delivered"}, {DeliveryResult::partial, "partial"},
         {DeliveryResult::failed, "failed"})
#undef JZ_NAMES

template <class E>
std::string_view name_in_table(E value) {
    for (const auto& [member, name] : TableOf<E>::names) {
        if (member == value) return name;
    }
    JZ_ASSERT(false && "a value outside its enum");
}

template <class E>
Result<E> parse_in_table(std::string_view token, std::string_view what) {
    for (const auto& [member, name] : TableOf<E>::names) {
        if (name == token) return member;
    }
    std::string message = "is not a " + std::string(what) + "; use one of";
    for (const auto& [member, name] : TableOf<E>::names) message += " " + std::string(name);
    return Error(ErrorKind::invalid, std::move(message));
}

}  // namespace

#define JZ_DEFINE(Enum, parse, what)              \
    std::string_view name_of(Enum value) {        \
        return name_in_table(value);              \
    }                                             \
    Result<Enum> parse(std::string_view token) {  \
        return parse_in_table<Enum>(token, what); \
    }

JZ_DEFINE(GroupKind, parse_group_kind, "kind of group")
JZ_DEFINE(Role, parse_role, "role")
JZ_DEFINE(DeviceKind, parse_device_kind, "kind of device")
JZ_DEFINE(DeviceState, parse_device_state, "device state")
JZ_DEFINE(PaymentKind, parse_payment_kind, "kind of payment")
JZ_DEFINE(PaymentState, parse_payment_state, "payment state")
JZ_DEFINE(Reason, parse_reason, "reason")
JZ_DEFINE(LimitKind, parse_limit_kind, "kind of limit")
JZ_DEFINE(DeliveryResult, parse_delivery_result, "delivery result")
#undef JZ_DEFINE

}  // namespace jiaozi
