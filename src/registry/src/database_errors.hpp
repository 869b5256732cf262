// Translates what the databases say into this program's errors.
#pragma once

#include <string_view>

#include <jiaozi/base/error.hpp>

namespace soci {
class session;
}

namespace jiaozi::registry {

struct Translated {
    Error error;
    bool collided = false;  // serialisation failure or deadlock: the transaction may be run again
    bool lost = false;      // the connection is gone
};

// Call only inside a catch handler. `session` may be null when the connection failed to open. Values of parameters,
// which SOCI puts into its messages and PostgreSQL into its details, are left out: they may be secrets.
Translated translate_exception(std::string_view kind, soci::session* session);

}  // namespace jiaozi::registry
