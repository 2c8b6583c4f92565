/**
 * The phases of a birth, in words.
 *
 * Knows: one line a phase. Does not know: which operations are in it.
 */
const PHASES: Readonly<Record<string, string>> = {
  prepare: 'prepare: outside, before there is anything',
  clone: 'clone: the process and its namespaces',
  identity: 'identity: who it is, where it is counted',
  mounts: 'mounts: its file systems',
  devices: 'devices: its /dev',
  settings: 'settings: its name and its network',
  root: 'root: its / and nothing else',
  rights: 'rights: what it may do',
  start: 'start: the program',
};

export function phaseTitle(phase: string): string {
  return PHASES[phase] ?? phase;
}
