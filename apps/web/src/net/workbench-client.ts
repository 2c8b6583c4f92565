/**
 * Asking the workbench in the machine: requests over the page's socket, answers by number.
 *
 * Knows: numbers, and that an answer never comes once the connection it was asked on is lost.
 * Does not know: what requests are for; the socket is whoever calls `take` and gives `send`.
 */
import type { BirthView, ServerMessage, WorkbenchAnswer, WorkbenchRequest, WorkbenchVerb } from '@slipway/contracts';

type Answer = Extract<ServerMessage, { readonly type: 'workbench.answer' }>;

/** The workbench, or what is between, refused. `code` is listed in docs/errors.md. */
export class WorkbenchError extends Error {
  readonly code: string;
  readonly hint: string | undefined;

  constructor({ code, message, hint }: { readonly code: string; readonly message: string; readonly hint?: string | undefined }) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

type Send = (message: { readonly type: 'workbench'; readonly id: number; readonly request: WorkbenchRequest }) => boolean;

interface Waiting {
  resolve(result: unknown): void;
  reject(error: WorkbenchError): void;
}

export class WorkbenchClient {
  readonly #send: Send;
  readonly #waiting = new Map<number, Waiting>();
  readonly #births = new Set<(birth: BirthView) => void>();
  #last = 0;

  /** `send` answers false when there is no connection. */
  constructor(send: Send) {
    this.#send = send;
  }

  /** @throws WorkbenchError, also when there is no connection */
  ask<Verb extends WorkbenchVerb>(request: Extract<WorkbenchRequest, { readonly do: Verb }>): Promise<WorkbenchAnswer<Verb>> {
    this.#last += 1;
    const id = this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: (result) => resolve(result as WorkbenchAnswer<Verb>), reject });
      if (!this.#send({ type: 'workbench', id, request })) this.#settle(id)?.reject(offline());
    });
  }

  /** Births that moved without being asked: ended by themselves, or by the watchdog. */
  onBirth(listener: (birth: BirthView) => void): () => void {
    this.#births.add(listener);
    return () => void this.#births.delete(listener);
  }

  answered(answer: Answer): void {
    const waiting = this.#settle(answer.id);
    if ('failure' in answer) waiting?.reject(new WorkbenchError(answer.failure));
    else waiting?.resolve(answer.result);
  }

  moved(birth: BirthView): void {
    for (const listener of this.#births) listener(birth);
  }

  /** The connection is gone, and with it every birth of this page. */
  lost(): void {
    for (const id of [...this.#waiting.keys()]) this.#settle(id)?.reject(offline());
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }
}

function offline(): WorkbenchError {
  return new WorkbenchError({ code: 'E_OFFLINE', message: 'there is no connection to the lab', hint: 'it comes back by itself' });
}
