// People who buy over HTTP: at machines, by the machine's QR, by a payment code that the machine scans; who ask again
// with the same key until they are answered, and who sometimes want their money back. Each is a thread.
#pragma once

#include <atomic>
#include <thread>
#include <vector>

#include "diary.hpp"
#include "fleet.hpp"
#include "world.hpp"

namespace jiaozi::chaos {

class Customers {
  public:
    Customers(Diary& diary, const Plan& plan, const World& world, Fleet& fleet, std::string url, std::string key);
    ~Customers() { join(); }
    void start();
    void join();

  private:
    class Customer;

    Diary& diary_;
    const Plan& plan_;
    const World& world_;
    Fleet& fleet_;
    std::string url_;
    std::string key_;
    SteadyClock::time_point began_;
    std::atomic<std::uint32_t> next_{0};
    std::vector<std::thread> threads_;
};

}  // namespace jiaozi::chaos
