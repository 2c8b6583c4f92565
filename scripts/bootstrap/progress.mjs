/**
 * Shows what set-up is doing: a line per step, with a clock while it runs on a terminal.
 *
 * Knows: how to run a command quietly and keep its output for the case that it fails.
 * Does not know: what the steps are.
 */
import { spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { STATE_DIR } from './paths.mjs';

const LOG = `${STATE_DIR}/bootstrap.log`;
const KEPT_LINES = 25;

export class Progress {
  #label = '';
  #started = 0;
  #timer;
  #anything = false;

  constructor() {
    mkdirSync(STATE_DIR, { recursive: true });
    writeFileSync(LOG, '');
  }

  /** Runs `work` under a line of its own; the line ends in the seconds it took. */
  async step(label, work) {
    this.#begin(label);
    await work();
    this.#end('done');
  }

  /** Runs a program; on failure throws with the last lines it printed. */
  async command(file, args, { env = process.env, cwd } = {}) {
    appendFileSync(LOG, `\n$ ${file} ${args.join(' ')}\n`);
    const child = spawn(file, args, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let tail = [];
    const keep = (chunk) => {
      const text = chunk.toString();
      appendFileSync(LOG, text);
      tail = [...tail, ...text.split('\n')].filter((line) => line.trim() !== '').slice(-KEPT_LINES);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const code = await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
    });
    if (code !== 0)
      throw new Error(`\`${file} ${args.join(' ')}\` ended with ${code}:\n  ${tail.join('\n  ')}\nThe whole output is in ${LOG}.`);
  }

  failed() {
    if (this.#label !== '') this.#end('FAILED');
  }

  done() {
    if (this.#anything) process.stderr.write('Set-up is complete.\n');
  }

  #begin(label) {
    this.#anything = true;
    this.#label = label;
    this.#started = Date.now();
    if (!process.stderr.isTTY) return;
    const draw = () => process.stderr.write(`\r\x1b[K… ${label} ${this.#seconds()}`);
    draw();
    this.#timer = setInterval(draw, 500);
  }

  #end(outcome) {
    clearInterval(this.#timer);
    const mark = outcome === 'done' ? '✓' : '✗';
    process.stderr.write(`${process.stderr.isTTY ? '\r\x1b[K' : ''}${mark} ${this.#label} (${this.#seconds()})\n`);
    this.#label = '';
  }

  #seconds() {
    return `${((Date.now() - this.#started) / 1000).toFixed(0)} s`;
  }
}
