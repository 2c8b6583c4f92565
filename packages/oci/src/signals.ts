/**
 * Signals: names and numbers.
 *
 * Knows: Linux's numbers on x86_64 and arm64, aliases, the real-time range.
 * Does not know: what a program does with a signal.
 *
 * @see signal(7)
 */

/** Name without `SIG` → number. */
export const SIGNAL_NUMBERS = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ILL: 4,
  TRAP: 5,
  ABRT: 6,
  BUS: 7,
  FPE: 8,
  KILL: 9,
  USR1: 10,
  SEGV: 11,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  STKFLT: 16,
  CHLD: 17,
  CONT: 18,
  STOP: 19,
  TSTP: 20,
  TTIN: 21,
  TTOU: 22,
  URG: 23,
  XCPU: 24,
  XFSZ: 25,
  VTALRM: 26,
  PROF: 27,
  WINCH: 28,
  IO: 29,
  PWR: 30,
  SYS: 31,
} as const;

const ALIASES: Readonly<Record<string, number>> = { IOT: 6, CLD: 17, POLL: 29, UNUSED: 31 };

/** As glibc shows them to programs: the kernel's 32 and 33 belong to its thread library. */
const RTMIN = 34;
const RTMAX = 64;

const BY_NAME: ReadonlyMap<string, number> = new Map([...Object.entries(SIGNAL_NUMBERS), ...Object.entries(ALIASES)]);
const BY_NUMBER: ReadonlyMap<number, string> = new Map(Object.entries(SIGNAL_NUMBERS).map(([name, number]) => [number, name]));

/** Reads `SIGTERM`, `term`, `15`, `RTMIN+3`, `SIGRTMAX-1`; undefined when it is no signal. 0 is not a signal. */
export function parseSignal(text: string): number | undefined {
  if (/^[0-9]{1,2}$/.test(text)) return inRange(Number(text));
  const name = text.toUpperCase().replace(/^SIG/, '');
  const realTime = /^RT(MIN|MAX)(?:([+-])([0-9]{1,2}))?$/.exec(name);
  if (realTime === null) return BY_NAME.get(name);
  const [, base, sign, offset = '0'] = realTime;
  const number = (base === 'MIN' ? RTMIN : RTMAX) + (sign === '-' ? -Number(offset) : Number(offset));
  return number >= RTMIN && number <= RTMAX ? number : undefined;
}

/** `SIGTERM` for 15, `SIGRTMIN+3` for 37; the bare number for one without a name. */
export function signalName(number: number): string {
  const name = BY_NUMBER.get(number);
  if (name !== undefined) return `SIG${name}`;
  if (number < RTMIN || number > RTMAX) return String(number);
  return number === RTMIN ? 'SIGRTMIN' : `SIGRTMIN+${number - RTMIN}`;
}

function inRange(number: number): number | undefined {
  return number >= 1 && number <= RTMAX ? number : undefined;
}
