#include "common.hpp"

#include <cstdlib>
#include <fstream>
#include <iostream>

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <jiaozi/base/clock.hpp>
#include <jiaozi/crypto/private_file.hpp>
#include <jiaozi/money/amount.hpp>

namespace jiaozi::purses {
namespace {

using cli::say;
constexpr std::size_t max_passphrase = 1024;
constexpr const char* passphrase_variable = "JIAOZI_PURSE_PASSPHRASE";

// The terminal itself, so that it works with the input redirected; the echo is switched off for the line.
Result<crypto::SecretBytes> type_passphrase(const char* prompt) {
    const int terminal = ::open("/dev/tty", O_RDWR | O_CLOEXEC);
    termios before{};
    if (terminal < 0 || ::tcgetattr(terminal, &before) != 0) {
        if (terminal >= 0) ::close(terminal);
        return Error(ErrorKind::invalid,
                     say("there is no terminal to type the passphrase at: give --passphrase-file or set "
                         "JIAOZI_PURSE_PASSPHRASE",
                         "没有可输入口令的终端：请使用 --passphrase-file 或设置 JIAOZI_PURSE_PASSPHRASE"))
            .with_param("passphrase-file");
    }
    termios silent = before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(terminal, TCSAFLUSH, &silent);
    std::cerr << prompt << std::flush;
    crypto::SecretBytes typed(max_passphrase);
    std::size_t size = 0;
    std::uint8_t byte = 0;
    while (size < max_passphrase && ::read(terminal, &byte, 1) == 1 && byte != '\n')
        typed.mutable_view()[size++] = byte;
    ::tcsetattr(terminal, TCSAFLUSH, &before);
    ::close(terminal);
    std::cerr << '\n';
    return crypto::SecretBytes(typed.view().first(size));
}

}  // namespace

void add_purse_options(CLI::App& command, PurseChoice& choice) {
    command.add_option("--purse", choice.folder, say("the purse's folder", "钱袋所在的文件夹"))
        ->envname("JIAOZI_PURSE")
        ->capture_default_str();
    command.add_option("--passphrase-file", choice.passphrase_file,
                       say("file with the passphrase or PIN, mode 0600; otherwise JIAOZI_PURSE_PASSPHRASE, otherwise "
                           "it is asked for",
                           "含口令或 PIN 的文件（权限 0600）；否则用 JIAOZI_PURSE_PASSPHRASE，再否则询问"));
    command.add_flag("--json", choice.json, say("print the result as JSON", "以 JSON 输出"));
}

Result<crypto::SecretBytes> read_passphrase(const PurseChoice& choice, bool twice) {
    if (!choice.passphrase_file.empty()) {
        JZ_TRY(const crypto::SecretBytes file, crypto::read_private_file(choice.passphrase_file, max_passphrase));
        ByteView text = file.view();
        while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text = text.first(text.size() - 1);
        return crypto::SecretBytes(text);
    }
    if (const char* const given = std::getenv(passphrase_variable)) return crypto::SecretBytes(as_bytes(given));
    JZ_TRY(crypto::SecretBytes typed, type_passphrase(say("Passphrase or PIN: ", "口令或 PIN：")));
    if (!twice) return typed;
    JZ_TRY(const crypto::SecretBytes again, type_passphrase(say("Once more: ", "再输入一次：")));
    if (!crypto::constant_time_equal(typed.view(), again.view())) {
        return Error(ErrorKind::invalid, say("the two do not agree", "两次输入不一致")).with_param("passphrase");
    }
    return typed;
}

Result<std::unique_ptr<terminal::PurseFolder>> open_purse(const PurseChoice& choice) {
    static const SystemClock clock;
    JZ_TRY(const terminal::Settings settings, terminal::PurseFolder::read_settings(choice.folder));
    // A card asks for its PIN when it pays; opening it needs none.
    crypto::SecretBytes secret;
    if (settings.key.place != terminal::KeyPlace::card) {
        JZ_TRY(secret, read_passphrase(choice));
    }
    return terminal::PurseFolder::open(choice.folder, secret, clock);
}

Result<std::unique_ptr<terminal::PurseFolder>> open_enrolled(const PurseChoice& choice) {
    JZ_TRY(auto folder, open_purse(choice));
    if (folder->enrolled()) return folder;
    return Error(ErrorKind::conflict,
                 choice.folder + say(": this purse has never been loaded; `jiaozi purse load` does it",
                                     "：此钱袋从未充值；请先执行 `jiaozi purse load`"));
}

std::string amount_text(std::uint64_t minor, std::string_view asset) {
    const auto known = find_asset(asset);
    const auto amount = known.ok() ? parse_minor(std::to_string(minor), *known) : Result<Amount>(known.error());
    return amount.ok() ? amount->display() : std::to_string(minor) + " " + std::string(asset);
}

std::string words_of(jz_status status) {
    switch (status) {
        case JZ_INSUFFICIENT:
            return say("there is not enough in the purse", "钱袋余额不足");
        case JZ_OVER_LIMIT:
            return say("the amount is above the purse's limit for one payment", "金额超过钱袋单笔限额");
        case JZ_CVM_REQUIRED:
            return say("the holder must be verified for this: pay with --verified (a card: --pin-file)",
                       "此付款须验证持有人：请加 --verified（卡片用 --pin-file）");
        case JZ_COUNT_LIMIT:
            return say("too many payments since the last sync; sync first", "自上次同步以来付款次数过多；请先同步");
        case JZ_RECEIVE_CAP:
            return say("the purse may not hold more before it is synced", "同步之前钱袋不得再收款");
        case JZ_STALE_LIST:
            return say("the payee's blacklist is too old for this amount; it must sync", "收款方黑名单过旧，须先同步");
        case JZ_BLACKLISTED:
        case JZ_FORK_PROVEN:
            return say("a purse in this payment is known to have cheated or to be lost",
                       "此付款涉及已作弊或已挂失的钱袋");
        case JZ_DRAINED:
            return say("every lot of the purse has expired; load it", "钱袋所有额度均已过期；请充值");
        case JZ_SUSPECT:
            return say("the purse is SUSPECT (an older copy was put back?): sync it",
                       "钱袋存疑（恢复了旧副本？）：请同步");
        case JZ_FROZEN:
            return say("the purse is frozen", "钱袋已冻结");
        case JZ_LOST:
            return say("the purse was declared lost", "钱袋已挂失");
        case JZ_ALREADY_VOIDED:
            return say("this request was voided before", "该收款请求已作废");
        case JZ_UNKNOWN_REQUEST:
            return say("the payee knows no such request", "收款方不认识该请求");
        case JZ_NO_ROOM:
            return say("the purse's tables are full; sync", "钱袋已满；请同步");
        case JZ_EXPIRED:
            return say("a certificate has expired", "证书已过期");
        default:
            return jz_status_name(status);
    }
}

cli::Exit fail(const Error& error) {
    std::cerr << "jiaozi: " << error.to_string() << '\n';
    return cli::exit_for(error);
}

}  // namespace jiaozi::purses
