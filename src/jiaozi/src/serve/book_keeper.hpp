// Keeps what the services have folded from the journal behind each snapshot of the engine (docs/formats/books.md), so
// that the next start reads what came after: the settlement book, and the ids of payments. A thread at low priority.
#pragma once

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <thread>

#include <jiaozi/base/result.hpp>
#include <jiaozi/engine/engine.hpp>
#include <jiaozi/registry/store.hpp>

namespace jiaozi::serve {

class BookKeeper {
  public:
    // Engine and store must outlive it. `directory` is the engine's.
    static Result<std::unique_ptr<BookKeeper>> start(engine::Engine& engine, registry::Store& store,
                                                     std::filesystem::path directory);
    // Gives up what it is at.
    ~BookKeeper();
    BookKeeper(const BookKeeper&) = delete;
    BookKeeper& operator=(const BookKeeper&) = delete;

  private:
    BookKeeper(engine::Engine& engine, std::filesystem::path directory)
        : engine_(engine), directory_(std::move(directory)) {}
    void run();
    bool keep_all();

    engine::Engine& engine_;
    const std::filesystem::path directory_;
    std::unique_ptr<registry::Session> session_;  // the thread's own, once it runs
    std::atomic<bool> stopping_{false};
    std::mutex mutex_;
    std::condition_variable stopped_;
    std::thread thread_;
};

}  // namespace jiaozi::serve
