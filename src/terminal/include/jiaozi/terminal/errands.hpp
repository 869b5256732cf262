// A sync without the HTTP interface: what IssuerServer::sync does, as errands that a device's own session carries
// (docs/protocol/device.md, 4.1), for machines that have a broker and nothing else. Blocking; one thread.
#pragma once

#include <functional>
#include <vector>

#include <jiaozi/protocol/errand.hpp>
#include <jiaozi/terminal/issuer_server.hpp>

namespace jiaozi::terminal {

// Brings an errand to the server and its answer back. Errors: timeout, unavailable (it may have been done: the same
// again is the same), declined with what the server says.
using CarryErrand = std::function<Result<Bytes>(const Bytes& errand)>;

// The parts of `whole` in its order, cut wherever an errand is full; the sync and the list go with the last deposits,
// the heads with the last errand. At least one.
std::vector<protocol::Errand> cut(protocol::Errand whole);

// Every errand may be repeated after any failure.
Result<IssuerServer::Synced> sync_by_errands(PurseFolder& folder, const CarryErrand& carry);

}  // namespace jiaozi::terminal
