// jiaozi-vcard: a card that judges, in the virtual reader of vsmartcard. A blank card is made when the file is absent.
#include <charconv>
#include <cstring>
#include <iostream>
#include <string>

#include <jiaozi/keystores/card_applet.hpp>
#include <jiaozi/keystores/virtual_card.hpp>

namespace {

using namespace jiaozi;

constexpr const char* usage =
    "jiaozi-vcard FILE [PORT]: a smart card in the virtual reader of vsmartcard-vpcd (port 35963 of this machine)\n"
    "jiaozi-vcard 文件 [端口]：放入 vsmartcard-vpcd 虚拟读卡器的智能卡（本机端口 35963）\n"
    "FILE holds the card's memory, private key and PIN in clear; for tests and demonstrations.\n"
    "文件以明文保存卡的内存、私钥与 PIN，仅供测试与演示。\n";

Result<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error == std::errc() && end == text.data() + text.size() && port != 0) return port;
    return Error(ErrorKind::invalid, "a port is a number from 1 to 65535");
}

Result<void> run(int argc, char** argv) {
    std::uint16_t port = keystores::vpcd_port;
    if (argc == 3) {
        JZ_TRY(port, parse_port(argv[2]));
    }
    JZ_TRY(const auto applet, keystores::CardApplet::open(keystores::card_file(argv[1])));
    return keystores::run_virtual_card(*applet, port);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2 || argc > 3 || std::strcmp(argv[1], "--help") == 0) {
        (argc == 2 ? std::cout : std::cerr) << usage;
        return argc == 2 ? 0 : 2;
    }
    const auto done = run(argc, argv);
    if (done.ok()) return 0;
    std::cerr << "jiaozi-vcard: " << done.error().message() << '\n';
    return 1;
}
