// Device state files from anywhere, and bodies with the checksum made right, since no fuzzer would find one. What
// decodes is written back as it came: one state, one encoding.
#include <cstddef>
#include <cstdint>

#include <jiaozi/codec/cbor.hpp>
#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/device/state.hpp>

using namespace jiaozi;

namespace {

void check(ByteView file) {
    const auto state = device::decode_state(file);
    if (!state.ok()) return;
    JZ_ASSERT(state->commands.size() <= device::StoredState::max_commands);
    JZ_ASSERT(state->unpaid.size() <= device::StoredState::max_unpaid);
    JZ_ASSERT(equal(device::encode_state(*state), file));
}

Bytes with_checksum(ByteView body) {
    const ByteView magic = as_bytes("JIAOZI-DEVSTATE1");
    codec::CborWriter item;
    item.array(2).bytes(body).bytes(crypto::Sha256().update(magic).update(body).finish());
    Bytes file = to_bytes(magic);
    append(file, item.view());
    return file;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView input(data, size);
    check(input);
    check(with_checksum(input));
    return 0;
}
