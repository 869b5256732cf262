#include "witness_server.hpp"

#include <span>
#include <utility>

#include <jiaozi/base/log.hpp>
#include <jiaozi/proof/add_checkpoint.hpp>

namespace jiaozi::proofs {
namespace {

constexpr std::string_view text_type = "text/plain; charset=utf-8";

http::Response text(int status, std::string body) {
    http::Response response;
    response.status = status;
    response.content_type = text_type;
    response.body = std::move(body);
    return response;
}

// The protocol's statuses, which are not those of our own API.
int status_of(const Error& error) {
    switch (error.kind()) {
        case ErrorKind::malformed:
        case ErrorKind::invalid:
            return 400;
        case ErrorKind::too_large:
            return 413;
        case ErrorKind::unauthenticated:
            return 403;
        case ErrorKind::not_found:
            return 404;
        case ErrorKind::conflict:
            return 409;
        case ErrorKind::declined:
            return 422;
        default:
            return 500;
    }
}

}  // namespace

http::Response WitnessServer::add(std::string_view body) {
    const auto cosign = [&]() -> Result<proof::NoteSignature> {
        JZ_TRY(const auto request, proof::AddCheckpoint::parse(body));
        return witness_.add(request, clock_.now());
    };
    const auto ours = cosign();
    if (ours.ok()) {
        cosigned_(*witness_.seen());
        return text(200, proof::signature_lines(std::span(&*ours, 1)));
    }
    const int status = status_of(ours.error());
    log::warn("a checkpoint was not cosigned", {{"cause", ours.error().to_string()}});
    if (status != 409) return text(status, ours.error().message() + "\n");
    const auto& seen = witness_.seen();
    http::Response response = text(status, std::to_string(seen ? seen->size : 0) + "\n");
    response.content_type = proof::tlog_size_type;
    return response;
}

http::Response WitnessServer::answer(const http::Request& request) {
    if (request.path == "/add-checkpoint") {
        return request.method == http::Method::post ? add(request.body) : text(405, "ask by POST\n");
    }
    if (request.path != "/checkpoint") return text(404, "there are /add-checkpoint and /checkpoint\n");
    if (request.method != http::Method::get) return text(405, "read it by GET\n");
    auto newest = witness_.newest();
    if (!newest.ok()) return text(status_of(newest.error()), newest.error().message() + "\n");
    return text(200, std::move(*newest));
}

void WitnessServer::handle(const http::Request& request, std::shared_ptr<http::Channel> channel) {
    channel->respond(answer(request));
}

http::Response WitnessServer::refusal(int status, std::string_view, std::string_view detail) {
    return text(status, std::string(detail) + "\n");
}

std::size_t WitnessServer::body_limit(std::string_view path) const {
    return path == "/add-checkpoint" ? proof::max_add_checkpoint_bytes : 0;
}

}  // namespace jiaozi::proofs
