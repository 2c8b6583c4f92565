import { describeImageStore } from './testing/image-store-suite.ts';

describeImageStore('overlay');
describeImageStore('native');
