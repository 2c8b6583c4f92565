/**
 * Small images and artifacts, different each time they are asked to be.
 *
 * Knows: what a manifest needs.
 * Does not know: registries.
 */
import { digestOf, MediaTypes } from '@slipway/oci';

/** A blob, and the descriptor that names it. */
export interface TestBlob {
  readonly bytes: Buffer;
  readonly descriptor: { readonly mediaType: string; readonly digest: string; readonly size: number };
}

export interface TestManifest extends TestBlob {
  readonly mediaType: string;
  readonly digest: string;
  /** What has to be pushed before. */
  readonly blobs: readonly TestBlob[];
}

export function testBlob(content: string | Buffer, mediaType: string = MediaTypes.ociLayer): TestBlob {
  const bytes = Buffer.from(content);
  return { bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.byteLength } };
}

export function testManifest(document: object, blobs: readonly TestBlob[] = [], mediaType: string = MediaTypes.ociManifest): TestManifest {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...document }));
  const digest = digestOf(bytes);
  return { bytes, mediaType, digest, blobs, descriptor: { mediaType, digest, size: bytes.byteLength } };
}

/** An image with one layer, whose content is the seed's. */
export function testImage(seed: string, extra: object = {}): TestManifest {
  const config = testBlob(
    JSON.stringify({ os: 'linux', architecture: 'amd64', author: seed, rootfs: { type: 'layers', diff_ids: [] } }),
    MediaTypes.ociConfig,
  );
  const layer = testBlob(`layer of ${seed}`);
  return testManifest({ config: config.descriptor, layers: [layer.descriptor], ...extra }, [config, layer]);
}

export function testIndex(manifests: readonly TestManifest[], extra: object = {}): TestManifest {
  return testManifest({ manifests: manifests.map(({ descriptor }) => descriptor), ...extra }, [], MediaTypes.ociIndex);
}

const EMPTY = testBlob('{}', 'application/vnd.oci.empty.v1+json');

/** Something that refers to `subject` and is no image. */
export function testArtifact(seed: string, artifactType: string, subject: TestManifest): TestManifest {
  const layer = testBlob(`artifact ${seed}`, 'text/plain');
  return testManifest(
    {
      artifactType,
      config: EMPTY.descriptor,
      layers: [layer.descriptor],
      subject: subject.descriptor,
      annotations: { 'org.example.seed': seed },
    },
    [EMPTY, layer],
  );
}
