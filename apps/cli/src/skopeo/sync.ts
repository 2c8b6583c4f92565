/**
 * `skopeo sync`: whole repositories, and directories of them.
 *
 *     docker → dir       HOST/PATH[:TAG]  →  DIR/NAME:TAG, or DIR/HOST/PATH:TAG with --scoped
 *     docker → docker    HOST/PATH[:TAG]  →  HOST2/PREFIX/NAME:TAG
 *     dir → docker       DIR/…            →  HOST2/PREFIX/NAME:TAG
 *     yaml → either      what a file lists: registry → images → tags
 *
 * Knows: which image goes where.
 * Does not know: how one is copied.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { formatReference, parseReference, type Reference } from '@slipway/oci';
import { UsageError } from '../flags.ts';
import type { ImageName } from './image-name.ts';

export interface SyncPlan {
  readonly from: 'docker' | 'dir' | 'yaml';
  readonly to: 'docker' | 'dir';
  readonly source: string;
  readonly destination: string;
  /** The whole of the source's name is kept. */
  readonly scoped: boolean;
}

export interface SyncStep {
  readonly source: ImageName;
  readonly destination: ImageName;
}

/** @param tagsOf every tag of a repository */
export async function planSync(plan: SyncPlan, tagsOf: (repository: Reference) => Promise<readonly string[]>): Promise<SyncStep[]> {
  if (plan.from === 'dir' && plan.to === 'dir')
    throw new UsageError('sync from "dir" to "dir" not implemented, consider using rsync instead');
  const found = plan.from === 'dir' ? imagesBelow(plan.source) : await imagesNamed(plan, tagsOf);
  if (found.length === 0) throw new UsageError(`No images to sync found in ${JSON.stringify(plan.source)}`);
  return found.map(({ source, name, scope }) => {
    const target = plan.scoped ? scope : name;
    return { source, destination: destinationOf(plan, target) };
  });
}

interface Found {
  readonly source: ImageName;
  /** `busybox:1`. */
  readonly name: string;
  /** `docker.io/library/busybox:1`. */
  readonly scope: string;
}

function destinationOf({ to, destination }: SyncPlan, target: string): ImageName {
  if (to === 'dir') return { transport: 'dir', path: `${destination.replace(/\/+$/, '')}/${target}` };
  return { transport: 'docker', reference: parseReference(`${destination.replace(/\/+$/, '')}/${target}`) };
}

async function imagesNamed({ from, source }: SyncPlan, tagsOf: (repository: Reference) => Promise<readonly string[]>): Promise<Found[]> {
  const wanted = from === 'yaml' ? await listedIn(source) : [source];
  const found: Found[] = [];
  for (const text of wanted) {
    const reference = parseReference(text);
    const isNamed = /:[^/]+$|@/.test(text.replace(/^[^/]+\//, ''));
    const tags = isNamed ? [reference.tag ?? ''] : await tagsOf(reference);
    for (const tag of tags) found.push(foundAt(isNamed ? reference : { domain: reference.domain, path: reference.path, tag }));
  }
  return found;
}

function foundAt(reference: Reference): Found {
  const scope = formatReference(reference);
  return { source: { transport: 'docker', reference }, scope, name: scope.slice(scope.lastIndexOf('/', scope.search(/[@:][^/]*$/)) + 1) };
}

/** Each registry's `images`: a repository with its tags, or all of them when it names none. */
async function listedIn(path: string): Promise<string[]> {
  const { parse } = await import('yaml');
  const document = parse(readFileSync(path, 'utf8')) as Record<string, { images?: Record<string, readonly string[] | null> } | null> | null;
  return Object.entries(document ?? {}).flatMap(([registry, content]) =>
    Object.entries(content?.images ?? {}).flatMap(([repository, tags]) =>
      tags === null || tags.length === 0
        ? [`${registry}/${repository}`]
        : tags.map((tag) => `${registry}/${repository}${tag.includes(':') ? '@' : ':'}${tag}`),
    ),
  );
}

/** Directories that hold an image, and what they are called below the root. */
function imagesBelow(root: string, below = ''): Found[] {
  const path = below === '' ? root : `${root}/${below}`;
  const names = readdirSync(path);
  if (names.includes('manifest.json')) {
    const scope = below === '' ? (root.replace(/\/+$/, '').split('/').at(-1) ?? '') : below;
    return [{ source: { transport: 'dir', path }, scope, name: scope.split('/').at(-1) ?? '' }];
  }
  return names
    .filter((name) => statSync(`${path}/${name}`).isDirectory())
    .flatMap((name) => imagesBelow(root, below === '' ? name : `${below}/${name}`));
}
