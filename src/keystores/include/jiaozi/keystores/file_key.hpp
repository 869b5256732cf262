// Class A0: the key is an entry of an encrypted keystore file (docs/formats/keystore.md).
#pragma once

#include <memory>
#include <string_view>

#include <jiaozi/crypto/keystore.hpp>
#include <jiaozi/keystores/purse_key.hpp>

namespace jiaozi::keystores {

// Error not_found when the keystore has no signature key of that name. The keystore may be closed afterwards.
Result<std::unique_ptr<PurseKey>> open_file_key(const crypto::Keystore& keystore, std::string_view name);

}  // namespace jiaozi::keystores
