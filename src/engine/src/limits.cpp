#include "limits.hpp"

#include <string>
#include <string_view>

namespace jiaozi::engine {

Result<> check_limits(const Command& command) {
    if (command.accounts.size() > max_events || command.flag_changes.size() > max_events ||
        command.transfers.size() > max_events) {
        return Error(ErrorKind::too_large,
                     "a command holds at most " + std::to_string(max_events) + " events of a kind; split it");
    }
    if (command.annotation.size() > max_annotation_bytes) {
        return Error(ErrorKind::too_large,
                     "an annotation holds at most " + std::to_string(max_annotation_bytes) + " bytes")
            .with_param("annotation");
    }
    return {};
}

Result<> check_options(const Options& options) {
    const auto refuse = [](std::string_view option, std::string_view range) {
        return Error(ErrorKind::invalid, "must be " + std::string(range)).with_param(option);
    };
    if (options.max_queue == 0) return refuse("max_queue", "at least 1");
    if (options.max_entry_bytes < 4096 || options.max_entry_bytes > (std::size_t{16} << 20)) {
        return refuse("max_entry_bytes", "from 4 KiB to 16 MiB");
    }
    if (options.segment_bytes < (std::uint64_t{64} << 10) || options.segment_bytes > (std::uint64_t{1} << 40)) {
        return refuse("segment_bytes", "from 64 KiB to 1 TiB");
    }
    if (options.history_tail_rows == 0 || options.history_tail_rows > (std::size_t{1} << 22))
        return refuse("history_tail_rows", "from 1 to 4194304");
    if (options.tick.ns <= 0 || options.tick > milliseconds(50)) return refuse("tick", "above 0 and at most 50 ms");
    return {};
}

}  // namespace jiaozi::engine
