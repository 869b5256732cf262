#include "private_address.hpp"

#include <cstdint>
#include <cstring>

#include <netinet/in.h>

namespace jiaozi::webhooks {
namespace {

struct Block4 {
    std::uint32_t prefix;
    int bits;
};
constexpr Block4 special4[] = {
    {0x00000000, 8},   // this network
    {0x0A000000, 8},   // private
    {0x64400000, 10},  // shared (carrier-grade NAT)
    {0x7F000000, 8},   // loopback
    {0xA9FE0000, 16},  // link-local; cloud metadata services live here
    {0xAC100000, 12},  // private
    {0xC0000000, 24},  // IETF protocol assignments
    {0xC0000200, 24},  // documentation
    {0xC0A80000, 16},  // private
    {0xC6120000, 15},  // benchmarking
    {0xC6336400, 24},  // documentation
    {0xCB007100, 24},  // documentation
    {0xE0000000, 3},   // multicast, reserved, broadcast
};

bool is_public4(std::uint32_t address) {
    for (const Block4& block : special4) {
        if ((address ^ block.prefix) >> (32 - block.bits) == 0) return false;
    }
    return true;
}

std::uint32_t read32(const std::uint8_t* bytes) {
    return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 | bytes[3];
}

bool is_public6(const std::uint8_t* a) {
    static constexpr std::uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    static constexpr std::uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0};
    if (std::memcmp(a, mapped, 12) == 0 || std::memcmp(a, nat64, 12) == 0) return is_public4(read32(a + 12));
    if (a[0] == 0x20 && a[1] == 0x02) return is_public4(read32(a + 2));  // 6to4
    const bool teredo = read32(a) == 0x20010000;
    const bool documentation = read32(a) == 0x20010db8;
    // Global unicast is 2000::/3; everything else is loopback, unique local, link-local, multicast or unassigned.
    return (a[0] & 0xe0) == 0x20 && !teredo && !documentation;
}

}  // namespace

bool is_public_address(const sockaddr* address, socklen_t size) noexcept {
    if (address->sa_family == AF_INET && size >= sizeof(sockaddr_in)) {
        sockaddr_in in{};
        std::memcpy(&in, address, sizeof in);
        return is_public4(ntohl(in.sin_addr.s_addr));
    }
    if (address->sa_family == AF_INET6 && size >= sizeof(sockaddr_in6)) {
        sockaddr_in6 in{};
        std::memcpy(&in, address, sizeof in);
        return is_public6(in.sin6_addr.s6_addr);
    }
    return false;
}

}  // namespace jiaozi::webhooks
