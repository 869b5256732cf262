// How long a thread keeps its processor while others wait for one. A thread that mostly waits for the disk, and that
// others wait for, takes short turns: when it wakes it goes before those that take the usual ones, instead of after
// the next tick of the system's clock (4 ms on many machines). Its share of the processors stays what it is. For a
// thread's life rather than one call: a turn that has begun ends as it was begun. Threads that it makes inherit it.
//
// Linux 6.12 and later; earlier schedulers do so by themselves, and elsewhere nothing happens.
// Source: sched_setattr(2), sched_runtime of SCHED_OTHER.
#pragma once

#include <cstdint>

namespace jiaozi {

// Of the calling thread, from here to its end.
class ShortTurns {
  public:
    ShortTurns() noexcept;
    ~ShortTurns();
    ShortTurns(const ShortTurns&) = delete;
    ShortTurns& operator=(const ShortTurns&) = delete;

  private:
    std::uint64_t usual_ns_ = 0;  // zero: nothing was changed
};

}  // namespace jiaozi
