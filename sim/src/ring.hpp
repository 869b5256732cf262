// The last few of something.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include <jiaozi/sim/random.hpp>

namespace jiaozi::sim {

template <class T>
class Ring {
  public:
    explicit Ring(std::size_t capacity) : capacity_(capacity) {}
    void add(T item) {
        if (items_.size() < capacity_) {
            items_.push_back(std::move(item));
        } else {
            items_[next_] = std::move(item);
            next_ = (next_ + 1) % capacity_;
        }
    }
    bool empty() const noexcept { return items_.empty(); }
    const T& any(Random& random) const { return items_[static_cast<std::size_t>(random.below(items_.size()))]; }

  private:
    std::size_t capacity_;
    std::size_t next_ = 0;
    std::vector<T> items_;
};

}  // namespace jiaozi::sim
