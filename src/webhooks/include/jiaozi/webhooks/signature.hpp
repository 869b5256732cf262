// The signature of a webhook delivery, compatible with Stripe's scheme, so that its libraries verify ours:
//   Jiaozi-Signature: t=<unix seconds>,v1=<hex>[,v1=<hex>…]
// hex is HMAC-SHA-256 under the whole secret ("whsec_" included) over "<t>.<body>". Several v1 while a secret is being
// rotated; any may match. Pure functions, thread-safe.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <jiaozi/base/clock.hpp>
#include <jiaozi/base/result.hpp>

namespace jiaozi::webhooks {

inline constexpr std::string_view signature_header_name = "Jiaozi-Signature";
inline constexpr Duration signature_tolerance = seconds(300);  // both ways

std::string signature_header(std::span<const std::string> secrets, Timestamp time, std::string_view body);

// For receivers written with this library, and for tests. Error unauthenticated: no v1 matches, the time is outside the
// tolerance, or the header does not parse. Constant-time comparison.
Result<> verify_signature(std::string_view header, std::string_view secret, std::string_view body, Timestamp now,
                          Duration tolerance = signature_tolerance);

// "whsec_" and 32 random letters and digits (190 bits).
std::string new_secret();

// WebhookEndpoint::secret holds the newest secret and, during an overlap, the one before with its end:
// "whsec_new" or "whsec_new whsec_old <unix seconds>". The secrets in force at `now`, newest first.
std::vector<std::string> secrets_in_force(std::string_view stored, Timestamp now);
std::string rotated_secret(std::string_view stored, std::string_view fresh, Timestamp overlap_ends);

}  // namespace jiaozi::webhooks
