// The request bodies of every endpoint, and their decoders: pure functions from text to a struct, fuzzed as such.
// What only a service can know (does that wallet exist?) is not looked at here. Errors as in json_body.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <jiaozi/api/sandbox.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/signature.hpp>
#include <jiaozi/model/records.hpp>

namespace jiaozi::http {

struct NewGroup {
    Group group;
    PersonId owner;
};
struct NewWallet {
    std::string name;
    Asset asset;
};
struct NewMerchant {
    Merchant merchant;
    Asset asset = assets::CNY;
};
struct NewQr {
    std::uint32_t slot = 0;
    std::uint32_t quantity = 1;
};
struct NewPaymentBody {
    PaymentKind kind = PaymentKind::machine;
    WalletId payer_wallet;
    MemberId payer_member;
    WalletId payee_wallet;
    DeviceId device;
    DeviceId payer_device;
    std::uint32_t slot = 0;
    std::uint32_t quantity = 1;
    std::optional<Amount> amount;
    std::string qr;
};
struct NewPaymentCode {
    WalletId wallet;
    MemberId member;
};
struct EndpointChange {
    std::optional<std::string> url;
    std::optional<std::vector<std::string>> events;
    std::optional<bool> enabled;
};
struct NewApiKey {
    std::string name;
    std::vector<std::string> scopes;
    PersonId person;
};
struct NewPurseBody {
    WalletId wallet;
    crypto::Suite suite = crypto::Suite::ed25519;
    Bytes key;
    std::uint32_t assurance = 0;
    DeviceId device;
};
struct NewPurseLoadBody {
    Amount amount;
    std::uint32_t directed = 0;
};
struct NewPurseDepositsBody {
    std::uint32_t purse = 0;
    std::vector<Bytes> items;
};
struct NewPurseSyncBody {
    std::uint32_t last_seen = 0;
    bool suspect = false;
    std::uint32_t highest_seq = 0;
};

Result<Person> decode_new_person(std::string_view body);
Result<NewGroup> decode_new_group(std::string_view body);
Result<Member> decode_new_member(std::string_view body);
Result<NewWallet> decode_new_wallet(std::string_view body);
Result<Amount> decode_new_deposit(std::string_view body);
Result<Limit> decode_new_limit(std::string_view body);
Result<NewMerchant> decode_new_merchant(std::string_view body);
Result<Product> decode_new_product(std::string_view body);
Result<Device> decode_new_device(std::string_view body);
Result<std::vector<Slot>> decode_new_slots(std::string_view body);
Result<NewQr> decode_new_qr(std::string_view body);
Result<NewPaymentBody> decode_new_payment(std::string_view body);
Result<std::optional<Amount>> decode_new_refund(std::string_view body);
Result<NewPaymentCode> decode_new_payment_code(std::string_view body);
Result<WebhookEndpoint> decode_new_webhook_endpoint(std::string_view body);
Result<EndpointChange> decode_endpoint_change(std::string_view body);
Result<Duration> decode_secret_rotation(std::string_view body);
Result<NewApiKey> decode_new_api_key(std::string_view body);
Result<Duration> decode_clock_advance(std::string_view body);
Result<api::SandboxFault> decode_new_sandbox_fault(std::string_view body);
Result<NewPurseBody> decode_new_purse(std::string_view body);
Result<NewPurseLoadBody> decode_new_purse_load(std::string_view body);
Result<NewPurseDepositsBody> decode_new_purse_deposits(std::string_view body);
Result<std::vector<Bytes>> decode_new_carried_items(std::string_view body);
Result<Bytes> decode_new_purse_alarm(std::string_view body);
Result<NewPurseSyncBody> decode_new_purse_sync(std::string_view body);
Result<Bytes> decode_new_purse_root(std::string_view body);
// Nothing, or {}.
Result<> decode_nothing(std::string_view body);

}  // namespace jiaozi::http
