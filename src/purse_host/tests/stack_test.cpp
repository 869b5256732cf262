// How much stack the purse needs: each call runs on a painted stack, and what was overwritten is counted. The
// surroundings (FastCryptography, storage in memory) are part of the figure; a device's own come on top of it.
#include <algorithm>
#include <functional>

#include <pthread.h>

#include "world.hpp"

namespace jiaozi::purse_host {
namespace {

constexpr std::size_t stack_bytes = std::size_t{256} * 1024;
constexpr std::uint8_t paint = 0xA5;

// Bytes of the stack that `work` has touched.
std::size_t stack_of(const std::function<void()>& work) {
    static std::array<std::uint8_t, stack_bytes> stack alignas(4096);
    stack.fill(paint);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, stack.data(), stack.size());
    pthread_t thread{};
    const auto run = [](void* argument) -> void* {
        (*static_cast<const std::function<void()>*>(argument))();
        return nullptr;
    };
    EXPECT_EQ(pthread_create(&thread, &attributes, run, const_cast<std::function<void()>*>(&work)), 0);
    pthread_join(thread, nullptr);
    pthread_attr_destroy(&attributes);
    const auto first = std::ranges::find_if(stack, [](std::uint8_t byte) { return byte != paint; });
    return static_cast<std::size_t>(stack.end() - first);
}

TEST(Stack, WhatEachCallNeeds) {
#if defined(__SANITIZE_ADDRESS__)
    GTEST_SKIP() << "SKIPPED: a sanitizer's frames are not the library's";
#endif
    FastCryptography cryptography(1);
    FastSigner ann_key(1);
    FastSigner bob_key(2);
    FastSigner issuer_key(3);
    const Issuer issuer(cryptography, issuer_key);
    const TestClock clock(timestamp_s(today_s));
    MemoryStorage ann_storage;
    MemoryStorage bob_storage;
    MemoryAnchor ann_anchor;
    MemoryAnchor bob_anchor;
    HostPurse ann(cryptography, ann_key, ann_storage, ann_anchor, clock);
    HostPurse bob(cryptography, bob_key, bob_storage, bob_anchor, clock);
    const auto begin = [&](HostPurse& purse, std::uint32_t number, const FastSigner& key) {
        ASSERT_EQ(purse.create(number, 0), JZ_OK);
        const jz_issuer_key trusted = issuer.key();
        ASSERT_EQ(jz_purse_trust(purse.get(), &trusted, 1), JZ_OK);
        World world;
        purse::Certificate lot = world.device().certificate({});
        lot.serial = number;
        lot.purse = number;
        lot.key = public_key_of(key.public_key());
        ASSERT_EQ(jz_purse_load(purse.get(), c_view(issuer.certificate(lot))), JZ_OK);
        const auto list = issuer.blacklist(1, today_s, 1'000, std::vector<std::uint32_t>{999});
        ASSERT_EQ(jz_purse_install_list(purse.get(), c_view(list.head), c_view(list.body)), JZ_OK);
    };
    begin(ann, 1, ann_key);
    begin(bob, 2, bob_key);

    const std::size_t thread_alone = stack_of([] {});
    HostPurse::Written request;
    HostPurse::Written pay;
    HostPurse::Written receipt;
    std::uint8_t nonce[16];
    const struct {
        const char* name;
        std::function<void()> work;
    } calls[] = {
        {"request", [&] { request = bob.request(500, true, nonce); }},
        {"pay", [&] { pay = ann.pay(request.bytes, false); }},
        {"receive PAY", [&] { receipt = bob.receive(pay.bytes); }},
        {"receive RECEIPT", [&] { receipt = ann.receive(receipt.bytes); }},
        {"request by the payer", [&] { request = ann.request(200, true, nonce); }},
        {"pay from a received note", [&] { pay = bob.pay(request.bytes, false); }},
        {"receive a note's provenance", [&] { receipt = ann.receive(pay.bytes); }},
        {"resume", [&] { pay = bob.resume(); }},
        {"open", [&] { ASSERT_EQ(bob.open(), JZ_OK); }},
        {"deposit", [&] { pay = ann.deposit(0); }},
    };
    std::size_t most = 0;
    for (const auto& call : calls) {
        const std::size_t used = stack_of(call.work) - thread_alone;
        std::cout << call.name << ": " << used << " bytes of stack\n";
        most = std::max(most, used);
    }
    EXPECT_EQ(receipt.status, JZ_OK);
    std::cout << "the most: " << most << " bytes\n";
    EXPECT_LE(most, 8U * 1024) << "src/purse/README.md states the figure";
}

}  // namespace
}  // namespace jiaozi::purse_host
