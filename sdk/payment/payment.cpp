// Two purses and an issuer on one small machine, with nothing but the C interface and the callbacks of sdk/sodium.
// First the worked example of docs/protocol/offline.md, section 14: every object and message is printed, one line of
// name and hex each, to be held against the page. Then what goes wrong on the way: a lost receipt with a loss of power,
// value that is spent on, an altered message. Prints the bytes that travel, the stack that was used and the memory of
// a purse; ends with 0 only if every step had its expected result.
#include <jiaozi/purse/proof.hpp>

#include "board.h"
#include "device.hpp"

namespace jiaozi::example {
namespace {

void write(std::size_t number) {
    char digits[21] = {};
    char* at = digits + 20;
    do {
        *--at = static_cast<char>('0' + number % 10);
        number /= 10;
    } while (number != 0);
    board_write(at);
}

void write(const char* before, std::size_t number, const char* after) {
    board_write(before);
    write(number);
    board_write(after);
}

// "= name hex", as sdk/payment/check_page.py reads it.
void show(const char* name, View bytes) {
    board_write("= ");
    board_write(name);
    board_write(" ");
    for (const std::uint8_t byte : bytes) {
        const char digits[3] = {"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15], 0};
        board_write(digits);
    }
    board_write("\n");
}

}  // namespace

void require(bool good, const char* what) {
    if (good) return;
    board_write("FAILED: ");
    board_write(what);
    board_write("\n");
    board_exit(1);
}

void require_ok(jz_status status, const char* what) {
    if (status != JZ_OK) {
        board_write(jz_status_name(status));
        board_write(" ");
    }
    require(status == JZ_OK, what);
}

namespace {

// Static: the messages are not the purse's stack.
Issuer issuer(0xA1);
Device ann(1);
Device bob(2);
Message request;
Message pay;
Message receipt;
Message answer;
Message note;
std::uint8_t nonce[16];

void ask(std::uint64_t amount, bool with_certificate, Device& payee = bob) {
    const std::uint8_t invoice[8] = {};
    require_ok(jz_purse_request(payee.purse(), amount, invoice, with_certificate ? 1 : 0, nonce, request.bytes,
                                sizeof request.bytes, &request.size),
               "request");
}

void make_pay(Device& payer = ann) {
    require_ok(jz_purse_pay(payer.purse(), purse::c_view(request.view()), 0, pay.bytes, sizeof pay.bytes, &pay.size),
               "pay");
}

jz_status receive(Device& device, const Message& in, Message& out) {
    return jz_purse_receive(device.purse(), purse::c_view(in.view()), out.bytes, sizeof out.bytes, &out.size);
}

void say_payment(const char* name) {
    board_write(name);
    write(": REQUEST ", request.size, "");
    write(" + PAY ", pay.size, "");
    write(" + RECEIPT ", receipt.size, "");
    write(" = ", request.size + pay.size + receipt.size, " bytes\n");
}

// The first object of a CBOR sequence, and its id.
purse::Object first_object(View sequence) {
    purse::Object object;
    require_ok(purse::read_object(sequence, object), "an object");
    return object;
}

purse::Id id_of(const purse::Object& object) {
    purse::Id id{};
    require_ok(purse::id_of(issuer.platform(), object, id), "an id");
    return id;
}

// The journal's last evidence of this kind (docs/protocol/offline.md, 10.1).
void evidence(Device& device, unsigned kind, Message& out) {
    Message found{};
    unsigned there = 0;
    for (std::uint64_t i = 0;; ++i) {
        if (jz_purse_evidence(device.purse(), i, &there, found.bytes, sizeof found.bytes, &found.size) != JZ_OK) return;
        if (there == kind) out = found;
    }
}

void first_meeting() {
    ask(1'250, true);
    make_pay();
    require_ok(receive(bob, pay, receipt), "bob takes PAY");
    require_ok(receive(ann, receipt, answer), "ann takes RECEIPT");
    require(ann.spendable() == 98'750 && bob.spendable() == 101'250, "the balances after the first payment");
    say_payment("hop 1");
}

void show_first_meeting() {
    show("payer_certificate", ann.certificate.view());
    show("payer_lot", id_of(first_object(ann.certificate.view())));
    show("payee_certificate", bob.certificate.view());
    const purse::Object asked = first_object(request.view().subspan(1));
    show("request", asked.bytes);
    show("request_id", id_of(asked));
    evidence(ann, 4, note);
    show("note", note.view());
    show("note_id", id_of(first_object(note.view())));
    evidence(ann, 5, answer);
    show("receipt", answer.view());
    show("message_request", request.view());
    show("message_pay", pay.view());
    show("message_receipt", receipt.view());
    show("journal_record", ann.last_record());
}

// A second request that is voided, and what a purse of ann's key says when it forgets what it said: the note again, to
// that other request. Whoever has both can prove it with the issuer's key alone.
void void_and_fork_proof() {
    ask(300, true);
    const purse::Object other = first_object(request.view().subspan(1));
    purse::Entry<purse::Note> said;
    purse::Entry<purse::Note> again;
    said.object = first_object(note.view());
    said.id = id_of(said.object);
    require_ok(purse::parse(said.object, said.value), "the note");
    again.value = said.value;
    again.value.request = id_of(other);
    std::array<std::uint8_t, purse::max_payload> payload{};
    std::array<std::uint8_t, purse::max_object> room{};
    require_ok(purse::sign(ann.platform, purse::Suite::ed25519, purse::write_payload(again.value, payload), room,
                           again.object),
               "sign");
    again.id = id_of(again.object);
    const View proof = purse::write_proof(said, again, first_object(ann.certificate.view()), pay.bytes);
    show("fork_proof", proof);
    std::uint32_t guilty = 0;
    const jz_issuer_key key = issuer.key();
    require_ok(jz_verify_proof(&bob.platform, &key, 1, purse::c_view(proof), &guilty), "verify the proof");
    require(guilty == 1, "the proof blames the payer");
    require_ok(jz_purse_void(bob.purse(), nonce, answer.bytes, sizeof answer.bytes, &answer.size), "void");
    show("void", first_object(answer.view().subspan(1)).bytes);
}

// A list as long as a country's, 1,000 of 1,000,000: its body's hash is the same on every machine. purse_host_test has
// the same number (attack 51).
void long_list() {
    constexpr std::uint32_t count = 1'000;
    purse::ListWriter writer(pay.bytes, 1'000 * count, count);
    for (std::uint32_t i = 1; i <= count; ++i) require(writer.add(1'000 * i - i * i * 7 % 1'000), "an ordinal");
    const View body = writer.finish();
    require(!body.empty(), "room for the list");
    const jz_view whole = purse::c_view(body);
    std::array<std::uint8_t, 32> root{};
    require(issuer.platform().hash(nullptr, JZ_SHA256, &whole, 1, root.data()) == 0, "hash");
    const std::array<std::uint8_t, 8> expected{0x4f, 0x39, 0x26, 0xa7, 0x29, 0x8d, 0xc0, 0x1d};
    require(std::memcmp(root.data(), expected.data(), expected.size()) == 0, "the bytes of a long list");
    write("a list of 1,000 of 1,000,000: ", body.size(), " bytes\n");
}

void list_and_sync() {
    const std::uint32_t revoked[] = {7, 8, 650};
    issuer.list(2, revoked, request, pay);
    show("list_head", request.view());
    show("list_body", pay.view());
    require_ok(jz_purse_install_list(ann.purse(), purse::c_view(request.view()), purse::c_view(pay.view())),
               "install_list");
    // What was written reads back, and ends where it ends.
    purse::ListSource source(pay.view());
    purse::ListReader reader(source, 1'000, 3);
    std::uint32_t ordinal = 0;
    for (const std::uint32_t expected : revoked) require(reader.next(ordinal) && ordinal == expected, "an ordinal");
    require(!reader.next(ordinal) && reader.valid(), "the end of the list");
    purse::SyncAck ack;
    ack.purse = 1;
    ack.sync = 1;
    ack.time = today_s;
    ack.through = 1;
    ack.flags = purse::sync_limits;
    issuer.sync_ack(ack, request);
    show("sync_ack", request.view());
    require_ok(jz_purse_sync(ann.purse(), purse::c_view(request.view())), "sync");
}

// The receipt is lost and the payer loses power; RESUME brings the same receipt.
void torn_repeat_meeting() {
    ask(700, false);
    make_pay();
    require_ok(receive(bob, pay, receipt), "bob takes PAY");
    const std::size_t lost = receipt.size;
    require_ok(ann.restart(issuer.key()), "ann opens again");
    jz_info info{};
    require_ok(jz_purse_info(ann.purse(), &info), "info");
    require(info.state == JZ_ACTIVE && info.payments_unknown == 1 && info.unknown == 700, "one payment is unknown");
    require_ok(jz_purse_resume(ann.purse(), 0, answer.bytes, sizeof answer.bytes, &answer.size), "resume");
    require_ok(receive(bob, answer, receipt), "bob takes RESUME");
    require_ok(receive(ann, receipt, answer), "ann takes RECEIPT again");
    require(ann.spendable() == 98'050 && bob.spendable() == 101'950, "the balances after RESUME");
    require(lost == receipt.size, "the receipt is the same length");
    say_payment("repeat meeting, torn and resumed");
}

// What was received is spent on: ann gets back what she paid.
void second_hop() {
    ask(1'500, true, ann);
    make_pay(bob);
    require_ok(receive(ann, pay, receipt), "ann takes PAY");
    require_ok(receive(bob, receipt, answer), "bob takes RECEIPT");
    require(ann.spendable() == 99'550 && bob.spendable() == 100'450, "the balances after the second hop");
    say_payment("hop 2");
}

// After the payment each says what it knows: bob learns ann's newer list.
void gossip() {
    jz_info info{};
    require_ok(jz_purse_gossip(bob.purse(), request.bytes, sizeof request.bytes, &request.size), "gossip");
    const std::size_t said = request.size;
    require_ok(receive(ann, request, answer), "ann takes GOSSIP");
    require_ok(receive(bob, answer, request), "bob takes GOSSIP");
    require_ok(jz_purse_info(bob.purse(), &info), "info");
    require(info.list_version == 2, "bob has the newer list");
    require(request.size == 0, "nothing more is said");
    write("GOSSIP ", said, ", its answer with a newer list ");
    write("", answer.size, " bytes\n");
}

// A deposit for somebody else to carry; a device without mule slots says that it can't.
void mule() {
    std::uint8_t deposit_key[32] = {9};
    require_ok(jz_purse_mule(bob.purse(), 0, deposit_key, request.bytes, sizeof request.bytes, &request.size), "mule");
    require(receive(ann, request, answer) == JZ_NO_ROOM, "there is no room for a mule's load");
}

void altered_message() {
    ask(5, false);
    make_pay();
    pay.bytes[pay.size - 1] ^= 1;
    require(receive(bob, pay, receipt) == JZ_BAD_SIGNATURE, "an altered PAY is refused");
}

void measured(const char* name, void (*step)()) {
    board_paint_stack();
    step();
    const std::uint32_t stack = board_deepest_stack();
    if (stack == 0) return;
    board_write("stack, ");
    board_write(name);
    write(": ", stack, " bytes\n");
}

void load_both() {
    const std::uint32_t revoked[] = {999};
    issuer.list(1, revoked, request, pay);
    for (Device* device : {&ann, &bob}) {
        issuer.load(*device, device == &ann ? 1 : 2);
        require_ok(jz_purse_install_list(device->purse(), purse::c_view(request.view()), purse::c_view(pay.view())),
                   "install_list");
    }
}

}  // namespace
}  // namespace jiaozi::example

int main() {
    using namespace jiaozi::example;
    require_ok(ann.create(issuer.key()), "ann's purse");
    require_ok(bob.create(issuer.key()), "bob's purse");
    measured("load", load_both);
    measured("first payment", first_meeting);
    show_first_meeting();
    void_and_fork_proof();
    long_list();
    measured("list and sync", list_and_sync);
    measured("restart and RESUME", torn_repeat_meeting);
    measured("second hop", second_hop);
    measured("gossip", gossip);
    measured("mule", mule);
    measured("refusal", altered_message);
    write("RAM of a purse: ", JZ_PURSE_BYTES, " bytes; journal records written: ");
    write("", static_cast<std::size_t>(ann.records()), " and ");
    write("", static_cast<std::size_t>(bob.records()), "\n");
    board_write("PAYMENT COMPLETE\n");
    return 0;
}
