/**
 * What the page asks the workbench agent about images: their documents, and the files of their layers.
 *
 * Knows: requests with their bounds; answers are in image-answers.ts.
 * Does not know: how they travel (workbench.ts), nor where a machine keeps images.
 */
import { z } from 'zod';

/** A name as typed, or an id. */
const Image = z.string().min(1).max(300);
/** Names a stack of layers: the chain id of the topmost one. */
const Stack = z.string().regex(/^sha256:[0-9a-f]{64}$/);
/** As a container of the image sees it. */
const Path = z.string().max(4000);
/** An image has at most 127; 0 is the lowest. */
const LayerIndex = z.number().int().min(0).max(127);

export const ImageQuestions = [
  /** Images of the machine's engine, and those that its registry has. */
  z.object({ do: z.literal('imageList') }),
  /** The documents of an image and what they point at: index, manifests, configs, layers. */
  z.object({ do: z.literal('imageGraph'), image: Image }),
  /** The layers of an image of the engine, each with what it adds, changes, removes and wastes. */
  z.object({ do: z.literal('xray'), image: Image }),
  /** One directory of one layer, or, without `layer`, of all of them together. */
  z.object({ do: z.literal('xrayDirectory'), stack: Stack, layer: LayerIndex.optional(), path: Path }),
  /** Names that contain `text`, in every layer. */
  z.object({ do: z.literal('xrayFind'), stack: Stack, text: z.string().min(1).max(200) }),
  /** A part of a file's content, as it is in that layer. */
  z.object({
    do: z.literal('xrayFile'),
    stack: Stack,
    layer: LayerIndex,
    path: Path,
    offset: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  }),
  /** How the files of one image differ from those of another. */
  z.object({ do: z.literal('xrayDiff'), stack: Stack, other: Stack }),
] as const;
