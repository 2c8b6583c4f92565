/**
 * Image names in skopeo's manner: `TRANSPORT:DETAILS`.
 *
 * Knows: the transports and the grammar of their details.
 * Does not know: whether anything is there.
 */
import { formatReference, parseReference, type Reference } from '@slipway/oci';
import { UsageError } from '../flags.ts';

export type ImageName =
  | { readonly transport: 'docker'; readonly reference: Reference }
  | { readonly transport: 'dir'; readonly path: string }
  | { readonly transport: 'oci' | 'oci-archive'; readonly path: string; readonly image?: string }
  | { readonly transport: 'docker-archive'; readonly path: string; readonly name?: string }
  | { readonly transport: 'docker-daemon'; readonly name: string };

const KNOWN = ['containers-storage', 'dir', 'docker', 'docker-archive', 'docker-daemon', 'oci', 'oci-archive'] as const;

/** @throws UsageError, or `E_REFERENCE_INVALID` */
export function parseImageName(text: string): ImageName {
  const colon = text.indexOf(':');
  if (colon < 0) throw new UsageError(`Invalid image name "${text}", expected colon-separated transport:reference`);
  const details = text.slice(colon + 1);
  const transport = KNOWN.find((name) => name === text.slice(0, colon));
  switch (transport) {
    case 'docker':
      if (!details.startsWith('//')) throw new UsageError(`docker: image reference ${details} does not start with "//"`);
      return { transport, reference: parseReference(details.slice(2)) };
    case 'dir':
      return { transport, path: needed(details, text) };
    case 'oci':
    case 'oci-archive': {
      const [path, image] = cut(details);
      return { transport, path: needed(path, text), ...(image === undefined ? {} : { image }) };
    }
    case 'docker-archive': {
      const [path, name] = cut(details);
      return { transport, path: needed(path, text), ...(name === undefined ? {} : { name: formatReference(parseReference(name)) }) };
    }
    case 'docker-daemon':
    case 'containers-storage':
      // Our engine's store is the only one there is here; `[driver@root]` would name another.
      if (details.startsWith('[')) throw new UsageError(`containers-storage: the store is the engine's, "${details}" names another`);
      return { transport: 'docker-daemon', name: needed(details, text) };
    default:
      throw new UsageError(`Invalid image name "${text}", unknown transport "${text.slice(0, colon)}"`);
  }
}

function cut(details: string): [path: string, rest: string | undefined] {
  const colon = details.indexOf(':');
  return colon < 0 ? [details, undefined] : [details.slice(0, colon), details.slice(colon + 1) || undefined];
}

function needed(value: string, text: string): string {
  if (value === '') throw new UsageError(`Invalid image name "${text}", it names nothing`);
  return value;
}
