// Which socket addresses belong to the public internet (IANA special-purpose registries, RFC 6890). Pure.
#pragma once

#include <sys/socket.h>

namespace jiaozi::webhooks {

// False for loopback, private, shared, link-local, documentation, multicast, reserved and IPv4-embedding addresses of
// those, and for families other than IPv4 and IPv6.
bool is_public_address(const sockaddr* address, socklen_t size) noexcept;

}  // namespace jiaozi::webhooks
