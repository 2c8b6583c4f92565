/** The image graph: an entry of its own, so that it loads when it is opened. */
export { ImageDetails } from './details.tsx';
export { type JoinedImages, joinImages, sharedBytes } from './model.ts';
export { ImagePicture } from './picture.tsx';
export { ImageText } from './text.tsx';
