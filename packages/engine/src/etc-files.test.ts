import { expect, test } from 'vitest';
import { planEtcFiles } from './etc-files.ts';
import { PLAIN_HOST } from './testing/requests.ts';

const WEB = { hostname: 'web' };

test('hosts, hostname and resolv.conf as asked', () => {
  const host = {
    ...PLAIN_HOST,
    extraHosts: ['db:10.0.0.1', 'six:[fd00::1]'],
    dns: ['9.9.9.9'],
    dnsSearch: ['lab.test'],
    dnsOptions: ['ndots:1'],
  };
  const files = planEtcFiles(WEB, host, 'nameserver 1.2.3.4\n');
  expect(files.hosts.split('\n').slice(-4)).toEqual(['127.0.1.1\tweb', '10.0.0.1\tdb', 'fd00::1\tsix', '']);
  expect(files.hostname).toBe('web\n');
  expect(files.resolvConf).toBe('nameserver 9.9.9.9\nsearch lab.test\noptions ndots:1\n');
});

test('only a container in the host’s network gets the host’s resolver', () => {
  expect(planEtcFiles(WEB, PLAIN_HOST, 'nameserver 1.2.3.4\n').resolvConf).toBe('');
  expect(planEtcFiles(WEB, { ...PLAIN_HOST, network: 'host' }, 'nameserver 1.2.3.4\n').resolvConf).toBe('nameserver 1.2.3.4\n');
});

test.each([
  ['extraHosts', 'a\n0.0.0.0 evil:1.2.3.4'],
  ['extraHosts', 'a:1.2.3.4\n6.6.6.6 bank'],
  ['extraHosts', 'no-address'],
  ['dns', '9.9.9.9\nnameserver 6.6.6.6'],
  ['dnsSearch', 'a\nnameserver 6.6.6.6'],
  ['dnsSearch', 'a b'],
  ['dnsOptions', 'ndots:1\r\nx'],
] as const)('a value of %s that would become a line of its own is refused: %j', (field, value) => {
  expect(() => planEtcFiles(WEB, { ...PLAIN_HOST, [field]: [value] }, '')).toThrow(/invalid/);
});

test('a domain name makes the full name, and no line of its own', () => {
  const hosts = planEtcFiles({ hostname: 'web', domainname: 'lab.test' }, PLAIN_HOST, '').hosts;
  expect(hosts).toContain('\n127.0.1.1\tweb.lab.test\tweb\n');
  expect(() => planEtcFiles({ hostname: 'web', domainname: 'a\n1.2.3.4 evil' }, PLAIN_HOST, '')).toThrow(/invalid domain name/);
});
