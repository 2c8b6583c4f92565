/**
 * From an image's name to the place it is in.
 *
 * Knows: which file knows which transport.
 * Does not know: any of them; each is loaded when it is named.
 */
import { existsSync } from 'node:fs';
import { UsageError } from '../flags.ts';
import type { ImageName } from './image-name.ts';
import type { DestinationOptions, ImageDestination, ImageSource, SideOptions, Surroundings } from './transport.ts';

export async function openSource(name: ImageName, side: SideOptions, surroundings: Surroundings): Promise<ImageSource> {
  const { temporary } = surroundings;
  switch (name.transport) {
    case 'docker':
      return (await import('./registry-place.ts')).openRegistrySource(name.reference, side, surroundings);
    case 'dir':
      return (await import('./directory.ts')).openDirectorySource(name.path);
    case 'oci':
      return (await import('./layout.ts')).openLayoutSource(name.path, name.image);
    case 'oci-archive':
      return await (await import('./oci-archive.ts')).openOciArchiveSource(name.path, name.image, temporary());
    case 'docker-archive':
      return await (await import('./docker-archive.ts')).openDockerArchiveSource(name.path, name.name, temporary());
    case 'docker-daemon':
      return await (await import('./daemon-store.ts')).openDaemonSource(name.name, side, surroundings);
  }
}

export async function openDestination(name: ImageName, options: DestinationOptions, surroundings: Surroundings): Promise<ImageDestination> {
  const { temporary } = surroundings;
  const layers = options.acceptPlain ? 'as-they-are' : options.packing;
  switch (name.transport) {
    case 'docker':
      return (await import('./registry-place.ts')).openRegistryDestination(name.reference, options, surroundings);
    case 'dir':
      return (await import('./directory.ts')).openDirectoryDestination(name.path, options.directoryLayers);
    case 'oci':
      return (await import('./layout.ts')).openLayoutDestination(name.path, name.image, layers);
    case 'oci-archive':
      refuseExisting(name.path, name.transport);
      return (await import('./oci-archive.ts')).openOciArchiveDestination(name.path, name.image, layers, temporary());
    case 'docker-archive': {
      refuseExisting(name.path, name.transport);
      const [{ openDockerArchiveDestination }, { putTogether }] = await Promise.all([
        import('./docker-archive.ts'),
        import('./tar-files.ts'),
      ]);
      const names = [...(name.name === undefined ? [] : [name.name]), ...options.moreNames];
      return openDockerArchiveDestination(names, temporary(), (files) => putTogether(name.path, files));
    }
    case 'docker-daemon':
      return (await import('./daemon-store.ts')).openDaemonDestination(name.name, options, surroundings);
  }
}

function refuseExisting(path: string, transport: string): void {
  if (existsSync(path)) throw new UsageError(`${transport} doesn't support modifying existing images: ${path}`);
}
