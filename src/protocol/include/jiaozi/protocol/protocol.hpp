// All of the device protocol's interface.
#pragma once

#include <jiaozi/protocol/credential.hpp>  // IWYU pragma: export
#include <jiaozi/protocol/envelope.hpp>    // IWYU pragma: export
#include <jiaozi/protocol/errand.hpp>      // IWYU pragma: export
#include <jiaozi/protocol/messages.hpp>    // IWYU pragma: export
#include <jiaozi/protocol/refusal.hpp>     // IWYU pragma: export
#include <jiaozi/protocol/session.hpp>     // IWYU pragma: export
#include <jiaozi/protocol/topics.hpp>      // IWYU pragma: export
