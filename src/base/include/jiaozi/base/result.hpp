// Result<T>: a value or an Error that cannot be dropped by accident. libstdc++ 12's std::expected is not nodiscard, so
// this wraps it. The only way to drop one is ignore_error(result, "why").
#pragma once

#include <expected>
#include <string_view>
#include <type_traits>
#include <utility>

#include <jiaozi/base/assert.hpp>
#include <jiaozi/base/error.hpp>

namespace jiaozi {

template <class T = void>
class [[nodiscard]] Result {
  public:
    using value_type = T;

    Result()
        requires std::is_void_v<T>
    = default;
    // NOLINTNEXTLINE(google-explicit-constructor): `return value;` and `return Error(...);` are the point.
    Result(Error error) : state_(std::unexpect, std::move(error)) {}
    template <class U = T>
        requires(!std::is_void_v<T> && std::is_constructible_v<std::expected<T, Error>, U &&> &&
                 !std::is_same_v<std::remove_cvref_t<U>, Result> && !std::is_same_v<std::remove_cvref_t<U>, Error>)
    Result(U&& value) : state_(std::forward<U>(value)) {}  // NOLINT(google-explicit-constructor)

    bool ok() const noexcept { return state_.has_value(); }
    explicit operator bool() const noexcept { return ok(); }

    // Access without a value is a bug, not a branch: it aborts.
    decltype(auto) value() & {
        JZ_ASSERT(ok());
        return *state_;
    }
    decltype(auto) value() const& {
        JZ_ASSERT(ok());
        return *state_;
    }
    decltype(auto) value() && {
        JZ_ASSERT(ok());
        return *std::move(state_);
    }
    decltype(auto) operator*() & { return value(); }
    decltype(auto) operator*() const& { return value(); }
    decltype(auto) operator*() && { return std::move(*this).value(); }
    auto* operator->()
        requires(!std::is_void_v<T>)
    {
        JZ_ASSERT(ok());
        return &*state_;
    }
    const auto* operator->() const
        requires(!std::is_void_v<T>)
    {
        JZ_ASSERT(ok());
        return &*state_;
    }

    const Error& error() const& {
        JZ_ASSERT(!ok());
        return state_.error();
    }
    Error&& error() && {
        JZ_ASSERT(!ok());
        return std::move(state_).error();
    }

  private:
    std::expected<T, Error> state_;
};

// Drops a failure on purpose; `why` is read by reviewers.
template <class T>
void ignore_error(const Result<T>& result, std::string_view why) {
    static_cast<void>(result);
    static_cast<void>(why);
}

}  // namespace jiaozi

// Propagation: returns the error to the caller, or goes on.
//   JZ_TRY(auto bytes, read(file));     declares or assigns the value
//   JZ_CHECK(write(file, bytes));       for Result<void>, or where the value is not needed
#define JZ_CONCAT_INNER(a, b) a##b
#define JZ_CONCAT(a, b) JZ_CONCAT_INNER(a, b)
#define JZ_TRY_IMPL(temporary, target, ...)                   \
    auto temporary = (__VA_ARGS__);                           \
    if (!temporary.ok()) return std::move(temporary).error(); \
    target = std::move(temporary).value()
#define JZ_TRY(target, ...) JZ_TRY_IMPL(JZ_CONCAT(jz_result_, __LINE__), target, __VA_ARGS__)
#define JZ_CHECK(...)                                                                                \
    do {                                                                                             \
        if (auto jz_checked = (__VA_ARGS__); !jz_checked.ok()) return std::move(jz_checked).error(); \
    } while (false)
