/**
 * native/start-client.c, compiled when newer than its program: create and start, asked by a program that costs next to nothing.
 *
 * Knows: how one container is asked for, and when. Does not know: what is measured with it.
 */
import { execFileSync } from 'node:child_process';
import { compile } from './floor.ts';
import { CHECKOUT } from './workplace.ts';

const PROGRAM = `${CHECKOUT}/build/start-client`;

export const compileStartClient = () => compile(`${CHECKOUT}/bench/native/start-client.c`, PROGRAM);

export interface StartRound {
  /** The engine's. */
  readonly socket: string;
  /** Of POST /containers/create. */
  readonly body: string;
  /** The client sleeps as long before it begins, connected. */
  readonly pauseMs: number;
}

/** Moments are CLOCK_MONOTONIC, ms. */
export interface StartedContainer {
  readonly id: string;
  readonly beganMs: number;
  readonly createdMs: number;
  readonly repliedMs: number;
}

export function runStartClient({ socket, body, pauseMs }: StartRound): StartedContainer {
  const [id = '', ...moments] = execFileSync(PROGRAM, [socket, String(pauseMs), body], { encoding: 'utf8' })
    .trim()
    .split(' ');
  const [beganMs = 0, createdMs = 0, repliedMs = 0] = moments.map((text) => Number(text) / 1e6);
  return { id, beganMs, createdMs, repliedMs };
}
