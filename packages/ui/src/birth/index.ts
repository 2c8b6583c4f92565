/** The birth stepper's pictures: loaded with the explorer that shows them, not with the page. */
export { compareProcesses, summarizeChange } from './diff.ts';
export { objectText } from './explanations.ts';
export { LeakTable } from './leaks.tsx';
export { OperationCard } from './operation-card.tsx';
export { PeerCard } from './peer-card.tsx';
export { type JoinedRow, joinBirths } from './peer-join.ts';
export { PeerLanes, PeerText } from './peer-lanes.tsx';
export { peerSteps } from './peer-steps.ts';
export { ProcessNow } from './process-now.tsx';
export { BirthText } from './text.tsx';
export { BirthTimeline } from './timeline.tsx';
