#include <jiaozi/http/read_pool.hpp>

namespace jiaozi::http {

Result<std::unique_ptr<ReadPool>> ReadPool::start(registry::Store& store, api::AppThread& app, std::size_t threads,
                                                  std::size_t max_waiting) {
    std::unique_ptr<ReadPool> pool(new ReadPool(app, max_waiting));
    for (std::size_t i = 0; i < threads; ++i) {
        JZ_TRY(auto session, store.session());
        pool->sessions_.push_back(std::move(session));
    }
    for (const auto& session : pool->sessions_) {
        pool->threads_.emplace_back([raw = pool.get(), &session = *session] { raw->loop(session); });
    }
    return Result<std::unique_ptr<ReadPool>>(std::move(pool));
}

ReadPool::~ReadPool() {
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
}

bool ReadPool::full() {
    const std::lock_guard lock(mutex_);
    return waiting_.size() >= max_waiting_;
}

void ReadPool::push(Task task) {
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(std::move(task));
    }
    wake_.notify_one();
}

void ReadPool::loop(registry::Session& session) {
    std::unique_lock lock(mutex_);
    while (true) {
        wake_.wait(lock, [this] { return stop_ || !waiting_.empty(); });
        if (stop_) return;
        Task task = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        task(session);
        task = nullptr;
        lock.lock();
    }
}

}  // namespace jiaozi::http
