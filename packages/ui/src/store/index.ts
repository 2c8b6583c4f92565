/** Pictures of what the store does: loaded with the explorers that show them, not with the page. */
export { BuildPicture, BuildText, type BuildViewProps } from './builds.tsx';
export { DiskPicture, DiskText } from './disk.tsx';
export { TransferPicture, TransferText, type TransferViewProps } from './transfers.tsx';
