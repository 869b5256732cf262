// Which payments' commands are due to be sent again. All wait equally long, so a ring of buckets and one timer serve
// any number of them; a payment is due between three and four quarters of the interval after it was added.
#pragma once

#include <array>
#include <cstddef>
#include <utility>
#include <vector>

#include <jiaozi/model/ids.hpp>

namespace jiaozi::payments {

class ResendWheel {
  public:
    static constexpr std::size_t quarters = 4;

    void add(PaymentId payment) {
        buckets_[current_].push_back(payment);
        ++size_;
    }
    // A quarter of the interval has passed: those that are due now, taken out.
    std::vector<PaymentId> turn() {
        current_ = (current_ + 1) % quarters;
        std::vector<PaymentId> due = std::exchange(buckets_[current_], {});
        size_ -= due.size();
        return due;
    }
    bool empty() const noexcept { return size_ == 0; }

  private:
    std::array<std::vector<PaymentId>, quarters> buckets_;
    std::size_t current_ = 0;
    std::size_t size_ = 0;
};

}  // namespace jiaozi::payments
