/**
 * Writing the documents of an image: one byte-exact form for each, so that the same image gets the same id.
 *
 * Knows: field names and their order.
 * Does not know: where the values come from.
 *
 * @spec image-spec/config.md#properties
 */
import type { Descriptor } from './descriptor.ts';
import type { ExecutionDefaults, Healthcheck, HistoryEntry, ImageConfig } from './image-config.ts';
import { MediaTypes } from './media-types.ts';

/** The JSON document, without line breaks. */
export function formatImageConfig(image: ImageConfig): Uint8Array {
  return Buffer.from(
    JSON.stringify({
      ...(image.created === undefined ? {} : { created: image.created }),
      ...(image.author === undefined ? {} : { author: image.author }),
      architecture: image.architecture,
      ...(image.variant === undefined ? {} : { variant: image.variant }),
      os: image.os,
      config: configJson(image.config),
      rootfs: { type: 'layers', diff_ids: image.diffIds },
      history: image.history.map(historyJson),
    }),
  );
}

/** A manifest of one image, OCI's form. */
export function formatManifest(config: Descriptor, layers: readonly Descriptor[]): Uint8Array {
  const plain = ({ mediaType, digest, size }: Descriptor) => ({ mediaType, digest, size });
  return Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: MediaTypes.ociManifest, config: plain(config), layers: layers.map(plain) }),
  );
}

/** The `config` object as docker and OCI name its fields. */
export function configJson(config: ExecutionDefaults): Readonly<Record<string, unknown>> {
  const set = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, {}]));
  return {
    ...(config.user === undefined ? {} : { User: config.user }),
    ...(config.exposedPorts.length === 0 ? {} : { ExposedPorts: set(config.exposedPorts) }),
    ...(config.env.length === 0 ? {} : { Env: config.env }),
    ...(config.entrypoint === undefined ? {} : { Entrypoint: config.entrypoint }),
    ...(config.cmd === undefined ? {} : { Cmd: config.cmd }),
    ...(config.healthcheck === undefined ? {} : { Healthcheck: healthcheckJson(config.healthcheck) }),
    ...(config.volumes.length === 0 ? {} : { Volumes: set(config.volumes) }),
    ...(config.workingDir === undefined ? {} : { WorkingDir: config.workingDir }),
    ...(Object.keys(config.labels).length === 0 ? {} : { Labels: config.labels }),
    ...(config.stopSignal === undefined ? {} : { StopSignal: config.stopSignal }),
    ...(config.onBuild === undefined ? {} : { OnBuild: config.onBuild }),
    ...(config.shell === undefined ? {} : { Shell: config.shell }),
  };
}

function healthcheckJson(check: Healthcheck): Readonly<Record<string, unknown>> {
  return {
    Test: check.test,
    ...(check.interval === undefined ? {} : { Interval: check.interval }),
    ...(check.timeout === undefined ? {} : { Timeout: check.timeout }),
    ...(check.startPeriod === undefined ? {} : { StartPeriod: check.startPeriod }),
    ...(check.startInterval === undefined ? {} : { StartInterval: check.startInterval }),
    ...(check.retries === undefined ? {} : { Retries: check.retries }),
  };
}

function historyJson(step: HistoryEntry): Readonly<Record<string, unknown>> {
  return {
    ...(step.created === undefined ? {} : { created: step.created }),
    ...(step.createdBy === undefined ? {} : { created_by: step.createdBy }),
    ...(step.author === undefined ? {} : { author: step.author }),
    ...(step.comment === undefined ? {} : { comment: step.comment }),
    ...(step.emptyLayer ? { empty_layer: true } : {}),
  };
}
