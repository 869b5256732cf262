// The parts of enrolment that need no state: one-time codes and SIM numbers. Pure functions, thread-safe.
#pragma once

#include <string>
#include <string_view>

#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/model/records.hpp>

namespace jiaozi::identity {

// Ten characters of Crockford base32 (50 bits) as XXXXX-XXXXX: easy to read out and to type.
std::string new_enrolment_code();
// SHA-256 of the code as it was meant: case, dashes and spaces do not matter, O is 0, I and L are 1. Also of texts that
// are no codes, so that those take the same time to refuse.
crypto::Digest enrolment_code_hash(std::string_view typed);

// The check digit of ISO/IEC 7812-1 annex B; false for an empty text or one that is not all digits.
bool luhn_valid(std::string_view digits);

// Error invalid with param sim.iccid, sim.imsi or sim.imei. Empty numbers are not given and fine.
Result<> check_sim(const SimIdentity& sim);

// The SIM after a claim: what was recorded must be presented again, what was not is recorded now. Error invalid names
// the number that is missing or another one.
Result<SimIdentity> bind_sim(const SimIdentity& recorded, const SimIdentity& presented);

}  // namespace jiaozi::identity
