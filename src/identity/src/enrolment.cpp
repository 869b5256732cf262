#include <algorithm>
#include <array>

#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/identity/enrolment.hpp>

namespace jiaozi::identity {
namespace {

constexpr std::string_view alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
static_assert(alphabet.size() == 32);
constexpr std::size_t code_digits = 10;

bool all_digits(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

char as_meant(char c) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (c == 'O') return '0';
    if (c == 'I' || c == 'L') return '1';
    return c;
}

Error bad_number(std::string_view param, std::string_view says) {
    return Error(ErrorKind::invalid, std::string(param) + ": " + std::string(says)).with_param(param);
}

Result<std::string> bind_number(std::string_view param, const std::string& recorded, const std::string& presented) {
    if (recorded.empty()) return presented;
    if (presented.empty()) return bad_number(param, "this device is bound to a number and must present it");
    if (presented != recorded) return bad_number(param, "is not the number that this device is bound to");
    return recorded;
}

}  // namespace

std::string new_enrolment_code() {
    std::array<std::uint8_t, code_digits> random{};
    crypto::random_bytes(random);
    std::string code;
    for (std::size_t i = 0; i < random.size(); ++i) {
        if (i == code_digits / 2) code += '-';
        code += alphabet[random[i] % alphabet.size()];  // 256 is a multiple of 32: no digit is likelier
    }
    return code;
}

crypto::Digest enrolment_code_hash(std::string_view typed) {
    std::string meant;
    for (const char c : typed) {
        if (c != '-' && c != ' ') meant += as_meant(c);
    }
    return crypto::sha256(as_bytes(meant));
}

bool luhn_valid(std::string_view digits) {
    if (digits.empty() || !all_digits(digits)) return false;
    int sum = 0;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        int digit = digits[digits.size() - 1 - i] - '0';
        if (i % 2 == 1) {
            digit *= 2;
            if (digit > 9) digit -= 9;
        }
        sum += digit;
    }
    return sum % 10 == 0;
}

Result<> check_sim(const SimIdentity& sim) {
    if (!sim.iccid.empty()) {
        if (sim.iccid.size() < 19 || sim.iccid.size() > 20 || !all_digits(sim.iccid)) {
            return bad_number("sim.iccid", "must be 19 or 20 digits");
        }
        if (!luhn_valid(sim.iccid)) return bad_number("sim.iccid", "the check digit is wrong: read the number again");
    }
    if (!sim.imsi.empty() && (sim.imsi.size() < 6 || sim.imsi.size() > 15 || !all_digits(sim.imsi))) {
        return bad_number("sim.imsi", "must be 6 to 15 digits");
    }
    if (!sim.imei.empty()) {
        if (sim.imei.size() != 15 || !all_digits(sim.imei)) return bad_number("sim.imei", "must be 15 digits");
        if (!luhn_valid(sim.imei)) return bad_number("sim.imei", "the check digit is wrong: read the number again");
    }
    return {};
}

Result<SimIdentity> bind_sim(const SimIdentity& recorded, const SimIdentity& presented) {
    JZ_CHECK(check_sim(presented));
    SimIdentity bound;
    JZ_TRY(bound.iccid, bind_number("sim.iccid", recorded.iccid, presented.iccid));
    JZ_TRY(bound.imsi, bind_number("sim.imsi", recorded.imsi, presented.imsi));
    JZ_TRY(bound.imei, bind_number("sim.imei", recorded.imei, presented.imei));
    return bound;
}

}  // namespace jiaozi::identity
