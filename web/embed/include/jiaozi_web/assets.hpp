// The page's files, put into the program at build time by web/embed/embed.py. Static storage, read-only, any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace jiaozi::web {

struct Asset {
    std::string_view path;  // "/index.html", "/assets/index-4f2a.js"
    std::string_view content_type;
    std::string_view etag;  // quoted, as HTTP writes it
    std::span<const std::uint8_t> plain;
    std::span<const std::uint8_t> gzip;  // empty where compression would not help
    bool immutable = false;              // the name carries a hash of the content: may be cached for ever
    bool wasm_worker = false;            // a worker that compiles WebAssembly
};

// Sorted by path. Empty when the program was built without the page.
std::span<const Asset> assets() noexcept;

}  // namespace jiaozi::web
