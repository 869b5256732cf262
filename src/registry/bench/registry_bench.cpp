// The projection's hot path: how many rows a second the registry writes in batched transactions. One step is what the
// projection does for a batch of the journal: upsert payments, append one event each, move the sequence, commit.
// On a new SQLite file, and on a PostgreSQL of our own, both in the temporary folder.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <unistd.h>

#include <jiaozi/registry/registry.hpp>

#include "postgres_server.hpp"

namespace {

using namespace jiaozi;
using namespace jiaozi::registry;

[[noreturn]] void give_up(const Error& error) {
    std::fprintf(stderr, "%s\n", error.to_string().c_str());
    std::exit(1);
}

void require(const Result<>& result) {
    if (!result.ok()) give_up(result.error());
}

// Ids as they come: ordered by time, spread below.
uint128 nth_id(std::uint64_t n) {
    return make_uint128(0x018BCFE568000000ULL + (n << 16), n * 0x9E3779B97F4A7C15ULL);
}

Payment nth_payment(std::uint64_t n, PaymentState state, std::uint64_t sequence) {
    Payment payment;
    payment.id = PaymentId(nth_id(n));
    payment.state = state;
    payment.amount = Amount(350, assets::CNY);
    payment.captured_minor = state == PaymentState::captured ? 350U : 0U;
    payment.payer_wallet = WalletId(nth_id(n % 1000 + 1));
    payment.payer_member = MemberId(nth_id(n % 1000 + 1));
    payment.payee_wallet = WalletId(nth_id(n % 50 + 2000));
    payment.device = DeviceId(nth_id(n % 10'000 + 3000));
    payment.product = ProductId(nth_id(n % 20 + 1));
    payment.slot = 3;
    payment.request_hash = Bytes(16, 0xAB);
    payment.sequence = sequence;
    payment.created = Timestamp{1'700'000'000'000'000'000ULL + n * 1'000'000};
    payment.updated = payment.created;
    payment.expires = payment.created + seconds(60);
    return payment;
}

Event event_of(const Payment& payment, std::uint64_t n) {
    Event event;
    event.id = EventId(nth_id(n));
    event.type = "payment." + std::string(name_of(payment.state));
    event.object_id = payment.id.to_string();
    // As long as the object's JSON is.
    event.data = R"({"id":")" + event.object_id + R"(","object":"payment","state":")" +
                 std::string(name_of(payment.state)) + R"(","amount":"350","asset":"CNY","payer_wallet":")" +
                 payment.payer_wallet.to_string() + R"(","payee_wallet":")" + payment.payee_wallet.to_string() +
                 R"(","device":")" + payment.device.to_string() + R"(","slot":3,"quantity":1})";
    event.created = payment.updated;
    return event;
}

// Every payment is written twice (authorized, then captured), with an event each time: four rows.
void projection(benchmark::State& state, const std::string& url) {
    const auto batch = static_cast<std::uint64_t>(state.range(0));
    auto store = Store::open({.url = url, .seal = {}, .open = {}});
    if (!store.ok()) give_up(store.error());
    auto session = (*store)->session(Durability::projection);
    if (!session.ok()) give_up(session.error());
    require(clear_projection(**session));
    static std::uint64_t next_event = 1;
    std::uint64_t first = 1;
    std::uint64_t sequence = 0;
    std::uint64_t rows = 0;
    const auto write = [&](PaymentState to) {
        std::vector<Payment> payments;
        std::vector<Event> events;
        for (std::uint64_t n = first; n < first + batch; ++n) {
            payments.push_back(nth_payment(n, to, ++sequence));
            events.push_back(event_of(payments.back(), next_event++));
        }
        require((*session)->in_transaction([&]() -> Result<> {
            JZ_CHECK(upsert_many(**session, payments));
            JZ_CHECK(append_many(**session, events));
            return set_projection_sequence(**session, "payments", sequence);
        }));
        rows += payments.size() + events.size();
    };
    for (auto step : state) {
        static_cast<void>(step);
        write(PaymentState::authorized);
        write(PaymentState::captured);
        first += batch;
    }
    state.counters["rows_per_s"] = benchmark::Counter(static_cast<double>(rows), benchmark::Counter::kIsRate);
}

void on_sqlite(benchmark::State& state) {
    const auto folder = std::filesystem::temp_directory_path() / ("registry_bench_" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
    projection(state, "sqlite:" + (folder / "registry.db").string());
    std::filesystem::remove_all(folder);
}
BENCHMARK(on_sqlite)->Arg(128)->Arg(1024)->Arg(4096)->MinTime(5)->UseRealTime()->Unit(benchmark::kMillisecond);

void on_postgresql(benchmark::State& state) {
    auto server = jiaozi::testing::PostgresServer::start({.durable = true, .settings = {}});
    if (!server.ok()) return state.SkipWithError(server.error().message().c_str());
    projection(state, (*server)->url());
}
BENCHMARK(on_postgresql)->Arg(1024)->MinTime(5)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
