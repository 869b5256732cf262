#include "commands.hpp"

namespace jiaozi::purses {

using cli::say;

void add_purse_commands(CLI::App& root, cli::Connection& connection, cli::Exit& exit) {
    CLI::App* noun = root.add_subcommand(
        "purse", say("an offline purse: pay with no network, settle later", "离线钱袋：无网络付款，稍后结算"));
    noun->require_subcommand(1);
    noun->group(say("Offline purses", "离线钱袋"));
    noun->footer(
        say("Two terminals, no network:\n"
            "  jiaozi purse receive tcp:127.0.0.1:7700 --purse shop --amount 350\n"
            "  jiaozi purse pay     tcp:127.0.0.1:7700 --purse mine --at-most 350\n"
            "Before: `purse new`, `purse load`. After, with a network: `purse sync` on both sides.\n"
            "Carriers: tcp:ADDRESS:PORT, unix:PATH, serial:PATH, file:DIR, qr:, nfc:READER (docs/protocol/offline.md, "
            "section 12).\n"
            "`unknown` is neither paid nor failed: the money is locked until the payee, or a sync, has said which. "
            "`credited` is\n"
            "accepted and not settled: it is in the wallet after a sync.",
            "两台终端，无网络：\n"
            "  jiaozi purse receive tcp:127.0.0.1:7700 --purse shop --amount 350\n"
            "  jiaozi purse pay     tcp:127.0.0.1:7700 --purse mine --at-most 350\n"
            "之前：`purse new`、`purse load`。之后有网络时：双方各执行 `purse sync`。\n"
            "载体：tcp:地址:端口、unix:路径、serial:路径、file:目录、qr:、nfc:读卡器（docs/protocol/offline.md 第 12 "
            "节）。\n"
            "`unknown`（未知）既非成功也非失败：在收款方或同步给出结果之前，款项被锁定。`credited`（已入袋）是\n"
            "已接受但未结算：同步之后才进入钱包。"));
    add_folder_commands(*noun, exit);
    add_payment_commands(*noun, connection, exit);
    add_server_commands(*noun, connection, exit);
}

}  // namespace jiaozi::purses
