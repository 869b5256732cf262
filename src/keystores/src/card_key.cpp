#include <algorithm>

#include <jiaozi/keystores/card_applet.hpp>
#include <jiaozi/keystores/card_key.hpp>

#include "big_endian.hpp"
#include "card_rules.hpp"

namespace jiaozi::keystores {
namespace {

// CLA INS P1 P2
constexpr std::uint32_t select = 0x00A40400;
constexpr std::uint32_t get_response = 0x00C00000;
constexpr std::uint32_t verify = 0x00200080;
constexpr std::uint32_t sign_message = 0x002A9E9A;
constexpr std::uint32_t get_identity = 0x00CA0101;
constexpr std::uint32_t get_status = 0x00CA0102;
constexpr std::uint32_t get_counter = 0x00CA0103;
constexpr std::uint32_t get_last = 0x00CA0104;
constexpr std::uint32_t personalise_card = 0x80500000;
constexpr std::uint32_t load_lot = 0x80520000;
constexpr std::uint32_t sync_card = 0x80540000;
constexpr std::uint32_t step_counter = 0x80580000;
constexpr std::uint32_t chaining_bit = 0x10000000;
constexpr std::size_t part_size = 255;
constexpr std::size_t max_answer = 4096;

struct Words {
    Status status;
    std::string_view code;
    std::string_view words;
};
constexpr std::array refusals = {
    Words{Status::pin_needed, "cvm_required", "the holder's PIN is needed for this"},
    Words{Status::another_purse, "wrong_purse", "this is another purse's"},
    Words{Status::seq_used, "seq_used", "something was said under this number before"},
    Words{Status::wrong_previous, "wrong_previous", "this does not follow what the card signed last"},
    Words{Status::overlap, "overlap", "a part of this range was paid before"},
    Words{Status::beyond_lot, "insufficient", "the lot does not reach that far"},
    Words{Status::over_limit, "over_limit", "the amount is above the certificate's limit for one payment"},
    Words{Status::count_limit, "count_limit", "no more notes before the next sync"},
    Words{Status::wrong_directed, "wrong_directed", "the lot pays another payee only"},
    Words{Status::expired, "expired", "the certificate has expired"},
    Words{Status::frozen, "frozen", "the purse is frozen; sync"},
    Words{Status::no_certificate, "no_certificate", "the card holds no certificate in force; load one"},
    Words{Status::not_the_issuers, "bad_signature", "the issuer of this card did not sign that"},
    Words{Status::old_sync, "old_sync", "this acknowledgement was taken before"},
    Words{Status::no_room, "no_room", "the card's tables are full; sync"},
};

Error pin_locked(std::string_view doing) {
    return Error(ErrorKind::forbidden, std::string(doing) + ": the PIN's tries are used up; sync to have them back")
        .with_code("pin_locked");
}

Error error_of(std::uint16_t word, std::string_view doing) {
    const std::string text = std::string(doing) + ": ";
    if ((word & 0xFFF0) == 0x63C0) {
        return {ErrorKind::unauthenticated, text + "wrong PIN, " + std::to_string(word & 0x0F) + " tries left"};
    }
    const auto status = static_cast<Status>(word);
    const auto row = std::ranges::find(refusals, status, &Words::status);
    if (row != refusals.end()) {
        return Error(ErrorKind::declined, text + "the card refuses: " + std::string(row->words)).with_code(row->code);
    }
    switch (status) {
        case Status::pin_locked:
            return pin_locked(doing);
        case Status::malformed:
            return {ErrorKind::malformed, text + "the card takes messages of the purse protocol only"};
        case Status::application_not_found:
            return {ErrorKind::not_found, text + "this card has no Jiaozi application"};
        case Status::data_not_found:
            return {ErrorKind::not_found, text + "the card has nothing to give"};
        case Status::conditions:
            return {ErrorKind::conflict, text + "the card is in another state (blank, or personalised before)"};
        case Status::memory_failure:
            return {ErrorKind::io, text + "the card could not write; nothing was signed"};
        default:
            break;
    }
    Bytes bytes;
    put_big_endian(bytes, word, 2);
    return {ErrorKind::io, text + "the card answered " + to_hex(bytes)};
}

struct CardAnswer {
    Bytes data;
    std::uint16_t word = 0;
};

Result<CardAnswer> exchange(CardChannel& channel, std::uint32_t head, ByteView data, std::optional<std::uint8_t> le) {
    Bytes apdu;
    put_big_endian(apdu, head, 4);
    if (!data.empty()) {
        apdu.push_back(static_cast<std::uint8_t>(data.size()));
        append(apdu, data);
    }
    if (le) apdu.push_back(*le);
    auto answer = channel.transmit(apdu);
    crypto::wipe(apdu);  // it may hold a PIN
    if (!answer.ok()) return std::move(answer).error();
    if (answer->size() < 2) return Error(ErrorKind::io, "the card's answer has no status word");
    CardAnswer result{.data = std::move(answer).value()};
    result.word = static_cast<std::uint16_t>(big_endian(ByteView(result.data).last(2)));
    result.data.resize(result.data.size() - 2);
    return result;
}

// One command with its chain of parts and of answers; 9000 at the end or an error.
Result<Bytes> run(CardChannel& channel, std::uint32_t head, ByteView data, std::string_view doing) {
    while (data.size() > part_size) {
        JZ_TRY(const CardAnswer part, exchange(channel, head | chaining_bit, data.first(part_size), std::nullopt));
        if (part.word != 0x9000) return error_of(part.word, doing);
        data = data.subspan(part_size);
    }
    const bool wants_answer = head != verify && head != load_lot && head != sync_card;
    JZ_TRY(CardAnswer answer,
           exchange(channel, head, data, wants_answer ? std::optional<std::uint8_t>(0) : std::nullopt));
    while ((answer.word & 0xFF00) == 0x6100 && answer.data.size() < max_answer) {
        JZ_TRY(const CardAnswer more,
               exchange(channel, get_response, {}, static_cast<std::uint8_t>(answer.word & 0xFF)));
        append(answer.data, more.data);
        answer.word = more.word;
    }
    if (answer.word != 0x9000) return error_of(answer.word, doing);
    return std::move(answer.data);
}

Result<void> select_application(CardChannel& channel) {
    JZ_CHECK(run(channel, select, card_aid, "select the card's application"));
    return {};
}

}  // namespace

Result<void> CardKey::personalise(CardChannel& channel, const CardIssuing& issuing, const crypto::SecretBytes& pin) {
    if (pin.size() < min_pin || pin.size() > max_pin) {
        return Error(ErrorKind::invalid, "a card's PIN has 4 to 16 characters").with_param("pin");
    }
    Bytes data = {static_cast<std::uint8_t>(issuing.suite)};
    put_big_endian(data, issuing.purse, 4);
    data.push_back(static_cast<std::uint8_t>(issuing.issuer_suite));
    data.push_back(static_cast<std::uint8_t>(issuing.issuer_key.size()));
    append(data, issuing.issuer_key);
    data.push_back(static_cast<std::uint8_t>(pin.size()));
    append(data, pin.view());
    JZ_CHECK(select_application(channel));
    const auto done = run(channel, personalise_card, data, "personalise the card");
    crypto::wipe(data);
    if (!done.ok()) return done.error();
    return {};
}

Result<std::unique_ptr<CardKey>> CardKey::open(std::unique_ptr<CardChannel> channel) {
    std::unique_ptr<CardKey> key(new CardKey(std::move(channel)));
    JZ_CHECK(select_application(*key->channel_));
    JZ_TRY(const Bytes identity, run(*key->channel_, get_identity, {}, "read the card's identity"));
    if (identity.size() < 6) return Error(ErrorKind::io, "the card's identity is too short");
    JZ_TRY(key->suite_, crypto::suite_from_number(identity[0]));
    key->purse_ = static_cast<std::uint32_t>(big_endian(ByteView(identity).subspan(1, 4)));
    JZ_TRY(key->public_key_, crypto::canonical_public_key(key->suite_, ByteView(identity).subspan(5)));
    return key;
}

// A card that was reset has forgotten the selection: selected once more and asked again. Every command of ours may be
// sent twice: signing the same bytes gives the same answer, and the counter's caller compares the value.
Result<Bytes> CardKey::command(std::uint32_t head, ByteView data, std::string_view doing) const {
    const std::scoped_lock lock(mutex_);
    auto answer = run(*channel_, head, data, doing);
    if (answer.ok() || answer.error().kind() != ErrorKind::conflict || head == step_counter) return answer;
    JZ_CHECK(select_application(*channel_));
    return run(*channel_, head, data, doing);
}

Result<crypto::Signature> CardKey::sign(ByteView sig_structure) const {
    JZ_TRY(const Bytes answer, command(sign_message, sig_structure, "sign in the card"));
    crypto::Signature signature{};
    if (answer.size() != signature.size()) return Error(ErrorKind::io, "the card's signature has the wrong size");
    std::ranges::copy(answer, signature.begin());
    return signature;
}

Result<CardStatus> CardKey::status() const {
    JZ_TRY(const Bytes bytes, command(get_status, {}, "read the card's status"));
    if (bytes.size() != 45) return Error(ErrorKind::io, "the card's status has the wrong size");
    const ByteView view(bytes);
    CardStatus status;
    status.last_seq = static_cast<std::uint32_t>(big_endian(view.first(4)));
    status.last_id = to_bytes(view.subspan(4, 32));
    status.sync = static_cast<std::uint32_t>(big_endian(view.subspan(36, 4)));
    status.tries_left = view[40];
    status.frozen = view[41] != 0;
    status.lots = view[42];
    status.pieces = static_cast<std::uint16_t>(big_endian(view.subspan(43, 2)));
    return status;
}

Result<void> CardKey::verify_pin(const crypto::SecretBytes& pin) {
    if (pin.empty()) return Error(ErrorKind::invalid, "a PIN is needed").with_param("pin");
    JZ_CHECK(command(verify, pin.view(), "give the PIN"));
    return {};
}

Result<void> CardKey::load_certificate(ByteView object) {
    JZ_CHECK(command(load_lot, object, "load a certificate"));
    return {};
}

Result<void> CardKey::sync(ByteView object) {
    JZ_CHECK(command(sync_card, object, "sync the card"));
    return {};
}

Result<std::optional<SignedMessage>> CardKey::last_signed() const {
    const auto answer = command(get_last, {}, "read the last message");
    if (!answer.ok()) {
        if (answer.error().kind() == ErrorKind::not_found) return std::optional<SignedMessage>{};
        return answer.error();
    }
    SignedMessage message;
    if (answer->size() < message.signature.size()) return Error(ErrorKind::io, "the card's last message is too short");
    const ByteView bytes(*answer);
    std::ranges::copy(bytes.first(message.signature.size()), message.signature.begin());
    message.sig_structure = to_bytes(bytes.subspan(message.signature.size()));
    return std::optional(std::move(message));
}

Result<std::uint64_t> CardKey::read() {
    JZ_TRY(const Bytes bytes, command(get_counter, {}, "read the card's counter"));
    return big_endian(bytes);
}

Result<std::uint64_t> CardKey::increment() {
    JZ_TRY(const Bytes bytes, command(step_counter, {}, "step the card's counter"));
    return big_endian(bytes);
}

}  // namespace jiaozi::keystores
