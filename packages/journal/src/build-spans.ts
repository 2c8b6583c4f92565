/**
 * What the spans of a build carry, for pictures of its graph.
 *
 *     build             request {names, target, buildArgs}    response {id}
 *     ├ build.plan      response BuildPlanResponse, once the Dockerfile is read
 *     └ build.stage     request BuildStageRequest
 *       └ build.step    request BuildStepRequest              response BuildStepResponse; its time is the span's own
 *
 * Knows: the shapes.
 * Does not know: builds.
 */

/** All stages and steps of the Dockerfile, needed or not; texts are shortened, and steps left out, to fit a payload. */
export interface BuildPlanResponse {
  /** The stage that is built. */
  readonly target: number;
  readonly stages: readonly (BuildStageRequest & {
    /** Of its `FROM`. */
    readonly line: number;
    /** Earlier stages that it begins with or copies from, as far as the text tells. */
    readonly needs: readonly number[];
    readonly steps: readonly { readonly line: number; readonly text: string }[];
  })[];
}

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
  /** Why it was not; told before the step is done. */
  readonly miss?: CacheMiss;
  /** Absent when the step changed no file. */
  readonly layer?: {
    readonly diffId: string;
    readonly digest: string;
    /** Bytes of the blob, compressed. */
    readonly sizeBytes: number;
  };
}

export interface CacheMiss {
  /**
   * `unwanted`: the build asked for no cache. `first`: no earlier build of this step is known. `instruction`: another one stood here. `files`:
   * files that it takes changed. `settings`: something else that goes into it. `above`: the layers that it stands on are others. `gone`: nothing
   * changed, but the result was not kept.
   */
  readonly reason: 'unwanted' | 'first' | 'instruction' | 'files' | 'settings' | 'above' | 'gone';
  /** Paths, names of settings, or the instruction before. */
  readonly detail?: readonly string[];
}
