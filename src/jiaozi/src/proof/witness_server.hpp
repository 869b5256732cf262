// A witness that logs ask: C2SP tlog-witness's POST /add-checkpoint over HTTP (docs/formats/checkpoint.md), and GET
// /checkpoint, the newest that it cosigned. Application thread only.
#pragma once

#include <functional>
#include <string>

#include <jiaozi/base/clock.hpp>
#include <jiaozi/http/message.hpp>
#include <jiaozi/proof/witness.hpp>

namespace jiaozi::proofs {

class WitnessServer final : public http::Handler {
  public:
    // Told of each cosignature.
    using Cosigned = std::function<void(const proof::Checkpoint&)>;

    // Both must outlive it.
    WitnessServer(proof::Witness& witness, const Clock& clock, Cosigned cosigned)
        : witness_(witness), clock_(clock), cosigned_(std::move(cosigned)) {}

    void handle(const http::Request& request, std::shared_ptr<http::Channel> channel) override;
    http::Response refusal(int status, std::string_view code, std::string_view detail) override;
    std::size_t body_limit(std::string_view path) const override;

  private:
    http::Response answer(const http::Request& request);
    http::Response add(std::string_view body);

    proof::Witness& witness_;
    const Clock& clock_;
    Cosigned cosigned_;
};

}  // namespace jiaozi::proofs
