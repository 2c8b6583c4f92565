/**
 * What the server of a lazy image is told: one JSON document of ours on its stdin.
 *
 * Knows: the fields, and the names of the files in the session's directory.
 * Does not know: how either side uses them.
 */
import type { Descriptor } from '@slipway/oci';
import type { Credentials, ProxyRules, RepositoryPlace } from '@slipway/registry-client';
import type { TocMember } from './estargz/toc.ts';

/** What the layers below have, for parents that an index leaves out; `mtimeNs` in digits. */
export type KnownBelow = Readonly<
  Record<string, { readonly mode: number; readonly uid: number; readonly gid: number; readonly mtimeNs: string }>
>;

export interface ServedLayer {
  readonly descriptor: Descriptor;
  readonly tocOffset: number;
  readonly tocDigest: string;
  readonly tocMember: TocMember;
  /** Existing directory that the layer's tree is shown at. */
  readonly target: string;
  readonly below: KnownBelow;
}

/** Everything but secrets: it is kept, so that a server can be started again. */
export interface ServerSession {
  readonly place: RepositoryPlace;
  readonly insecureRegistries: readonly string[];
  readonly certificatesDirectory?: string;
  /** Lowest first. */
  readonly layers: readonly ServedLayer[];
}

export interface ServerTask {
  readonly session: ServerSession;
  /** The session's directory, see {@link sessionFiles}. */
  readonly directory: string;
  readonly credentials?: Credentials;
  readonly proxies?: ProxyRules | undefined;
}

/** Where a session keeps what. */
export function sessionFiles(directory: string) {
  return {
    session: `${directory}/session.json`,
    events: `${directory}/events`,
    process: `${directory}/process.json`,
    mountPoint: `${directory}/mnt`,
    toc: (layer: number) => `${directory}/${layer}.toc`,
    blob: (layer: number) => `${directory}/${layer}.blob`,
  };
}
