import { Alert, Button, Card, Form, Input } from "antd";

import { useText } from "../shared/i18n";

export function KeyForm({ refused, onKey }: { refused: boolean; onKey: (key: string) => void }) {
  const { t } = useText();
  return (
    <main className="page" style={{ maxWidth: 460, paddingTop: 80 }}>
      <Card title={<h1 style={{ fontSize: 20, margin: 0 }}><span className="mark">交</span>Jiaozi</h1>}>
        <p className="quiet">{t("keyHelp")}</p>
        {refused && <Alert type="error" message={t("keyBad")} style={{ marginBottom: 16 }} />}
        <Form layout="vertical" onFinish={({ key }: { key: string }) => onKey(key.trim())}>
          <Form.Item label={t("keyTitle")} name="key" rules={[{ required: true, message: t("keyHelp") }]}>
            <Input.Password autoComplete="off" />
          </Form.Item>
          <Button type="primary" htmlType="submit" block>{t("keyButton")}</Button>
        </Form>
      </Card>
    </main>
  );
}
