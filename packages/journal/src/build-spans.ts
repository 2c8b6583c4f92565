/**
 * What the spans of a build carry, for pictures of its graph.
 *
 *     build             request {names, target, buildArgs}    response {id}
 *     └ build.stage     request BuildStageRequest
 *       └ build.step    request BuildStepRequest              response BuildStepResponse; its time is the span's own
 *
 * Knows: the shapes.
 * Does not know: builds.
 */

export interface BuildStageRequest {
  /** From 0, in the Dockerfile's order. */
  readonly stage: number;
  readonly name?: string;
  /** Image reference, `scratch`, or the name of an earlier stage. */
  readonly from: string;
}

export interface BuildStepRequest {
  readonly stage: number;
  /** Line of the Dockerfile, from 1. */
  readonly line: number;
  /** Keyword and text, at most 2000 characters. */
  readonly instruction: string;
}

export interface BuildStepResponse {
  /** The result was there already. Absent for steps that change the configuration only. */
  readonly cached?: boolean;
  /** Absent when the step changed no file. */
  readonly layer?: {
    readonly diffId: string;
    readonly digest: string;
    /** Bytes of the blob, compressed. */
    readonly sizeBytes: number;
  };
}
