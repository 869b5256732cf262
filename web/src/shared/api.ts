// The HTTP API as the page uses it. Types come from the OpenAPI document (npm run api).
import type { components } from "./api.gen";

type Schemas = components["schemas"];
export type Payment = Schemas["Payment"];
export type Wallet = Schemas["Wallet"];
export type Slot = Schemas["Slot"];
export type Product = Schemas["Product"];
export type Device = Schemas["Device"];
export type Group = Schemas["Group"];
export type Member = Schemas["Member"];
export type Person = Schemas["Person"];
export type SandboxDevice = Schemas["SandboxDevice"];
export type SandboxFault = Schemas["SandboxFault"];
export type Overview = Schemas["Overview"];
export type NewPayment = Schemas["NewPayment"];
export type ApiEvent = Schemas["Event"];
export type OfflineDetail = Schemas["OfflinePayment"];
export type Purse = Schemas["Purse"];
export type PurseLot = Schemas["PurseLot"];
export type PurseBlacklist = Schemas["PurseBlacklist"];
export type PurseRoot = Schemas["PurseRoot"];
export type PurseIssuer = Schemas["PurseIssuer"];
export type PurseProof = Schemas["PurseProof"];
export type QuarantinedItem = Schemas["QuarantinedItem"];
export type Problem = Schemas["PaymentProblem"];
type List<T> = { data: T[]; has_more: boolean };

/** A refusal or an error of the server, with its stable code. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly payment?: Payment,
  ) {
    super(detail);
  }
}

export class Api {
  constructor(private readonly key: string) {}

  async request<T>(method: string, path: string, body?: unknown, idempotencyKey?: string): Promise<T> {
    const headers: Record<string, string> = { Authorization: `Bearer ${this.key}` };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (idempotencyKey !== undefined) headers["Idempotency-Key"] = idempotencyKey;
    const init: RequestInit = { method, headers };
    if (body !== undefined) init.body = JSON.stringify(body);
    let response: Response;
    try {
      response = await fetch(path, init);
    } catch {
      throw new ApiError(0, "unreachable", "");
    }
    const answer: unknown = await response.json().catch(() => undefined);
    if (response.ok) return answer as T;
    const problem = answer as Partial<Problem> | undefined;
    throw new ApiError(response.status, problem?.code ?? "unknown", problem?.detail ?? response.statusText, problem?.payment);
  }

  /** All pages of a list, at most 500 entries: the page shows no more. */
  async list<T extends { id?: string }>(path: string): Promise<T[]> {
    const all: T[] = [];
    const glue = path.includes("?") ? "&" : "?";
    for (let after = ""; all.length < 500; ) {
      const page = await this.request<List<T>>("GET", `${path}${glue}limit=100${after}`);
      all.push(...page.data);
      const last = page.data.at(-1)?.id;
      if (!page.has_more || last === undefined) break;
      after = `&starting_after=${last}`;
    }
    return all;
  }

  /** All purses, newest first, at most 500; none where the server has no purses now. */
  async purses(): Promise<Purse[]> {
    const all: Purse[] = [];
    try {
      for (let after = ""; all.length < 500; ) {
        const page = await this.request<List<Purse>>("GET", `/v1/purses?limit=100${after}`);
        all.push(...page.data);
        const last = page.data.at(-1)?.ordinal;
        if (!page.has_more || last === undefined) break;
        after = `&starting_after=${last}`;
      }
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 503) throw error;
    }
    return all;
  }
  declareLost(purse: number) {
    return this.request<Purse>("POST", `/v1/purses/${purse}/lost`, {}, crypto.randomUUID());
  }
  purseProof(purse: number) {
    return this.request<PurseProof>("GET", `/v1/purses/${purse}/proof`);
  }
  purseBlacklist() {
    return this.request<PurseBlacklist>("GET", "/v1/purses/blacklist");
  }
  purseRoot() {
    return this.request<PurseRoot>("GET", "/v1/purses/root");
  }
  quarantine() {
    return this.request<List<QuarantinedItem>>("GET", "/v1/purses/quarantine?limit=100");
  }

  slots(device: string) {
    return this.request<List<Slot>>("GET", `/v1/devices/${device}/slots`);
  }
  sandboxDevices() {
    return this.request<List<SandboxDevice>>("GET", "/v1/sandbox/devices");
  }
  setFault(device: string, fault: SandboxFault) {
    return this.request<SandboxDevice>("POST", `/v1/sandbox/devices/${device}/faults`, { fault });
  }
  pay(payment: NewPayment) {
    return this.request<Payment>("POST", "/v1/payments", payment, crypto.randomUUID());
  }
  refund(payment: string) {
    return this.request<unknown>("POST", `/v1/payments/${payment}/refunds`, {}, crypto.randomUUID());
  }
  recentPayments() {
    return this.request<List<Payment>>("GET", "/v1/payments?limit=30");
  }
  overview() {
    return this.request<Overview>("GET", "/v1/overview");
  }
}
