// What the transparency log shows to the outside, as the HTTP interface needs it. docs/proofs.md.
//
// Threading: any thread. receipt() may wait for a checkpoint to be signed: not for the application thread.
#pragma once

#include <string>
#include <string_view>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/model/ids.hpp>

namespace jiaozi::api {

class Proofs {
  public:
    virtual ~Proofs() = default;
    // The newest signed checkpoint. Error not_found (checkpoint_not_found): none yet.
    virtual Result<std::string> checkpoint() const = 0;
    // The bytes of a tile, named as C2SP tlog-tiles does: "0/x001/234.p/7". Error not_found (tile_not_found).
    virtual Result<Bytes> tile(std::string_view path) const = 0;
    // JSON as docs/formats/receipt.md has it. Errors: not_found; unavailable, when the log is behind or stands still.
    virtual Result<std::string> receipt(PaymentId payment) = 0;
};

}  // namespace jiaozi::api
