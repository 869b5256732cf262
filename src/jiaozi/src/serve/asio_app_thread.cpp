#include "asio_app_thread.hpp"

#include <chrono>

#include <boost/asio/post.hpp>

namespace jiaozi::serve {

void AsioAppThread::post(Task task) {
    boost::asio::post(io_, std::move(task));
}

api::AppThread::TimerId AsioAppThread::call_after(Duration delay, Task task) {
    const TimerId id = next_++;
    auto timer = std::make_unique<boost::asio::steady_timer>(io_, std::chrono::nanoseconds(delay.ns));
    timer->async_wait([this, id, run = std::move(task)](const boost::system::error_code& error) mutable {
        if (error) return;  // cancelled: the entry is gone already
        timers_.erase(id);
        run();
    });
    timers_.emplace(id, std::move(timer));
    return id;
}

void AsioAppThread::cancel(TimerId timer) {
    timers_.erase(timer);  // destroying a timer cancels its wait
}

}  // namespace jiaozi::serve
