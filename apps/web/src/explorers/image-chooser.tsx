/**
 * Which image is looked at, and which one beside it.
 *
 * Knows: the list. Does not know: what is done with the choice.
 */
'use client';
import type { ListedImage } from '@slipway/contracts';
import { visible } from '@slipway/ui';

export interface ImageChooserProps {
  readonly images: readonly ListedImage[];
  /** One or two. */
  readonly names: readonly string[];
  /** Of the second: what it is for. Default: `beside`. */
  readonly second?: string;
  readonly onChoose: (names: readonly string[]) => void;
}

export function ImageChooser({ images, names, second = 'beside', onChoose }: ImageChooserProps) {
  const [one = '', two = ''] = names;
  if (images.length === 0 && one === '') return null;
  return (
    <>
      <label className="chooser">
        <span>image</span>
        <select
          value={one}
          onChange={(event) => onChoose([event.target.value, ...(two === '' || two === event.target.value ? [] : [two])])}
        >
          <Options images={images} chosen={one} />
        </select>
      </label>
      <label className="chooser">
        <span>{second}</span>
        <select value={two} onChange={(event) => onChoose([one, ...(event.target.value === '' ? [] : [event.target.value])])}>
          <option value="">none</option>
          <Options images={images.filter(({ name }) => name !== one)} chosen={two} />
        </select>
      </label>
    </>
  );
}

/** What is chosen stays in the list, whether or not it is still there. */
function Options({ images, chosen }: { readonly images: readonly ListedImage[]; readonly chosen: string }) {
  const local = images.filter((image) => image.local);
  const others = images.filter((image) => !image.local);
  return (
    <>
      {chosen === '' || images.some(({ name }) => name === chosen) ? null : <option value={chosen}>{visible(chosen)}</option>}
      {[['the engine’s', local] as const, ['in the registry only', others] as const].map(([label, group]) =>
        group.length === 0 ? null : (
          <optgroup key={label} label={label}>
            {group.map(({ name }) => (
              <option key={name} value={name}>
                {visible(name)}
              </option>
            ))}
          </optgroup>
        ),
      )}
    </>
  );
}
