/**
 * One question with its options; the answer comes back with the reason and how it could have been measured.
 *
 * Knows: radio buttons, right and wrong. Does not know: which option is right until the answer came.
 */
import { useId, useState } from 'react';
import { Button } from '../base/controls.tsx';
import { Icon } from '../base/icons.tsx';
import { useLesson } from './context.ts';

export function Quiz({ id }: { readonly id: string }) {
  const { document, quiz, answer } = useLesson();
  const name = useId();
  const verdict = quiz.get(id);
  const [choice, setChoice] = useState<number>();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const question = document.quiz.find((candidate) => candidate.id === id);
  if (!question) return null;
  const chosen = choice ?? verdict?.option;
  const judged = verdict !== undefined && (choice === undefined || choice === verdict.option);
  const submit = () => {
    if (chosen === undefined) return;
    setBusy(true);
    setProblem(undefined);
    answer(id, chosen)
      .catch((error: unknown) => setProblem(error instanceof Error ? error.message : String(error)))
      .finally(() => setBusy(false));
  };
  return (
    <fieldset className="quiz">
      <legend>{question.question}</legend>
      {question.options.map((option, index) => {
        const mark = judged && verdict.option === index ? (verdict.correct ? 'right' : 'wrong') : '';
        return (
          <label key={option} className={`quiz-option ${mark}`}>
            <input type="radio" name={name} checked={chosen === index} onChange={() => setChoice(index)} />
            <span>{option}</span>
            {mark ? <Icon name={mark === 'right' ? 'check' : 'cross'} /> : null}
          </label>
        );
      })}
      <div aria-live="polite">
        {judged ? (
          <p className={`quiz-verdict ${verdict.correct ? 'right' : 'wrong'}`}>
            <strong>{verdict.correct ? 'Right.' : 'Not so.'}</strong> {verdict.explanation}
          </p>
        ) : null}
        {problem ? <p className="problem">That did not come through: {problem}.</p> : null}
      </div>
      {judged && verdict.correct ? null : (
        <Button tone="act" disabled={chosen === undefined || busy || judged} onClick={submit}>
          Check my answer
        </Button>
      )}
    </fieldset>
  );
}
