import type { ServerMessage, WorkbenchRequest } from '@slipway/contracts';
import { expect, test } from 'vitest';
import { WorkbenchClient } from '../net/workbench-client.ts';
import { BirthStore } from './birth-store.ts';

/** A birth whose questions are answered by hand. */
function askedByHand() {
  const asked: { readonly id: number; readonly request: WorkbenchRequest }[] = [];
  const client = new WorkbenchClient(({ id, request }) => {
    asked.push({ id, request });
    return true;
  });
  /** Once this has been asked. */
  const answer = async (verb: WorkbenchRequest['do'], result: unknown) => {
    await expect.poll(() => asked[0]?.request.do).toBe(verb);
    const { id = 0, request } = asked.shift() ?? {};
    client.answered({ type: 'workbench.answer', id, result } satisfies Extract<ServerMessage, { type: 'workbench.answer' }>);
    return request;
  };
  return { birth: new BirthStore('first', client), asked, answer };
}

const PLAN = { operations: [], issues: [] };

test('a document handed over while something is under way waits for its turn, and the status says so', async () => {
  const { birth, asked, answer } = askedByHand();
  const measured = birth.measure();
  const taken = birth.take('{"hostname":"later"}', 'busybox');

  expect(birth.use.getState()).toMatchObject({ busy: 'measuring', awaited: 'taking the document', config: '' });
  expect(asked.map(({ request }) => request.do)).toEqual(['leaks']);

  await answer('leaks', { probes: [] });
  await measured;
  await answer('images', { images: ['busybox'] });
  expect(await answer('plan', PLAN)).toMatchObject({ config: '{"hostname":"later"}' });
  await taken;
  expect(birth.use.getState()).toMatchObject({ busy: undefined, awaited: undefined, config: '{"hostname":"later"}', image: 'busybox' });
});

test('of several documents handed over the last one stays; a failure before it does not keep it away', async () => {
  const { birth, asked, answer } = askedByHand();
  const measured = birth.measure();
  const taken = [birth.take('{"hostname":"one"}', 'busybox'), birth.take('{"hostname":"two"}', 'busybox')];
  birth.lost();
  await answer('leaks', { probes: [] });
  await measured;
  await answer('images', { images: ['busybox'] });
  await answer('plan', PLAN);
  await answer('plan', PLAN);
  await Promise.all(taken);

  expect(birth.use.getState()).toMatchObject({ busy: undefined, config: '{"hostname":"two"}' });
  expect(asked).toEqual([]);
});
