/** Node's constants, written into the bundle by scripts/bundle-commands.mjs. */
declare module 'slipway:fs-constants' {
  export { constants } from 'node:fs';
}

declare module 'slipway:os-constants' {
  export { constants } from 'node:os';
}
