// The application thread: the one thread that owns the services' state. Services are written without locks because all
// their methods run there; anything that finishes elsewhere (the engine's writer, a resolver) posts back to it.
#pragma once

#include <cstdint>
#include <functional>

#include <jiaozi/base/clock.hpp>
#include <jiaozi/base/result.hpp>

namespace jiaozi::api {

// A completion handler. Called exactly once, on the application thread.
template <class T>
using Done = std::move_only_function<void(Result<T>)>;

class AppThread {
  public:
    using Task = std::move_only_function<void()>;
    using TimerId = std::uint64_t;  // never 0

    virtual ~AppThread() = default;
    // From any thread. Tasks run in the order posted.
    virtual void post(Task task) = 0;
    // From the application thread only. Real time, not business time. cancel of a timer that ran is harmless.
    virtual TimerId call_after(Duration delay, Task task) = 0;
    virtual void cancel(TimerId timer) = 0;
};

}  // namespace jiaozi::api
