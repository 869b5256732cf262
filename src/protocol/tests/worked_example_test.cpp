// Holds the bytes printed in docs/protocol/device.md, section 6, to the code.
#include <fstream>
#include <map>
#include <sstream>

#include <gtest/gtest.h>

#include <jiaozi/protocol/protocol.hpp>

#include "samples.hpp"

namespace jiaozi::protocol {
namespace {

constexpr std::uint64_t up_ms = 1'700'000'000'123;
constexpr std::uint64_t down_ms = 1'700'000'000'456;

struct Example {
    std::string name;
    std::string says;
    Bytes bytes;
};

struct Party {
    explicit Party(std::uint8_t seed)
        : pair(crypto::key_from_private(crypto::Suite::ed25519, samples::counting(seed)).value()),
          signer(crypto::make_signer(pair).value()),
          kid(credential_id(pair.suite, pair.public_key)) {}
    crypto::KeyPair pair;
    std::unique_ptr<crypto::Signer> signer;
    KeyId kid;
};

std::vector<Example> examples() {
    const Party device(0x00);
    const Party server(0x20);
    const auto device_ephemeral = crypto::x25519_from_private(samples::counting(0x40)).value();
    const auto server_ephemeral = crypto::x25519_from_private(samples::counting(0x60)).value();
    const HelloNonce nonce = samples::array_of<16>(0x80);
    const auto keys = derive_session_keys(device_ephemeral.private_key.view(), server_ephemeral.public_key, nonce,
                                          samples::session, samples::device, device.kid)
                          .value();
    const auto up = [](Body body, std::uint64_t seq) {
        Message message = samples::message(std::move(body), seq);
        message.time_ms = up_ms;
        return message;
    };
    const auto down = [](Body body, std::uint64_t seq) {
        Message message = samples::message(std::move(body), seq);
        message.time_ms = down_ms;
        return message;
    };
    const Message claim = up(Claim{"ABCDE-FGHJK", crypto::Suite::ed25519, device.pair.public_key, "8986012345678901239",
                                   "", "490154203237518"},
                             1);
    const Message pay =
        up(PayRequest{samples::payment, PaymentKind::device, 3, 2, 700, "CNY", "", samples::machine}, 2);
    const crypto::Digest tag = keys.up.mac(Bytes{});
    const crypto::Digest down_tag = keys.down.mac(Bytes{});
    return {
        {"credential_id", "The device's credential id.", to_bytes(device.kid)},
        {"server_key_id", "The server's key id.", to_bytes(server.kid)},
        {"claim", "A `claim` with code ABCDE-FGHJK, ICCID 8986012345678901239 and IMEI 490154203237518.",
         seal(claim, *device.signer, {}).value()},
        {"hello", "A `hello`, number 1, firmware \"1.0\".",
         seal(up(Hello{device_ephemeral.public_key, nonce, "1.0"}, 1), *device.signer, device.kid).value()},
        {"welcome", "Its `welcome`: a day, a heartbeat every 30 seconds.",
         seal(down(Welcome{server_ephemeral.public_key, nonce, samples::session, down_ms + 86'400'000, 30, 1}, 1),
              *server.signer, server.kid)
             .value()},
        {"up_key_check", "The up key, shown by its HMAC over nothing.", Bytes(tag.begin(), tag.end())},
        {"down_key_check", "The down key, the same.", Bytes(down_tag.begin(), down_tag.end())},
        {"heartbeat", "A `heartbeat`: ready, number 1, under the up key.", seal(up(Heartbeat{}, 1), keys.up).value()},
        {"pay_request_payload", "The payload of a `pay_request`, number 2: kind 2, slot 3, quantity 2, 700 CNY.",
         encode(pay)},
        {"pay_request", "The same in its envelope.", seal(pay, keys.up).value()},
        {"command",
         "A `command`, number 1 down: deliver 2 from slot 3 within 20 seconds, product 01 8f 00 00 00 02 00 00 55 55 "
         "66 66 77 77 88 88.",
         seal(down(Command{samples::payment, 1, 3, 2, 700, "CNY", down_ms + 20'000, samples::product}, 1), keys.down)
             .value()},
        {"error", "An `error`: stale_hello, \"say hello later\", of message 9.",
         seal(down(ErrorAnswer{RefusalCode::stale_hello, "say hello later", 9, down_ms}, 1), *server.signer, server.kid)
             .value()},
    };
}

// As the page has it: what it is, then the bytes, 32 a line.
std::string page_of(const Example& example) {
    std::string text = example.says + "\n\n```hex " + example.name + "\n";
    for (std::size_t at = 0; at < example.bytes.size(); at += 32) {
        text +=
            to_hex(ByteView(example.bytes).subspan(at, std::min<std::size_t>(32, example.bytes.size() - at))) + "\n";
    }
    return text + "```\n";
}

TEST(WorkedExample, ThePageHasTheseBytes) {
    std::ifstream file("docs/protocol/device.md");
    ASSERT_TRUE(file) << "run from the source folder, as ctest does";
    const std::string page{std::istreambuf_iterator<char>(file), {}};
    const std::string section = page.substr(std::min(page.find("## 6. Worked example"), page.size()));
    std::string expected;
    for (const Example& example : examples()) expected += "\n" + page_of(example);
    EXPECT_TRUE(section.ends_with(expected)) << "the page should end with:\n" << expected;
}

TEST(WorkedExample, IsWhatItSays) {
    const auto verifier = crypto::make_verifier(crypto::Suite::ed25519, Party(0x20).pair.public_key).value();
    for (const Example& example : examples()) {
        if (example.name != "welcome" && example.name != "error") continue;
        const auto envelope = peek(example.bytes, Direction::down);
        ASSERT_TRUE(envelope.ok());
        EXPECT_TRUE(verify(*envelope, verifier).ok());
        EXPECT_TRUE(open(*envelope).ok());
    }
}

}  // namespace
}  // namespace jiaozi::protocol
