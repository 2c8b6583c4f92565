/**
 * Lab of lesson 9: registries.
 *
 * Knows: when each task is done, and answers that look right and are not; what counts is what the registry was asked and answered.
 * Does not know: the lesson's words (content/), nor who evaluates it.
 */
import {
  type CheckResult,
  type CheckView,
  defineLab,
  failed,
  isAnswered,
  isByHand,
  passed,
  payload,
  programsStarted,
  type RegistryVisit,
  registryVisits,
  spansUnder,
  storeSpans,
} from '@slipway/lessons';
import { SLOW_LINE } from './scripts.ts';

const CREATED = 201;
const PARTIAL = 206;

/** By the machine's engine, which says so in its requests. */
function isEngines({ request }: RegistryVisit): boolean {
  return request.userAgent?.startsWith('slipway/') === true;
}

function lastInWords(visits: readonly RegistryVisit[]): string {
  const last = visits.at(-1);
  if (last === undefined) return 'no such request yet';
  const { request, answer } = last;
  const what = request.tag ?? request.digest?.slice(0, 19) ?? '';
  return `${request.method} of ${request.kind ?? 'nothing'} ${what} in ${request.repository ?? 'no repository'}, answered with ${answer.status ?? 'nothing'}`;
}

function gets(view: CheckView): CheckResult {
  const expected = 'a pull of an image whose layers were not here: one manifest, and blobs by digest';
  const visits = registryVisits(view).filter(isEngines);
  const pulls = storeSpans(view, 'image.pull');
  const blobs = visits.filter(({ request }) => request.method === 'GET' && request.kind === 'blob');
  const manifests = visits.filter(({ request }) => request.method === 'GET' && request.kind === 'manifest');
  if (pulls.length > 0 && blobs.length > 1 && manifests.length > 0) return passed;
  return failed(pulls.length === 0 ? 'no pull' : `${pulls.length} pull that fetched ${blobs.length} blobs`, expected);
}

/** Bytes asked for from the first number on, to the end. */
function resumesAt(range: string | undefined): number {
  return Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
}

function theRest(view: CheckView): CheckResult {
  const expected = 'one blob of which the beginning came first, and the rest in a second request';
  const blobs = registryVisits(view).filter((visit) => isByHand(visit) && visit.request.method === 'GET' && visit.request.kind === 'blob');
  const rest = blobs.filter((visit) => visit.answer.status === PARTIAL && isAnswered(visit) && resumesAt(visit.request.range) > 0);
  const begun = (digest: string | undefined, before: number) =>
    blobs.some(
      ({ request, answer, atMs }) => request.digest === digest && request.range === undefined && answer.status === 200 && atMs < before,
    );
  if (rest.some(({ request, atMs }) => begun(request.digest, atMs))) return passed;
  return failed(`${blobs.length} downloads by hand, none of which goes on where another ended`, expected);
}

function resumedPull(view: CheckView): CheckResult {
  const expected = 'a pull that goes on where an interrupted one ended';
  const layers = storeSpans(view, 'layer.download').filter(({ response }) => response['state'] === 'verified');
  if (layers.some(({ response }) => Number(response['resumedAt'] ?? 0) > 0)) return passed;
  return failed(layers.length === 0 ? 'no layer that came' : `${layers.length} layers that came from their first byte on`, expected);
}

function pushed(view: CheckView): CheckResult {
  const expected = 'a push by the engine: a layer uploaded, and after it the manifest';
  const visits = registryVisits(view).filter((visit) => isEngines(visit) && isAnswered(visit));
  const uploads = visits.filter(
    ({ request, answer }) => request.kind === 'upload' && request.method === 'PUT' && answer.status === CREATED,
  );
  const manifests = visits.filter(({ request }) => request.kind === 'manifest' && request.method === 'PUT');
  const isWhole = manifests.some(({ request, atMs }) =>
    uploads.some((upload) => upload.request.repository === request.repository && upload.atMs < atMs),
  );
  if (isWhole) return passed;
  return failed(`${uploads.length} finished uploads and ${manifests.length} manifests from the engine`, expected);
}

function inParts(view: CheckView): CheckResult {
  const expected = 'one upload by hand: opened, at least two parts, and ended with the digest';
  const visits = registryVisits(view).filter((visit) => isByHand(visit) && visit.request.kind === 'upload' && isAnswered(visit));
  const byUpload = Map.groupBy(visits, ({ request }) => `${request.repository} ${request.upload}`);
  for (const steps of byUpload.values()) {
    const parts = steps.filter(({ request, answer }) => request.method === 'PATCH' && answer.received > 0).length;
    if (parts > 1 && steps.some(({ request, answer }) => request.method === 'PUT' && answer.status === CREATED)) return passed;
  }
  const methods = visits.map(({ request }) => request.method).join(', ');
  return failed(methods === '' ? 'no upload by hand' : `uploads by hand with ${methods.slice(0, 80)}`, expected);
}

function mounted(view: CheckView): CheckResult {
  const expected = 'a blob that one repository took over from another, asked for by hand';
  const asked = registryVisits(view).filter((visit) => isByHand(visit) && visit.request.mount !== undefined);
  if (asked.some(({ answer, request }) => answer.status === CREATED && request.mount?.from !== request.repository)) return passed;
  return failed(asked.length === 0 ? 'nobody asking for a mount by hand' : lastInWords(asked), expected);
}

/** What an engine itself reads of an image, whoever starts a container of it. */
const READ_BY_ENGINE = ['etc/passwd', 'etc/group'];

function beforeItCame(view: CheckView): CheckResult {
  const expected = 'a program in a container that made a lazily pulled layer send the parts it read, while the rest was still to come';
  const fills = spansUnder(view, 'layer.fill').map(({ request, startMs, endMs = Infinity }) => ({
    digest: payload<{ digest: string }>(request).digest,
    startMs,
    endMs,
  }));
  if (fills.length === 0) return failed('no layer that could be read before it had come', expected);
  const reads = storeSpans(view, 'layer.read').filter(({ request }) => !READ_BY_ENGINE.includes(String(request['path'])));
  const asked = registryVisits(view).filter((visit) => isEngines(visit) && visit.answer.status === PARTIAL);
  const programs = programsStarted(view).filter(({ inside }) => inside);
  const isRead = fills.some(
    ({ digest, startMs, endMs }) =>
      programs.some(({ atMs }) => startMs < atMs && atMs < endMs) &&
      reads.some(({ request }) => request['digest'] === digest) &&
      asked.some(({ request }) => request.digest === digest),
  );
  if (isRead) return passed;
  return failed(`${fills.length} layers that could be read early, and ${reads.length} parts that somebody waited for`, expected);
}

const REGISTRY = 'http://127.0.0.1:5000/v2';
const DIGEST = `D=$(curl -s ${REGISTRY}/library/debian/manifests/latest | jq -r '.layers[0].digest'); echo $D`;
const SLOW = 'node ~/slow-line.mjs 1000000 >/dev/null 2>&1 &';
const SLOW_IS_UP = 'until curl -s -o /dev/null http://127.0.0.1:5001/v2/; do sleep 0.1; done';
const FIRST = 'timeout 1 curl -s -o layer http://127.0.0.1:5001/v2/library/debian/blobs/$D; ls -l layer';
const REST = `curl -s -C - -o layer ${REGISTRY}/library/debian/blobs/$D; ls -l layer; sha256sum layer`;
const INTERRUPTED = 'timeout -s INT 2 docker pull 127.0.0.1:5001/library/debian';
const CHANGE = ["docker run --name change busybox sh -c 'echo mine > /mine'", 'docker commit change 127.0.0.1:5000/mine/box'];
const MAKE_BLOB = 'head -c 1000000 /dev/urandom > blob; split -b 400000 blob part-; ls -l blob part-*';
const OPEN = `U=http://127.0.0.1:5000$(curl -si -d '' ${REGISTRY}/mine/notes/blobs/uploads/ | tr -d '\\r' | sed -n 's/^Location: //p'); echo $U`;
const PARTS = 'for p in part-*; do curl -si -X PATCH --data-binary @$p $U | grep -E "^(HTTP|Range)"; done';
const END = 'B=sha256:$(sha256sum blob | cut -d" " -f1); curl -si -X PUT "$U?digest=$B" | head -1';
const convert = (image: string) =>
  `slipway image convert --lazy docker://127.0.0.1:5000/library/${image} docker://127.0.0.1:5000/mine/lazy`;
const PULL_LAZILY = 'docker pull --lazy 127.0.0.1:5001/mine/lazy';
const RUN_EARLY = 'docker run --rm 127.0.0.1:5001/mine/lazy cat /etc/debian_version';
const mount = (from: string) => `curl -si -d '' "${REGISTRY}/other/notes/blobs/uploads/?mount=$B&from=${from}" | head -1`;

export const lab = defineLab({
  lesson: 'registries',
  setup: [
    `cat > /root/slow-line.mjs <<'END'\n${SLOW_LINE}END\n`,
    'until curl -s -o /dev/null http://127.0.0.1:5000/v2/; do sleep 0.1; done',
  ],
  tasks: [
    {
      id: 'gets',
      title: 'Watch a pull',
      check: gets,
      latch: true,
      hints: [
        'Pull an image that the machine does not have yet, and open Pull timeline.',
        'docker pull NAME. layers-demo has five layers of its own.',
        'docker pull layers-demo',
      ],
      solution: ['docker pull layers-demo'],
    },
    {
      id: 'the-rest',
      title: 'Fetch the rest of a layer',
      check: theRest,
      latch: true,
      hints: [
        'Begin a download over the slow line and let it break off. Then go on with the registry itself.',
        'timeout 1 ends a command after a second. curl -C - looks how much of the file is here, and asks for the rest.',
        `${FIRST}  and then  ${REST}`,
      ],
      solution: [DIGEST, SLOW, SLOW_IS_UP, FIRST, REST],
    },
    {
      id: 'resumed-pull',
      title: 'Interrupt a pull and resume it',
      check: resumedPull,
      latch: true,
      hints: [
        'Pull over the slow line: the registry’s address is part of an image’s name.',
        'docker pull 127.0.0.1:5001/library/debian, Ctrl-C after two seconds, and the same again.',
        `${INTERRUPTED}; docker pull 127.0.0.1:5001/library/debian`,
      ],
      solution: [INTERRUPTED, 'docker pull 127.0.0.1:5001/library/debian'],
    },
    {
      id: 'pushed',
      title: 'Push an image',
      check: pushed,
      latch: true,
      hints: [
        'Change something in a container, make an image of it under a name that begins with 127.0.0.1:5000/, and push it.',
        'docker commit CONTAINER NAME makes an image, docker push NAME pushes it.',
        `${CHANGE.join('; ')}; docker push 127.0.0.1:5000/mine/box`,
      ],
      solution: [...CHANGE, 'docker push 127.0.0.1:5000/mine/box'],
    },
    {
      id: 'in-parts',
      title: 'Upload a blob in parts, by hand',
      check: inParts,
      latch: true,
      hints: [
        'POST opens an upload and answers with its place; PATCH sends a part there; PUT ends it and says the digest.',
        'All parts go to the address in the header Location of the first answer. The lesson keeps it in $U.',
        'Type the four commands of the lesson, one after the other.',
      ],
      solution: [MAKE_BLOB, OPEN, PARTS, END],
    },
    {
      id: 'mounted',
      title: 'Take a blob from another repository',
      check: mounted,
      latch: true,
      hints: [
        'It is a POST to uploads, as if you began an upload; what is different are two words in the query.',
        '?mount=DIGEST&from=REPOSITORY. 201 says that it is done, 202 that an upload was opened instead.',
        mount('mine/notes'),
      ],
      solution: [mount('mine/notes')],
    },
    {
      id: 'before-it-came',
      title: 'Run a container before its image has come',
      check: beforeItCame,
      latch: true,
      hints: [
        'The layers need a table of their files first; then pull over the slow line, so that there is a “before”.',
        'slipway image convert --lazy makes such layers, docker pull --lazy reads them. Start the container at once: at a megabyte a second all is here after twelve seconds.',
        `${convert('debian')}; ${PULL_LAZILY}; ${RUN_EARLY}`,
      ],
      solution: [convert('debian'), PULL_LAZILY, RUN_EARLY],
    },
  ],
  decoys: [
    { name: 'looks only', task: 'gets', lines: [`curl -s ${REGISTRY}/library/layers-demo/manifests/latest | jq .layers`] },
    { name: 'everything is here already', task: 'gets', lines: ['docker pull busybox'] },
    {
      name: 'twice from the start',
      task: 'the-rest',
      lines: [DIGEST, `for i in 1 2; do curl -s -o layer ${REGISTRY}/library/debian/blobs/$D; done`],
    },
    { name: 'a piece and no beginning', task: 'the-rest', lines: [DIGEST, `curl -s -r 100- -o layer ${REGISTRY}/library/debian/blobs/$D`] },
    { name: 'not interrupted', task: 'resumed-pull', lines: ['docker pull debian', 'docker pull debian'] },
    {
      name: 'removed and pulled again',
      task: 'resumed-pull',
      lines: ['docker pull debian', 'docker rmi debian', 'docker pull debian'],
    },
    { name: 'never pushed', task: 'pushed', lines: CHANGE },
    {
      name: 'nothing new in it',
      task: 'pushed',
      lines: ['docker tag busybox 127.0.0.1:5000/mine/nothing', 'docker rmi 127.0.0.1:5000/mine/nothing'],
    },
    {
      name: 'in one piece',
      task: 'in-parts',
      lines: [
        MAKE_BLOB,
        `curl -si --data-binary @blob "${REGISTRY}/mine/notes/blobs/uploads/?digest=sha256:$(sha256sum blob | cut -d' ' -f1)"`,
      ],
    },
    { name: 'never ended', task: 'in-parts', lines: [MAKE_BLOB, OPEN, PARTS] },
    { name: 'from where it is not', task: 'mounted', lines: ['B=sha256:$(echo x | sha256sum | cut -d" " -f1)', mount('library/debian')] },
    {
      name: 'all of it first',
      task: 'before-it-came',
      lines: [convert('busybox'), 'docker pull 127.0.0.1:5000/mine/lazy', 'docker run --rm 127.0.0.1:5000/mine/lazy ls'],
    },
    {
      name: 'nobody reads',
      task: 'before-it-came',
      lines: [SLOW, SLOW_IS_UP, convert('busybox'), PULL_LAZILY, 'docker run --rm busybox cat /etc/passwd'],
    },
    { name: 'uploaded again', task: 'mounted', lines: [MAKE_BLOB, OPEN.replace('mine/notes', 'other/notes'), PARTS, END] },
  ],
  quiz: [
    {
      id: 'what-is-a-pull',
      question: 'What does a client send to pull an image that it knows nothing about?',
      options: [
        'One request, answered with the image',
        'GET of a manifest by its name, then GETs of blobs by the digests in it',
        'The list of layers it has, so that the registry can make a difference',
      ],
      answer: 1,
      explanation:
        'Time travel to your pull in the timeline and read the registry’s requests: a registry hands out files and computes nothing.',
    },
    {
      id: 'last-in-a-push',
      question: 'Why does the manifest come last in a push?',
      options: [
        'Because it is the largest part',
        'Because it names the blobs, and a registry may refuse one whose blobs it lacks: nobody can ever pull half an image',
        'It comes first',
      ],
      answer: 1,
      explanation: 'Push a manifest that names a digest of your own making: the answer is 404, MANIFEST_BLOB_UNKNOWN.',
    },
    {
      id: 'lost-line',
      question: 'The line breaks at 90 % of a layer of 1 GB. What has to be sent again?',
      options: ['1 GB', 'About 100 MB', 'All layers'],
      answer: 1,
      explanation: 'Range: bytes=N- asks for the rest. Since the digest is checked over the whole, a wrong rest would be noticed.',
    },
  ],
});
