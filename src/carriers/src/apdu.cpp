#include <algorithm>
#include <string>
#include <utility>

#include <jiaozi/carriers/apdu.hpp>
#include <jiaozi/carriers/framing.hpp>

namespace jiaozi::carriers {
namespace {

constexpr std::uint8_t interindustry = 0x00;
constexpr std::uint8_t proprietary = 0x80;
constexpr std::uint8_t chaining = 0x10;
constexpr std::uint8_t ins_select = 0xA4;
constexpr std::uint8_t ins_get_response = 0xC0;
constexpr std::uint8_t ins_message = 0x4A;
constexpr std::uint8_t message_p1 = 0x01;
constexpr std::size_t part_size = 255;
constexpr std::size_t answer_size = 256;

enum Word : std::uint16_t {
    done = 0x9000,
    more = 0x6100,
    wrong_length = 0x6700,
    not_expected = 0x6985,
    not_found = 0x6A82,
    wrong_parameters = 0x6A86,
    wrong_instruction = 0x6D00,
    wrong_class = 0x6E00,
};

void put_word(Bytes& answer, std::uint16_t word) {
    answer.push_back(static_cast<std::uint8_t>(word >> 8));
    answer.push_back(static_cast<std::uint8_t>(word));
}

Bytes only(std::uint16_t word) {
    Bytes answer;
    put_word(answer, word);
    return answer;
}

}  // namespace

void ApduCard::reset() noexcept {
    selected_ = false;
    chain_.clear();
    answer_.clear();
}

// T=0 and T=1, historical bytes "JZPURS", check byte.
Bytes ApduCard::answer_to_reset() const {
    Bytes atr{0x3B, 0x86, 0x80, 0x01, 0x4A, 0x5A, 0x50, 0x55, 0x52, 0x53};
    std::uint8_t check = 0;
    for (const std::uint8_t byte : ByteView(atr).subspan(1)) check ^= byte;
    atr.push_back(check);
    return atr;
}

// The next bytes of the answer, and how many are left.
Bytes ApduCard::give(std::size_t wanted) {
    const std::size_t size = std::min({wanted, answer_.size(), answer_size});
    Bytes answer = to_bytes(ByteView(answer_).first(size));
    answer_.erase(answer_.begin(), answer_.begin() + static_cast<std::ptrdiff_t>(size));
    const std::size_t left = answer_.size();
    put_word(answer,
             left == 0 ? std::uint16_t{done} : static_cast<std::uint16_t>(more | (left < answer_size ? left : 0)));
    return answer;
}

Bytes ApduCard::take_part(const keystores::Apdu& apdu) {
    if (apdu.p1 != message_p1 || apdu.p2 != 0) return only(wrong_parameters);
    if (apdu.data.empty() || chain_.size() + apdu.data.size() > max_message) {
        chain_.clear();
        return only(wrong_length);
    }
    append(chain_, apdu.data);
    if (apdu.more) return only(done);
    const Bytes message = std::exchange(chain_, {});
    auto answer = handler_(message);
    if (!answer) return only(not_expected);
    answer_ = std::move(*answer);
    // A reader that wants no data with the status word fetches it with GET RESPONSE (T=0).
    return give(apdu.le);
}

Bytes ApduCard::process(ByteView bytes) {
    const auto apdu = keystores::parse_apdu(bytes);
    if (!apdu.ok()) {
        chain_.clear();
        return only(wrong_length);
    }
    const bool message = apdu->cla == proprietary && apdu->ins == ins_message;
    if (!message) chain_.clear();
    if (!(apdu->cla == interindustry && apdu->ins == ins_get_response)) answer_.clear();
    if (apdu->cla != interindustry && apdu->cla != proprietary) return only(wrong_class);
    if (apdu->cla == interindustry && apdu->ins == ins_select) {
        selected_ = apdu->p1 == 0x04 && equal(apdu->data, purse_aid);
        return only(selected_ ? done : not_found);
    }
    if (apdu->cla == interindustry && apdu->ins == ins_get_response) {
        return answer_.empty() ? only(not_expected) : give(apdu->le == 0 ? answer_size : apdu->le);
    }
    if (!message) return only(wrong_instruction);
    return selected_ ? take_part(*apdu) : only(not_expected);
}

Result<ApduReader::Answer> ApduReader::transmit(ByteView apdu) {
    JZ_TRY(Bytes bytes, channel_.transmit(apdu));
    ++pairs_;
    if (bytes.size() < 2 || bytes.size() > answer_size + 2) {
        return Error(ErrorKind::malformed, "the card's answer has " + std::to_string(bytes.size()) + " bytes");
    }
    Answer answer;
    answer.word = static_cast<std::uint16_t>(bytes[bytes.size() - 2] << 8 | bytes.back());
    bytes.resize(bytes.size() - 2);
    answer.data = std::move(bytes);
    return answer;
}

Result<void> ApduReader::select() {
    Bytes apdu{interindustry, ins_select, 0x04, 0x00, static_cast<std::uint8_t>(purse_aid.size())};
    append(apdu, purse_aid);
    apdu.push_back(0x00);
    JZ_TRY(const Answer answer, transmit(apdu));
    if (answer.word == done) return {};
    return Error(ErrorKind::not_found, "there is no purse in what was put on the reader");
}

Result<Bytes> ApduReader::exchange(ByteView message) {
    if (message.empty() || message.size() > max_message) {
        return Error(ErrorKind::invalid, "a message has 1 to 4608 bytes");
    }
    Answer answer;
    while (!message.empty()) {
        const ByteView part = message.first(std::min(message.size(), part_size));
        message = message.subspan(part.size());
        const std::uint8_t cla = message.empty() ? proprietary : proprietary | chaining;
        Bytes apdu{cla, ins_message, message_p1, 0x00, static_cast<std::uint8_t>(part.size())};
        append(apdu, part);
        if (message.empty()) apdu.push_back(0x00);
        JZ_TRY(answer, transmit(apdu));
        if (!message.empty() && answer.word != done) break;
    }
    Bytes whole = std::move(answer.data);
    while ((answer.word & 0xFF00) == more) {
        JZ_TRY(answer, transmit(Bytes{interindustry, ins_get_response, 0x00, 0x00,
                                      static_cast<std::uint8_t>(answer.word & 0xFF)}));
        if (answer.data.empty() || whole.size() + answer.data.size() > max_message) {
            return Error(ErrorKind::malformed, "the card's answer does not end where its length says");
        }
        append(whole, answer.data);
    }
    if (answer.word == not_expected) return Error(ErrorKind::conflict, "the purse expects no message now; select it");
    if (answer.word != done) {
        return Error(ErrorKind::malformed, "the card answered with status " + to_hex(only(answer.word)));
    }
    return whole;
}

}  // namespace jiaozi::carriers
