export { type HostNeed, hostTest } from './host-test.ts';
