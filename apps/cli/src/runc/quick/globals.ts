/**
 * What Node has and QuickJS has not, as far as making a process needs it.
 *
 * Knows: that the sources are written for Node, and are not to know that they run anywhere else.
 * Does not know: files and processes (node-fs.ts and its neighbours).
 */
import { refuseMissing } from './refuse-missing.ts';
import { system } from './system.ts';
import { decodeText, encodeText } from './text.ts';

class QuickBuffer extends Uint8Array {
  static alloc(size: number): QuickBuffer {
    return new QuickBuffer(size);
  }

  static allocUnsafe(size: number): QuickBuffer {
    return new QuickBuffer(size);
  }

  static allocUnsafeSlow(size: number): QuickBuffer {
    return new QuickBuffer(size);
  }

  static override from(source: unknown, encoding?: unknown): QuickBuffer {
    if (typeof source === 'string') {
      const bytes = encoding === 'latin1' ? Uint8Array.from(source, (letter) => letter.charCodeAt(0)) : encodeText(source);
      return new QuickBuffer(bytes.buffer as ArrayBuffer);
    }
    return new QuickBuffer(source as Uint8Array);
  }

  static concat(parts: readonly Uint8Array[]): QuickBuffer {
    const whole = new QuickBuffer(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  static byteLength(text: string): number {
    return encodeText(text).length;
  }

  override toString(encoding?: string, from = 0, to = this.length): string {
    return encoding === 'latin1' ? String.fromCharCode(...this.subarray(from, to)) : decodeText(this, from, to);
  }

  #view(): DataView {
    return new DataView(this.buffer, this.byteOffset, this.length);
  }

  readUInt32LE(at: number): number {
    return this.#view().getUint32(at, true);
  }

  readInt32LE(at: number): number {
    return this.#view().getInt32(at, true);
  }

  readBigUInt64LE(at: number): bigint {
    return this.#view().getBigUint64(at, true);
  }
}

class QuickTextEncoder {
  encodeInto(text: string, to: Uint8Array): { readonly read: number; readonly written: number } {
    const bytes = encodeText(text);
    to.set(bytes);
    return { read: text.length, written: bytes.length };
  }
}

/** Of files, relative to others. */
class QuickUrl {
  readonly pathname: string;

  constructor(path: string, base: string) {
    const parts = base.replace(/^file:\/\//, '').split('/');
    parts.pop();
    for (const part of path.split('/')) {
      if (part === '..') parts.pop();
      else if (part !== '.') parts.push(part);
    }
    this.pathname = parts.join('/');
  }
}

const quickProcess = {
  pid: system.pid,
  arch: system.arch,
  hrtime: { bigint: () => BigInt(Math.round(system.now() * 1e6)) },
  geteuid: () => system.uid,
  getegid: () => system.gid,
  stderr: { write: (text: string) => system.write(2, encodeText(text), 0, encodeText(text).length) },
  kill: (pid: number, signal: number) => {
    const result = system.kill(pid, signal);
    if (result < 0) throw Object.assign(new Error('kill'), { code: result === -3 ? 'ESRCH' : 'EPERM' });
    return true;
  },
};

refuseMissing(quickProcess);

/** ECMAScript after 2020. */
function addMethods(to: object, methods: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(methods)) Object.defineProperty(to, name, { value, writable: true, configurable: true });
}

addMethods(globalThis, {
  checkout: (system.args[0] ?? '').replace(/\/apps\/cli\/src\/.*/, ''),
  Buffer: QuickBuffer,
  TextEncoder: QuickTextEncoder,
  URL: QuickUrl,
  process: quickProcess,
  performance: { now: system.now },
  /** The one thing under way waits. */
  setTimeout: (act: () => void, ms: number) => {
    system.sleep(ms);
    act();
  },
});

addMethods(Array.prototype, {
  at(this: unknown[], index: number) {
    return this[index < 0 ? this.length + index : index];
  },
  findLast(this: unknown[], isIt: (value: unknown) => boolean) {
    return this.slice().reverse().find(isIt);
  },
  toReversed(this: unknown[]) {
    return this.slice().reverse();
  },
  toSorted(this: unknown[], compare?: (a: unknown, b: unknown) => number) {
    return this.slice().sort(compare);
  },
});

addMethods(Object, { hasOwn: (value: object, name: PropertyKey) => Reflect.getOwnPropertyDescriptor(value, name) !== undefined });

addMethods(Promise, {
  withResolvers() {
    let resolve: unknown;
    let reject: unknown;
    const promise = new Promise((...both) => {
      [resolve, reject] = both;
    });
    return { promise, resolve, reject };
  },
});
