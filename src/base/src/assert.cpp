#include <cstdio>
#include <cstdlib>

#include <jiaozi/base/assert.hpp>

namespace jiaozi {

void assertion_failed(const char* condition, const char* file, int line) noexcept {
    static_cast<void>(std::fprintf(stderr, "jiaozi: bug: %s at %s:%d\n", condition, file, line));
    std::abort();
}

}  // namespace jiaozi
