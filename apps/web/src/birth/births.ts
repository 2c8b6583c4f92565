/**
 * The births of this page.
 *
 * Knows: that there are two. Does not know: who drives or shows them.
 */
import { workbench } from '../state/lab.ts';
import { BirthStore } from './birth-store.ts';

export const firstBirth = new BirthStore('first', workbench);
export const secondBirth = new BirthStore('second', workbench);
