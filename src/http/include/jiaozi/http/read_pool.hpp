// Reads of the registry off the application thread, so that a slow query delays no payment. Each thread has its own
// session. Work runs there; its completion runs on the application thread.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <jiaozi/api/app_thread.hpp>
#include <jiaozi/registry/store.hpp>

namespace jiaozi::http {

class ReadPool {
  public:
    using Task = std::move_only_function<void(registry::Session&)>;

    // The store and the application thread must outlive the pool.
    static Result<std::unique_ptr<ReadPool>> start(registry::Store& store, api::AppThread& app, std::size_t threads = 1,
                                                   std::size_t max_waiting = 1000);
    // Finishes what runs; what still waits is dropped, and its completions with it.
    ~ReadPool();
    ReadPool(const ReadPool&) = delete;
    ReadPool& operator=(const ReadPool&) = delete;

    // `work` on a reader thread, then `done` with its result on the application thread. Error unavailable, at once and
    // on the calling thread, when too many wait already. From the application thread.
    template <class T>
    void run(std::move_only_function<Result<T>(registry::Session&)> work, api::Done<T> done) {
        if (full()) {
            done(Error(ErrorKind::unavailable, "too many reads are waiting; ask again"));
            return;
        }
        push([this, work = std::move(work), done = std::move(done)](registry::Session& session) mutable {
            app_->post([result = work(session), done = std::move(done)]() mutable { done(std::move(result)); });
        });
    }

  private:
    ReadPool(api::AppThread& app, std::size_t max_waiting) : app_(&app), max_waiting_(max_waiting) {}
    bool full();
    void push(Task task);
    void loop(registry::Session& session);

    api::AppThread* app_;
    std::size_t max_waiting_;
    std::vector<std::unique_ptr<registry::Session>> sessions_;
    std::vector<std::thread> threads_;
    std::mutex mutex_;
    std::condition_variable wake_;  // with mutex_
    std::deque<Task> waiting_;      // guarded by mutex_
    bool stop_ = false;             // guarded by mutex_
};

}  // namespace jiaozi::http
