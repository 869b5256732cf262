// The purse library's readers with the project's hash functions.
#pragma once

#include <jiaozi/base/assert.hpp>
#include <jiaozi/base/bytes.hpp>
#include <jiaozi/purse/bundle.hpp>
#include <jiaozi/purse/cose.hpp>
#include <jiaozi/purse/objects.hpp>

namespace jiaozi::settlement {

// A platform of which only the hash may be called. Static, thread-safe.
const jz_platform& hashing_platform();

// One whole object, read and parsed. False when it is not one of that type.
template <class Value>
bool read_value(ByteView bytes, purse::Type type, purse::Object& object, Value& value) {
    return purse::read_whole(bytes, type, object) == JZ_OK && purse::parse(object, value) == JZ_OK;
}

purse::Id id_of(const purse::Object& object);

}  // namespace jiaozi::settlement
