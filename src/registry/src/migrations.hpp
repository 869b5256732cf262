// The schema and its history.
#pragma once

#include <jiaozi/base/result.hpp>
#include <jiaozi/registry/store.hpp>

namespace jiaozi::registry {

// Brings the schema up to the newest version and returns it. Each migration is one transaction, and two programs that
// start at once take turns. Error conflict, code schema_newer, when the store is ahead of this program.
Result<int> migrate(Session& session);

}  // namespace jiaozi::registry
