// All of the registry's interface.
#pragma once

#include <jiaozi/registry/devices.hpp>    // IWYU pragma: export
#include <jiaozi/registry/events.hpp>     // IWYU pragma: export
#include <jiaozi/registry/keys.hpp>       // IWYU pragma: export
#include <jiaozi/registry/merchants.hpp>  // IWYU pragma: export
#include <jiaozi/registry/page.hpp>       // IWYU pragma: export
#include <jiaozi/registry/payments.hpp>   // IWYU pragma: export
#include <jiaozi/registry/people.hpp>     // IWYU pragma: export
#include <jiaozi/registry/store.hpp>      // IWYU pragma: export
#include <jiaozi/registry/webhooks.hpp>   // IWYU pragma: export
