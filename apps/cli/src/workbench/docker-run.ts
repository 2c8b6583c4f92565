/**
 * `docker run …` as typed → a document to start from, and which flag set which of its fields.
 *
 * Knows: where the image's part comes from. Does not know: flags (docker-line.ts); users' names are not looked up, only numbers are known.
 */
import type { WorkbenchAnswer } from '@slipway/contracts';
import { formatSpecJson } from '@slipway/oci';
import { documentOf, originsOf, parseDockerLine } from './docker-line.ts';
import { imageDefaults } from './engine-facts.ts';

/** @throws `failed-precondition` / `E_WORKBENCH_LINE`, `E_WORKBENCH_ENGINE`; what the engine refuses about the request */
export async function documentOfDockerRun(text: string): Promise<WorkbenchAnswer<'fromDockerRun'>> {
  const line = parseDockerLine(text);
  const image = await imageDefaults(line.image);
  const facts = { image, accounts: { passwd: '', group: '' } };
  const config = formatSpecJson(documentOf(line, facts), '  ');
  const origins = originsOf(line, facts).map(({ flag, pointers }) => ({ flag, pointers: [...pointers] }));
  return { config, image: line.image, origins };
}
