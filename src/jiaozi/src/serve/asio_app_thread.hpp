// The application thread on Boost.Asio: the thread that runs the io_context also runs the sockets.
#pragma once

#include <memory>
#include <unordered_map>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <jiaozi/api/app_thread.hpp>

namespace jiaozi::serve {

class AsioAppThread final : public api::AppThread {
  public:
    explicit AsioAppThread(boost::asio::io_context& io) : io_(io) {}

    void post(Task task) override;
    TimerId call_after(Duration delay, Task task) override;
    void cancel(TimerId timer) override;

  private:
    boost::asio::io_context& io_;
    TimerId next_ = 1;
    std::unordered_map<TimerId, std::unique_ptr<boost::asio::steady_timer>> timers_;
};

}  // namespace jiaozi::serve
