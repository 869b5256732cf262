// Hostile backup.json. What parses says the same when it is written and parsed again, and names no file outside.
#include <cstdint>
#include <cstdlib>
#include <string>

#include <jiaozi/base/bytes.hpp>

#include "backup/manifest.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace jiaozi;
    const auto manifest = backup::parse_manifest(as_text(ByteView(data, size)));
    if (!manifest.ok()) return 0;
    for (const auto& file : manifest->files) {
        const bool climbs = ("/" + file.path + "/").find("/../") != std::string::npos;
        if (file.path.starts_with('/') || climbs) std::abort();
    }
    const std::string text = backup::format_manifest(*manifest);
    const auto again = backup::parse_manifest(text);
    if (!again.ok() || backup::format_manifest(*again) != text) std::abort();
    return 0;
}
