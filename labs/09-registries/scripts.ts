/**
 * A small program that lies ready in the machine for lesson 9.
 *
 * Knows: how to make a fast line slow. Does not know: when it is used (lab.ts).
 */

/** Loopback is too fast to interrupt anything on it. */
export const SLOW_LINE = `// A slow line: whoever comes to 127.0.0.1:5001 is put through to the registry, at so many bytes a second and connection.
import { connect, createServer } from 'node:net';

const bytesPerSecond = Number(process.argv[2] ?? 1_000_000);

createServer((client) => {
  const registry = connect(5000, '127.0.0.1');
  client.pipe(registry);
  registry.on('data', (bytes) => {
    client.write(bytes);
    registry.pause();
    setTimeout(() => registry.resume(), (bytes.length / bytesPerSecond) * 1000);
  });
  for (const end of [client, registry]) {
    end.on('error', () => {});
    end.on('close', () => { client.end(); registry.destroy(); });
  }
}).listen(5001, '127.0.0.1');
`;
