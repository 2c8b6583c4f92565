/**
 * Lab of lesson 7: what an image is.
 *
 * Knows: when each task is done, and answers that look right and are not; what counts is what the registry was asked and answered.
 * Does not know: the lesson's words (content/), nor who evaluates it.
 */
import {
  type CheckResult,
  type CheckView,
  defineLab,
  disksNow,
  failed,
  isAnswered,
  isByHand,
  passed,
  programsStarted,
  type RegistryVisit,
  registryVisits,
} from '@slipway/lessons';
import { ATLAS, pushAtlas } from './atlas.ts';

const [AMD64, ARM64] = ATLAS.platforms;
const MANIFESTS = [AMD64.manifest.digest, ARM64.manifest.digest];
const CONFIGS = [AMD64.config.digest, ARM64.config.digest];
const LAYERS = [...AMD64.layers, ...ARM64.layers].map(({ digest }) => digest);

/** What was asked of the repository atlas by hand and answered. */
function visits(view: CheckView, method: string): readonly RegistryVisit[] {
  return registryVisits(view).filter(
    (visit) => isByHand(visit) && isAnswered(visit) && visit.request.repository === 'atlas' && visit.request.method === method,
  );
}

function inWords(list: readonly RegistryVisit[]): string {
  const last = list.at(-1);
  if (last === undefined) return 'nobody asking for anything of atlas with curl';
  const { request } = last;
  return `a ${request.method} of ${request.kind ?? 'something'} ${request.tag ?? request.digest?.slice(0, 19) ?? ''}`;
}

/** A check for a GET of one of these digests, or of the tag. */
function fetched(isIt: (visit: RegistryVisit) => boolean, expected: string) {
  return (view: CheckView): CheckResult => {
    const gets = visits(view, 'GET');
    return gets.some(isIt) ? passed : failed(inWords(gets), expected);
  };
}

const names = (digests: readonly string[]) => (visit: RegistryVisit) => digests.includes(visit.request.digest ?? '');

function summed(view: CheckView): CheckResult {
  const expected = 'a layer of atlas fetched with curl, and then sha256sum';
  const [first] = visits(view, 'GET').filter(names(LAYERS));
  if (first === undefined) return failed(inWords(visits(view, 'GET')), expected);
  const isSummed = programsStarted(view).some(({ program, atMs }) => program === 'sha256sum' && atMs >= first.atMs);
  return isSummed ? passed : failed('a layer, and nobody who computes its sum', expected);
}

function manifestPuts(view: CheckView): readonly RegistryVisit[] {
  return visits(view, 'PUT').filter(({ request }) => request.kind === 'manifest' && request.tag !== undefined);
}

function rebuilt(view: CheckView): CheckResult {
  const expected = 'a manifest put under a tag with curl that has the digest which the index names';
  const puts = manifestPuts(view);
  if (puts.some(({ answer }) => MANIFESTS.includes(answer.digest ?? ''))) return passed;
  const last = puts.at(-1);
  return failed(last ? `a manifest whose digest became ${last.answer.digest?.slice(0, 19)}` : 'no manifest put by hand', expected);
}

function replaced(view: CheckView): CheckResult {
  const expected = 'a tag that was put twice with different manifests, and then the first one fetched by its digest';
  const byTag = Map.groupBy(manifestPuts(view), ({ request }) => request.tag);
  let seen = 'no tag that changed its manifest';
  for (const [tag, puts] of byTag) {
    const later = puts.find(({ answer }) => answer.digest !== puts[0]?.answer.digest);
    if (later === undefined) continue;
    const old = puts[0]?.answer.digest ?? '';
    if (visits(view, 'GET').some((visit) => names([old])(visit) && visit.atMs > later.atMs)) return passed;
    seen = `the tag ${tag} with another manifest, and nobody asking for the old one since`;
  }
  return failed(seen, expected);
}

function once(view: CheckView): CheckResult {
  const expected = 'a layer on the disk, once, that two images have';
  const layers = disksNow(view).flatMap((disk) => disk.layers);
  if (layers.some(({ images, diskBytes }) => images.length > 1 && diskBytes > 0)) return passed;
  return failed(layers.length === 0 ? 'no layer yet' : `${layers.length} layers, each of one image`, expected);
}

const TYPE = 'Content-Type: application/vnd.oci.image.manifest.v1+json';
const R = 'R=http://127.0.0.1:5000/v2/atlas';
const GET_INDEX = 'curl -s $R/manifests/latest | tee index.json | jq';
const GET_MANIFEST = "M=$(jq -r '.manifests[0].digest' index.json); curl -s $R/manifests/$M | tee manifest.json | jq";
const GET_CONFIG = 'C=$(jq -r .config.digest manifest.json); curl -s $R/blobs/$C | tee config.json | jq';
const GET_LAYER = "L=$(jq -r '.layers[0].digest' manifest.json); curl -s -o layer.tar $R/blobs/$L; tar -tvf layer.tar";
const SUM_LAYER = 'sha256sum layer.tar; echo $L';
const COMPOSE = `jq -cj --arg d "sha256:$(sha256sum config.json | cut -d' ' -f1)" --argjson n "$(stat -c %s config.json)" '.config.digest = $d | .config.size = $n' manifest.json > mine.json; sha256sum mine.json; echo $M`;
const PUT = `curl -si -X PUT -H '${TYPE}' --data-binary @mine.json $R/manifests/mine | grep -E '^(HTTP|Docker-Content)'`;
const LABEL = 'jq -cj \'.config.Labels.by = "me"\' config.json > changed.json; mv changed.json config.json; sha256sum config.json';
const PUSH_CONFIG = `curl -si --data-binary @config.json "$R/blobs/uploads/?digest=sha256:$(sha256sum config.json | cut -d' ' -f1)" | head -1`;
const OLD = 'curl -s $R/manifests/$M | sha256sum; echo $M';
const FILES = [R, GET_INDEX, GET_MANIFEST, GET_CONFIG];

export const lab = defineLab({
  lesson: 'what-an-image-is',
  setup: [...pushAtlas()],
  tasks: [
    {
      id: 'index',
      title: 'Fetch the index',
      check: fetched(
        ({ request }) => request.kind === 'manifest' && request.tag === 'latest',
        'a GET of the manifest that is called latest',
      ),
      latch: true,
      hints: [
        'A registry answers to GET /v2/NAME/manifests/TAG.',
        'The name is atlas, the tag latest; jq makes the answer readable.',
        'curl -s http://127.0.0.1:5000/v2/atlas/manifests/latest | jq',
      ],
      solution: [R, GET_INDEX],
    },
    {
      id: 'manifest',
      title: 'Follow it to a manifest',
      check: fetched(names(MANIFESTS), 'a GET of one of the two manifests that the index names'),
      latch: true,
      hints: [
        'The index names two manifests by digest. Take the digest in the place of the tag.',
        "jq -r '.manifests[0].digest' index.json prints the first.",
        GET_MANIFEST,
      ],
      solution: [GET_MANIFEST],
    },
    {
      id: 'config',
      title: 'Read the config',
      check: fetched(names(CONFIGS), 'a GET of the blob that a manifest names as its config'),
      latch: true,
      hints: [
        'What a manifest names are blobs: GET /v2/NAME/blobs/DIGEST.',
        'jq -r .config.digest manifest.json prints the digest.',
        GET_CONFIG,
      ],
      solution: [GET_CONFIG],
    },
    {
      id: 'layer',
      title: 'Fetch a layer and compute its sum',
      check: summed,
      latch: true,
      hints: [
        'Layers are blobs as well. Keep one in a file.',
        'curl -o FILE keeps it, tar -tvf FILE lists it, sha256sum FILE computes the sum.',
        `${GET_LAYER}; ${SUM_LAYER}`,
      ],
      solution: [GET_LAYER, SUM_LAYER],
    },
    {
      id: 'rebuild',
      title: 'Rebuild the manifest',
      check: rebuilt,
      latch: true,
      hints: [
        'Measure the config: its sum and its size. Put both into a manifest, and put that under a tag of your own.',
        'Every byte counts. jq -cj writes JSON without blanks and without a newline at the end.',
        `${COMPOSE}  and then  ${PUT}`,
      ],
      solution: [COMPOSE, PUT],
    },
    {
      id: 'replace',
      title: 'Change the image',
      check: replaced,
      latch: true,
      hints: [
        'Change the config, push it as a blob, compose the manifest again and put it under the same tag.',
        'The old manifest is still there. Its digest is in $M.',
        `${LABEL}; ${PUSH_CONFIG}; then the two commands of the task before, and ${OLD}`,
      ],
      solution: [LABEL, PUSH_CONFIG, COMPOSE, PUT, OLD],
    },
    {
      id: 'once',
      title: 'One layer, two images',
      check: once,
      latch: true,
      hints: [
        'busybox is on this machine. Pull an image that stands on it.',
        'docker image history NAME shows what an image stands on; web is one.',
        'docker pull web',
      ],
      solution: ['docker pull web'],
    },
  ],
  decoys: [
    { name: 'asks what tags there are', task: 'index', lines: ['curl -s http://127.0.0.1:5000/v2/atlas/tags/list'] },
    { name: 'by docker', task: 'index', lines: ['docker pull 127.0.0.1:5000/atlas'] },
    { name: 'one that is not there', task: 'manifest', lines: [R, `curl -s $R/manifests/sha256:${'0'.repeat(64)}`] },
    { name: 'a manifest is no config', task: 'config', lines: [R, GET_INDEX, GET_MANIFEST] },
    { name: 'without its sum', task: 'layer', lines: [...FILES, GET_LAYER] },
    { name: 'the sum of something else', task: 'layer', lines: [...FILES, 'sha256sum config.json'] },
    {
      name: 'the same JSON with blanks',
      task: 'rebuild',
      lines: [...FILES, 'jq . manifest.json > mine.json', PUT],
    },
    { name: 'the same twice', task: 'replace', lines: [...FILES, 'cp manifest.json mine.json', PUT, PUT, OLD] },
    { name: 'nobody looks at the old one', task: 'replace', lines: [...FILES, COMPOSE, PUT, LABEL, PUSH_CONFIG, COMPOSE, PUT] },
    { name: 'shares nothing', task: 'once', lines: ['docker pull hello'] },
    { name: 'two names of one image', task: 'once', lines: ['docker tag busybox other'] },
  ],
  quiz: [
    {
      id: 'what-is-in-a-digest',
      question: 'Which parts of an image does the digest of its manifest vouch for?',
      options: ['The manifest only', 'Config and layers, too: their digests are in it', 'The tag'],
      answer: 1,
      explanation:
        'You changed one label in the config. Its digest changed, so a number in the manifest changed, so the manifest’s digest changed.',
    },
    {
      id: 'tag-or-digest',
      question: 'You deploy atlas:latest today and again tomorrow. Is it the same image?',
      options: ['Yes, an image cannot change', 'Not necessarily: a tag can name another manifest by then; atlas@sha256:… cannot'],
      answer: 1,
      explanation: 'Your tag mine named two images within minutes. An image does not change, and names may.',
    },
    {
      id: 'where-is-the-platform',
      question: 'How does docker pull find the image for your processor?',
      options: [
        'It tries each layer',
        'The registry looks at the request',
        'The index says the platform of each manifest; the client chooses',
      ],
      answer: 2,
      explanation: 'jq .manifests index.json: each has a platform. The registry gave you the whole index and did not ask who you are.',
    },
  ],
});
