/**
 * The eight namespace kinds as letters: filled where a process has its own, hollow where it shares the machine's.
 *
 * Knows: letters and colours of the kinds. Does not know: inodes.
 */
import type { NamespaceName } from '@slipway/journal/types';
import type { CSSProperties } from 'react';
import { NAMESPACE_KINDS } from './kinds.ts';

export function NamespaceStrip({ own, known }: { readonly own: ReadonlySet<NamespaceName>; readonly known?: ReadonlySet<NamespaceName> }) {
  const kinds = NAMESPACE_KINDS.filter((kind) => known === undefined || known.has(kind.name));
  const names = kinds.filter((kind) => own.has(kind.name)).map((kind) => kind.title);
  const text = names.length === 0 ? 'shares all namespaces with the machine' : `own namespaces: ${names.join(', ')}`;
  return (
    <span className="ns-strip" role="img" aria-label={text} title={text}>
      {kinds.map((kind) => (
        <span key={kind.name} className={own.has(kind.name) ? 'own' : ''} style={{ '--kind': kind.color } as CSSProperties}>
          {kind.letter}
        </span>
      ))}
    </span>
  );
}
