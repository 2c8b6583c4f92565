/** Looking into the layers of images: loaded with the explorer's image side, not with the page. */
export { XrayContent } from './content.tsx';
export { type ChosenFile, XrayDifference, XrayEntries, XrayWasted } from './files.tsx';
export { wasteSentence } from './model.ts';
export { XrayStack } from './stack.tsx';
export { XrayText } from './text.tsx';
