#include <gtest/gtest.h>

#include <jiaozi/webhooks/signature.hpp>

namespace jiaozi::webhooks {
namespace {

constexpr std::string_view secret = "whsec_test_secret";
constexpr std::string_view body = R"({"id":"evt_1","type":"payment.succeeded"})";
constexpr std::string_view mac = "0a731970e30844c135c2ba545c0b030783248e5151afff97d4b4cac22ffa7321";
const Timestamp signed_at = timestamp_s(1'700'000'000);

TEST(Signature, PublishedVector) {
    const std::vector<std::string> secrets{std::string(secret)};
    EXPECT_EQ(signature_header(secrets, signed_at, body), "t=1700000000,v1=" + std::string(mac));
}

TEST(Signature, VerifyAcceptsAndRefuses) {
    const std::string good = "t=1700000000,v1=" + std::string(mac);
    const std::string zeros(64, '0');
    struct Row {
        const char* what;
        std::string header;
        std::string body;
        std::int64_t age_s;
        bool ok;
    };
    const Row rows[] = {
        {"as signed", good, std::string(body), 0, true},
        {"within tolerance, past", good, std::string(body), 300, true},
        {"within tolerance, future", good, std::string(body), -300, true},
        {"too old", good, std::string(body), 301, false},
        {"from the future", good, std::string(body), -301, false},
        {"another body", good, std::string(body) + " ", 0, false},
        {"two signatures, second matches", "t=1700000000,v1=" + zeros + ",v1=" + std::string(mac), std::string(body), 0,
         true},
        {"no signature matches", "t=1700000000,v1=" + zeros, std::string(body), 0, false},
        {"another scheme only", "t=1700000000,v0=" + std::string(mac), std::string(body), 0, false},
        {"another time", "t=1700000001,v1=" + std::string(mac), std::string(body), 0, false},
        {"no time", "v1=" + std::string(mac), std::string(body), 0, false},
        {"empty", "", std::string(body), 0, false},
        {"not hexadecimal", "t=1700000000,v1=xyz", std::string(body), 0, false},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(verify_signature(row.header, secret, row.body, signed_at + seconds(row.age_s)).ok(), row.ok)
            << row.what;
    }
}

TEST(Signature, RotationSignsWithBothUntilTheOverlapEnds) {
    const std::string stored = rotated_secret("whsec_old", "whsec_new", signed_at + seconds(100));
    EXPECT_EQ(secrets_in_force(stored, signed_at), (std::vector<std::string>{"whsec_new", "whsec_old"}));
    EXPECT_EQ(secrets_in_force(stored, signed_at + seconds(100)), (std::vector<std::string>{"whsec_new"}));
    EXPECT_EQ(secrets_in_force("whsec_only", signed_at), (std::vector<std::string>{"whsec_only"}));
    // Rotating during an overlap drops the oldest.
    EXPECT_EQ(secrets_in_force(rotated_secret(stored, "whsec_newer", signed_at + seconds(9)), signed_at),
              (std::vector<std::string>{"whsec_newer", "whsec_new"}));
    const std::string header = signature_header(secrets_in_force(stored, signed_at), signed_at, body);
    EXPECT_TRUE(verify_signature(header, "whsec_old", body, signed_at).ok());
    EXPECT_TRUE(verify_signature(header, "whsec_new", body, signed_at).ok());
    EXPECT_FALSE(verify_signature(header, "whsec_other", body, signed_at).ok());
}

TEST(Signature, SecretsAreLongAndDiffer) {
    const std::string one = new_secret();
    EXPECT_TRUE(one.starts_with("whsec_"));
    EXPECT_EQ(one.size(), 38u);
    EXPECT_NE(one, new_secret());
}

}  // namespace
}  // namespace jiaozi::webhooks
