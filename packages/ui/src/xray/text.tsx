/**
 * The layers of an image as a table: the text twin of the stack.
 *
 * Knows: rows. Does not know: the stack.
 */
import { formatBytes, visible } from '../base/format.ts';
import { DataTable } from '../base/table.tsx';
import { layerName } from './model.ts';
import type { XrayStackProps } from './stack.tsx';

export function XrayText({ xray, layer, onLayer }: XrayStackProps) {
  return (
    <DataTable
      caption={`Layers of ${xray.image}, top first`}
      columns={['layer', 'files', 'wasted', 'added', 'changed', 'removed', 'made by']}
      rows={xray.layers
        .map((each, index) => ({
          key: `${each.diffId}${each.directory}`,
          selected: layer === index,
          onSelect: () => onLayer(layer === index ? undefined : index),
          cells: [
            layerName(index),
            formatBytes(each.fileBytes),
            formatBytes(each.wastedBytes),
            String(each.added),
            String(each.changed),
            String(each.removed),
            visible(each.createdBy ?? each.diffId),
          ],
        }))
        .toReversed()}
    />
  );
}
