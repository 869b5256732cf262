#include <algorithm>

#include <jiaozi/http/static_files.hpp>

namespace jiaozi::http {
namespace {

// Isolated from other origins: the purse in the page waits for its key in shared memory (web/src/features/offline).
#define JZ_ISOLATION                                 \
    "X-Content-Type-Options: nosniff\r\n"            \
    "X-Frame-Options: DENY\r\n"                      \
    "Referrer-Policy: no-referrer\r\n"               \
    "Cross-Origin-Opener-Policy: same-origin\r\n"    \
    "Cross-Origin-Embedder-Policy: require-corp\r\n" \
    "Vary: Accept-Encoding\r\n"

// The page loads its own files only. Styles may be inline because Ant Design writes them at run time.
constexpr std::string_view page_headers =
    "Content-Security-Policy: default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' "
    "data:; "
    "font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'\r\n" JZ_ISOLATION;

// A worker has the policy of its own script: this one compiles the purse, and sees no document.
constexpr std::string_view wasm_worker_headers =
    "Content-Security-Policy: default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; "
    "connect-src 'self'\r\n" JZ_ISOLATION;

// Whether a comma-separated list contains the item, parameters aside; "*" counts.
bool lists(std::string_view list, std::string_view item) {
    while (!list.empty()) {
        std::string_view part = list.substr(0, list.find(','));
        list = part.size() == list.size() ? std::string_view{} : list.substr(part.size() + 1);
        const bool refused =
            part.find(";q=0") != std::string_view::npos && part.find(";q=0.") == std::string_view::npos;
        part = part.substr(0, part.find(';'));
        while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
        while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
        if (part.starts_with("W/")) part.remove_prefix(2);
        if (!refused && (part == item || part == "*")) return true;
    }
    return false;
}

}  // namespace

StaticFiles::StaticFiles(std::vector<StaticFile> files) : files_(std::move(files)) {
    std::sort(files_.begin(), files_.end(), [](const StaticFile& a, const StaticFile& b) { return a.path < b.path; });
}

const StaticFile* StaticFiles::find(std::string_view path) const {
    const auto look = [this](std::string_view wanted) -> const StaticFile* {
        const auto at = std::lower_bound(files_.begin(), files_.end(), wanted,
                                         [](const StaticFile& file, std::string_view p) { return file.path < p; });
        return at != files_.end() && at->path == wanted ? &*at : nullptr;
    };
    if (const StaticFile* exact = look(path)) return exact;
    const std::string_view last = path.substr(path.rfind('/') + 1);
    return last.find('.') == std::string_view::npos ? look("/index.html") : nullptr;
}

Response StaticFiles::respond(const StaticFile& file, const Request& request) {
    Response response;
    response.content_type = file.content_type;
    response.header_block = file.wasm_worker ? wasm_worker_headers : page_headers;
    response.headers.emplace_back("Cache-Control", file.immutable ? "public, max-age=31536000, immutable" : "no-cache");
    response.headers.emplace_back("ETag", file.etag);
    if (lists(request.header("If-None-Match"), file.etag)) {
        response.status = 304;
        response.content_type = {};
        return response;
    }
    if (!file.gzip.empty() && lists(request.header("Accept-Encoding"), "gzip")) {
        response.headers.emplace_back("Content-Encoding", "gzip");
        response.static_body = file.gzip;
    } else {
        response.static_body = file.plain;
    }
    return response;
}

}  // namespace jiaozi::http
