// Class A2: a P-256 key made inside a TPM 2.0 that never leaves it, and an NV counter (TPM2_NV_Increment) beside it.
// The key file holds the key wrapped by this TPM (useless anywhere else) and the counter's name; it is no secret, but
// without it the key is lost. Bytes: docs/formats/tpm-key.md; commands and promises: docs/keystores.md.
//
// The PIN is the authorization value of the key. It reaches the TPM encrypted (a session salted with the storage key)
// and a person's wrong ones count towards the TPM's dictionary attack lockout, which survives power cuts. The PIN is
// kept in memory while the key is open, so that a TPM that went away and came back is used again without asking.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/keystores/purse_key.hpp>

namespace jiaozi::keystores {

struct TpmLocation {
    // A TCTI configuration of tpm2-tss: "device:/dev/tpmrm0", "swtpm:host=127.0.0.1,port=2321". Use the kernel's
    // resource manager (tpmrm0), not tpm0: it cleans up after a process that was killed.
    std::string tcti = "device:/dev/tpmrm0";
    crypto::SecretBytes owner_auth{};  // of the owner hierarchy; empty on most machines
};

inline constexpr std::uint32_t tpm_counter_first =
    0x01800000;  // the owner's range of NV indices (TCG registry of handles)
inline constexpr std::uint32_t tpm_counter_last = 0x01BFFFFF;
inline constexpr std::uint32_t tpm_counter_default = 0x01804A5A;

// Makes key and counter and writes the key file. Errors besides PurseKey's: conflict (the file exists, or the NV index
// is in use: choose another), invalid (an empty PIN, an index out of range).
// `pin_of` machine: for unattended machines, at least 16 random bytes from a keystore. Not counted, because a TPM also
// counts a power cut after use as a wrong try and would lock a machine that loses power often.
enum class PinOf : std::uint8_t { person, machine };
Result<void> create_tpm_key(const TpmLocation& tpm, const crypto::SecretBytes& pin,
                            const std::filesystem::path& key_file, std::uint32_t counter_index = tpm_counter_default,
                            PinOf pin_of = PinOf::person);

// Error corrupt when key file, key or counter is not what create_tpm_key made.
Result<std::unique_ptr<PurseKey>> open_tpm_key(TpmLocation tpm, crypto::SecretBytes pin,
                                               const std::filesystem::path& key_file);

// Gives the NV index back. A counter made later starts above every value that any counter of this TPM ever had.
Result<void> remove_tpm_counter(const TpmLocation& tpm, std::uint32_t counter_index);

struct TpmTries {
    std::uint32_t failed = 0;
    std::uint32_t allowed = 0;
    std::uint32_t recovery_s = 0;  // one failure is forgotten after this time
};
Result<TpmTries> tpm_tries(const TpmLocation& tpm);
// Forgets all failures; needs the authorization of the lockout hierarchy, which the device's operator keeps.
Result<void> reset_tpm_lockout(const TpmLocation& tpm, const crypto::SecretBytes& lockout_auth);

// What the key file says; for tools and fuzzers.
struct TpmKeyFile {
    std::uint32_t counter_index = 0;
    std::uint64_t counter_start = 0;  // what the TPM's counter began with; ours begins with 0
    Bytes counter_auth;               // 32 random bytes: without them nobody else steps the counter
    Bytes counter_name;               // TPM Name: 2 bytes of algorithm, then SHA-256 of the public area
    Bytes storage_name;               // of the storage key that wraps the key
    Bytes public_area;                // TPM2B_PUBLIC as the TPM writes it
    Bytes wrapped;                    // TPM2B_PRIVATE
};
inline constexpr std::size_t max_tpm_key_file = 4096;
Bytes encode_tpm_key_file(const TpmKeyFile& file);
Result<TpmKeyFile> decode_tpm_key_file(ByteView bytes);

}  // namespace jiaozi::keystores
