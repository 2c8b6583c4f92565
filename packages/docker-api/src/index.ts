export type { Backend, SystemFacts } from './backend.ts';
export { createDockerApi, type DockerApi, type DockerApiOptions } from './server.ts';
