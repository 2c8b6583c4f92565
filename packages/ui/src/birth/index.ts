/** The birth stepper's pictures: loaded with the explorer that shows them, not with the page. */
export { compareProcesses, summarizeChange } from './diff.ts';
export { objectText } from './explanations.ts';
export { LeakTable } from './leaks.tsx';
export { OperationCard } from './operation-card.tsx';
export { ProcessNow } from './process-now.tsx';
export { BirthText } from './text.tsx';
export { BirthTimeline } from './timeline.tsx';
