// What a message costs at either end: encode and seal, open and decode.
#include <benchmark/benchmark.h>

#include <jiaozi/protocol/protocol.hpp>

#include "../tests/samples.hpp"

namespace {

using namespace jiaozi;
using namespace jiaozi::protocol;

const crypto::HmacKey mac_key(samples::counting(1));

Body body_of(MessageType type) {
    for (const Body& body : samples::bodies()) {
        if (type_of(body) == type) return body;
    }
    return Heartbeat{};
}

void seal_mac(benchmark::State& state) {
    const Message message = samples::message(body_of(static_cast<MessageType>(state.range(0))), 1000);
    for (auto _ : state) benchmark::DoNotOptimize(seal(message, mac_key));
    state.SetLabel(std::string(name_of(type_of(message.body))));
}

void open_mac(benchmark::State& state) {
    const Message message = samples::message(body_of(static_cast<MessageType>(state.range(0))), 1000);
    const Direction direction = direction_of(type_of(message.body));
    const Bytes bytes = seal(message, mac_key).value();
    for (auto _ : state) {
        const auto envelope = peek(bytes, direction);
        if (!verify(*envelope, mac_key).ok()) state.SkipWithError("does not verify");
        benchmark::DoNotOptimize(open(*envelope));
    }
    state.SetLabel(std::string(name_of(type_of(message.body))));
}

void sign(benchmark::State& state) {
    const auto pair = crypto::generate_key(static_cast<crypto::Suite>(state.range(0)));
    const auto signer = crypto::make_signer(pair).value();
    const Message message = samples::message(Heartbeat{});
    for (auto _ : state) benchmark::DoNotOptimize(seal(message, *signer, samples::session));
    state.SetLabel(std::string(crypto::name_of(pair.suite)));
}

void verify_signed(benchmark::State& state) {
    const auto pair = crypto::generate_key(static_cast<crypto::Suite>(state.range(0)));
    const Bytes bytes =
        seal(samples::message(Heartbeat{}), *crypto::make_signer(pair).value(), samples::session).value();
    const auto key = crypto::make_verifier(pair.suite, pair.public_key).value();
    for (auto _ : state) {
        const auto envelope = peek(bytes, Direction::up);
        if (!verify(*envelope, key).ok()) state.SkipWithError("does not verify");
        benchmark::DoNotOptimize(open(*envelope));
    }
    state.SetLabel(std::string(crypto::name_of(pair.suite)));
}

BENCHMARK(seal_mac)->Arg(3)->Arg(5)->Arg(7)->Arg(105)->Arg(120);
BENCHMARK(open_mac)->Arg(3)->Arg(5)->Arg(7)->Arg(105)->Arg(120);
BENCHMARK(sign)->Arg(1)->Arg(2)->Arg(3);
BENCHMARK(verify_signed)->Arg(1)->Arg(2)->Arg(3);

}  // namespace

BENCHMARK_MAIN();
