/**
 * The image graph as a table: every part, from the name down.
 *
 * Knows: rows. Does not know: the picture.
 */
import { formatBytes, shortenId, visible } from '../base/format.ts';
import { DataTable } from '../base/table.tsx';
import type { JoinedImages } from './model.ts';
import { partTitle } from './model.ts';
import { type ImagePictureProps, matches } from './picture.tsx';

export function ImageText({ joined, names, filter, selected, onSelect }: ImagePictureProps) {
  return (
    <DataTable
      caption={`Parts of ${names.join(' and ')}`}
      columns={['part', 'digest', 'size', 'in', 'about']}
      rows={[...joined.parts.values()]
        .filter((part) => matches(part, filter))
        .map((part) => ({
          key: part.digest,
          selected: part.digest === selected,
          onSelect: () => onSelect(part.digest),
          cells: [
            visible(partTitle(part)),
            shortenId(part.digest, 15, 6),
            formatBytes(part.sizeBytes),
            part.sides.length > 1 ? 'both' : visible(names[part.sides[0] ?? 0] ?? ''),
            visible(part.createdBy ?? (part.taken ? 'what this machine takes' : leadsTo(joined, part.children))),
          ],
        }))}
    />
  );
}

function leadsTo({ parts }: JoinedImages, children: readonly string[] | undefined): string {
  if (children === undefined || children.length === 0) return '';
  return `names ${children.map((digest) => parts.get(digest)?.kind ?? 'something').join(', ')}`.slice(0, 200);
}
