// The other device, for the interop test of the WebAssembly purse: the host program's purse (number 2) with the
// project's own cryptography, and the issuer of both. Commands on standard input, one a line, answers in hex:
//
//   issuer                   the issuer's public key
//   certificate NUMBER KEY   a certificate of 100,000 for that purse
//   list                     head and body of a fresh blacklist
//   request AMOUNT           REQUEST
//   pay REQUEST              status and PAY
//   receive MESSAGE          status and answer
//   balance                  what is spendable
//
// purse_peer SUITE (1, 2 or 3). Test keys; 1 for an argument that is none.
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>

#include <jiaozi/purse_host/issuer.hpp>
#include <jiaozi/purse_host/memory.hpp>

namespace jiaozi::purse_host {
namespace {

constexpr std::uint32_t day_s = 86'400;
constexpr std::uint32_t today_s = 1'700'000'000;

std::unique_ptr<PurseSigner> fixed_signer(crypto::Suite suite, std::uint8_t number) {
    return key_signer(crypto::make_signer(crypto::key_from_private(suite, Bytes(32, number)).value()).value());
}

std::string shown(ByteView bytes) {
    return bytes.empty() ? "-" : to_hex(bytes);
}

std::string shown(const HostPurse::Written& written) {
    return std::string(jz_status_name(written.status)) + " " + shown(written.bytes);
}

class Peer {
  public:
    explicit Peer(crypto::Suite suite)
        : issuer_signer_(fixed_signer(suite, 0xA1)),
          issuer_(real_cryptography(), *issuer_signer_),
          signer_(fixed_signer(suite, 2)),
          clock_(timestamp_s(today_s)),
          purse_(real_cryptography(), *signer_, storage_, anchor_, clock_) {}

    // Creates, loads and brings up to date; the first thing that is refused.
    jz_status start() {
        if (const jz_status made = purse_.create(2, 0); made != JZ_OK) return made;
        const jz_issuer_key key = issuer_.key();
        if (const jz_status trusted = jz_purse_trust(purse_.get(), &key, 1); trusted != JZ_OK) return trusted;
        const Bytes lot = certificate(2, signer_->public_key());
        if (const jz_status loaded = jz_purse_load(purse_.get(), c_view(lot)); loaded != JZ_OK) return loaded;
        const Issuer::List list = fresh_list();
        return jz_purse_install_list(purse_.get(), c_view(list.head), c_view(list.body));
    }

    std::string answer(const std::string& command, std::istream& arguments) {
        std::string text;
        if (command == "issuer") return to_hex(issuer_signer_->public_key());
        if (command == "balance") return std::to_string(purse_.info().spendable);
        if (command == "list") {
            const Issuer::List list = fresh_list();
            return to_hex(list.head) + " " + to_hex(list.body);
        }
        if (command == "certificate") {
            std::uint32_t number = 0;
            arguments >> number >> text;
            return to_hex(certificate(number, from_hex(text).value()));
        }
        if (command == "request") {
            std::uint64_t amount = 0;
            std::uint8_t nonce[16] = {};
            arguments >> amount;
            return shown(purse_.request(amount, true, nonce).bytes);
        }
        arguments >> text;
        if (command == "pay") return shown(purse_.pay(from_hex(text).value(), false));
        if (command == "receive") return shown(purse_.receive(from_hex(text).value()));
        return "unknown command";
    }

  private:
    Issuer::List fresh_list() const { return issuer_.blacklist(1, today_s, 1'000, std::vector<std::uint32_t>{999}); }
    Bytes certificate(std::uint32_t number, ByteView key) {
        purse::Certificate lot;
        lot.serial = ++serial_;
        lot.purse = number;
        lot.key = public_key_of(key);
        lot.asset = asset_of("CNY");
        lot.amount = 100'000;
        lot.not_before = today_s - day_s;
        lot.expires = today_s + 30 * day_s;
        lot.settle_by = today_s + 60 * day_s;
        lot.per_payment = 50'000;
        lot.without_cvm = 50'000;
        lot.count = 1'000;
        lot.hops = 5;
        lot.receive_cap = 1'000'000;
        return issuer_.certificate(lot);
    }

    std::unique_ptr<PurseSigner> issuer_signer_;
    Issuer issuer_;
    std::unique_ptr<PurseSigner> signer_;
    MemoryStorage storage_;
    MemoryAnchor anchor_;
    TestClock clock_;
    HostPurse purse_;
    std::uint64_t serial_ = 0;
};

}  // namespace
}  // namespace jiaozi::purse_host

int main(int argc, char** argv) {
    const auto suite = jiaozi::crypto::suite_from_number(argc == 2 ? std::strtoull(argv[1], nullptr, 10) : 0);
    if (!suite.ok()) {
        std::cerr << "purse_peer: " << suite.error().message() << "\n";
        return 1;
    }
    jiaozi::purse_host::Peer peer(*suite);
    if (const jz_status started = peer.start(); started != JZ_OK) {
        std::cerr << "purse_peer: " << jz_status_name(started) << "\n";
        return 1;
    }
    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream arguments(line);
        std::string command;
        arguments >> command;
        std::cout << peer.answer(command, arguments) << std::endl;
    }
    return 0;
}
