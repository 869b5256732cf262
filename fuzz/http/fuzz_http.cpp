// Request bodies, query strings and times. The first byte chooses the decoder, the rest is its input. Beyond crashes:
// what a decoder accepts must be accepted again in the same way, and an error must have a message.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <jiaozi/api/json.hpp>
#include <jiaozi/http/bodies.hpp>
#include <jiaozi/http/json_body.hpp>
#include <jiaozi/http/query.hpp>

namespace {

using namespace jiaozi;

void require(bool condition) {
    if (!condition) std::abort();
}

template <class Decoder>
void decode(Decoder decoder, std::string_view text) {
    const auto first = decoder(text);
    const auto second = decoder(text);
    require(first.ok() == second.ok());
    if (first.ok()) return;
    require(!first.error().message().empty());
    require(first.error().kind() == ErrorKind::malformed || first.error().kind() == ErrorKind::invalid);
}

void query(std::string_view text) {
    auto parsed = http::Query::parse(text);
    if (!parsed.ok()) return;
    const registry::Page page = parsed->page();
    require(page.limit >= 1 && page.limit <= registry::page_limit_max);
    parsed->id<PaymentId>("payment");
    parsed->token("state", parse_payment_state);
    parsed->time("created_from");
    parsed->boolean("done");
    ignore_error(parsed->finish(), "only its safety is of interest");
}

// A time that parses is written and parsed to the same milliseconds.
void time(std::string_view text) {
    const auto parsed = http::parse_rfc3339(text);
    if (!parsed.ok()) return;
    const auto again = http::parse_rfc3339(api::rfc3339(*parsed));
    require(again.ok() && again->ms() == parsed->ms());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0 || size > 70'000) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
    switch (data[0] % 29) {
        case 0:
            decode(http::decode_new_person, text);
            break;
        case 1:
            decode(http::decode_new_group, text);
            break;
        case 2:
            decode(http::decode_new_member, text);
            break;
        case 3:
            decode(http::decode_new_wallet, text);
            break;
        case 4:
            decode(http::decode_new_deposit, text);
            break;
        case 5:
            decode(http::decode_new_limit, text);
            break;
        case 6:
            decode(http::decode_new_merchant, text);
            break;
        case 7:
            decode(http::decode_new_product, text);
            break;
        case 8:
            decode(http::decode_new_device, text);
            break;
        case 9:
            decode(http::decode_new_slots, text);
            break;
        case 10:
            decode(http::decode_new_qr, text);
            break;
        case 11:
            decode(http::decode_new_payment, text);
            break;
        case 12:
            decode(http::decode_new_refund, text);
            break;
        case 13:
            decode(http::decode_new_payment_code, text);
            break;
        case 14:
            decode(http::decode_new_webhook_endpoint, text);
            break;
        case 15:
            decode(http::decode_endpoint_change, text);
            break;
        case 16:
            decode(http::decode_secret_rotation, text);
            break;
        case 17:
            decode(http::decode_new_api_key, text);
            break;
        case 18:
            decode(http::decode_clock_advance, text);
            break;
        case 19:
            decode(http::decode_new_sandbox_fault, text);
            break;
        case 20:
            decode(http::decode_nothing, text);
            break;
        case 21:
            query(text);
            break;
        case 22:
            time(text);
            break;
        case 23:
            ignore_error(http::percent_decode(text, true), "only its safety is of interest");
            break;
        case 24:
            decode(http::decode_new_purse, text);
            break;
        case 25:
            decode(http::decode_new_purse_load, text);
            break;
        case 26:
            decode(http::decode_new_purse_deposits, text);
            break;
        case 27:
            decode(http::decode_new_purse_sync, text);
            break;
        case 28:
            decode(http::decode_new_purse_root, text);
            break;
    }
    return 0;
}
