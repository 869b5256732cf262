// What people may type as a name. Names are shown on screens, in logs and in QR codes, so that anything a reader cannot
// see, or that changes how its neighbours are shown, is refused.
#pragma once

#include <cstddef>
#include <string_view>

#include <jiaozi/base/result.hpp>

namespace jiaozi::api {

inline constexpr std::size_t name_bytes_max = 200;

// 1 to `max_bytes` bytes of UTF-8; no control characters (C0, DEL, C1), line or paragraph separators or bidirectional
// overrides; no space at either end. Error invalid with `param`.
Result<> check_name(std::string_view text, std::string_view param, std::size_t max_bytes = name_bytes_max);

}  // namespace jiaozi::api
