// What really happened, written down by those to whom it happened and never by the program under test: who asked for
// what and what they were told, what fell out of which machine, which fault was ordered. The auditor reads it when
// everybody has stopped.
//
// Threading: each list is written by one thread, or under the lock by its function here; read after all have ended.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <jiaozi/device/client.hpp>
#include <jiaozi/model/enums.hpp>
#include <jiaozi/model/ids.hpp>

#include "api.hpp"

namespace jiaozi::chaos {

using SteadyClock = std::chrono::steady_clock;

// One POST /v1/payments and its first answer.
struct Purchase {
    std::string key;
    json::object body;
    PaymentId qr;  // the id that stands in the QR, if it was one
    Answer first;
};
struct Giveback {
    std::string payment;
    std::string key;
    json::object body;
    Answer first;
};
// A payment that a device asked for.
struct DeviceRequest {
    PaymentKind kind = PaymentKind::device;
    DeviceId machine;
    std::uint32_t slot = 0;
    std::uint32_t quantity = 0;
    std::optional<protocol::PayAnswer> answer;
};
// What fell out of a machine for one payment: the drop sensor's count, which no power cut erases.
struct Fallen {
    DeviceId machine;
    std::uint32_t ordered = 0;
    std::uint32_t units = 0;
    std::uint32_t deliveries = 0;  // how often the motor was started
    SteadyClock::time_point when;
};
struct Acknowledged {
    protocol::ReportAck ack;
    SteadyClock::time_point when;
};

class Diary {
  public:
    // ---- customers
    void bought(Purchase purchase) {
        const std::lock_guard lock(mutex_);
        purchases.push_back(std::move(purchase));
    }
    void gave_back(Giveback giveback) {
        const std::lock_guard lock(mutex_);
        givebacks.push_back(std::move(giveback));
    }
    // ---- anybody
    // Something that must not happen. The run fails.
    void wrong(std::string what) {
        const std::lock_guard lock(mutex_);
        wrongs.push_back(std::move(what));
    }
    void fault(std::string_view kind) {
        const std::lock_guard lock(mutex_);
        ++faults[std::string(kind)];
    }

    std::atomic<std::uint32_t> asked{0};      // payments that somebody has begun to ask for
    std::atomic<std::uint32_t> waiting{0};    // customers who wait for an answer
    std::atomic<std::uint32_t> in_motors{0};  // deliveries that have begun and not ended

    std::vector<Purchase> purchases;
    std::vector<Giveback> givebacks;
    std::map<std::string, std::uint64_t> faults;
    std::vector<std::string> wrongs;

    // ---- the fleet's thread
    std::unordered_map<PaymentId, DeviceRequest> requests;
    std::unordered_map<PaymentId, Fallen> fallen;
    std::unordered_map<PaymentId, Acknowledged> acknowledged;
    device::Counters messages;  // of all devices, over all their lives

  private:
    std::mutex mutex_;
};

}  // namespace jiaozi::chaos
