/**
 * Lab of lesson 3: control groups.
 *
 * Knows: when each task is done, and answers that look right and are not; cgroup v1 and v2 alike, since values come with neutral names.
 * Does not know: the lesson's words (content/), nor who evaluates it.
 */
import {
  type CheckResult,
  type CheckView,
  containerNamed,
  defineLab,
  failed,
  groupsNow,
  groupsSeen,
  inWords,
  isHandMade,
  passed,
} from '@slipway/lessons';

type Group = ReturnType<typeof groupsNow>[number];

const byHand = (view: CheckView): readonly Group[] => groupsSeen(view).filter(isHandMade);
const mebibytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;

/** The answer of a check that looks for one property of a group made by hand. */
function oneOf(
  groups: readonly Group[],
  expected: string,
  what: { passes(group: Group): boolean; say(group: Group): string },
): CheckResult {
  if (groups.some((group) => what.passes(group))) return passed;
  const last = groups.at(-1);
  return failed(last === undefined ? 'no group that was made by hand' : `the group ${last.path} ${what.say(last)}`, expected);
}

function writeALimit(view: CheckView): CheckResult {
  return oneOf(byHand(view), 'a group made by hand with a limit on its memory', {
    passes: ({ memoryLimitBytes }) => memoryLimitBytes !== undefined,
    say: () => 'with no limit on its memory',
  });
}

function overTheLimit(view: CheckView): CheckResult {
  return oneOf(byHand(view), 'a group made by hand in which the kernel killed a process for want of memory', {
    passes: ({ oomKills = 0 }) => oomKills > 0,
    say: ({ memoryLimitBytes, memoryLimitHits = 0 }) =>
      memoryLimitBytes === undefined
        ? 'with no limit on its memory'
        : `limited to ${mebibytes(memoryLimitBytes)}, which met its limit ${memoryLimitHits} times and in which nobody was killed`,
  });
}

function throttle(view: CheckView): CheckResult {
  return oneOf(byHand(view), 'a group made by hand with a cpu quota that made it wait', {
    passes: ({ throttledPeriods = 0 }) => throttledPeriods > 0,
    say: ({ cpuQuota }) =>
      cpuQuota === undefined ? 'with no quota' : `with a quota of ${cpuQuota} cpus, which has not made anybody wait yet`,
  });
}

function forkBomb(view: CheckView): CheckResult {
  return oneOf(byHand(view), 'a group made by hand in which the kernel refused a fork because of its limit', {
    passes: ({ pidsLimitHits = 0 }) => pidsLimitHits > 0,
    say: ({ pids = 0, pidsLimit }) =>
      pidsLimit === undefined ? 'with no limit on processes' : `with ${pids} of ${pidsLimit} processes and no fork refused`,
  });
}

function freeze(view: CheckView): CheckResult {
  const groups = groupsNow(view).filter(isHandMade);
  const stopped = view.processes.some(({ state }) => state === 'T');
  const expected = 'a group made by hand that is frozen, with a process in it';
  if (stopped && !groups.some(({ frozen }) => frozen)) return failed('a process stopped by a signal, in no frozen group', expected);
  return oneOf(groups, expected, {
    passes: ({ frozen = false, members = 0 }) => frozen && members > 0,
    say: ({ frozen = false }) => (frozen ? 'frozen, and nobody in it' : 'not frozen'),
  });
}

function pin(view: CheckView): CheckResult {
  return oneOf(groupsNow(view).filter(isHandMade), 'a group made by hand that may use exactly one processor, with a process in it', {
    passes: ({ cpus = '', members = 0 }) => /^\d+$/.test(cpus) && members > 0,
    say: ({ cpus, members = 0 }) =>
      cpus === undefined ? 'with no processors of its own' : `with processors ${cpus} and ${members} processes in it`,
  });
}

function dockerLimits(view: CheckView): CheckResult {
  const expected = 'a running container called limited, whose group limits memory, cpu and the number of processes';
  const limited = containerNamed(view, 'limited');
  if (limited === undefined) return failed('no container called limited', expected);
  const group = groupsSeen(view).findLast(({ container }) => container === limited.id);
  if (group === undefined) return failed(`${inWords(limited)}, with no group in the kernel`, expected);
  const missing = [
    ...(group.memoryLimitBytes === undefined ? ['memory'] : []),
    ...(group.cpuQuota === undefined ? ['cpu'] : []),
    ...(group.pidsLimit === undefined ? ['processes'] : []),
  ];
  return missing.length === 0 ? passed : failed(`limited, whose group has no limit on ${missing.join(' and ')}`, expected);
}

/** The engine says whose end it was; that the kernel killed for memory at that time is the kernel's own word. */
function dockerOom(view: CheckView): CheckResult {
  const expected = 'hungry, ended with exit code 137 because the kernel killed it for want of memory';
  const hungry = view.everSeen.findLast(({ name, exitCode }) => name === 'hungry' && exitCode !== undefined);
  if (hungry === undefined) return failed('no container called hungry that has ended', expected);
  const began = view.events.find((event) => event.type === 'container' && event.container.id === hungry.id)?.atMs ?? 0;
  const killed = view.events.some((event) => event.type === 'kernel.oom' && event.atMs > began);
  if (hungry.oomKilled === true && killed) return passed;
  return failed(`${inWords(hungry)}, and no out-of-memory kill`, expected);
}

const CGROUP = '/sys/fs/cgroup';

export const lab = defineLab({
  lesson: 'control-groups',
  setup: [],
  tasks: [
    {
      id: 'write-a-limit',
      title: 'Limit memory by writing a file',
      check: writeALimit,
      latch: true,
      hints: [
        'A new group is a new directory. The kernel fills it with files at once: look with ls.',
        'The file is memory.limit_in_bytes on v1 and memory.max on v2. It takes bytes, or a number with K, M or G.',
        'mkdir /sys/fs/cgroup/memory/small; echo 32M > /sys/fs/cgroup/memory/small/memory.limit_in_bytes',
      ],
      solution: [`mkdir ${CGROUP}/memory/small`, `echo 32M > ${CGROUP}/memory/small/memory.limit_in_bytes`],
    },
    {
      id: 'over-the-limit',
      title: 'Go over it',
      check: overTheLimit,
      latch: true,
      hints: [
        'A process joins a group when its pid is written to cgroup.procs. $$ is a shell’s own pid, and exec keeps it.',
        'tail /dev/zero wants the last line of an endless line, and remembers all of it: it takes memory as fast as it can.',
        "sh -c 'echo $$ > /sys/fs/cgroup/memory/small/cgroup.procs; exec tail /dev/zero'",
      ],
      solution: [`sh -c 'echo $$ > ${CGROUP}/memory/small/cgroup.procs; exec tail /dev/zero'`],
    },
    {
      id: 'throttle',
      title: 'Make a busy program wait',
      check: throttle,
      latch: true,
      hints: [
        'A quota is a share of each period: cpu.cfs_quota_us out of cpu.cfs_period_us on v1, both in cpu.max on v2.',
        'Make a group under /sys/fs/cgroup/cpu, write 5000 (of 100000 µs) into its quota, and run something that never rests in it.',
        `sh -c 'echo $$ > /sys/fs/cgroup/cpu/slow/cgroup.procs; exec timeout 3 sh -c "while :; do :; done"'`,
      ],
      solution: [
        `mkdir ${CGROUP}/cpu/slow`,
        `echo 5000 > ${CGROUP}/cpu/slow/cpu.cfs_quota_us`,
        `sh -c 'echo $$ > ${CGROUP}/cpu/slow/cgroup.procs; exec timeout 3 sh -c "while :; do :; done"'`,
      ],
    },
    {
      id: 'fork-bomb',
      title: 'Survive a fork bomb',
      check: forkBomb,
      latch: true,
      hints: [
        'The file is pids.max, with the same name on v1 and v2.',
        'First the group and its limit, then, from within a shell that has joined it, a function that calls itself twice.',
        "bash -c 'echo $$ > /sys/fs/cgroup/pids/few/cgroup.procs; bomb() { bomb | bomb & }; bomb' 2>/dev/null &",
      ],
      solution: [
        `mkdir ${CGROUP}/pids/few`,
        `echo 20 > ${CGROUP}/pids/few/pids.max`,
        `bash -c 'echo $$ > ${CGROUP}/pids/few/cgroup.procs; bomb() { bomb | bomb & }; bomb' 2>/dev/null &`,
        'sleep 2',
        `while [ "$(cat ${CGROUP}/pids/few/pids.current)" != 0 ]; do kill -9 $(cat ${CGROUP}/pids/few/cgroup.procs) 2>/dev/null; done`,
      ],
    },
    {
      id: 'freeze',
      title: 'Freeze a process',
      check: freeze,
      latch: true,
      hints: [
        'On v1 the controller is called freezer, and its groups have a file freezer.state; on v2 every group has cgroup.freeze.',
        'Put a sleep into a group under /sys/fs/cgroup/freezer, then write FROZEN into the state.',
        'echo $! > /sys/fs/cgroup/freezer/icebox/cgroup.procs; echo FROZEN > /sys/fs/cgroup/freezer/icebox/freezer.state',
      ],
      solution: [
        `mkdir ${CGROUP}/freezer/icebox`,
        'sleep 1000 &',
        `echo $! > ${CGROUP}/freezer/icebox/cgroup.procs`,
        `echo FROZEN > ${CGROUP}/freezer/icebox/freezer.state`,
      ],
    },
    {
      id: 'pin',
      title: 'Keep a process on one processor',
      check: pin,
      latch: true,
      hints: [
        'The controller is cpuset. On v1 a new group has no processors and no memory nodes at all, and takes nobody until it has both.',
        'Write 0 into cpuset.mems and into cpuset.cpus, then a pid into cgroup.procs.',
        'sleep 1000 &  and then  echo $! > /sys/fs/cgroup/cpuset/one/cgroup.procs',
      ],
      solution: [
        `mkdir ${CGROUP}/cpuset/one`,
        `echo 0 > ${CGROUP}/cpuset/one/cpuset.mems`,
        `echo 0 > ${CGROUP}/cpuset/one/cpuset.cpus`,
        'sleep 1000 &',
        `echo $! > ${CGROUP}/cpuset/one/cgroup.procs`,
      ],
    },
    {
      id: 'docker-limits',
      title: 'Let the engine write the files',
      check: dockerLimits,
      latch: true,
      hints: [
        'docker run has an option for each of the three: memory, cpus, number of processes.',
        'They are -m, --cpus and --pids-limit.',
        'docker run -d --name limited -m 64m --cpus 0.5 --pids-limit 50 busybox sleep 1000',
      ],
      solution: ['docker run -d --name limited -m 64m --cpus 0.5 --pids-limit 50 busybox sleep 1000'],
    },
    {
      id: 'docker-oom',
      title: 'Have a container killed for memory',
      check: dockerOom,
      latch: true,
      hints: [
        'You know a program that takes all memory it can get. busybox has it, too.',
        'Give the container a small limit, 16m, and call it hungry.',
        'docker run --name hungry -m 16m busybox tail /dev/zero. If hungry exists already: docker rm hungry.',
      ],
      solution: ['docker run --name hungry -m 16m busybox tail /dev/zero'],
    },
  ],
  decoys: [
    { name: 'a group without a limit', task: 'write-a-limit', lines: [`mkdir ${CGROUP}/memory/small`] },
    { name: 'a container’s limit', task: 'write-a-limit', lines: ['docker run -d -m 32m busybox sleep 1000'] },
    {
      name: 'fills the page cache, which can be given back',
      task: 'over-the-limit',
      lines: [
        `mkdir ${CGROUP}/memory/small`,
        `echo 32M > ${CGROUP}/memory/small/memory.limit_in_bytes`,
        `sh -c 'echo $$ > ${CGROUP}/memory/small/cgroup.procs; dd if=/dev/zero of=/tmp/big bs=1M count=100 oflag=dsync'`,
      ],
    },
    {
      name: 'killed by hand',
      task: 'over-the-limit',
      failsByDesign: true,
      lines: [
        `mkdir ${CGROUP}/memory/small`,
        `echo 32M > ${CGROUP}/memory/small/memory.limit_in_bytes`,
        `sh -c 'echo $$ > ${CGROUP}/memory/small/cgroup.procs; kill -9 $$'`,
      ],
    },
    {
      name: 'a quota for somebody who sleeps',
      task: 'throttle',
      lines: [
        `mkdir ${CGROUP}/cpu/slow`,
        `echo 5000 > ${CGROUP}/cpu/slow/cpu.cfs_quota_us`,
        `sh -c 'echo $$ > ${CGROUP}/cpu/slow/cgroup.procs; exec sleep 1'`,
      ],
    },
    {
      name: 'busy without a quota',
      task: 'throttle',
      failsByDesign: true,
      lines: [`mkdir ${CGROUP}/cpu/slow`, `sh -c 'echo $$ > ${CGROUP}/cpu/slow/cgroup.procs; exec timeout 1 sh -c "while :; do :; done"'`],
    },
    {
      name: 'stays below the limit',
      task: 'fork-bomb',
      lines: [
        `mkdir ${CGROUP}/pids/few`,
        `echo 20 > ${CGROUP}/pids/few/pids.max`,
        `sh -c 'echo $$ > ${CGROUP}/pids/few/cgroup.procs; sleep 1 & sleep 1 & wait'`,
      ],
    },
    {
      name: 'many processes, outside the group',
      task: 'fork-bomb',
      lines: [`mkdir ${CGROUP}/pids/few`, `echo 20 > ${CGROUP}/pids/few/pids.max`, "sh -c 'for i in $(seq 30); do sleep 1 & done; wait'"],
    },
    { name: 'stopped by a signal', task: 'freeze', lines: [`mkdir ${CGROUP}/freezer/icebox`, 'sleep 1000 &', 'kill -STOP $!'] },
    {
      name: 'nobody in the frozen group',
      task: 'freeze',
      lines: [`mkdir ${CGROUP}/freezer/icebox`, `echo FROZEN > ${CGROUP}/freezer/icebox/freezer.state`],
    },
    { name: 'asks the scheduler instead', task: 'pin', lines: ['taskset -c 0 sleep 1000 &'] },
    {
      name: 'without memory nodes nobody gets in',
      task: 'pin',
      failsByDesign: true,
      lines: [
        `mkdir ${CGROUP}/cpuset/one`,
        `echo 0 > ${CGROUP}/cpuset/one/cpuset.cpus`,
        'sleep 1000 &',
        `echo $! > ${CGROUP}/cpuset/one/cgroup.procs`,
      ],
    },
    { name: 'two of three', task: 'docker-limits', lines: ['docker run -d --name limited -m 64m --cpus 0.5 busybox sleep 1000'] },
    {
      name: 'created, not started',
      task: 'docker-limits',
      lines: ['docker create --name limited -m 64m --cpus 0.5 --pids-limit 50 busybox sleep 1000'],
    },
    {
      name: '137 for another reason',
      task: 'docker-oom',
      lines: ['docker run -d --name hungry -m 16m busybox sleep 1000', 'docker kill hungry'],
    },
    {
      name: '137 by its own choice',
      task: 'docker-oom',
      failsByDesign: true,
      lines: ["docker run --name hungry -m 16m busybox sh -c 'exit 137'"],
    },
  ],
  quiz: [
    {
      id: 'over-quota',
      question: 'A program wants two processors’ worth of time and its group’s quota is half of one. What happens?',
      options: ['The kernel kills it', 'It runs for a part of each period and waits for the rest', 'It gets an error and has to ask again'],
      answer: 1,
      explanation: 'cpu.stat counts it: nr_throttled grows with every period in which the group had to wait. Nobody was killed.',
    },
    {
      id: 'what-is-137',
      question: 'A container ended with exit code 137. Was it killed for want of memory?',
      options: [
        'Yes, that is what 137 means',
        'No, 137 means that a fork was refused',
        'Perhaps: 137 is 128 + 9, ended by signal 9, whoever sent it',
      ],
      answer: 2,
      explanation:
        'docker inspect -f {{.State.OOMKilled}} tells, because the engine read the kernel’s count of kills. docker kill ends with 137 as well.',
    },
    {
      id: 'who-writes',
      question: 'Engine and systemd both manage cgroups on a host. What does the cgroup driver “systemd” change?',
      options: [
        'Limits become stricter',
        'The engine asks systemd to make each container’s group, so that only one program manages the tree',
        'cgroup v2 is used instead of v1',
      ],
      answer: 1,
      explanation:
        'The same numbers end up in the same files of the kernel. What differs is who makes the directory and where it stands; cat /proc/PID/cgroup shows it. Either driver works on v1 and on v2.',
    },
  ],
});
