// Holds the bytes and sizes printed in docs/protocol/offline.md, section 14, to the code. With JIAOZI_PRINT_EXAMPLE set
// it prints them as the page has them.
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include "forge.hpp"

namespace jiaozi::purse_host {
namespace {

// The real thing, but its random numbers are 00 01 02 ….
class CountingCryptography final : public Cryptography {
  public:
    void hash(int hash, std::span<const jz_view> parts, std::uint8_t* out) override { real_.hash(hash, parts, out); }
    bool verify(crypto::Suite suite, ByteView key, ByteView message, ByteView signature) override {
        return real_.verify(suite, key, message, signature);
    }
    bool x25519(std::uint8_t* out, ByteView scalar, ByteView point) override {
        return real_.x25519(out, scalar, point);
    }
    void seal(ByteView key, ByteView nonce, ByteView aad, ByteSpan data, std::uint8_t* tag) override {
        real_.seal(key, nonce, aad, data, tag);
    }
    bool open(ByteView key, ByteView nonce, ByteView aad, ByteSpan data, ByteView tag) override {
        return real_.open(key, nonce, aad, data, tag);
    }
    void random(ByteSpan out) override {
        for (std::uint8_t& byte : out) byte = next_++;
    }

  private:
    Cryptography& real_ = real_cryptography();
    std::uint8_t next_ = 0;
};

struct Example {
    std::string name;
    std::string says;
    Bytes bytes;
};

Bytes id_bytes(World& world, ByteView object) {
    const purse::Id id = object_id(world.cryptography, object);
    return Bytes(id.begin(), id.end());
}

// What a purse of this key says when it forgets what it said: the note again, to another request.
Bytes second_note(World& world, Device& payer, ByteView first, ByteView request) {
    return changed_note(payer, first,
                        [&](purse::Note& note) { note.request = object_id(world.cryptography, request); });
}

std::vector<Example> examples(crypto::Suite suite, std::map<std::string, std::size_t>& sizes) {
    CountingCryptography cryptography;
    World world(suite, cryptography);
    Device& ann = world.device();
    Device& bob = world.device();
    const Payment p = transfer(ann, bob, 1'250);
    EXPECT_TRUE(p.ok()) << p;
    const ByteView asked = ByteView(p.request).subspan(1);
    const Bytes request = object_in(asked, 0);
    const Bytes note = evidence(ann, kind_note);
    const Bytes receipt = evidence(ann, 5);
    const Bytes other_request = object_in(ByteView(bob.ask(300)).subspan(1), 0);
    const auto voided = bob.purse.void_request(bob.nonce);
    const Bytes void_object = object_in(ByteView(voided.bytes).subspan(1), 0);
    const auto list = world.issuer.blacklist(2, today_s, 1'000, std::vector<std::uint32_t>{7, 8, 650});
    purse::SyncAck ack;
    ack.purse = 1;
    ack.sync = 1;
    ack.time = today_s;
    ack.through = 1;
    ack.flags = purse::sync_limits;
    const Bytes sack = world.issuer.sync_ack(ack);
    const Bytes proof = fork_proof(world, note, second_note(world, ann, note, other_request), ann.last_certificate);
    const auto& journal = ann.storage.content().journal;
    const auto record = journal.back();
    sizes = {{"LC", ann.last_certificate.size()},
             {"REQ", request.size()},
             {"NOTE", note.size()},
             {"RCPT", receipt.size()},
             {"VOID", void_object.size()},
             {"HEAD", list.head.size()},
             {"fork proof", proof.size()}};
    return {
        {"payer_certificate", "LC of purse 1, serial 1.", ann.last_certificate},
        {"payer_lot", "Its id: the lot.", id_bytes(world, ann.last_certificate)},
        {"payee_certificate", "LC of purse 2, serial 2.", bob.last_certificate},
        {"request", "REQ of purse 2 for 1,250.", request},
        {"request_id", "Its id.", id_bytes(world, request)},
        {"note", "The NOTE that pays it.", note},
        {"note_id", "Its id.", id_bytes(world, note)},
        {"receipt", "The RCPT.", receipt},
        {"message_request", "Message 1, REQUEST.", p.request},
        {"message_pay", "Message 2, PAY.", p.pay},
        {"message_receipt", "Message 3, RECEIPT.", p.receipt},
        {"void", "VOID of a second request of purse 2, for 300.", void_object},
        {"list_head", "HEAD of version 2: 7, 8 and 650 of 1,000 are revoked (k = 8).", list.head},
        {"list_body", "Its body.", list.body},
        {"sync_ack", "SACK 1 for purse 1: through 1, flags 1.", sack},
        {"fork_proof", "A fork proof against purse 1: the note above, and the same with the second request's id.",
         proof},
        {"journal_record", "The payer's last journal record: `done`, number 4.", Bytes(record.begin(), record.end())},
    };
}

std::string block(const Example& example) {
    const std::string hex = to_hex(example.bytes);
    std::string out = example.says + "\n\n```hex " + example.name + "\n";
    for (std::size_t i = 0; i < hex.size(); i += 64) out += hex.substr(i, 64) + "\n";
    return out + "```\n";
}

std::string page() {
    std::ifstream file("docs/protocol/offline.md");
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

TEST(WorkedExample, ThePageHasTheseBytes) {
    std::map<std::string, std::size_t> sizes;
    const std::string text = page();
    ASSERT_FALSE(text.empty()) << "run from the top of the checkout";
    std::string all;
    for (const Example& example : examples(crypto::Suite::ed25519, sizes)) {
        all += (all.empty() ? "" : "\n") + block(example);
        EXPECT_NE(text.find(block(example)), std::string::npos) << "not in the page:\n" << block(example);
    }
    if (std::getenv("JIAOZI_PRINT_EXAMPLE") != nullptr) std::cout << all;
}

TEST(WorkedExample, ThePageHasTheseSizes) {
    std::map<std::string, std::array<std::size_t, 3>> table;
    for (std::size_t i = 0; i < 3; ++i) {
        std::map<std::string, std::size_t> sizes;
        examples(static_cast<crypto::Suite>(i + 1), sizes);
        for (const auto& [name, size] : sizes) table[name][i] = size;
    }
    const std::string text = page();
    for (const auto& [name, sizes] : table) {
        std::ostringstream row;
        row << "| " << name << " | " << sizes[0] << " | " << sizes[1] << " | " << sizes[2] << " |";
        EXPECT_NE(text.find(row.str()), std::string::npos) << "not in the page: " << row.str();
        EXPECT_LE(sizes[0], 650U);
    }
}

}  // namespace
}  // namespace jiaozi::purse_host
