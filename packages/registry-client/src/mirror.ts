/**
 * Mirrors, as a setting writes them: `docker.io=http://127.0.0.1:5000`.
 *
 * Knows: which of them may be plain http.
 * Does not know: whether they answer.
 */
import { EngineError } from '@slipway/errors';
import { registryDomain } from './credentials.ts';
import { isLoopbackHost } from './policy.ts';

/** Has what another registry has, perhaps not all of it. */
export interface Mirror {
  /** The registry that it stands for, `docker.io`. */
  readonly registry: string;
  readonly url: URL;
}

/** A text without a registry's name is a mirror of docker.io, as with dockerd. @throws `invalid-argument` / `E_REGISTRY_MIRROR` */
export function parseMirror(text: string, insecureRegistries: readonly string[] = []): Mirror {
  const [, name, address = ''] = /^(?:([^=/]+)=)?(.+)$/.exec(text) ?? [];
  const url = URL.parse(address);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) throw invalid(text, 'is no http or https address');
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '' || url.pathname !== '/') {
    throw invalid(text, 'has more than scheme, host and port');
  }
  const isListed = insecureRegistries.includes(url.host) || insecureRegistries.includes(url.hostname);
  if (url.protocol === 'http:' && !isLoopbackHost(url.hostname) && !isListed) {
    throw invalid(text, 'is plain http and no loopback address', `Use https, or allow it: --insecure-registry ${url.host}.`);
  }
  return { registry: registryDomain(name ?? 'docker.io'), url };
}

function invalid(text: string, why: string, hint = 'Write NAME=URL, e.g. docker.io=https://mirror.example.'): EngineError {
  return new EngineError('invalid-argument', `the registry mirror ${JSON.stringify(text.slice(0, 200))} ${why}`, {
    code: 'E_REGISTRY_MIRROR',
    op: 'registry.mirror',
    subject: text.slice(0, 200),
    hint,
  });
}
