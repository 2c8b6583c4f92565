import { openNativeSnapshotter } from './native.ts';
import { openOverlaySnapshotter } from './overlay.ts';
import { describeSnapshotter } from './testing/suite.ts';

describeSnapshotter('overlay', (root) => openOverlaySnapshotter({ root }));
describeSnapshotter('overlay as in a user namespace', (root) => openOverlaySnapshotter({ root, userXattr: true }));
describeSnapshotter('native', (root) => openNativeSnapshotter({ root }));
