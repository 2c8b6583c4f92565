/**
 * What leaks when a part of a birth is left out: the same container twice, its program a probe that looks around.
 *
 * Knows: what is worth asking, from inside.
 * Does not know: why a birth may fail without that part; then its failure is the answer.
 */
import type { LeakProbe, LeftOut } from '@slipway/contracts';
import { findNamespaces } from '@slipway/kernel';
import { formatSpecJson, parseSpecJson, type RuntimeSpec } from '@slipway/oci';
import type { Births } from './births.ts';
import { toFailure, unusable } from './failures.ts';

export interface LeakRequest {
  readonly image: string;
  readonly config: string;
  readonly without: LeftOut;
}

interface Question {
  readonly id: string;
  readonly question: string;
  /** Shell words whose output answers it. Run by whatever `sh` the image has. */
  readonly ask: string;
}

const WRITABLE = (path: string) => `if (: >>${path}) 2>/dev/null; then echo yes; else echo no; fi`;
const STATUS = (field: string) => `sed -n 's/^${field}:[[:space:]]*//p' /proc/self/status`;

/** From the outside in: the machine first, then what the process may do. */
const QUESTIONS: readonly Question[] = [
  { id: 'processes', question: 'How many processes can it see?', ask: 'set -- /proc/[0-9]*; echo $#' },
  { id: 'pid', question: 'Which pid does it believe to have?', ask: 'echo $$' },
  {
    id: 'engine',
    question: 'Can it see the machine’s engine run?',
    ask: 'if grep -q slipway[d] /proc/[0-9]*/cmdline 2>/dev/null; then echo yes; else echo no; fi',
  },
  {
    id: 'root',
    question: 'Can it reach the machine’s own files?',
    ask: 'if [ -e /usr/lib/slipway/bin ] || [ -e /proc/1/root/usr/lib/slipway/bin ]; then echo yes; else echo no; fi',
  },
  { id: 'entries', question: 'What is in its root directory?', ask: 'ls / | tr "\\n" " "' },
  { id: 'mounts', question: 'How many mounts are in its mount table?', ask: 'wc -l </proc/self/mountinfo' },
  { id: 'hostname', question: 'Which host name does it see?', ask: 'hostname' },
  {
    id: 'namespaces',
    question: 'Which namespaces does it share with the machine?',
    ask: 'for k in $OURS; do f=`echo "$k" | cut -d: -f1`; [ "`readlink /proc/self/ns/$f`" != "$k" ] || printf "%s " "$f"; done',
  },
  { id: 'interfaces', question: 'Which network interfaces are there?', ask: 'ls /sys/class/net 2>/dev/null | tr "\\n" " "' },
  { id: 'cgroup', question: 'Where does it believe to be in the cgroups?', ask: 'tail -n 1 /proc/self/cgroup | cut -d: -f3' },
  {
    id: 'devices',
    question: 'Which device nodes are in /dev?',
    ask: 'cd /dev && for n in *; do [ -L "$n" ] || [ ! -c "$n" ] || printf "%s " "$n"; done',
  },
  { id: 'sysctl', question: 'May it write the kernel’s settings below /proc/sys?', ask: WRITABLE('/proc/sys/kernel/domainname') },
  {
    id: 'keys',
    question: 'Can it read /proc/timer_list, which the document hides?',
    ask: 'if [ -s /proc/timer_list ] && head -c 1 /proc/timer_list >/dev/null 2>&1 && [ "$(head -c 1 /proc/timer_list | wc -c)" = 1 ]; then echo yes; else echo no; fi',
  },
  {
    id: 'write',
    question: 'May it write into its own root directory?',
    ask: 'if (: >/.probe) 2>/dev/null; then rm -f /.probe; echo yes; else echo no; fi',
  },
  { id: 'user', question: 'As which user does it run?', ask: 'id -u' },
  { id: 'capabilities', question: 'Which capabilities are in force?', ask: STATUS('CapEff') },
  { id: 'bounding', question: 'Which capabilities could it ever get?', ask: STATUS('CapBnd') },
  { id: 'privileges', question: 'Is gaining new privileges forbidden (1) or not (0)?', ask: STATUS('NoNewPrivs') },
  { id: 'seccomp', question: 'Are its system calls filtered (2) or not (0)?', ask: STATUS('Seccomp') },
  { id: 'files', question: 'How many files may it have open?', ask: 'ulimit -n' },
];

/** `net:[4026531840]` of each of ours: the machine's, but for the agent's own mount table. */
function probeScript(): string {
  const ours = Object.entries(findNamespaces('self') ?? {}).map(([file, inode]) => `${file}:[${inode}]`);
  return `OURS='${ours.join(' ')}'\n${PROBE}`;
}

const PROBE = QUESTIONS.map(({ id, ask }) => `printf '%s\\t%s\\n' ${id} "$(${ask})"`).join('\n');
const PROBE_MS = 20_000;

export interface LeakReport {
  readonly probes: readonly LeakProbe[];
  /** The container without the part did not come to life: so it cannot be left out. */
  readonly failure?: { readonly code: string; readonly message: string; readonly hint?: string };
}

/** @throws what the whole document's birth throws; `failed-precondition` / `E_WORKBENCH_PROBE` where the image cannot run the probe */
export async function measureLeaks(births: Births, page: number, request: LeakRequest): Promise<LeakReport> {
  const config = withProbe(request.config);
  const whole = await probe(births, `leak-${page}-whole`, { ...request, config, without: { operations: [], namespaces: [] } });
  try {
    return { probes: compare(whole, await probe(births, `leak-${page}-without`, { ...request, config })) };
  } catch (error) {
    return { probes: [], failure: toFailure(error) };
  }
}

async function probe(births: Births, id: string, request: LeakRequest): Promise<ReadonlyMap<string, string>> {
  const birth = await births.make(id, request);
  try {
    await birth.begin({ how: 'continue', breakpoints: [] });
    await birth.start();
    const ended = await birth.ended(PROBE_MS);
    const answers = readAnswers((await birth.output()).stdout);
    if (ended && answers.size > 0) return answers;
    throw unusable('the probe could not look around', 'E_WORKBENCH_PROBE', 'it needs a shell, /bin/sh, in the image');
  } finally {
    await birth.undo();
  }
}

function compare(whole: ReadonlyMap<string, string>, without: ReadonlyMap<string, string>): LeakProbe[] {
  return QUESTIONS.map(({ id, question }) => {
    const [before, after] = [whole.get(id) ?? '', without.get(id) ?? ''];
    return { id, question, whole: before, without: after, leaks: before !== after };
  });
}

/** The document with the probe as its program. */
function withProbe(config: string): string {
  const spec = parseSpecJson(config) as RuntimeSpec;
  const process = { cwd: '/', user: { uid: 0, gid: 0 }, ...spec.process, args: ['/bin/sh', '-c', probeScript()], terminal: false };
  return formatSpecJson({ ...spec, process });
}

function readAnswers(output: string): ReadonlyMap<string, string> {
  const lines = output.split('\n').filter((line) => line.includes('\t'));
  return new Map(
    lines.map((line) => [
      line.slice(0, line.indexOf('\t')),
      line
        .slice(line.indexOf('\t') + 1)
        .trim()
        .slice(0, 500),
    ]),
  );
}
