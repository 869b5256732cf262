// The transparency log: checkpoint and tiles, open to everybody, and the receipts of payments.
#include <jiaozi/api/proofs.hpp>

#include "access.hpp"
#include "router.hpp"

namespace jiaozi::http {
namespace {

// A tile never changes: what has been read once may be kept.
constexpr std::string_view keep_for_ever = "Cache-Control: public, max-age=31536000, immutable\r\n";
constexpr std::string_view ask_again = "Cache-Control: no-cache\r\n";

Result<api::Proofs*> log_of(const Parts& parts) {
    if (parts.proofs != nullptr) return parts.proofs;
    return Error(ErrorKind::unavailable, "this server keeps no transparency log");
}

void get_checkpoint(Call&& call) {
    JZ_ANSWER_TRY(api::Proofs* const proofs, call.reply, log_of(call.parts()));
    JZ_ANSWER_TRY(std::string note, call.reply, proofs->checkpoint());
    Response response;
    response.content_type = "text/plain; charset=utf-8";
    response.header_block = ask_again;
    response.body = std::move(note);
    call.reply.send(std::move(response));
}

void get_tile(Call&& call) {
    JZ_ANSWER_TRY(api::Proofs* const proofs, call.reply, log_of(call.parts()));
    // At most a file of 9 KiB, which the kernel has in memory: not worth a thread's while.
    JZ_ANSWER_TRY(const Bytes tile, call.reply, proofs->tile(call.params[0]));
    Response response;
    response.content_type = "application/octet-stream";
    response.header_block = keep_for_ever;
    response.body.assign(as_text(tile));
    call.reply.send(std::move(response));
}

void get_receipt(Call&& call) {
    JZ_ANSWER_TRY(const Query query, call.reply, Query::parse(call.request.query));
    JZ_ANSWER_CHECK(call.reply, query.finish());
    JZ_ANSWER_TRY(api::Proofs* const proofs, call.reply, log_of(call.parts()));
    const Parts& parts = call.parts();
    with_payment(std::move(call), [&parts, proofs](const Payment& payment, Reply&& reply) {
        parts.reads.run<std::string>(
            [id = payment.id, proofs](registry::Session&) { return proofs->receipt(id); },
            [reply = std::move(reply)](Result<std::string> body) mutable { reply.finish(std::move(body)); });
    });
}

}  // namespace

void add_proof_routes(Router& router) {
    router.add({Method::get, "/checkpoint", "", "", Repeat::none, get_checkpoint, "text/plain"});
    router.add({.method = Method::get,
                .pattern = "/tile/{tile}",
                .resource = "",
                .action = "",
                .repeat = Repeat::none,
                .handler = get_tile,
                .produces = "application/octet-stream",
                .rest = true});
    router.add({Method::get, "/v1/payments/{payment}/receipt", "payments", "read", Repeat::none, get_receipt});
}

}  // namespace jiaozi::http
