/**
 * Names and ids of containers.
 *
 * Knows: what a name may look like, and how to make one up.
 * Does not know: which names are taken (container-table.ts).
 */
import { randomBytes, randomInt } from 'node:crypto';
import { EngineError } from '@slipway/errors';

/** Harbour words, so that a made-up name is easy to remember and to type. */
const FIRST =
  'amber brisk calm clear coral dusky early fleet gentle harbour keen level misty north quiet rapid salty steady tidal windy'.split(' ');
const SECOND =
  'anchor beacon bollard buoy cutter davit dinghy ferry gantry gull heron jetty keel lugger mast pilot quay rudder skiff tern'.split(' ');
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,127}$/;

const ID_BYTES = 32;
/** Asking the generator takes longer than anything that is done with its answer, so it is asked for many at once. */
const IDS_AT_ONCE = 64;
let supply: Buffer = Buffer.alloc(0);

/** 64 hex digits. One whose first twelve are all decimal would be taken for a number by programs that use it as host name. */
export function newContainerId(): string {
  for (;;) {
    if (supply.length === 0) supply = randomBytes(ID_BYTES * IDS_AT_ONCE);
    const id = supply.toString('hex', 0, ID_BYTES);
    supply = supply.subarray(ID_BYTES);
    if (!/^[0-9]{12}/.test(id)) return id;
  }
}

/** A name nobody has, by `isTaken`. */
export function makeUpName(isTaken: (name: string) => boolean): string {
  for (let attempt = 0; ; attempt++) {
    const base = `${FIRST[randomInt(FIRST.length)]}_${SECOND[randomInt(SECOND.length)]}`;
    const name = attempt < 5 ? base : `${base}${randomInt(10_000)}`;
    if (!isTaken(name)) return name;
  }
}

/**
 * The name without Docker's optional leading slash.
 *
 * @throws EngineError invalid-argument / E_NAME_INVALID
 */
export function requireName(text: string): string {
  const name = text.replace(/^\//, '');
  if (NAME.test(name)) return name;
  throw new EngineError('invalid-argument', `invalid container name (${name.slice(0, 200)}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`, {
    code: 'E_NAME_INVALID',
    op: 'container.create',
    subject: name.slice(0, 200),
  });
}
