#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <jiaozi/base/short_turns.hpp>

namespace jiaozi {

namespace {

constexpr std::uint64_t short_turn_ns = 100'000;  // the shortest there is

// struct sched_attr, which the C library of Debian 12 does not have.
struct Attributes {
    std::uint32_t size = 0;
    std::uint32_t policy = 0;
    std::uint64_t flags = 0;
    std::int32_t nice = 0;
    std::uint32_t priority = 0;
    std::uint64_t runtime_ns = 0;
    std::uint64_t deadline_ns = 0;
    std::uint64_t period_ns = 0;
};
static_assert(sizeof(Attributes) == 48);

bool get(Attributes& attributes) noexcept {
    return ::syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0U) == 0;
}

bool set(Attributes attributes, std::uint64_t runtime_ns) noexcept {
    attributes.size = sizeof attributes;
    attributes.runtime_ns = runtime_ns;
    return ::syscall(SYS_sched_setattr, 0, &attributes, 0U) == 0;
}

}  // namespace

ShortTurns::ShortTurns() noexcept {
    Attributes attributes;
    // Zero: a system that does not tell. A thread under another policy was given it on purpose.
    if (!get(attributes) || attributes.policy != SCHED_OTHER || attributes.runtime_ns <= short_turn_ns) return;
    if (set(attributes, short_turn_ns)) usual_ns_ = attributes.runtime_ns;
}

ShortTurns::~ShortTurns() {
    Attributes attributes;
    if (usual_ns_ != 0 && get(attributes)) static_cast<void>(set(attributes, usual_ns_));
}

}  // namespace jiaozi
