/** Addresses as people write them: `127.0.0.1:5000`, `localhost:5000`, `[::1]:5000`. */
import { EngineError } from '@slipway/errors';

/** @throws EngineError `invalid-argument` / `E_LISTEN_ADDRESS` */
export function parseListenAddress(text: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([a-zA-Z0-9.-]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host !== undefined && port <= 65_535) return { host, port };
  throw new EngineError('invalid-argument', `${JSON.stringify(text)} is not HOST:PORT`, {
    code: 'E_LISTEN_ADDRESS',
    op: 'registry.listen',
    subject: text,
    hint: 'Write e.g. 127.0.0.1:5000.',
  });
}
