import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { restAfterRequests } from './rest.ts';

describe('restAfterRequests', () => {
  let http: Server;
  let stop: () => void;
  const collected: string[] = [];

  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal('gc', ({ type }: { type: string }) => void collected.push(type));
    collected.length = 0;
    http = createServer();
    stop = restAfterRequests(http);
  });

  afterEach(() => {
    stop();
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });

  it('sweeps the young garbage in the first pause and gives everything back at rest, once each', () => {
    vi.advanceTimersByTime(100);
    expect(collected).toEqual(['minor']);
    vi.advanceTimersByTime(60_000);
    expect(collected).toEqual(['minor', 'major']);
  });

  it('does neither while requests follow one another', () => {
    for (let count = 0; count < 500; count++) {
      http.emit('request');
      vi.advanceTimersByTime(10);
    }
    expect(collected).toEqual([]);
  });

  it('begins anew with a request in the pause and with one at rest', () => {
    vi.advanceTimersByTime(1000);
    http.emit('request');
    vi.advanceTimersByTime(1990);
    expect(collected).toEqual(['minor', 'minor']);
    vi.advanceTimersByTime(10_000);
    http.emit('request');
    vi.advanceTimersByTime(10_000);
    expect(collected).toEqual(['minor', 'minor', 'major', 'minor', 'major']);
  });

  it('leaves no timer behind when it is stopped', () => {
    stop();
    expect(vi.getTimerCount()).toBe(0);
  });
});
