#include <algorithm>
#include <cstring>

#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/purse_host/memory.hpp>

namespace jiaozi::purse_host {

PowerCut MemoryStorage::next_write() {
    ++writes_;
    if (gone_) return PowerCut::before;
    if (cut_ == PowerCut::never) return PowerCut::never;
    if (writes_until_cut_-- != 0) return PowerCut::never;
    gone_ = true;
    return std::exchange(cut_, PowerCut::never);
}

bool MemoryStorage::append(std::uint64_t index, ByteView record) {
    const PowerCut cut = next_write();
    if (cut == PowerCut::before) return false;
    remember_durable();
    if (index > content_.journal.size()) return false;
    if (index == content_.journal.size()) content_.journal.emplace_back();
    Record& target = content_.journal[index];
    const std::size_t size = cut == PowerCut::half ? record.size() / 2 : record.size();
    std::copy_n(record.begin(), size, target.begin());
    return cut == PowerCut::never;
}

int MemoryStorage::read(std::uint64_t index, std::uint8_t* record) {
    if (index >= content_.journal.size()) return JZ_READ_ABSENT;
    std::ranges::copy(content_.journal[index], record);
    return JZ_READ_OK;
}

bool MemoryStorage::save(int area, unsigned slot, ByteView content) {
    const PowerCut cut = next_write();
    if (cut == PowerCut::before) return false;
    remember_durable();
    content_.slots[{area, slot}] = to_bytes(content.first(cut == PowerCut::half ? content.size() / 2 : content.size()));
    return cut == PowerCut::never;
}

int MemoryStorage::load(int area, unsigned slot, std::size_t offset, ByteSpan out) {
    const auto found = content_.slots.find({area, slot});
    if (found == content_.slots.end() || found->second.size() < offset + out.size()) return JZ_READ_ABSENT;
    std::copy_n(found->second.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
    return JZ_READ_OK;
}

bool MemoryAnchor::read(std::uint8_t* out, std::uint32_t& value) {
    std::ranges::copy(id, out);
    value = counter;
    return true;
}

bool MemoryAnchor::advance(std::uint32_t value) {
    if (std::exchange(lose_next_advance, false)) return false;
    counter = value;
    return true;
}

namespace {

crypto::Digest digest(std::initializer_list<ByteView> parts) {
    crypto::Sha256 hasher;
    for (const ByteView part : parts) hasher.update(part);
    return hasher.finish();
}

// x · y modulo 2^61 - 1, which is all that a key agreement needs to agree.
std::uint64_t multiply(std::uint64_t x, std::uint64_t y) {
    constexpr std::uint64_t prime = (std::uint64_t{1} << 61) - 1;
    __extension__ using Wide = unsigned __int128;
    const std::uint64_t product = static_cast<std::uint64_t>(Wide{x % prime} * (y % prime) % prime);
    return product == 0 ? 1 : product;
}

std::uint64_t first_word(ByteView bytes) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    return word;
}

}  // namespace

void FastCryptography::hash(int hash, std::span<const jz_view> parts, std::uint8_t* out) {
    crypto::Sha256 hasher;
    const auto which = static_cast<std::uint8_t>(hash);
    if (hash != JZ_SHA256) hasher.update({&which, 1});
    for (const jz_view& part : parts) hasher.update({part.data, part.size});
    std::ranges::copy(hasher.finish(), out);
}

bool FastCryptography::verify(crypto::Suite, ByteView key, ByteView message, ByteView signature) {
    return equal(digest({key, message}), signature.first(32));
}

bool FastCryptography::x25519(std::uint8_t* out, ByteView scalar, ByteView point) {
    const std::uint64_t word = multiply(first_word(scalar), first_word(point));
    std::fill_n(out, 32, std::uint8_t{0});
    std::memcpy(out, &word, sizeof word);
    return true;
}

void FastCryptography::seal(ByteView key, ByteView nonce, ByteView aad, ByteSpan data, std::uint8_t* tag) {
    std::copy_n(digest({key, nonce, aad, data}).begin(), 16, tag);
}

bool FastCryptography::open(ByteView key, ByteView nonce, ByteView aad, ByteSpan data, ByteView tag) {
    return equal(ByteView(digest({key, nonce, aad, data})).first(16), tag);
}

void FastCryptography::random(ByteSpan out) {
    // SplitMix64: a stream with a position that fits one word.
    for (std::uint8_t& byte : out) {
        std::uint64_t z = position_ += 0x9E3779B97F4A7C15;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
        z = (z ^ z >> 27) * 0x94D049BB133111EB;
        byte = static_cast<std::uint8_t>(z ^ z >> 31);
    }
}

FastSigner::FastSigner(std::uint32_t number) : key_(32, 0) {
    std::memcpy(key_.data(), &number, sizeof number);
}

bool FastSigner::sign(ByteView message, std::uint8_t* signature) {
    const crypto::Digest made = digest({key_, message});
    std::ranges::copy(made, signature);
    std::ranges::copy(made, signature + made.size());
    return true;
}

}  // namespace jiaozi::purse_host
