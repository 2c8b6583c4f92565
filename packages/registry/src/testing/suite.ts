/**
 * The distribution spec as tests, to be run against any registry: ours, and another that shows whether the tests test the spec or
 * only our habits.
 *
 * Knows: how a statement is tested, and how one that a registry is known not to keep is still run.
 * Does not know: the statements (pull.ts, push.ts, discovery.ts, management.ts), nor what answers.
 *
 * @spec distribution-spec/spec.md#conformance
 */
import { describe, test } from 'vitest';

export interface RegistryUnderTest {
  /** `http://127.0.0.1:PORT` once it is up. */
  readonly origin: () => string;
  /** Titles of the tests that it does not pass, each with the reason. One that passes after all fails. */
  readonly differences: Readonly<Record<string, string>>;
}

export interface Statement {
  readonly title: string;
  /** @param repository is new to the registry */
  readonly body: (origin: string, repository: string) => Promise<void>;
}

let repositories = 0;

export function describeStatements(category: string, statements: readonly Statement[], registry: RegistryUnderTest): void {
  describe(category, () => {
    for (const { title, body } of statements) {
      const run = () => body(registry.origin(), `conformance/${process.pid}-${++repositories}`);
      const reason = registry.differences[title];
      if (reason === undefined) test(title, run);
      else test(`${title} [differs: ${reason}]`, () => expectToDiffer(title, run));
    }
  });
}

async function expectToDiffer(title: string, run: () => Promise<void>): Promise<void> {
  const failure = await run().then(
    () => undefined,
    (error: unknown) => error,
  );
  if (failure === undefined) throw new Error(`${JSON.stringify(title)} is listed as a difference, yet it passes`);
}
