/**
 * The words of a piece of lesson, without its mark-up.
 *
 * Knows: LessonNode. Does not know: React.
 */
import type { LessonNode } from '@slipway/lessons/types';

export function plainText(nodes: readonly LessonNode[]): string {
  return nodes
    .map((node) => {
      if (node.kind === 'text') return node.text;
      return node.tag === 'br' ? '\n' : plainText(node.children);
    })
    .join('');
}

/** The command lines of a <Run> block: trimmed, without empty ones. */
export function commandLines(nodes: readonly LessonNode[]): string[] {
  return plainText(nodes)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** Link targets a lesson may have: the web and places on this page. */
export function safeHref(href: string | undefined): string | undefined {
  return href !== undefined && /^(https?:\/\/|#|\/(?!\/))/.test(href) ? href : undefined;
}
