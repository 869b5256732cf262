// Asked on standard input, one question a line in hex: "KEY MESSAGE SIGNATURE" ("-" for no bytes). Answers 1 for a
// valid signature, 0 for another. vectors.py asks it other people's vectors and what the strict rule must refuse.
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include <jiaozi_portable.h>

namespace {

std::vector<std::uint8_t> bytes_of(const std::string& hex) {
    std::vector<std::uint8_t> out;
    if (hex == "-") return out;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
        out.push_back(static_cast<std::uint8_t>(std::stoul(hex.substr(i, 2), nullptr, 16)));
    }
    return out;
}

}  // namespace

int main() {
    jz_platform platform{};
    jz_portable_cryptography(&platform);
    std::string key;
    std::string message;
    std::string signature;
    while (std::cin >> key >> message >> signature) {
        const auto k = bytes_of(key);
        const auto m = bytes_of(message);
        const auto s = bytes_of(signature);
        const bool valid = s.size() == 64 && platform.verify(nullptr, JZ_ED25519, {k.data(), k.size()},
                                                             {m.data(), m.size()}, s.data()) == 0;
        std::puts(valid ? "1" : "0");
    }
    return 0;
}
