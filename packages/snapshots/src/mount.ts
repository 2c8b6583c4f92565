/**
 * A mount as an instruction; performing it is the caller's.
 *
 * Knows: the three fields.
 * Does not know: where it will be mounted, or in which namespace.
 */

/** What mount(8) would be told, without the place. */
export interface Mount {
  /** `overlay`, or `bind` for a directory that is used as it is. */
  readonly type: 'overlay' | 'bind';
  readonly source: string;
  /** `lowerdir=…`, `ro`, `rbind` … */
  readonly options: readonly string[];
}
