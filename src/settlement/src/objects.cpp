#include "objects.hpp"

#include <algorithm>

#include <jiaozi/crypto/hash.hpp>

namespace jiaozi::settlement {
namespace {

int hash_parts(void*, int hash, const jz_view* parts, std::size_t count, std::uint8_t* out) {
    crypto::Digest digest;
    if (hash == JZ_SM3) {
        crypto::Sm3 sm3;
        for (std::size_t i = 0; i < count; ++i) sm3.update({parts[i].data, parts[i].size});
        digest = sm3.finish();
    } else {
        crypto::Sha256 sha256;
        for (std::size_t i = 0; i < count; ++i) sha256.update({parts[i].data, parts[i].size});
        digest = sha256.finish();
    }
    std::ranges::copy(digest, out);
    return 0;
}

}  // namespace

const jz_platform& hashing_platform() {
    static const jz_platform platform = [] {
        jz_platform made{};
        made.hash = hash_parts;
        return made;
    }();
    return platform;
}

purse::Id id_of(const purse::Object& object) {
    purse::Id id{};
    const jz_status status = purse::id_of(hashing_platform(), object, id);
    JZ_ASSERT(status == JZ_OK);  // the hash can't fail
    return id;
}

}  // namespace jiaozi::settlement
