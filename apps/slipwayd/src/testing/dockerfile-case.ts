/**
 * A Dockerfile with its context and flags, for a comparison with Debian's buildah.
 *
 * Knows: what can be said of one.
 * Does not know: any (dockerfile-corpus.ts).
 */

export interface DockerfileCase {
  readonly name: string;
  /** `ADDRESS` stands for the address of a server on loopback that has `file.txt`. */
  readonly dockerfile: string;
  /** The same in words that Debian's buildah, of 2022, has; absent: it is given the same file. */
  readonly peerDockerfile?: string;
  readonly files?: Readonly<Record<string, string>>;
  /** What plain files cannot say, done in the context's directory. */
  readonly prepare?: (context: string) => void;
  /** Flags of the build, in the words that both know. */
  readonly flags?: readonly string[];
  /** Where ours is otherwise: `config.Env`, `/path`; with the reason. */
  readonly differs?: Readonly<Record<string, string>>;
  /** One of the few that every test run builds. */
  readonly isShort?: true;
}
