#include <jiaozi/anchor/contract.hpp>
#include <jiaozi/anchor/places.hpp>

#include "notes.hpp"
#include "url.hpp"

namespace jiaozi::anchor {

Result<std::string> url_origin(std::string_view url) {
    const std::size_t scheme = url.find("://");
    if (scheme == std::string_view::npos || (!url.starts_with("http://") && !url.starts_with("https://")))
        return Error(ErrorKind::invalid, "the address must begin with http:// or https://").with_param("url");
    return std::string(url.substr(0, url.find_first_of("/?#", scheme + 3)));
}

// user:password@ stays with libcurl.
std::string host_of(std::string_view origin) {
    const std::size_t user = origin.rfind('@');
    return std::string(origin.substr(user == std::string_view::npos ? origin.find("://") + 3 : user + 1));
}

Result<UrlClient> UrlClient::open(const std::string& url, Duration timeout, std::size_t max_response_bytes,
                                  std::stop_token stop) {
    JZ_TRY(const std::string origin, url_origin(url));
    JZ_TRY(auto client, client::HttpClient::create({.base_url = origin,
                                                    .key = {},
                                                    .timeout = timeout,
                                                    .max_response_bytes = max_response_bytes,
                                                    .stop = std::move(stop)}));
    return UrlClient(std::move(client), host_of(origin), url.substr(origin.size()));
}

Result<client::Response> UrlClient::send(const std::string& method, const std::string& body,
                                         const std::string& content_type, const std::string& idempotency_key) {
    client::Request request;
    request.method = method;
    request.path = path_;
    request.body = body;
    request.content_type = content_type;
    request.idempotency_key = idempotency_key;
    auto response = client_.send(request);
    if (response.ok()) return response;
    switch (response.error().kind()) {
        case ErrorKind::timeout:
            return Error(ErrorKind::timeout, "no answer from " + host_ + " in time; try again, nothing is done twice");
        case ErrorKind::too_large:
            return Error(ErrorKind::too_large, "the answer of " + host_ + " is larger than any that is expected");
        default:
            return Error(ErrorKind::unavailable, "cannot reach " + host_ + "; is the address right, and is it up?");
    }
}

Error UrlClient::refused(long status) const {
    return {client::kind_of_status(status), host_ + " answered HTTP " + std::to_string(status)};
}

Result<bool> post_to_url(const std::string& url, const SignedCheckpoint& anchor, const proof::NoteKey& key,
                         Duration timeout, std::stop_token stop) {
    JZ_TRY(UrlClient client, UrlClient::open(url, timeout, max_anchor_text_bytes, std::move(stop)));
    JZ_TRY(const client::Response there, client.send("GET", {}, {}));
    if (there.status == 200) {
        JZ_TRY(const NoteList list, split_notes(there.body));
        JZ_TRY(const bool newer, follows(list, anchor.checkpoint, key));
        if (!newer) return false;
    } else if (there.status != 204 && there.status != 404 && there.status != 405 && there.status != 501) {
        return client.refused(there.status);
    }
    // For places that keep such keys: a repetition is then theirs to recognise.
    const std::string idempotency_key = to_hex(crypto::sha256(as_bytes(anchor.checkpoint.text())));
    JZ_TRY(const client::Response taken,
           client.send("POST", anchor.note, "text/plain; charset=utf-8", idempotency_key));
    if (taken.status < 200 || taken.status > 299) return client.refused(taken.status);
    return true;
}

Result<NoteList> read_anchor_url(const std::string& url, Duration timeout) {
    JZ_TRY(UrlClient client, UrlClient::open(url, timeout, max_anchor_text_bytes));
    JZ_TRY(const client::Response response, client.send("GET", {}, {}));
    if (response.status == 204) return NoteList{};
    if (response.status != 200) return client.refused(response.status);
    return split_notes(response.body);
}

}  // namespace jiaozi::anchor
