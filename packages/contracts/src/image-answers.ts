/**
 * What the workbench agent answers about images.
 *
 * Knows: shapes and bounds. Names, paths and documents were written by strangers and stay text.
 * Does not know: who asks (image-questions.ts has the requests).
 */
import { z } from 'zod';

const Word = z.string().max(300);
const Sentence = z.string().max(2000);
const Path = z.string().max(4100);
const Digest = z.string().regex(/^sha(256:[0-9a-f]{64}|512:[0-9a-f]{128})$/);
const Count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const Layer = z.number().int().min(0).max(127);
const list = <T extends z.ZodType>(of: T, max: number) => z.array(of).max(max);

const ListedImage = z.object({
  name: Word,
  /** The engine has it, unpacked. */
  local: z.boolean(),
  /** The machine's registry has it. */
  served: z.boolean(),
});
export type ListedImage = z.infer<typeof ListedImage>;

const ImageNode = z.object({
  digest: Digest,
  kind: z.enum(['index', 'manifest', 'config', 'layer', 'other']),
  mediaType: Word,
  sizeBytes: Count,
  /** What its document points at, in the document's order; absent: it was not read. */
  children: list(Digest, 512).optional(),
  /** Of a manifest in an index. */
  platform: Word.optional(),
  /** The manifest that this machine takes. */
  taken: z.boolean().optional(),
  /** The document's bytes as text; absent for layers, and where it is too large to be shown. */
  document: z.string().max(300_000).optional(),
  /** Of a layer: what its bytes are once uncompressed, and the build step that made it. */
  diffId: Digest.optional(),
  createdBy: Sentence.optional(),
  /** Where the machine's registry has it, from its root: `/v2/library/busybox/blobs/sha256:…`. */
  served: z.string().max(600).optional(),
  /** The engine's file that holds it. */
  file: Path.optional(),
});
export type ImageNode = z.infer<typeof ImageNode>;

const ImageGraph = z.object({
  image: Word,
  root: Digest,
  /** The root first; each digest once. */
  nodes: list(ImageNode, 1000),
  /** What could not be read or shown, in sentences. */
  notes: list(Sentence, 20),
});
export type ImageGraph = z.infer<typeof ImageGraph>;

const XrayLayer = z.object({
  diffId: Digest,
  createdBy: Sentence.optional(),
  /** Where its files are. */
  directory: Path,
  /** Names in it, whiteouts among them. */
  entries: Count,
  added: Count,
  changed: Count,
  removed: Count,
  /** Bytes of its regular files. */
  fileBytes: Count,
  /** Of these, those which a later layer covers or deletes. */
  wastedBytes: Count,
});
export type XrayLayer = z.infer<typeof XrayLayer>;

const WastedFile = z.object({ path: Path, layer: Layer, sizeBytes: Count, coveredBy: Layer, deleted: z.boolean() });
export type WastedFile = z.infer<typeof WastedFile>;

const Xray = z.object({
  image: Word,
  stack: Digest,
  /** Lowest first. */
  layers: list(XrayLayer, 128),
  /** Bytes stored, and those of them that no container of the image can see. */
  fileBytes: Count,
  wastedBytes: Count,
  /** The largest first. */
  wasted: list(WastedFile, 100),
  /** There were more names than are looked at: everything above is a lower bound. */
  truncated: z.boolean(),
});
export type Xray = z.infer<typeof Xray>;

const XrayKind = z.enum(['file', 'directory', 'symlink', 'device', 'whiteout']);
export type XrayKind = z.infer<typeof XrayKind>;

const XrayEntry = z.object({
  /** A name in the directory asked for; of a search, a path. */
  name: Path,
  kind: XrayKind,
  /** `kept`: a directory that a layer names again as it was. `removed`: by a whiteout. */
  mark: z.enum(['added', 'changed', 'removed', 'kept']),
  layer: Layer,
  sizeBytes: Count,
  /** The later layer that covers or deletes it. */
  coveredBy: Layer.optional(),
  /** The target of a symbolic link. */
  target: Path.optional(),
  mode: Count,
  uid: Count,
  gid: Count,
  /** Hides everything that lower layers have in it. */
  opaque: z.boolean().optional(),
  /** Of a directory: all that is below it, in the layer or layers asked for. */
  below: z.object({ added: Count, changed: Count, removed: Count, bytes: Count, wastedBytes: Count }).optional(),
});
export type XrayEntry = z.infer<typeof XrayEntry>;

const XrayDirectory = z.object({
  path: Path,
  entries: list(XrayEntry, 1000),
  /** How many there are, shown or not. */
  total: Count,
});
export type XrayDirectory = z.infer<typeof XrayDirectory>;

const XrayFile = z.object({
  path: Path,
  layer: Layer,
  sizeBytes: Count,
  offset: Count,
  /** Base64 of the part from `offset` on. */
  bytes: z.string().max(90_000),
});
export type XrayFile = z.infer<typeof XrayFile>;

const DiffEntry = z.object({
  path: Path,
  change: z.enum(['added', 'removed', 'changed']),
  kind: XrayKind,
  /** In the first image and in the other; 0 where it is not. */
  fromBytes: Count,
  toBytes: Count,
  /** What differs: `content`, `mode`, `owner`, `kind`, `target`; `not compared` beyond the bytes that are read. */
  what: list(z.enum(['content', 'mode', 'owner', 'kind', 'target', 'not compared']), 6),
});
export type DiffEntry = z.infer<typeof DiffEntry>;

const XrayDiff = z.object({
  /** By path. */
  entries: list(DiffEntry, 1000),
  added: Count,
  removed: Count,
  changed: Count,
  same: Count,
  /** Layers, from the lowest up, that both have. */
  sharedLayers: Count,
});
export type XrayDiff = z.infer<typeof XrayDiff>;

export const ImageAnswers = {
  /** `notes`: what could not be listed, in sentences. */
  imageList: z.object({ images: list(ListedImage, 500), notes: list(Sentence, 20) }),
  imageGraph: ImageGraph,
  xray: Xray,
  xrayDirectory: XrayDirectory,
  xrayFind: z.object({ entries: list(XrayEntry, 300), total: Count }),
  xrayFile: XrayFile,
  xrayDiff: XrayDiff,
};
