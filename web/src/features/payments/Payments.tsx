import { DisconnectOutlined } from "@ant-design/icons";
import { App, Button, Card, Empty, Table, Tag } from "antd";

import { ApiError, type Api, type Payment } from "../../shared/api";
import { useText, type Key } from "../../shared/i18n";
import { display, minor } from "../../shared/money";
import { noteColours } from "../../shared/purse/names";
import { To } from "../../shared/route";
import type { World } from "../../shared/world";

const colours: Record<Payment["state"], string> = {
  pending: "blue", authorized: "gold", captured: "green", voided: "purple", declined: "red", failed: "default",
};

export function Payments({ api, world, onRefunded }: { api: Api; world: World; onRefunded: () => void }) {
  const { t, language } = useText();
  const { message } = App.useApp();

  const refund = async (payment: Payment) => {
    try {
      await api.refund(payment.id);
      onRefunded();
    } catch (error) {
      if (error instanceof ApiError) void message.error(error.message === "" ? t("unreachable") : error.message);
    }
  };
  const productName = (payment: Payment) => {
    if (payment.offline !== null) return t("offlinePayment");
    const product = payment.product === null ? undefined : world.products.get(payment.product);
    if (!product) return t("person");
    return language === "zh" && product.name_zh !== "" ? product.name_zh : product.name;
  };
  const payerName = (payment: Payment) => {
    if (payment.payer_device !== null) return world.devices.get(payment.payer_device)?.name ?? "";
    const member = world.members.find((row) => row.id === payment.payer_member);
    return (member?.person ? world.people.get(member.person)?.name : undefined) ?? "";
  };
  const time = new Intl.DateTimeFormat(language === "zh" ? "zh-CN" : "en-GB", { timeStyle: "medium" });

  return (
    <Card title={<h2 style={{ fontSize: 16, margin: 0 }}>{t("payments")}</h2>} size="small">
      <div aria-live="polite">
        <Table<Payment>
          size="small" rowKey="id" dataSource={world.payments} pagination={{ pageSize: 12, hideOnSinglePage: true, showSizeChanger: false }}
          locale={{ emptyText: <Empty description={t("noPayments")} /> }}
          columns={[
            { title: t("time"), render: (_, row) => <span className="quiet money">{time.format(new Date(row.created))}</span> },
            {
              title: t("what"),
              render: (_, row) => row.offline !== null ? (
                <>
                  <DisconnectOutlined aria-hidden /> {productName(row)}
                  <div className="reason">
                    <To route={{ page: "purse", purse: row.offline.payer_purse }}>{t("fromTo", { from: row.offline.payer_purse, to: row.offline.payee_purse })}</To>
                  </div>
                </>
              ) : (
                <>
                  {productName(row)}{row.quantity > 1 ? ` ×${row.quantity}` : ""}
                  <div className="reason">{row.device === null ? "" : world.devices.get(row.device)?.name} {payerName(row) === "" ? "" : `· ${t("paidBy")} ${payerName(row)}`}</div>
                </>
              ),
            },
            { title: t("amount"), align: "right", render: (_, row) => <span className="money">{display(minor(row.amount), row.asset)}</span> },
            {
              title: t("state"),
              render: (_, row) => row.offline !== null ? (
                <>
                  <Tag color={noteColours[row.offline.state]}>{t(`ns_${row.offline.state}` as Key)}</Tag>
                  {row.offline.owed !== "0" && <div className="reason">{t("stillOwed", { amount: display(minor(row.offline.owed), row.asset) })}</div>}
                </>
              ) : (
                <>
                  <Tag color={colours[row.state]}>{row.refunded === "0" ? t(`st_${row.state}` as Key) : `${t("refunded")} ${display(minor(row.refunded), row.asset)}`}</Tag>
                  {row.late_delivery && <Tag color="orange">{t("late")}</Tag>}
                  {row.state === "captured" && row.captured !== row.amount && <div className="reason">{t("units")} {row.delivered}/{row.quantity}: {display(minor(row.captured), row.asset)}</div>}
                  {row.reason !== "none" && <div className="reason">{t(`r_${row.reason}` as Key)}</div>}
                </>
              ),
            },
            {
              title: t("action"),
              render: (_, row) => row.offline === null && row.state === "captured" && row.refunded === "0" && (
                <Button size="small" onClick={() => void refund(row)} aria-label={`${t("refund")} ${productName(row)} ${display(minor(row.captured), row.asset)}`}>{t("refund")}</Button>
              ),
            },
          ]}
        />
      </div>
    </Card>
  );
}
