/**
 * From a `docker run` line to a document: guess which field each flag sets, then compare with what the engine makes of it.
 *
 * Knows: the line, the guesses, the comparison. Does not know: docker's flags; the machine's engine does.
 */
'use client';
import { Button, visible } from '@slipway/ui';
import { useId, useState } from 'react';
import { readDockerLine, takeDocument } from '../editor-actions.ts';
import { lookAt, useEditor } from '../editor-store.ts';
import type { FieldSchema } from '../text/field-docs.ts';
import { flagsOf, type Judged, judge } from '../text/prediction.ts';

const EXAMPLE = 'docker run --memory 64m --hostname web --read-only busybox sleep 60';
const VERDICTS = { right: '✓ right', close: '≈ close', wrong: '✗ elsewhere', none: '· not guessed' } as const;

type Answer = Awaited<ReturnType<typeof readDockerLine>>;

export function DockerLine({ onClose }: { readonly onClose: () => void }) {
  const id = useId();
  const [line, setLine] = useState(EXAMPLE);
  const [guesses, setGuesses] = useState<Readonly<Record<string, string>>>({});
  const [answer, setAnswer] = useState<Answer | undefined>();
  const [problem, setProblem] = useState('');
  const ask = async () => {
    setProblem('');
    try {
      setAnswer(await readDockerLine(line));
    } catch (error) {
      setAnswer(undefined);
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <form
      className="docker-line"
      onSubmit={(event) => {
        event.preventDefault();
        void ask();
      }}
    >
      <label htmlFor={id}>Nothing is run; the engine only says what it would write.</label>
      <input
        id={id}
        className="form-input mono"
        value={line}
        spellCheck={false}
        onChange={(event) => {
          setLine(event.target.value);
          setAnswer(undefined);
        }}
      />
      {answer ? null : (
        <Guesses flags={flagsOf(line)} guesses={guesses} onGuess={(flag, guess) => setGuesses({ ...guesses, [flag]: guess })} />
      )}
      {problem ? <p className="problem">{problem}</p> : null}
      {answer ? <Comparison judged={judge(answer.origins, guesses)} /> : null}
      <footer>
        <Button type="submit">{answer ? 'Ask again' : 'Compare'}</Button>
        {answer ? (
          <Button
            tone="act"
            onClick={() => {
              takeDocument(answer.text, line, { image: answer.image, origins: answer.origins });
              const [first] = answer.origins.flatMap(({ pointers }) => pointers);
              if (first !== undefined) lookAt(first);
              onClose();
            }}
          >
            Edit this document
          </Button>
        ) : null}
      </footer>
    </form>
  );
}

function Guesses(props: {
  readonly flags: readonly string[];
  readonly guesses: Readonly<Record<string, string>>;
  readonly onGuess: (flag: string, guess: string) => void;
}) {
  const list = useId();
  const schema = useEditor((state) => state.schema);
  if (props.flags.length === 0) return null;
  return (
    <fieldset className="guesses">
      <legend>Which field does each flag set? Guess, or leave it open.</legend>
      {props.flags.map((flag) => (
        <label key={flag}>
          <code>{flag}</code>
          <input
            className="form-input mono"
            list={list}
            placeholder="/…"
            value={props.guesses[flag] ?? ''}
            onChange={(event) => props.onGuess(flag, event.target.value)}
          />
        </label>
      ))}
      <datalist id={list}>{schema ? pointers(schema).map((pointer) => <option key={pointer} value={pointer} />) : null}</datalist>
    </fieldset>
  );
}

function Comparison({ judged }: { readonly judged: readonly Judged[] }) {
  return (
    <table className="form-table comparison">
      <thead>
        <tr>
          <th scope="col">flag</th>
          <th scope="col">you said</th>
          <th scope="col">it set</th>
        </tr>
      </thead>
      <tbody>
        {judged.map(({ flag, guess, verdict, pointers: set }) => (
          <tr key={flag} data-verdict={verdict}>
            <th scope="row">{visible(flag)}</th>
            <td>
              {VERDICTS[verdict]}
              {guess ? <code>{visible(guess)}</code> : null}
            </td>
            <td>
              {set.length === 0 ? 'nothing in config.json' : null}
              {set.map((pointer) => (
                <code key={pointer}>{visible(pointer)}</code>
              ))}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Of every object's fields, for completing a guess; lists end the way. */
function pointers(node: FieldSchema, pointer = ''): string[] {
  return Object.entries(node.properties ?? {}).flatMap(([key, child]) => [`${pointer}/${key}`, ...pointers(child, `${pointer}/${key}`)]);
}
