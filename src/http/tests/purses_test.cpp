// Offline purses over HTTP: who may do what, a whole life of a purse, repeats and a restart in the middle.
#include <algorithm>

#include <gtest/gtest.h>

#include <jiaozi/base/big_endian.hpp>
#include <jiaozi/codec/base_n.hpp>
#include <jiaozi/crypto/signature.hpp>
#include <jiaozi/model/ids.hpp>
#include <jiaozi/purse_host/issuer.hpp>

#include "world.hpp"

namespace jiaozi::http::test {
namespace {

struct Purse {
    std::string ordinal;
    std::unique_ptr<purse_host::PurseSigner> signer;
    Bytes certificate;
    std::uint32_t seq = 0;
};

class Purses : public ::testing::Test {
  protected:
    void SetUp() override { world.populate(); }

    static std::string body_of(const std::string& wallet, const purse_host::PurseSigner& signer,
                               const std::string& more = {}) {
        return R"({"wallet":")" + wallet + R"(","suite":1,"key":")" + to_hex(signer.public_key()) + '"' + more + '}';
    }
    static std::unique_ptr<purse_host::PurseSigner> new_key() {
        return purse_host::key_signer(crypto::make_signer(crypto::generate_key(crypto::Suite::ed25519)).value());
    }
    Purse enrol(const std::string& wallet) {
        Purse purse;
        purse.signer = new_key();
        purse.ordinal = world.must("POST", "/v1/purses", body_of(wallet, *purse.signer)).at("ordinal");
        return purse;
    }
    void load(Purse& purse, const std::string& amount) {
        const Answer answer = world.must("POST", "/v1/purses/" + purse.ordinal + "/loads",
                                         R"({"amount":")" + amount + R"(","asset":"CNY"})");
        purse.certificate = codec::decode_base64(answer.at("certificate")).value();
    }
    std::string pay(Purse& payer, const Purse& payee, std::uint64_t offset, std::uint64_t amount) {
        return codec::encode_base64(purse_host::sign_object(
            *payer.signer,
            world.note_payload(payer.ordinal, payee.ordinal, ++payer.seq, payer.certificate, offset, amount)));
    }
    Answer deposit(const std::string& item, const std::string& purse = {}, const std::string& key = {}) {
        const std::string who = purse.empty() ? std::string() : R"("purse":)" + purse + ',';
        return world.call("POST", "/v1/purses/deposits", '{' + who + R"("items":[")" + item + "\"]}",
                          key.empty() ? Headers{} : World::as(key));
    }
    // Of a note's id in hexadecimal: FF and its first 15 bytes.
    static std::string payment_of(const std::string& note) {
        return PaymentId(from_big_endian(from_hex("ff" + note.substr(0, 30)).value())).to_string();
    }
    std::string total(const std::string& wallet) { return world.get("/v1/wallets/" + wallet).at("total"); }

    World world;
};

TEST_F(Purses, ALifeWithARestartBetweenLoadAndDeposit) {
    Purse ann = enrol(world.ann_wallet);
    Purse shop = enrol(world.merchant_wallet);
    const std::string before = total(world.ann_wallet);
    load(ann, "5000");
    // 50 % collateral, because a software purse can be copied; less what the frozen one has put up.
    EXPECT_EQ(std::stol(total(world.ann_wallet)), std::stol(before) - 7'500);
    Answer seen = world.get("/v1/purses/" + ann.ordinal);
    EXPECT_EQ(seen.at("loaded"), "5000");
    EXPECT_EQ(seen.at("state"), "active");
    EXPECT_EQ(seen.at("lots[0].state"), "open");
    const Answer wallet = world.get("/v1/wallets/" + world.ann_wallet);
    EXPECT_EQ(wallet.at("in_purses"), "5000");
    EXPECT_EQ(wallet.at("on_the_way"), "0");
    const Answer statement = world.get("/v1/wallets/" + world.ann_wallet + "/statement");
    EXPECT_EQ(statement.at("data[0].type"), "purse_load");
    EXPECT_EQ(statement.at("data[0].purse"), ann.ordinal);
    EXPECT_EQ(statement.at("data[1].type"), "purse_collateral");
    EXPECT_EQ(statement.at("data[1].amount"), "2500");
    const std::string note = pay(ann, shop, 0, 350);

    world.restart();
    const Answer taken = deposit(note, shop.ordinal);
    EXPECT_EQ(taken.status, 200) << taken.body;
    EXPECT_EQ(taken.at("data[0].reason"), "ok");
    EXPECT_EQ(taken.at("data[0].state"), "settled");
    EXPECT_EQ(taken.at("data[0].amount"), "350");
    const Answer again = deposit(note, shop.ordinal);
    EXPECT_EQ(again.at("data[0].replayed"), "true");
    EXPECT_EQ(again.at("data[0].note"), taken.at("data[0].note"));

    const Answer ack = world.must("POST", "/v1/purses/" + shop.ordinal + "/sync", "{}");
    EXPECT_FALSE(ack.at("acknowledgement").empty());
    EXPECT_EQ(total(world.merchant_wallet), "350");
    EXPECT_EQ(world.get("/v1/purses/" + ann.ordinal).at("loaded"), "4650");
    EXPECT_EQ(world.get("/v1/purses/" + ann.ordinal).at("through"), "1");
    const Answer sales = world.get("/v1/wallets/" + world.merchant_wallet + "/statement");
    EXPECT_EQ(sales.at("data[0].type"), "purse_received");
    EXPECT_EQ(sales.at("data[0].purse"), shop.ordinal);
    const std::string payment = payment_of(taken.at("data[0].note"));
    const Answer shown = world.get("/v1/payments/" + payment);  // at once: it waits for the projection
    const Answer events = world.get("/v1/events?type=payment.captured&object_id=" + payment);
    EXPECT_EQ(events.at("data[0].data.offline.payer_purse"), ann.ordinal);
    EXPECT_EQ(events.at("data[0].data.payee_wallet"), world.merchant_wallet);
    EXPECT_EQ(events.at("data[0].data.amount"), "350");
    EXPECT_NE(events.body.find(shown.body), std::string::npos) << "an event carries the payment as it is shown";
}

TEST_F(Purses, ANoteIsAPaymentLikeAnyOther) {
    Purse ann = enrol(world.ann_wallet);
    Purse shop = enrol(world.merchant_wallet);
    load(ann, "5000");
    const std::string settled = payment_of(deposit(pay(ann, shop, 0, 350), shop.ordinal).at("data[0].note"));
    const std::string pending = payment_of(deposit(pay(ann, shop, 350, 50), ann.ordinal).at("data[0].note"));
    struct Row {
        std::string id, state, captured, note_state;
    };
    for (const Row& row : {Row{settled, "captured", "350", "settled"}, Row{pending, "pending", "0", "pending"}}) {
        const std::string path = "/v1/payments/" + row.id;
        const Answer payment = world.get(path);
        EXPECT_EQ(payment.at("kind"), "offline") << payment.body;
        EXPECT_EQ(payment.at("state"), row.state);
        EXPECT_EQ(payment.at("captured"), row.captured);
        EXPECT_EQ(payment.at("payer_wallet"), world.ann_wallet);
        EXPECT_EQ(payment.at("payee_wallet"), world.merchant_wallet);
        EXPECT_EQ(payment.at("offline.state"), row.note_state);
        EXPECT_EQ(payment.at("offline.payee_purse"), shop.ordinal);
        EXPECT_EQ(payment.at("offline.hops"), "1");
        EXPECT_EQ(world.call("GET", path, {}, World::as(world.ann_key)).body, payment.body);
        EXPECT_EQ(world.call("GET", path, {}, World::as(world.stranger_key)).code(), "payment_not_found");
        EXPECT_EQ(world.call("GET", path + "/receipt", {}, World::as(world.stranger_key)).code(), "payment_not_found");
        EXPECT_EQ(world.get(path + "/receipt").status, 200);
        EXPECT_EQ(world.call("POST", path + "/refunds", "{}").code(), "payment_not_refundable");
        EXPECT_EQ(world.call("POST", path + "/cancel").code(), "payment_not_cancellable");
    }
    const auto ids = [&](const std::string& query, const std::string& key) {
        const Answer page = world.call("GET", "/v1/payments?" + query, {}, World::as(key));
        EXPECT_EQ(page.status, 200) << page.body;
        std::vector<std::string> found;
        for (int i = 0; i < 2; ++i) found.push_back(page.at("data[" + std::to_string(i) + "].id"));
        std::ranges::sort(found);
        return found;
    };
    std::vector<std::string> both{settled, pending};
    std::ranges::sort(both);
    EXPECT_EQ(ids("kind=offline&payer_wallet=" + world.ann_wallet + "&payee_wallet=" + world.merchant_wallet,
                  world.operator_key),
              both);
    EXPECT_EQ(ids("kind=offline&state=pending&group=" + world.group + "&payee_wallet=" + world.merchant_wallet,
                  world.ann_key),
              (std::vector<std::string>{"", pending}));
    EXPECT_EQ(world.call("POST", "/v1/payments", R"({"kind":"offline"})").code(), "invalid");
}

TEST_F(Purses, WhatAMuleBringsAndWhatADeviceSawOfTheIssuer) {
    EXPECT_EQ(world.get("/v1/purses/root").at("deposit_key").size(), 64U);
    const Answer brought = world.must("POST", "/v1/purses/carried", R"({"items":["AAAA","CAgI"]})");
    EXPECT_EQ(brought.at("data[0].reason"), "unreadable");
    EXPECT_EQ(brought.at("data[1].reason"), "unreadable");
    const std::string head = world.get("/v1/purses/blacklist").at("head");
    EXPECT_EQ(world.must("POST", "/v1/purses/alarms", R"({"heads":")" + head + "\"}").at("contradiction"), "false");
    EXPECT_EQ(world.get("/v1/purses/alarms").body, R"({"object":"list","data":[],"has_more":false})");
    EXPECT_EQ(world.call("POST", "/v1/purses/alarms", R"({"heads":"AAAA"})").code(), "malformed");
}

TEST_F(Purses, ALoadRepeatedMovesMoneyOnceAndAnswersTheSameForEver) {
    Purse ann = enrol(world.ann_wallet);
    const std::string path = "/v1/purses/" + ann.ordinal + "/loads";
    const Headers key = {{"Idempotency-Key", "load 1"}};
    const Answer first = world.must("POST", path, R"({"amount":"100","asset":"CNY"})", key);
    const std::string after = total(world.ann_wallet);
    world.restart();
    const Answer again = world.must("POST", path, R"({"amount":"100","asset":"CNY"})", key);
    EXPECT_EQ(again.body, first.body);
    EXPECT_EQ(again.header("Idempotent-Replayed"), "true");
    EXPECT_EQ(total(world.ann_wallet), after);
    const Answer other = world.call("POST", path, R"({"amount":"101","asset":"CNY"})", key);
    EXPECT_EQ(other.status, 422);
    EXPECT_EQ(other.code(), "idempotency_error");
}

TEST_F(Purses, WhoMayWhat) {
    const auto bob_key =
        world.must("POST", "/v1/api_keys", R"({"name":"Bob's","scopes":["*"],"person":")" + world.bob + "\"}")
            .at("key");
    const auto signer = new_key();
    const auto enrol_as = [&](const std::string& key, const std::string& wallet, const std::string& more = {}) {
        return world.call("POST", "/v1/purses", body_of(wallet, *signer, more), World::as(key));
    };
    EXPECT_EQ(enrol_as(bob_key, world.ann_wallet).code(), "not_group_admin");
    EXPECT_EQ(enrol_as(world.stranger_key, world.ann_wallet).code(), "wallet_not_found");
    EXPECT_EQ(enrol_as(world.ann_key, world.merchant_wallet).code(), "wallet_not_found");
    EXPECT_EQ(enrol_as(world.ann_key, world.ann_wallet, R"(,"class":2)").code(), "operators_only");
    // The merchant's machine is not the family's device.
    EXPECT_EQ(enrol_as(world.ann_key, world.ann_wallet, R"(,"device":")" + world.machine + '"').code(),
              "device_not_found");
    const Answer made = enrol_as(world.ann_key, world.ann_wallet);
    ASSERT_EQ(made.status, 201) << made.body;
    EXPECT_EQ(enrol_as(world.ann_key, world.ann_wallet).at("ordinal"), made.at("ordinal"));
    EXPECT_EQ(enrol_as(world.ann_key, world.bob_wallet).code(), "purse_exists");

    struct Row {
        const char* method;
        std::string path;
        std::string body;
        int ann, bob, stranger;
    };
    const std::string one = "/v1/purses/" + made.at("ordinal");
    const Row rows[] = {
        {"GET", one, "", 200, 200, 404},
        {"GET", "/v1/purses?wallet=" + world.ann_wallet, "", 200, 200, 404},
        {"POST", one + "/loads", R"({"amount":"1","asset":"CNY"})", 201, 403, 404},
        {"POST", one + "/sync", "{}", 200, 200, 404},
        {"POST", "/v1/purses/deposits", R"({"purse":)" + made.at("ordinal") + R"(,"items":["AAAA"]})", 200, 200, 404},
        {"POST", "/v1/purses/deposits", R"({"items":["AAAA"]})", 200, 200, 200},
        {"GET", "/v1/purses/blacklist", "", 200, 200, 200},
        {"GET", "/v1/purses/" + world.culprit + "/proof", "", 200, 200, 200},
        {"GET", one + "/proof", "", 404, 404, 404},
        {"GET", "/v1/purses/quarantine", "", 403, 403, 403},
        {"POST", "/v1/purses/root", R"({"root":"AAAA"})", 403, 403, 403},
        {"POST", one + "/lost", "", 200, 403, 404},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(std::string(row.method) + ' ' + row.path);
        EXPECT_EQ(world.call(row.method, row.path, row.body, World::as(world.stranger_key)).status, row.stranger);
        EXPECT_EQ(world.call(row.method, row.path, row.body, World::as(bob_key)).status, row.bob);
        EXPECT_EQ(world.call(row.method, row.path, row.body, World::as(world.ann_key)).status, row.ann);
    }
    EXPECT_EQ(world.get(one).at("state"), "lost");
    EXPECT_EQ(world.call("GET", "/v1/purses", {}, World::as(world.stranger_key)).body,
              R"({"object":"list","data":[],"has_more":false})");
}

TEST_F(Purses, PagesFollowOrdinals) {
    for (int i = 0; i < 3; ++i) enrol(world.bob_wallet);
    std::vector<std::string> seen;
    for (std::string after;;) {
        const Answer page = world.get("/v1/purses?limit=2" + (after.empty() ? "" : "&starting_after=" + after));
        for (int i = 0; i < 2; ++i) {
            const std::string ordinal = page.at("data[" + std::to_string(i) + "].ordinal");
            if (!ordinal.empty()) seen.push_back(after = ordinal);
        }
        if (page.at("has_more") != "true") break;
    }
    EXPECT_EQ(seen, (std::vector<std::string>{"5", "4", "3", "2", "1"}));
}

TEST_F(Purses, WhatTheFrozenOneDidIsProvenAndListed) {
    const Answer purse = world.get("/v1/purses/" + world.culprit);
    EXPECT_EQ(purse.at("state"), "frozen");
    EXPECT_EQ(purse.at("proven"), "true");
    const Answer root = world.get("/v1/purses/root");
    EXPECT_EQ(root.at("version"), "0");
    const Answer proof = world.get("/v1/purses/" + world.culprit + "/proof");
    EXPECT_EQ(proof.at("issuers[0].kid"), root.at("issuers[0].kid"));
    EXPECT_EQ(world.get("/v1/purses/blacklist?from=0").at("version"), world.get("/v1/purses/blacklist").at("version"));
    EXPECT_EQ(world.get("/v1/purses/quarantine").at("data[0].reason"), "malformed");
}

}  // namespace
}  // namespace jiaozi::http::test
