import { expect, test } from 'vitest';
import { untilAnswered } from './patience.ts';
import { WorkbenchError } from './workbench-client.ts';

const refusal = (code: string) => new WorkbenchError({ code, message: code });

/** Refuses with each code in turn, then answers how often it was asked. */
function machine(...codes: readonly string[]) {
  let asked = 0;
  const ask = async () => {
    const code = codes[asked];
    asked += 1;
    if (code !== undefined) throw refusal(code);
    return asked;
  };
  return { ask, count: () => asked };
}

test('what may pass is asked again until it is answered, and each refusal is told', async () => {
  const told: unknown[] = [];
  const { ask } = machine('E_WORKBENCH_ENGINE', 'E_OFFLINE');
  await expect(untilAnswered(ask, { againMs: 0, goesOn: (error) => told.push(error) > 0 })).resolves.toBe(3);
  expect(told).toEqual([refusal('E_WORKBENCH_ENGINE'), refusal('E_OFFLINE')]);
});

test('a refusal that stands is thrown at once', async () => {
  const { ask, count } = machine('E_WORKBENCH_IMAGE');
  await expect(untilAnswered(ask, { againMs: 0, goesOn: () => true })).rejects.toThrow('E_WORKBENCH_IMAGE');
  expect(count()).toBe(1);
});

test('nothing is asked for somebody who went away', async () => {
  const { ask, count } = machine('E_WORKBENCH_GONE');
  await expect(untilAnswered(ask, { againMs: 0, goesOn: () => false })).resolves.toBeUndefined();
  expect(count()).toBe(1);
});
