// Follows the server's events. An EventSource cannot set headers, so each connection is opened with a token of its own,
// and a lost connection is made anew from the last position seen: nothing is missed.
import type { Api, ApiEvent } from "./api";

export function follow(api: Api, onEvent: (event: ApiEvent) => void, onConnected: (connected: boolean) => void): () => void {
  let source: EventSource | undefined;
  let last = "";
  let stopped = false;
  let retry: ReturnType<typeof setTimeout> | undefined;

  const connect = async () => {
    try {
      const { token } = await api.request<{ token: string }>("POST", "/v1/events/stream_tokens");
      if (stopped) return;
      const position = last === "" ? "" : `&last_event_id=${last}`;
      source = new EventSource(`/v1/events/stream?access_token=${encodeURIComponent(token)}${position}`);
      source.onopen = () => onConnected(true);
      source.onerror = again;
      for (const type of types) {
        source.addEventListener(type, (message: MessageEvent<string>) => {
          last = message.lastEventId;
          onEvent(JSON.parse(message.data) as ApiEvent);
        });
      }
    } catch {
      again();
    }
  };
  const again = () => {
    source?.close();
    if (stopped) return;
    onConnected(false);
    clearTimeout(retry);
    retry = setTimeout(() => void connect(), 1000);
  };

  void connect();
  return () => {
    stopped = true;
    clearTimeout(retry);
    source?.close();
  };
}

const types = [
  "payment.pending", "payment.recovered",
  "payment.pending", "payment.authorized", "payment.captured", "payment.recovered", "payment.voided", "payment.declined", "payment.failed", "payment.refunded",
  "payment.late_delivery", "wallet.deposited",
  "purse.enrolled", "purse.loaded", "purse.refunded", "purse.frozen", "purse.lost",
];
