// libsodium picks its implementations, and opens its source of randomness, in sodium_init: every use comes after it.
#pragma once

namespace jiaozi::crypto {

void require_sodium() noexcept;

}  // namespace jiaozi::crypto
