// Calls into the worker that runs the purse's code.
import type { Answer, Calls, Question } from "./purse.wasm.worker";

/** `status`: one of the protocol's list; no_module: the program was built without it; failed: anything else. */
export class PurseFailure extends Error {
  constructor(readonly status: string, message: string) {
    super(message);
  }
}

type Waiting = { resolve: (result: unknown) => void; reject: (error: unknown) => void };

export class PurseWorker {
  private readonly worker = new Worker(new URL("./purse.wasm.worker.ts", import.meta.url), { type: "module" });
  private readonly waiting = new Map<number, Waiting>();
  private next = 1;

  constructor() {
    this.worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      const waiting = this.waiting.get(data.id);
      this.waiting.delete(data.id);
      if ("status" in data) waiting?.reject(new PurseFailure(data.status, data.message));
      else waiting?.resolve(data.result);
    };
    this.worker.onerror = (event) => {
      for (const { reject } of this.waiting.values()) reject(new PurseFailure("failed", event.message));
      this.waiting.clear();
    };
  }

  call<Name extends keyof Calls>(name: Name, ...args: Parameters<Calls[Name]>): Promise<Awaited<ReturnType<Calls[Name]>>> {
    const id = this.next++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve: resolve as Waiting["resolve"], reject });
      this.worker.postMessage({ id, name, args } satisfies Question);
    });
  }

  close() {
    this.worker.terminate();
  }
}
