export { Button, CopyButton, IconButton, KindMark, Switch, WithTip } from './base/controls.tsx';
export { Confirm, Dialog } from './base/dialog.tsx';
export { containerOf, type Evidence, type EvidenceLine, evidenceFor } from './base/evidence.ts';
export { EvidencePanel } from './base/evidence-panel.tsx';
export { EmptyState, ExplorerFrame, Skeleton } from './base/explorer-frame.tsx';
export {
  formatAgo,
  formatBytes,
  formatClock,
  formatCommand,
  formatCount,
  formatDuration,
  formatShare,
  shortenId,
  visible,
  visibleLines,
} from './base/format.ts';
export { Icon, type IconName } from './base/icons.tsx';
export { namespaceKind } from './base/kinds.ts';
export { parseSelection, type Selection, sameSelection, selectionText } from './base/selection.ts';
export { Flame } from './calls/flame.tsx';
export { Sequence } from './calls/sequence.tsx';
export { CallText } from './calls/text.tsx';
export { TraceList } from './calls/trace-list.tsx';
export { CgroupCockpit } from './cgroups/cockpit.tsx';
export { CgroupPicture, CgroupText } from './cgroups/picture.tsx';
export { LayerBrowser } from './layers/browser.tsx';
export { LayersPicture, LayersText } from './layers/picture.tsx';
export { LessonContext, type LessonScene, type QuizState, type TaskState } from './lesson/context.ts';
export { isPanelName, PANEL_TITLES } from './lesson/elements.tsx';
export { commandLines } from './lesson/plain-text.ts';
export { LessonText } from './lesson/render.tsx';
export { NamespaceMatrix } from './namespaces/matrix.tsx';
export { kindRows, processesByKey, type Subject, subjectOf, subjectsOf } from './namespaces/model.ts';
export { NamespacePicture } from './namespaces/picture.tsx';
export { NamespaceText } from './namespaces/text.tsx';
export { layoutProcesses, type ProcessLayout } from './processes/layout.ts';
export { ProcessPicture } from './processes/picture.tsx';
export { ProcessText } from './processes/text.tsx';
export { Timeline } from './timeline/timeline.tsx';
