// The names are those of docs/formats/card.md.
#include <algorithm>
#include <optional>

#include <jiaozi/crypto/private_file.hpp>
#include <jiaozi/keystores/apdu.hpp>
#include <jiaozi/keystores/card_applet.hpp>

#include "big_endian.hpp"
#include "card_rules.hpp"

namespace jiaozi::keystores {
namespace {

class FileStorage final : public CardStorage {
  public:
    explicit FileStorage(std::filesystem::path path) : path_(std::move(path)) {}
    Result<crypto::SecretBytes> load() override { return crypto::read_private_file(path_, max_card_file); }
    Result<void> save(ByteView content) override {
        return crypto::write_private_file(path_, content, crypto::Existing::replace);
    }

  private:
    std::filesystem::path path_;
};

struct Answer {
    Status status = Status::ok;
    Bytes data{};
    std::uint8_t tries = 0xFF;  // 63Cx instead of a status
};

Answer wrong_pin(std::uint8_t tries_left) {
    return {.status = Status::ok, .data = {}, .tries = tries_left};
}

enum class Instruction : std::uint8_t {
    verify = 0x20,
    perform_security_operation = 0x2A,
    personalise = 0x50,
    load_certificate = 0x52,
    sync = 0x54,
    step_counter = 0x58,
    get_challenge = 0x84,
    select = 0xA4,
    get_response = 0xC0,
    get_data = 0xCA,
};

constexpr std::uint8_t iso_class = 0x00;
constexpr std::uint8_t own_class = 0x80;

// Which class and parameters go with an instruction; anything else is refused before it is looked at.
struct Row {
    Instruction instruction;
    std::uint8_t cla;
    std::optional<std::uint16_t> parameters;  // P1 P2; nothing: looked at by the instruction
};
constexpr std::array rows = {
    Row{Instruction::select, iso_class, 0x0400},
    Row{Instruction::get_response, iso_class, 0x0000},
    Row{Instruction::get_challenge, iso_class, 0x0000},
    Row{Instruction::verify, iso_class, 0x0080},
    Row{Instruction::get_data, iso_class, std::nullopt},
    Row{Instruction::perform_security_operation, iso_class, 0x9E9A},
    Row{Instruction::personalise, own_class, 0x0000},
    Row{Instruction::load_certificate, own_class, 0x0000},
    Row{Instruction::sync, own_class, 0x0000},
    Row{Instruction::step_counter, own_class, 0x0000},
};

std::uint16_t parameters_of(const Apdu& apdu) {
    return static_cast<std::uint16_t>((apdu.p1 << 8) | apdu.p2);
}

Bytes with_status(ByteView data, std::uint16_t status) {
    Bytes answer = to_bytes(data);
    put_big_endian(answer, status, 2);
    return answer;
}

}  // namespace

std::unique_ptr<CardStorage> card_file(std::filesystem::path path) {
    return std::make_unique<FileStorage>(std::move(path));
}

struct CardApplet::State {
    std::unique_ptr<CardStorage> storage;
    CardState card;

    // Volatile: gone with a reset.
    bool selected = false;
    bool verified = false;
    Bytes chain;  // data of the parts so far
    std::optional<Apdu> chain_head;
    Bytes response;  // what GET RESPONSE still owes

    // The change is in force only when it is stored.
    Status keep(CardState next) {
        if (!storage->save(encode_card_state(next).view()).ok()) return Status::memory_failure;
        card = std::move(next);
        return Status::ok;
    }

    Result<crypto::Verifier> issuer() const { return crypto::make_verifier(card.issuer_suite, card.issuer_key); }

    Answer select(ByteView data) {
        if (!std::ranges::equal(data, card_aid)) return {Status::application_not_found};
        selected = true;
        verified = false;
        return {Status::ok, {0x01, static_cast<std::uint8_t>(card.personalised ? 1 : 0)}};
    }

    // suite ‖ purse (4) ‖ issuer's suite ‖ length and issuer's key ‖ length and PIN
    Answer personalise(ByteView data) {
        if (card.personalised) return {Status::conditions};
        if (data.size() < 7) return {Status::malformed};
        const auto suite = crypto::suite_from_number(data[0]);
        const auto issuer_suite = crypto::suite_from_number(data[5]);
        const std::uint64_t purse = big_endian(data.subspan(1, 4));
        const std::size_t key_size = data[6];
        if (!suite.ok() || !issuer_suite.ok() || purse == 0 || data.size() < 8 + key_size) return {Status::malformed};
        const auto key = crypto::canonical_public_key(*issuer_suite, data.subspan(7, key_size));
        const ByteView pin = data.subspan(8 + key_size);
        if (!key.ok() || pin.size() != data[7 + key_size] || pin.size() < min_pin || pin.size() > max_pin) {
            return {Status::malformed};
        }
        CardState next;
        const crypto::KeyPair pair = crypto::generate_key(*suite);
        next.personalised = true;
        next.suite = *suite;
        std::ranges::copy(pair.private_key.view(), next.private_key.mutable_view().begin());
        next.public_key = pair.public_key;
        next.purse = static_cast<std::uint32_t>(purse);
        next.issuer_suite = *issuer_suite;
        next.issuer_key = *key;
        std::ranges::copy(pin, next.pin.mutable_view().begin());
        next.pin_size = static_cast<std::uint8_t>(pin.size());
        const Status kept = keep(std::move(next));
        return {kept, kept == Status::ok ? card.public_key : Bytes{}};
    }

    Answer verify_pin(ByteView data) {
        if (data.empty()) return verified ? Answer{} : wrong_pin(card.tries_left);
        verified = false;
        if (card.tries_left == 0) return {Status::pin_locked};
        // The try is used up on the medium before the PIN is looked at: cutting the power gives nothing back.
        CardState next = card;
        --next.tries_left;
        if (const Status kept = keep(next); kept != Status::ok) return {kept};
        if (!crypto::constant_time_equal(data, card.pin.view().first(card.pin_size))) {
            return card.tries_left == 0 ? Answer{Status::pin_locked} : wrong_pin(card.tries_left);
        }
        next.tries_left = pin_tries;
        if (const Status kept = keep(std::move(next)); kept != Status::ok) return {kept};
        verified = true;
        return {};
    }

    Answer sign(ByteView message) {
        // Said again, not said anew: the same bytes get the same answer, whatever happened to the first.
        if (!card.last_message.empty() && equal(message, card.last_message)) {
            return {Status::ok, {card.last_signature.begin(), card.last_signature.end()}};
        }
        const auto request = read_card_request(card.suite, message);
        if (!request.ok()) return {Status::malformed};
        if (const Status verdict = judge(card, *request, verified); verdict != Status::ok) return {verdict};
        crypto::KeyPair pair{card.suite, crypto::SecretBytes(card.private_key.view()), card.public_key};
        const auto signer = crypto::make_signer(pair);
        if (!signer.ok()) return {Status::memory_failure};
        const auto signature = (*signer)->sign(message);
        if (!signature.ok()) return {Status::memory_failure};
        CardState next = card;
        record(next, *request, message, *signature);
        if (const Status kept = keep(std::move(next)); kept != Status::ok) return {kept};
        if (request->type == CardObject::note) verified = false;  // one PIN, one payment
        return {Status::ok, {signature->begin(), signature->end()}};
    }

    template <class Read, class Take>
    Answer from_issuer(ByteView object, Read read, Take take) {
        const auto verifier = issuer();
        if (!verifier.ok()) return {Status::memory_failure};
        const auto value = read(*verifier, object);
        if (!value.ok()) {
            return {value.error().kind() == ErrorKind::unauthenticated ? Status::not_the_issuers : Status::malformed};
        }
        CardState next = card;
        if (const Status taken = take(next, *value); taken != Status::ok) return {taken};
        return {keep(std::move(next))};
    }

    Answer step_counter() {
        CardState next = card;
        ++next.counter;
        if (const Status kept = keep(std::move(next)); kept != Status::ok) return {kept};
        return {Status::ok, counter_bytes()};
    }

    Bytes counter_bytes() const {
        Bytes bytes;
        put_big_endian(bytes, card.counter, 8);
        return bytes;
    }

    Answer get_data(std::uint16_t tag) const {
        Bytes out;
        switch (tag) {
            case 0x0101:  // identity
                out = {static_cast<std::uint8_t>(card.suite)};
                put_big_endian(out, card.purse, 4);
                append(out, card.public_key);
                return {Status::ok, out};
            case 0x0102:  // status
                put_big_endian(out, card.last_seq, 4);
                append(out, card.last_id);
                put_big_endian(out, card.sync, 4);
                out.insert(out.end(), {card.tries_left, static_cast<std::uint8_t>(card.frozen ? 1 : 0),
                                       static_cast<std::uint8_t>(card.lots.size())});
                put_big_endian(out, card.pieces.size(), 2);
                return {Status::ok, out};
            case 0x0103:  // counter
                return {Status::ok, counter_bytes()};
            case 0x0104:  // the last message of the chain and its signature
                if (card.last_message.empty()) return {Status::data_not_found};
                append(out, card.last_signature);
                append(out, card.last_message);
                return {Status::ok, out};
            default:
                return {Status::data_not_found};
        }
    }

    Answer run(const Apdu& apdu, ByteView data) {
        const auto instruction = static_cast<Instruction>(apdu.ins);
        if (instruction == Instruction::select) return select(data);
        if (!selected) return {Status::conditions};
        if (instruction == Instruction::personalise) return personalise(data);
        if (instruction == Instruction::get_challenge) {
            Bytes random(std::clamp<std::size_t>(apdu.le, 8, 32));
            crypto::random_bytes(random);
            return {Status::ok, random};
        }
        if (!card.personalised) return {Status::conditions};
        switch (instruction) {
            case Instruction::verify:
                return verify_pin(data);
            case Instruction::perform_security_operation:
                return sign(data);
            case Instruction::load_certificate:
                return from_issuer(data, read_certificate, take_certificate);
            case Instruction::sync:
                return from_issuer(data, read_sync, take_sync);
            case Instruction::step_counter:
                return step_counter();
            case Instruction::get_data:
                return get_data(parameters_of(apdu));
            default:
                return {Status::unknown_instruction};
        }
    }

    static Status check_head(const Apdu& apdu) {
        const auto row = std::ranges::find(rows, static_cast<Instruction>(apdu.ins), &Row::instruction);
        if (apdu.cla != iso_class && apdu.cla != own_class) return Status::unknown_class;
        if (row == rows.end()) return Status::unknown_instruction;
        if (row->cla != apdu.cla) return Status::unknown_class;
        if (row->parameters && *row->parameters != parameters_of(apdu)) return Status::wrong_parameters;
        return Status::ok;
    }

    // Collects the parts of a chain; nothing when more are to come.
    std::optional<Answer> collect(const Apdu& apdu, Bytes& data) {
        if (chain_head && (chain_head->cla != apdu.cla || chain_head->ins != apdu.ins ||
                           parameters_of(*chain_head) != parameters_of(apdu))) {
            drop_chain();
            return Answer{Status::chain_expected};
        }
        append(chain, apdu.data);
        if (chain.size() > max_card_message) {
            drop_chain();
            return Answer{Status::wrong_length};
        }
        chain_head = apdu;
        chain_head->data = {};
        if (apdu.more) return Answer{};
        data = std::move(chain);
        drop_chain();
        return std::nullopt;
    }

    void drop_chain() noexcept {
        chain.clear();
        chain_head.reset();
    }

    // The first `le` bytes of what is owed, and 61xx for the rest.
    Bytes pay_out(std::size_t le) {
        const std::size_t size = std::min(le == 0 ? std::size_t{256} : le, response.size());
        const Bytes part(response.begin(), response.begin() + static_cast<std::ptrdiff_t>(size));
        response.erase(response.begin(), response.begin() + static_cast<std::ptrdiff_t>(size));
        if (response.empty()) return with_status(part, static_cast<std::uint16_t>(Status::ok));
        return with_status(part, static_cast<std::uint16_t>(0x6100 | std::min<std::size_t>(response.size(), 0xFF)));
    }

    Bytes process(ByteView bytes) {
        const auto apdu = parse_apdu(bytes);
        if (!apdu.ok()) return with_status({}, static_cast<std::uint16_t>(Status::wrong_length));
        if (const Status head = check_head(*apdu); head != Status::ok) {
            drop_chain();
            return with_status({}, static_cast<std::uint16_t>(head));
        }
        if (static_cast<Instruction>(apdu->ins) == Instruction::get_response) {
            if (response.empty()) return with_status({}, static_cast<std::uint16_t>(Status::conditions));
            return pay_out(apdu->le);
        }
        response.clear();
        Bytes data;
        std::optional<Answer> answer = collect(*apdu, data);
        if (!answer) answer = run(*apdu, data);
        crypto::wipe(data);  // it may have been a PIN
        if (answer->tries != 0xFF) return with_status({}, static_cast<std::uint16_t>(0x63C0 | answer->tries));
        if (answer->status != Status::ok) return with_status({}, static_cast<std::uint16_t>(answer->status));
        response = std::move(answer->data);
        return pay_out(apdu->le);
    }
};

CardApplet::CardApplet(std::unique_ptr<State> state) : state_(std::move(state)) {}
CardApplet::~CardApplet() = default;

Result<std::unique_ptr<CardApplet>> CardApplet::open(std::unique_ptr<CardStorage> storage) {
    auto state = std::make_unique<State>();
    const auto stored = storage->load();
    if (stored.ok()) {
        auto card = decode_card_state(stored->view());
        if (!card.ok()) return Error(ErrorKind::corrupt, card.error().message());
        state->card = std::move(card).value();
    } else if (stored.error().kind() != ErrorKind::not_found) {
        return stored.error();
    }
    state->storage = std::move(storage);
    return std::unique_ptr<CardApplet>(new CardApplet(std::move(state)));
}

Bytes CardApplet::process(ByteView apdu) {
    return state_->process(apdu);
}

void CardApplet::reset() noexcept {
    state_->selected = false;
    state_->verified = false;
    state_->drop_chain();
    state_->response.clear();
}

Bytes CardApplet::answer_to_reset() const {
    // TS; T0: TD1 and 6 historical bytes; TD1: TD2, T=0; TD2: T=1; then TCK, the XOR of all but TS.
    Bytes atr = {0x3B, 0x86, 0x80, 0x01, 'J', 'Z', 'C', 'A', 'R', 'D'};
    std::uint8_t check = 0;
    for (std::size_t i = 1; i < atr.size(); ++i) check ^= atr[i];
    atr.push_back(check);
    return atr;
}

}  // namespace jiaozi::keystores
