// JZ_ASSERT: for bugs only, never for input. It stays on in release builds and aborts, because a ledger that goes on
// after a broken invariant does more harm than one that stops.
#pragma once

namespace jiaozi {

// Prints the failed condition and its place to stderr, then aborts. Async-signal-safe in what it calls before abort.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace jiaozi

#define JZ_ASSERT(condition) \
    (static_cast<bool>(condition) ? static_cast<void>(0) : ::jiaozi::assertion_failed(#condition, __FILE__, __LINE__))
