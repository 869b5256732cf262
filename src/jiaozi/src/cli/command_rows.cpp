#include <array>

#include "api_commands.hpp"

namespace jiaozi::cli {
namespace {

constexpr std::array rows = {
    CommandRow{"get_health", "service", "health", "服务是否可用"},
    CommandRow{"get_metrics", "service", "metrics", "Prometheus 文本格式的计数与延迟"},
    CommandRow{"get_openapi", "service", "openapi", "HTTP 接口的 OpenAPI 文档"},
    CommandRow{"get_overview", "service", "overview", "今日一览"},
    CommandRow{"create_person", "people", "create", "新建人员"},
    CommandRow{"list_people", "people", "list", "列出人员，新的在前"},
    CommandRow{"get_person", "people", "show", "查看一个人"},
    CommandRow{"create_group", "groups", "create", "新建钱包群"},
    CommandRow{"list_groups", "groups", "list", "列出钱包群，新的在前"},
    CommandRow{"get_group", "groups", "show", "查看一个钱包群"},
    CommandRow{"add_member", "members", "add", "把人或设备加入钱包群"},
    CommandRow{"list_members", "members", "list", "列出钱包群的成员"},
    CommandRow{"remove_member", "members", "remove", "移除成员及其限额"},
    CommandRow{"create_wallet", "wallets", "create", "为钱包群开立钱包"},
    CommandRow{"list_wallets", "wallets", "list", "列出钱包与余额"},
    CommandRow{"get_wallet", "wallets", "show", "查看钱包与余额"},
    CommandRow{"create_deposit", "wallets", "deposit", "向钱包充值（仅沙盒）"},
    CommandRow{"get_statement", "wallets", "statement", "钱包流水，新的在前"},
    CommandRow{"freeze_wallet", "wallets", "freeze", "冻结钱包"},
    CommandRow{"unfreeze_wallet", "wallets", "unfreeze", "解冻钱包"},
    CommandRow{"create_limit", "limits", "create", "限制成员的支出"},
    CommandRow{"list_limits", "limits", "list", "列出成员的限额"},
    CommandRow{"delete_limit", "limits", "delete", "取消限额"},
    CommandRow{"create_merchant", "merchants", "create", "新建商户及其钱包"},
    CommandRow{"list_merchants", "merchants", "list", "列出商户"},
    CommandRow{"get_merchant", "merchants", "show", "查看商户"},
    CommandRow{"create_product", "products", "create", "新建商品"},
    CommandRow{"list_products", "products", "list", "列出商品"},
    CommandRow{"create_device", "devices", "create", "登记设备，得到一次性注册码"},
    CommandRow{"list_devices", "devices", "list", "列出设备"},
    CommandRow{"get_device", "devices", "show", "查看设备"},
    CommandRow{"new_enrolment_code", "devices", "code", "生成新的一次性注册码"},
    CommandRow{"suspend_device", "devices", "suspend", "停用设备"},
    CommandRow{"resume_device", "devices", "resume", "恢复设备"},
    CommandRow{"report_device_lost", "devices", "lost", "报失设备（不可撤销）"},
    CommandRow{"retire_device", "devices", "retire", "报废设备（不可撤销）"},
    CommandRow{"revoke_device_credential", "devices", "revoke", "吊销设备凭证"},
    CommandRow{"list_slots", "devices", "slots", "机器的货道与价格"},
    CommandRow{"replace_slots", "devices", "set-slots", "重设机器的货道与价格"},
    CommandRow{"create_qr", "devices", "qr", "为一次购买生成动态二维码"},
    CommandRow{"create_payment", "payments", "create", "付款"},
    CommandRow{"list_payments", "payments", "list", "列出付款，新的在前"},
    CommandRow{"get_payment", "payments", "show", "查看付款"},
    CommandRow{"cancel_payment", "payments", "cancel", "取消尚未出货的付款"},
    CommandRow{"create_refund", "payments", "refund", "全额或部分退款"},
    CommandRow{"list_refunds", "payments", "refunds", "列出付款的退款"},
    CommandRow{"create_payment_code", "payments", "code", "生成一次性付款码"},
    CommandRow{"enrol_purse", "purses", "enrol", "登记离线钱袋的公钥"},
    CommandRow{"list_purses", "purses", "list", "列出离线钱袋"},
    CommandRow{"get_purse", "purses", "show", "查看离线钱袋"},
    CommandRow{"load_purse", "purses", "load", "为离线钱袋充值，得到充值证书"},
    CommandRow{"declare_purse_lost", "purses", "lost", "报失离线钱袋"},
    CommandRow{"get_purse_proof", "purses", "proof", "查看针对离线钱袋的双花证明"},
    CommandRow{"get_purse_blacklist", "purses", "blacklist", "当前的黑名单"},
    CommandRow{"list_purse_alarms", "purses", "alarms", "以本发行密钥签名却未由本服务发布的黑名单"},
    CommandRow{"list_purse_quarantine", "purses", "quarantine", "被隔离的存入项及原因"},
    CommandRow{"get_purse_root", "purses", "root", "发行密钥的根文档"},
    CommandRow{"install_purse_root", "purses", "install-root", "安装新版根文档"},
    CommandRow{"list_events", "events", "list", "列出事件，新的在前"},
    CommandRow{"get_event", "events", "show", "查看事件"},
    CommandRow{"create_webhook_endpoint", "webhooks", "create", "把事件送到一个网址"},
    CommandRow{"list_webhook_endpoints", "webhooks", "list", "列出回调地址"},
    CommandRow{"get_webhook_endpoint", "webhooks", "show", "查看回调地址"},
    CommandRow{"update_webhook_endpoint", "webhooks", "update", "修改回调地址"},
    CommandRow{"delete_webhook_endpoint", "webhooks", "delete", "删除回调地址与投递记录"},
    CommandRow{"rotate_webhook_secret", "webhooks", "rotate", "更换签名密钥"},
    CommandRow{"list_webhook_deliveries", "webhooks", "deliveries", "列出投递记录"},
    CommandRow{"redeliver", "webhooks", "redeliver", "立即重新投递"},
    CommandRow{"create_api_key", "keys", "create", "新建 API 密钥（只显示一次）"},
    CommandRow{"list_api_keys", "keys", "list", "列出 API 密钥"},
    CommandRow{"revoke_api_key", "keys", "revoke", "吊销 API 密钥"},
    CommandRow{"advance_test_clock", "sandbox", "advance-clock", "拨快测试时钟"},
    CommandRow{"list_sandbox_devices", "sandbox", "devices", "列出模拟设备"},
    CommandRow{"set_sandbox_fault", "sandbox", "fault", "令模拟设备出错或恢复"},
};

// Streams and binary messages are not request and answer; `jiaozi listen` and `jiaozi sim` use them.
// The log has commands of its own: `jiaozi receipt`, `jiaozi checkpoint`; a purse deposits and syncs by `jiaozi purse`.
constexpr std::array<std::string_view, 10> without = {
    "stream_events", "create_stream_token", "post_device_message", "get_checkpoint",  "get_tile",
    "get_receipt",   "deposit_notes",       "sync_purse",          "deposit_carried", "report_purse_alarm"};

}  // namespace

std::span<const CommandRow> command_rows() {
    return rows;
}
std::span<const std::string_view> operations_without_command() {
    return without;
}

}  // namespace jiaozi::cli
