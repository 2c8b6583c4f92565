/**
 * The lesson's commands as taps, for a terminal without a keyboard.
 *
 * Knows: Run blocks of the lesson on the page. Does not know: the terminal.
 */
'use client';
import type { LessonNode } from '@slipway/lessons/types';
import { commandLines } from '@slipway/ui';
import { useMemo } from 'react';
import { runCommand } from '../state/lab.ts';
import { useLessonState } from '../state/stores.ts';

export function PhoneCommands() {
  const body = useLessonState((state) => state.document?.body);
  const commands = useMemo(() => [...new Set(runLines(body ?? []))], [body]);
  if (commands.length === 0) return null;
  return (
    <nav className="phone-commands" aria-label="Commands of the lesson">
      {commands.map((command) => (
        <button key={command} type="button" onClick={() => runCommand(command)}>
          {command}
        </button>
      ))}
    </nav>
  );
}

function runLines(nodes: readonly LessonNode[]): string[] {
  return nodes.flatMap((node) => {
    if (node.kind === 'text') return [];
    return node.tag === 'Run' ? commandLines(node.children) : runLines(node.children);
  });
}
