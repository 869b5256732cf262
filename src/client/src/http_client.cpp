#include <curl/curl.h>

#include <jiaozi/client/http_client.hpp>

namespace jiaozi::client {
namespace {

struct CurlDeleter {
    void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
};
struct ListDeleter {
    void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};
using Headers = std::unique_ptr<curl_slist, ListDeleter>;

void add_header(Headers& headers, const std::string& line) {
    curl_slist* grown = curl_slist_append(headers.get(), line.c_str());
    if (grown == nullptr) return;
    static_cast<void>(headers.release());
    headers.reset(grown);
}

struct Collector {
    std::string body;
    std::size_t max_bytes = 0;
    bool too_large = false;
    bool replayed = false;
};

std::size_t collect_body(char* data, std::size_t size, std::size_t count, void* user) {
    auto& into = *static_cast<Collector*>(user);
    if (into.body.size() + size * count > into.max_bytes) {
        into.too_large = true;
        return 0;
    }
    into.body.append(data, size * count);
    return size * count;
}

std::size_t collect_header(char* data, std::size_t size, std::size_t count, void* user) {
    constexpr std::string_view wanted = "idempotent-replayed:";
    std::string line(data, size * count);
    for (char& c : line) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    if (line.starts_with(wanted)) static_cast<Collector*>(user)->replayed = line.find("true") != std::string::npos;
    return size * count;
}

// libcurl asks at least once a second. Not 0: it gives up.
int is_stopped(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<const std::stop_token*>(user)->stop_requested() ? 1 : 0;
}

struct Follower {
    StreamParser parser;
    const std::function<bool(const StreamEvent&)>* handler = nullptr;
    CURL* handle = nullptr;
    std::string refusal;  // the body of an answer that is not a stream
    bool stopped = false;
};

std::size_t follow_body(char* data, std::size_t size, std::size_t count, void* user) {
    auto& into = *static_cast<Follower*>(user);
    long status = 0;
    curl_easy_getinfo(into.handle, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) {
        if (into.refusal.size() < 4096) into.refusal.append(data, size * count);
        return size * count;
    }
    into.stopped = !into.parser.feed({data, size * count}, *into.handler);
    return into.stopped ? 0 : size * count;
}

Error transport_error(CURLcode code, const std::string& url) {
    const std::string why = curl_easy_strerror(code);
    if (code == CURLE_OPERATION_TIMEDOUT) {
        return {ErrorKind::timeout,
                "no answer from " + url + " in time; the outcome is unknown, so retry with the same idempotency key"};
    }
    return {ErrorKind::unavailable,
            "cannot reach " + url + " (" + why +
                "); is `jiaozi serve` running there? Set JIAOZI_URL or --url if it is elsewhere"};
}

}  // namespace

struct HttpClient::State {
    Options options;
    std::unique_ptr<CURL, CurlDeleter> handle;

    Headers headers_for(const Request& request) const {
        Headers headers;
        if (!options.key.empty()) add_header(headers, "Authorization: Bearer " + options.key);
        if (!request.body.empty()) add_header(headers, "Content-Type: " + request.content_type);
        if (!request.idempotency_key.empty()) add_header(headers, "Idempotency-Key: " + request.idempotency_key);
        for (const std::string& line : request.headers) add_header(headers, line);
        add_header(headers, "Expect:");  // no 100-continue round trip for small bodies
        return headers;
    }

    void prepare(const std::string& url, const Request& request, const Headers& headers) const {
        CURL* const h = handle.get();
        curl_easy_reset(h);  // keeps the connection
        curl_easy_setopt(h, CURLOPT_URL, url.c_str());
        curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, request.method.c_str());
        curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers.get());
        curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(h, CURLOPT_TCP_NODELAY, 1L);
        if (options.stop.stop_possible()) {
            curl_easy_setopt(h, CURLOPT_NOPROGRESS, 0L);
            curl_easy_setopt(h, CURLOPT_XFERINFOFUNCTION, is_stopped);
            curl_easy_setopt(h, CURLOPT_XFERINFODATA, &options.stop);
        }
        if (!request.body.empty() || request.method == "POST" || request.method == "PUT" || request.method == "PATCH") {
            curl_easy_setopt(h, CURLOPT_POSTFIELDS, request.body.c_str());
            curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
        }
    }
};

ErrorKind kind_of_status(long status, std::string_view code) {
    switch (status) {
        case 401:
            return ErrorKind::unauthenticated;
        case 402:
            return ErrorKind::declined;
        case 403:
            return ErrorKind::forbidden;
        case 404:
            return ErrorKind::not_found;
        case 409:
            return ErrorKind::conflict;
        case 413:
            return ErrorKind::too_large;
        case 422:  // a rule refuses it; or a key that was used for another request
            return code == "idempotency_error" ? ErrorKind::conflict : ErrorKind::declined;
        case 429:
            return ErrorKind::rate_limited;
        case 502:
        case 503:
            return ErrorKind::unavailable;
        case 504:
            return ErrorKind::timeout;
        default:
            return status < 500 ? ErrorKind::invalid : ErrorKind::internal;
    }
}

HttpClient::HttpClient(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;
HttpClient::~HttpClient() = default;

Result<HttpClient> HttpClient::create(Options options) {
    static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (started != CURLE_OK) return Error(ErrorKind::internal, "libcurl did not start");
    while (options.base_url.ends_with('/')) options.base_url.pop_back();
    if (!options.base_url.starts_with("http://") && !options.base_url.starts_with("https://")) {
        return Error(ErrorKind::invalid, "the address must begin with http:// or https://").with_param("url");
    }
    auto state = std::make_unique<State>();
    state->options = std::move(options);
    state->handle.reset(curl_easy_init());
    if (!state->handle) return Error(ErrorKind::internal, "libcurl gave no handle");
    return HttpClient(std::move(state));
}

Result<Response> HttpClient::send(const Request& request) {
    const std::string url = state_->options.base_url + request.path;
    const Headers headers = state_->headers_for(request);
    state_->prepare(url, request, headers);
    CURL* const h = state_->handle.get();
    Collector collector;
    collector.max_bytes = state_->options.max_response_bytes;
    curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, static_cast<long>(state_->options.timeout.ms()));
    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, collect_body);
    curl_easy_setopt(h, CURLOPT_WRITEDATA, &collector);
    curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, collect_header);
    curl_easy_setopt(h, CURLOPT_HEADERDATA, &collector);
    if (const CURLcode code = curl_easy_perform(h); code != CURLE_OK) {
        if (collector.too_large) {
            return Error(ErrorKind::too_large, "the answer is over " +
                                                   std::to_string(state_->options.max_response_bytes >> 20) +
                                                   " MiB; ask for a smaller page");
        }
        if (code == CURLE_ABORTED_BY_CALLBACK) return Error(ErrorKind::unavailable, "the program is stopping");
        return transport_error(code, state_->options.base_url);
    }
    Response response;
    response.body = std::move(collector.body);
    response.replayed = collector.replayed;
    curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &response.status);
    if (const char* type = nullptr; curl_easy_getinfo(h, CURLINFO_CONTENT_TYPE, &type) == CURLE_OK && type != nullptr) {
        response.content_type = type;
    }
    return response;
}

Result<> HttpClient::follow(const std::string& path, const std::string& last_id,
                            const std::function<bool(const StreamEvent&)>& handler) {
    const std::string url = state_->options.base_url + path;
    Request request;
    Headers headers = state_->headers_for(request);
    add_header(headers, "Accept: text/event-stream");
    if (!last_id.empty()) add_header(headers, "Last-Event-ID: " + last_id);
    state_->prepare(url, request, headers);
    CURL* const h = state_->handle.get();
    Follower follower;
    follower.handler = &handler;
    follower.handle = h;
    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, follow_body);
    curl_easy_setopt(h, CURLOPT_WRITEDATA, &follower);
    curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(state_->options.timeout.ms()));
    const CURLcode code = curl_easy_perform(h);
    if (follower.stopped) return {};
    if (!follower.refusal.empty())
        return Error(ErrorKind::unauthenticated, follower.refusal).in("the stream was refused");
    if (code != CURLE_OK) return transport_error(code, state_->options.base_url);
    return {};
}

}  // namespace jiaozi::client
