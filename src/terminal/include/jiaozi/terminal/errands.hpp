// A sync without the HTTP interface: what IssuerServer::sync does, as errands that a device's own session carries
// (docs/protocol/device.md, 4.1), for machines that have a broker and nothing else. Blocking; one thread.
#pragma once

#include <functional>

#include <jiaozi/terminal/issuer_server.hpp>

namespace jiaozi::terminal {

// Brings an errand to the server and its answer back. Errors: timeout, unavailable (it may have been done: the same
// again is the same), declined with what the server says.
using CarryErrand = std::function<Result<Bytes>(const Bytes& errand)>;

// Every errand may be repeated after any failure.
Result<IssuerServer::Synced> sync_by_errands(PurseFolder& folder, const CarryErrand& carry);

}  // namespace jiaozi::terminal
