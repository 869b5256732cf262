// How open_link makes each kind, and what they share.
#pragma once

#include <jiaozi/carriers/deadline.hpp>
#include <jiaozi/carriers/link.hpp>

namespace jiaozi::carriers {

Result<std::unique_ptr<Link>> connect_stream(const Place& place, Duration patience);
Result<std::unique_ptr<Link>> open_serial(const std::string& path);
Result<std::unique_ptr<Link>> open_folder(const std::string& folder, Side side);
Result<std::unique_ptr<Link>> open_codes(const std::string& folder, const Terminal& terminal);

// True when the descriptor can be read; false when the deadline passed first.
Result<bool> wait_readable(int descriptor, int milliseconds);

inline Error nothing_came() {
    return {ErrorKind::timeout, "the other side said nothing in time"};
}

}  // namespace jiaozi::carriers
