/**
 * Lesson text as React elements.
 *
 * Knows: every LessonTag and what draws it. Text stays text: nothing of a lesson can become mark-up or code.
 * Does not know: where lessons come from.
 */
import type { LessonNode, LessonTag } from '@slipway/lessons/types';
import { createElement, Fragment, type ReactNode } from 'react';
import { Myth, PanelLink, Run, Term, Words } from './elements.tsx';
import { safeHref } from './plain-text.ts';
import { Quiz } from './quiz.tsx';
import { Task } from './task.tsx';

type ElementNode = Extract<LessonNode, { kind: 'element' }>;

const PLAIN = new Set<LessonTag>([
  'h2', 'h3', 'p', 'ul', 'ol', 'li', 'em', 'strong', 'blockquote', 'thead', 'tbody', 'tr', 'th', 'td',
]); // biome-ignore format: a list reads better on few lines

export function LessonText({ nodes }: { readonly nodes: readonly LessonNode[] }): ReactNode {
  // A lesson is immutable while shown: positions are identities.
  return nodes.map((node, index) => <Fragment key={keyOf(node, index)}>{renderNode(node)}</Fragment>);
}

function keyOf(node: LessonNode, index: number): string {
  return node.kind === 'element' ? `${node.tag}:${node.props['id'] ?? index}` : `text:${index}`;
}

function renderNode(node: LessonNode): ReactNode {
  if (node.kind === 'text') return node.text;
  const children = node.children.length > 0 ? <LessonText nodes={node.children} /> : undefined;
  if (PLAIN.has(node.tag)) return createElement(node.tag, null, children);
  return renderSpecial(node, children);
}

function renderSpecial(node: ElementNode, children: ReactNode): ReactNode {
  const { props } = node;
  switch (node.tag) {
    case 'br':
      return <br />;
    case 'hr':
      return <hr />;
    case 'code':
      return (
        <code>
          {node.children.map((child, index) => (
            <Fragment key={keyOf(child, index)}>{child.kind === 'text' ? <Words text={child.text} /> : renderNode(child)}</Fragment>
          ))}
        </code>
      );
    case 'pre':
      return (
        // Long lines scroll; the keyboard must be able to do so too.
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region has to be focusable
        <pre tabIndex={0}>{children}</pre>
      );
    case 'table':
      return (
        <div className="table-scroll">
          <table>{children}</table>
        </div>
      );
    case 'a':
      return <LessonLink href={props['href']}>{children}</LessonLink>;
    case 'Task':
      return <Task id={props['id'] ?? ''}>{children}</Task>;
    case 'Run':
      return <Run nodes={node.children} />;
    case 'Myth':
      return <Myth claim={props['claim'] ?? ''}>{children}</Myth>;
    case 'Quiz':
      return <Quiz id={props['id'] ?? ''} />;
    case 'Term':
      return <Term of={props['of'] ?? ''}>{children}</Term>;
    case 'Panel':
      return <PanelLink name={props['name'] ?? ''}>{children}</PanelLink>;
    default:
      return children;
  }
}

function LessonLink({ href, children }: { readonly href: string | undefined; readonly children: ReactNode }) {
  const target = safeHref(href);
  if (target === undefined) return <span>{children}</span>;
  const outside = /^https?:/.test(target);
  return (
    <a href={target} {...(outside ? { target: '_blank', rel: 'noreferrer noopener' } : {})}>
      {children}
    </a>
  );
}
