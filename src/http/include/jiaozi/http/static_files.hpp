// Files that are part of the program: the web page. Views into static storage.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <jiaozi/http/message.hpp>

namespace jiaozi::http {

struct StaticFile {
    std::string_view path;  // "/index.html", "/assets/index-4f2a.js"
    std::string_view content_type;
    std::string_view etag;  // quoted, as HTTP writes it
    std::string_view plain;
    std::string_view gzip;     // empty: none
    bool immutable = false;    // the name carries a hash of the content: may be cached for ever
    bool wasm_worker = false;  // a worker's script that may compile WebAssembly; the page itself may not
};

class StaticFiles {
  public:
    explicit StaticFiles(std::vector<StaticFile> files);
    // "/" is /index.html; so is a path without a dot in its last part that is no file: the page has its own routes.
    const StaticFile* find(std::string_view path) const;
    // Negotiates gzip and If-None-Match; with the security headers and content security policy of pages.
    static Response respond(const StaticFile& file, const Request& request);

  private:
    std::vector<StaticFile> files_;  // sorted by path
};

}  // namespace jiaozi::http
