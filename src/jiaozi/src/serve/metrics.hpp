// What the parts have done, in the Prometheus text format (version 0.0.4).
#pragma once

#include <string>

#include <jiaozi/anchor/publisher.hpp>
#include <jiaozi/devices/gateway.hpp>
#include <jiaozi/engine/engine.hpp>
#include <jiaozi/payments/payments.hpp>
#include <jiaozi/payments/projector.hpp>
#include <jiaozi/proof/log.hpp>
#include <jiaozi/settlement/settlement.hpp>
#include <jiaozi/webhooks/sender.hpp>

namespace jiaozi::serve {

struct Measured {
    const engine::Engine& engine;
    const proof::Log& log;
    const anchor::Publisher* anchors;  // may be null
    const payments::Projector& projector;
    const payments::PaymentService& payments;
    const devices::Gateway& gateway;
    const webhooks::Sender& sender;
    const settlement::Settlement* purses;  // may be null
};

// Application thread.
std::string metrics_text(const Measured& parts);

}  // namespace jiaozi::serve
