// The JSON of a payment and a refund, as events carry them and HTTP shows them: that of api/json.hpp, under the names
// that this library's users look for.
#pragma once

#include <string>

#include <jiaozi/api/json.hpp>

namespace jiaozi::payments {

inline std::string payment_json(const Payment& payment) {
    return api::json_of(payment);
}
inline std::string refund_json(const Refund& refund) {
    return api::json_of(refund);
}

}  // namespace jiaozi::payments
