// What a list of notes says of a log.
#pragma once

#include <jiaozi/anchor/places.hpp>

namespace jiaozi::anchor {

// Whether the checkpoint may follow the largest that this key has signed there. Errors as follows() has them.
Result<bool> follows(const NoteList& list, const proof::Checkpoint& checkpoint, const proof::NoteKey& key);

}  // namespace jiaozi::anchor
