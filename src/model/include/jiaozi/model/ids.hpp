// The ids of the domain. Each is 128 bits and its own type; its text form names its kind (base/id.hpp).
#pragma once

#include <jiaozi/base/id.hpp>

namespace jiaozi {

// NOLINTBEGIN(bugprone-macro-parentheses): a type's name
#define JZ_ID(Name, text)                                \
    struct Name##Tag {                                   \
        static constexpr std::string_view prefix = text; \
    };                                                   \
    using Name = Id<Name##Tag>
// NOLINTEND(bugprone-macro-parentheses)

JZ_ID(PersonId, "per");
JZ_ID(GroupId, "grp");
JZ_ID(MemberId, "mem");
JZ_ID(WalletId, "wal");  // equals the ledger account's id
JZ_ID(LimitId, "lim");
JZ_ID(MerchantId, "mer");
JZ_ID(ProductId, "prd");
JZ_ID(DeviceId, "dev");
JZ_ID(PaymentId, "pay");
JZ_ID(RefundId, "rfd");
JZ_ID(DepositId, "dep");
JZ_ID(EventId, "evt");
JZ_ID(ApiKeyId, "key");
JZ_ID(EndpointId, "whe");  // webhook endpoint
JZ_ID(DeliveryId, "whd");  // webhook delivery
#undef JZ_ID

}  // namespace jiaozi
