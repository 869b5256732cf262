// What the hot paths of a payment cost. Figures in docs/crypto.md come from the release preset with -DJIAOZI_BENCH=ON.
#include <vector>

#include <benchmark/benchmark.h>
#include <sodium.h>

#include <jiaozi/crypto/cose.hpp>

namespace jiaozi::crypto {
namespace {

void bm_hmac_200_bytes(benchmark::State& state) {
    const HmacKey key(Bytes(32, 1));
    const Bytes message(200, 2);
    for (auto _ : state) benchmark::DoNotOptimize(key.mac(message));
}
BENCHMARK(bm_hmac_200_bytes);

void bm_sha256_1k(benchmark::State& state) {
    const Bytes message(1024, 2);
    for (auto _ : state) benchmark::DoNotOptimize(sha256(message));
}
BENCHMARK(bm_sha256_1k);

void bm_cose_mac0_write(benchmark::State& state) {
    const HmacKey key(Bytes(32, 1));
    const Bytes payload(160, 2);
    const Bytes kid(16, 3);
    for (auto _ : state) benchmark::DoNotOptimize(cose_mac0(key, payload, kid, kid));
}
BENCHMARK(bm_cose_mac0_write);

void bm_cose_mac0_read(benchmark::State& state) {
    const HmacKey key(Bytes(32, 1));
    const Bytes kid(16, 3);
    const Bytes message = cose_mac0(key, Bytes(160, 2), kid, kid);
    for (auto _ : state) {
        const auto decoded = decode_cose(message, CoseKind::mac0);
        const bool good = verify_cose(*decoded, key, kid).ok();
        benchmark::DoNotOptimize(good);
    }
}
BENCHMARK(bm_cose_mac0_read);

void bm_sign(benchmark::State& state) {
    const auto signer = make_signer(generate_key(static_cast<Suite>(state.range(0)))).value();
    const Bytes message(200, 2);
    for (auto _ : state) benchmark::DoNotOptimize(signer->sign(message));
    state.SetLabel(std::string(name_of(signer->suite())));
}
BENCHMARK(bm_sign)->DenseRange(1, 3);

void bm_verify(benchmark::State& state) {
    const auto signer = make_signer(generate_key(static_cast<Suite>(state.range(0)))).value();
    const Verifier verifier = make_verifier(signer->suite(), signer->public_key()).value();
    const Bytes message(200, 2);
    const Signature signature = signer->sign(message).value();
    for (auto _ : state) benchmark::DoNotOptimize(verifier.verify(message, signature));
    state.SetLabel(std::string(name_of(signer->suite())));
}
BENCHMARK(bm_verify)->DenseRange(1, 3);

// Ed25519, every signature with a key of its own; the time is that of one.
void bm_verify_together(benchmark::State& state) {
    const auto count = static_cast<std::size_t>(state.range(0));
    const Bytes message(250, 2);
    std::vector<Verifier> verifiers;
    std::vector<Signature> signatures;
    std::vector<SignatureCheck> checks;
    verifiers.reserve(count);
    signatures.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        const auto signer = make_signer(generate_key(Suite::ed25519)).value();
        verifiers.push_back(make_verifier(Suite::ed25519, signer->public_key()).value());
        signatures.push_back(signer->sign(message).value());
        checks.push_back({&verifiers.back(), message, signatures.back()});
    }
    while (state.KeepRunningBatch(state.range(0))) verify_all(checks);
}
BENCHMARK(bm_verify_together)->Arg(1)->Arg(128)->Arg(512)->Arg(1024);

void bm_verify_libsodium(benchmark::State& state) {
    const auto signer = make_signer(generate_key(Suite::ed25519)).value();
    const Bytes message(250, 2);
    const Signature signature = signer->sign(message).value();
    for (auto _ : state) {
        benchmark::DoNotOptimize(
            crypto_sign_verify_detached(signature.data(), message.data(), message.size(), signer->public_key().data()));
    }
}
BENCHMARK(bm_verify_libsodium);

}  // namespace
}  // namespace jiaozi::crypto

BENCHMARK_MAIN();
