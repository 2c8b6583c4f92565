/** Registries behind TLS with an authority of one's own, made with openssl, served by Debian's docker-registry in a network namespace. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hostTest } from '@slipway/testing';
import { expect } from 'vitest';

const SUBJECT = fileURLToPath(new URL('./testing/tls-subject.ts', import.meta.url));
const REGISTRY = fileURLToPath(new URL('../../../.slipway/peers/docker-registry/usr/bin/docker-registry', import.meta.url));
const IN_NAMESPACE = 'ip link set lo up && ip address add 10.66.0.1/32 dev lo && exec "$@"';

/** Two authorities; certificates of the first for the registry's address, for another address, and for a client. */
function makeCertificates(directory: string): void {
  const openssl = (...args: readonly string[]) => execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  for (const name of ['ca', 'other'])
    openssl('req', '-x509', ...key, '-keyout', `${name}.key`, '-out', `${name}.crt`, '-days', '2', '-subj', `/CN=${name}`);
  const usable = { server: 'subjectAltName=IP:10.66.0.1', elsewhere: 'subjectAltName=IP:10.66.0.2', client: 'extendedKeyUsage=clientAuth' };
  for (const [name, extension] of Object.entries(usable)) {
    openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    writeFileSync(join(directory, 'extensions'), extension);
    const by = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial'];
    openssl('x509', '-req', '-in', `${name}.csr`, ...by, '-out', `${name}.crt`, '-days', '2', '-extfile', 'extensions');
  }
}

hostTest(
  'a registry’s certificate is believed with its authority in certs.d, and in no other case',
  ['root', 'linux', 'overlayfs'],
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'tls-'));
    try {
      makeCertificates(directory);
      const args = ['--net', '--', 'sh', '-ec', IN_NAMESPACE, 'sh', process.execPath, SUBJECT, directory, REGISTRY];
      const answer = execFileSync('unshare', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
      expect(JSON.parse(answer)).toEqual({
        'with its authority': 'pushed and pulled',
        'without one': 'E_REGISTRY_UNREACHABLE',
        'with another authority': 'E_REGISTRY_UNREACHABLE',
        'of another address': 'E_REGISTRY_UNREACHABLE',
        'that wants a client certificate, without': 'E_REGISTRY_UNREACHABLE',
        'that wants a client certificate, with': 'pushed and pulled',
      });
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
);
