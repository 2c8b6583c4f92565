import { hostTest } from '@slipway/testing';
import { expect } from 'vitest';
import { filterThrough } from './filter-program.ts';

async function* given(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}
async function textOf(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

hostTest('bytes go through a program that is nobody and has no rights', ['root', 'linux'], async () => {
  expect(await textOf(filterThrough('tr', ['a-z', 'A-Z'], given('one ', 'two')))).toBe('ONE TWO');
  const script = 'cat; id -u; id -G; grep -E "^(CapEff|CapBnd|NoNewPrivs)" /proc/self/status; env | sort';
  const told = await textOf(filterThrough('sh', ['-c', script], given('x\n')));
  expect(told.replaceAll('\t', ' ')).toMatch(
    /^x\n65534\n65534\nCapEff: 0{16}\nCapBnd: 0{16}\nNoNewPrivs: 1\nLC_ALL=C\nPATH=[^\n]*\nPWD=\/\n$/,
  );
});

hostTest('its failure is told in its words, a missing program by name, and that of the source as it is', ['root', 'linux'], async () => {
  await expect(textOf(filterThrough('sh', ['-c', 'echo no >&2; exit 3'], given('x')))).rejects.toThrow('no');
  await expect(textOf(filterThrough('no-such-program', [], given('x')))).rejects.toMatchObject({ code: 'E_PROGRAM_MISSING' });
  const failing = (async function* () {
    yield Buffer.from('x');
    throw new Error('source broke');
  })();
  await expect(textOf(filterThrough('cat', [], failing))).rejects.toThrow('source broke');
});

hostTest('who stops reading ends it', ['root', 'linux'], async () => {
  let pid = 0;
  for await (const bytes of filterThrough('sh', ['-c', 'echo $$; exec yes'], given())) {
    pid = Number.parseInt(Buffer.from(bytes).toString(), 10);
    break;
  }
  expect(pid).toBeGreaterThan(1);
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});
