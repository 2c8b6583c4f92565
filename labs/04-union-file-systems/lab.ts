/**
 * Lab of lesson 4: union file systems.
 *
 * Knows: when each task is done, and answers that look right and are not; what counts is what stands on the disk.
 * Does not know: the lesson's words (content/), nor who evaluates it.
 */
import { type CheckResult, type CheckView, defineLab, disksNow, failed, overlaysNow, passed } from '@slipway/lessons';

type Overlay = ReturnType<typeof overlaysNow>[number];
type Disk = ReturnType<typeof disksNow>[number];

/** Of an image that is called big: the other layers it has are small. */
const BIG_BYTES = 200_000_000;
const BIG = /(?:^|\/)big(?::[\w.-]+)?$/;
const FIVE = 5;
/** What five writable layers may cost on top of the image: each has a few files that the engine prepares. */
const SOME = 1.2;

function stacked(view: CheckView): readonly Overlay[] {
  return overlaysNow(view).filter(({ lower, upper }) => lower.length > 1 && upper !== undefined);
}

function inWords({ mountPoint, lower, upper }: Overlay): string {
  return `an overlay at ${mountPoint} of ${lower.length} lower director${lower.length === 1 ? 'y' : 'ies'}${upper === undefined ? ' and no upper one' : ''}`;
}

function stack(view: CheckView): CheckResult {
  if (stacked(view).length > 0) return passed;
  const [any] = overlaysNow(view);
  return failed(any ? inWords(any) : 'no overlay mounted by hand', 'an overlay of at least two lower directories and an upper one');
}

/** A check for an entry in the upper directory of an overlay by hand. */
function upperHas(isIt: (entry: Overlay['entries'][number]) => boolean, expected: string) {
  return (view: CheckView): CheckResult => {
    const overlays = stacked(view);
    if (overlays.some(({ entries }) => entries.some(isIt))) return passed;
    const [first] = overlays;
    if (first === undefined) return failed('no overlay of two directories and an upper one', expected);
    const names = first.entries.map(({ path, kind }) => `${path}${kind === 'file' ? '' : ` (${kind})`}`).slice(0, 4);
    return failed(names.length === 0 ? `an empty directory ${first.upper}` : `${names.join(', ')} in ${first.upper}`, expected);
  };
}

function inAContainer(view: CheckView): CheckResult {
  const expected = 'a running container in whose writable layer a whiteout hides a file of the image';
  const running = view.layers.filter(({ container }) => view.containers.some(({ id, status }) => id === container && status === 'running'));
  if (running.some(({ upper }) => upper.some(({ kind }) => kind === 'whiteout'))) return passed;
  const [first] = running;
  if (first === undefined) return failed('no running container', expected);
  const { length } = first.upper.filter(({ mountPoint, kind }) => mountPoint !== true && kind !== 'directory');
  return failed(`a running container with ${length} files and no whiteout in its writable layer`, expected);
}

/** Containers of the big image, which an engine of this kind counts; each sees more than 200 MB. */
function bigOnes(view: CheckView, snapshotter: Disk['snapshotter']): readonly { readonly disk: Disk; readonly ones: Disk['containers'] }[] {
  return disksNow(view)
    .filter((disk) => disk.snapshotter === snapshotter)
    .map((disk) => ({ disk, ones: disk.containers.filter(({ image, seenBytes }) => BIG.test(image) && seenBytes > BIG_BYTES) }));
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}

function fiveOfOne(view: CheckView): CheckResult {
  const expected = 'five containers of the image big that take together hardly more than the image alone';
  let seen = 'no container of the image big';
  for (const { disk, ones } of bigOnes(view, 'overlay')) {
    const [one] = ones;
    if (one === undefined) continue;
    const layers = disk.layers.filter(({ images }) => images.some((name) => BIG.test(name)));
    const taken = [...layers, ...ones].reduce((total, { diskBytes }) => total + diskBytes, 0);
    if (ones.length >= FIVE && taken < one.seenBytes * SOME) return passed;
    seen = `${ones.length} container${ones.length === 1 ? '' : 's'} of big, which take ${megabytes(taken)} with the image`;
  }
  return failed(seen, expected);
}

function wholeCopies(view: CheckView): CheckResult {
  const expected = 'two or more containers of the image big, each with a whole copy of it on the disk';
  let seen = 'no engine that makes whole copies';
  for (const { ones } of bigOnes(view, 'native')) {
    const copies = ones.filter(({ diskBytes }) => diskBytes > BIG_BYTES);
    if (copies.length > 1) return passed;
    const taken = copies.reduce((total, { diskBytes }) => total + diskBytes, 0);
    seen = copies.length === 0 ? 'an engine that makes whole copies, and no container of big in it' : `one copy of ${megabytes(taken)}`;
  }
  return failed(seen, expected);
}

const MOUNT = 'mount -t overlay overlay -o lowerdir=tools:base,upperdir=upper,workdir=work merged';
const PREPARED = ['cd ~/union; mkdir upper work merged', MOUNT];
const NATIVE = 'slipwayd --config /etc/slipway/native.toml >/var/log/slipwayd-native.log 2>&1 &';
const NATIVE_IS_UP = 'until [ -S /run/native.sock ]; do sleep 0.1; done';

export const lab = defineLab({
  lesson: 'union-file-systems',
  setup: [
    'mkdir -p /root/union/base /root/union/tools',
    "cd /root/union; echo 'from the base' > base/motd; echo 'nobody needs this' > base/old; echo 'a hammer' > tools/hammer; echo 'from the tools' > tools/label; echo 'from the base' > base/label",
  ],
  tasks: [
    {
      id: 'stack',
      title: 'Stack two directories',
      check: stack,
      latch: true,
      hints: [
        'You need three directories more: one that takes what is written, one for the kernel to work in, one to see the result in.',
        'mount -t overlay overlay -o lowerdir=TOP:BOTTOM,upperdir=UPPER,workdir=WORK PLACE',
        `cd ~/union; mkdir upper work merged; ${MOUNT}`,
      ],
      solution: PREPARED,
    },
    {
      id: 'write',
      title: 'Write a new file',
      check: upperHas(
        ({ kind, covers }) => kind === 'file' && covers !== true,
        'a new file, which no lower directory has, in the upper directory',
      ),
      latch: true,
      hints: [
        'Write into the place where the overlay is mounted, not into one of the directories.',
        'echo TEXT > merged/NAME makes a file.',
        'echo hello > merged/new',
      ],
      solution: ['echo hello > merged/new'],
    },
    {
      id: 'copy-up',
      title: 'Change a file that lies below',
      check: upperHas(
        ({ kind, covers }) => kind === 'file' && covers === true,
        'a copy of a lower directory’s file in the upper directory',
      ),
      latch: true,
      hints: [
        'motd lies in base. Through the overlay it can be written to.',
        'Append a line: echo TEXT >> merged/motd',
        'echo "and from me" >> merged/motd',
      ],
      solution: ['echo "and from me" >> merged/motd'],
    },
    {
      id: 'whiteout',
      title: 'Delete a file that lies below',
      check: upperHas(({ kind, covers }) => kind === 'whiteout' && covers === true, 'a whiteout for a file of a lower directory'),
      latch: true,
      hints: ['old lies in base, too. Remove it through the overlay.', 'rm merged/…', 'rm merged/old'],
      solution: ['rm merged/old'],
    },
    {
      id: 'in-a-container',
      title: 'The same in a container',
      check: inAContainer,
      latch: true,
      hints: [
        'A container’s root is an overlay whose lower directories are the image’s layers. Delete one of the image’s files in it.',
        'docker run -d starts one that stays; docker exec NAME rm FILE deletes in it.',
        'docker run -d --name edit busybox sleep 3600; docker exec edit rm /etc/group',
      ],
      solution: ['docker run -d --name edit busybox sleep 3600', 'docker exec edit rm /etc/group'],
    },
    {
      id: 'five-of-one',
      title: 'Five containers, one image',
      check: fiveOfOne,
      latch: true,
      hints: [
        'The image is called big and has 250 MB of files. Pull it, and run five containers that stay.',
        'A loop saves typing: for i in 1 2 3 4 5; do docker run -d --name layered$i big sleep 3600; done',
        'docker pull big; for i in 1 2 3 4 5; do docker run -d --name layered$i big sleep 3600; done',
      ],
      solution: ['docker pull big', 'for i in 1 2 3 4 5; do docker run -d --name layered$i big sleep 3600; done'],
    },
    {
      id: 'copies',
      title: 'The same with whole copies',
      check: wholeCopies,
      latch: true,
      hints: [
        'A second engine with the native snapshotter is one command away: its settings are in /etc/slipway/native.toml.',
        'Start it in the background and speak to it with docker -H unix:///run/native.sock …',
        `${NATIVE} then, after a moment: docker -H unix:///run/native.sock run -d big sleep 3600, twice`,
      ],
      solution: [NATIVE, NATIVE_IS_UP, 'for i in 1 2; do docker -H unix:///run/native.sock run -d --name copied$i big sleep 3600; done'],
    },
  ],
  decoys: [
    {
      name: 'nothing to write to',
      task: 'stack',
      lines: ['cd ~/union; mkdir merged', 'mount -t overlay overlay -o lowerdir=tools:base merged'],
    },
    { name: 'one directory bound to another', task: 'stack', lines: ['cd ~/union; mkdir merged', 'mount --bind base merged'] },
    { name: 'the engine’s', task: 'stack', lines: ['docker run -d busybox sleep 1000'] },
    { name: 'into a lower one', task: 'write', lines: [...PREPARED, 'echo hello > tools/new'] },
    { name: 'below, behind the overlay’s back', task: 'copy-up', lines: [...PREPARED, 'echo "and from me" >> base/motd'] },
    { name: 'reads only', task: 'copy-up', lines: [...PREPARED, 'cat merged/* > /dev/null; echo hello > merged/new'] },
    { name: 'gone from below', task: 'whiteout', lines: [...PREPARED, 'rm base/old'] },
    { name: 'was never below', task: 'whiteout', lines: [...PREPARED, 'echo x > merged/mine; rm merged/mine'] },
    {
      name: 'a file of its own',
      task: 'in-a-container',
      lines: ['docker run -d --name edit busybox sleep 1000', "docker exec edit sh -c 'touch /mine; rm /mine'"],
    },
    {
      name: 'five of a small one',
      task: 'five-of-one',
      lines: ['for i in 1 2 3 4 5; do docker run -d busybox sleep 1000; done'],
    },
    {
      name: 'an engine, and nobody in it',
      task: 'copies',
      lines: [NATIVE, NATIVE_IS_UP, 'docker -H unix:///run/native.sock ps'],
    },
    {
      name: 'copies of a small one',
      task: 'copies',
      lines: [NATIVE, NATIVE_IS_UP, 'for i in 1 2; do docker -H unix:///run/native.sock run -d busybox sleep 1000; done'],
    },
  ],
  quiz: [
    {
      id: 'where-deleted',
      question: 'You delete a 100 MB file of the image in a running container. How much disk does that free?',
      options: ['100 MB', 'Nothing: the file stays in the layer, and a whiteout hides it', '100 MB, once the container is stopped'],
      answer: 1,
      explanation: 'Lower directories are never written to. Look at base/old: it is still there. df before and after says the same.',
    },
    {
      id: 'first-write',
      question: 'A container appends one byte to a file of 1 GB that is in the image. What happens?',
      options: [
        'One byte is written to the image’s layer',
        'The byte goes into the upper directory, alone',
        'The whole file is copied to the upper directory first, then the byte is appended',
      ],
      answer: 2,
      explanation: 'ls -l upper after the second task: motd is there as a whole. Databases therefore keep their files in volumes.',
    },
    {
      id: 'five-cost',
      question: 'Five containers of one image of 250 MB that write nothing: what do they cost with overlay?',
      options: ['About 250 MB', '1.25 GB', 'Nothing'],
      answer: 0,
      explanation: 'The Disk panel and du -sh /var/lib/slipway say it: the layers once, and a few KB for each container.',
    },
  ],
});
