#include "errand_bridge.hpp"

#include <chrono>
#include <future>

#include <boost/asio/post.hpp>

namespace jiaozi::sim {
namespace {

constexpr auto patience = std::chrono::seconds(60);
constexpr auto look_up = std::chrono::milliseconds(100);

}  // namespace

Result<Bytes> ErrandBridge::carry(const Bytes& errand) {
    if (machine_.load() == nullptr) return Error(ErrorKind::unavailable, "the machine has not started");
    auto promise = std::make_shared<std::promise<Result<Bytes>>>();
    auto answer = promise->get_future();
    boost::asio::post(io_, [this, errand, promise] {
        machine_.load()->run_errand(errand, [promise](Result<Bytes> done) { promise->set_value(std::move(done)); });
    });
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!ended_.load() && std::chrono::steady_clock::now() < until) {
        if (answer.wait_for(look_up) == std::future_status::ready) return answer.get();
    }
    if (ended_.load()) return Error(ErrorKind::unavailable, "the machine is switched off");
    boost::asio::post(io_, [this] { machine_.load()->give_up_errand(); });
    return Error(ErrorKind::timeout, "the server did not answer over the machine's connection in time");
}

}  // namespace jiaozi::sim
