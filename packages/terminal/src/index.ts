export { type Channel, type ChannelListener, PtyHostClient, type PtyHostListener } from './client.ts';
export { openPtyHost, type PtyHostLaunch } from './launch.ts';
export {
  ACK_EVERY_BYTES,
  decodeFrame,
  encodeFrame,
  FrameKind,
  MAX_INPUT_BYTES,
  OUTPUT_WINDOW_BYTES,
  type TerminalFrame,
} from './protocol.ts';
export { mayType, type TerminalRole } from './roles.ts';
export type { AttachRequest, Position, TerminalSpec, TerminalState } from './terminal.ts';
