/** `buildah containers`, `images` and `inspect`. */
import type { Command, Context } from '../docker/commands/context.ts';
import { duration, humanSize, printable, shortId, table } from '../docker/print.ts';
import { renderTemplate } from '../docker/template.ts';
import { parseFlags, UsageError } from '../flags.ts';
import { type ConfigDocument, getWorking, listWorking, orMissing, readConfig } from './working-container.ts';

export const containers: Command = async (context) => {
  const flags = parseFlags(context.args, {
    all: { kind: 'switch', short: 'a' },
    format: { kind: 'value' },
    json: { kind: 'switch' },
    noheading: { kind: 'switch', short: 'n' },
    notruncate: { kind: 'switch' },
    quiet: { kind: 'switch', short: 'q' },
  });
  const all = await listWorking(context);
  const id = (text: string) => (flags.has('notruncate') ? text.replace(/^sha256:/, '') : shortId(text));
  const rows = all.map((each) => ({
    ContainerID: id(each.id),
    Builder: '   *',
    ImageID: id(each.imageId),
    ImageName: each.base === '' ? 'scratch' : each.base,
    ContainerName: each.name,
  }));
  const format = flags.value('format');
  if (flags.has('json')) {
    const documents = all.map((each) => ({
      id: each.id,
      builder: true,
      imageid: each.imageId.replace(/^sha256:/, ''),
      imagename: each.base === '' ? 'scratch' : each.base,
      containername: each.name,
    }));
    context.out(`${JSON.stringify(documents, null, 4)}\n`);
  } else if (flags.has('quiet')) context.out(all.map((each) => `${each.id}\n`).join(''));
  else if (format !== undefined) context.out(rows.map((row) => `${renderTemplate(format, row)}\n`).join(''));
  else
    printTable(
      context,
      flags.has('noheading'),
      ['CONTAINER ID', 'BUILDER', 'IMAGE ID', 'IMAGE NAME', 'CONTAINER NAME'],
      rows.map(Object.values),
    );
  return 0;
};

interface ImageRow {
  readonly Id: string;
  readonly RepoTags: readonly string[];
  readonly Created: number;
  readonly Size: number;
}

export const images: Command = async (context) => {
  const flags = parseFlags(context.args, {
    all: { kind: 'switch', short: 'a' },
    format: { kind: 'value' },
    json: { kind: 'switch' },
    noheading: { kind: 'switch', short: 'n' },
    'no-trunc': { kind: 'switch' },
    quiet: { kind: 'switch', short: 'q' },
  });
  const found = await context.daemon.call<readonly ImageRow[]>('GET', '/images/json');
  const [wanted] = flags.words;
  const listed =
    wanted === undefined
      ? found
      : found.filter(({ RepoTags }) => RepoTags.some((name) => name === wanted || name.replace(/:[^:/]*$/, '') === wanted));
  const rows = listed.flatMap((image) =>
    (image.RepoTags.length === 0 ? ['<none>:<none>'] : image.RepoTags).map((name) => imageRow(image, name, flags.has('no-trunc'))),
  );
  const format = flags.value('format');
  if (flags.has('json'))
    context.out(
      `${JSON.stringify(
        listed.map((image) => ({ id: shortId(image.Id), names: image.RepoTags, size: humanSize(image.Size), created: image.Created })),
        null,
        4,
      )}\n`,
    );
  else if (flags.has('quiet')) context.out([...new Set(rows.map(({ ID }) => ID))].map((id) => `${id}\n`).join(''));
  else if (format !== undefined) context.out(rows.map((row) => `${renderTemplate(format, row)}\n`).join(''));
  else
    printTable(
      context,
      flags.has('noheading'),
      ['REPOSITORY', 'TAG', 'IMAGE ID', 'CREATED', 'SIZE'],
      rows.map(({ Name, Tag, ID, CreatedAt, Size }) => [Name, Tag, ID, CreatedAt, Size]),
    );
  return 0;
};

function imageRow({ Id, Created, Size }: ImageRow, name: string, whole: boolean) {
  const colon = name.lastIndexOf(':');
  return {
    ID: whole ? Id : shortId(Id),
    Name: printable(name.slice(0, colon)),
    Tag: printable(name.slice(colon + 1)),
    CreatedAt: `${duration(Date.now() / 1000 - Created).toLowerCase()} ago`,
    Size: humanSize(Size).replace(/(?<=\d)(?=[a-zA-Z])/, ' '),
  };
}

function printTable({ out }: Context, bare: boolean, header: readonly string[], rows: readonly (readonly string[])[]): void {
  const text = table(header, rows);
  out(bare ? text.slice(text.indexOf('\n') + 1) : text);
}

export const inspect: Command = async (context) => {
  const flags = parseFlags(context.args, { format: { kind: 'value', short: 'f' }, type: { kind: 'value', short: 't' } });
  const [name, more] = flags.words;
  if (name === undefined || more !== undefined) throw new UsageError('container or image name must be specified, and one only');
  const type = flags.value('type') ?? 'container';
  if (type !== 'container' && type !== 'image')
    throw new UsageError(`the only recognized types are "container" and "image", not ${JSON.stringify(type)}`);
  const container =
    type === 'image'
      ? undefined
      : await getWorking(context, name).catch((error: unknown) => (flags.value('type') === undefined ? undefined : Promise.reject(error)));
  const document =
    container === undefined
      ? await describeImage(context, name)
      : describe(await readConfig(context, container), {
          FromImage: container.base,
          FromImageID: container.imageId.replace(/^sha256:/, ''),
          Container: container.name,
          ContainerID: container.id,
        });
  const format = flags.value('format');
  context.out(format === undefined ? `${JSON.stringify(document, null, 4)}\n` : `${renderTemplate(format, document)}\n`);
  return 0;
};

function describe(config: ConfigDocument, names: Readonly<Record<string, string>>): object {
  return { Type: 'buildah 0.0.1', ...names, Config: JSON.stringify(config), OCIv1: config };
}

interface ImageJson {
  readonly Id: string;
  readonly Created: string;
  readonly Author: string;
  readonly Architecture: string;
  readonly Os: string;
  readonly Config: object;
  readonly RootFS: { readonly Layers: readonly string[] };
}

async function describeImage({ daemon }: Context, name: string): Promise<object> {
  const path = `/images/${encodeURIComponent(name)}`;
  const image = await orMissing(daemon.call<ImageJson>('GET', `${path}/json`));
  if (image === undefined) throw new UsageError(`${name}: neither a working container nor an image`);
  const history = await daemon.call<readonly { Created: number; CreatedBy: string; Comment: string }[]>('GET', `${path}/history`);
  const config: ConfigDocument = {
    created: image.Created,
    ...(image.Author === '' ? {} : { author: image.Author }),
    architecture: image.Architecture,
    os: image.Os,
    config: Object.fromEntries(Object.entries(image.Config).filter(([, value]) => value !== null && value !== '')),
    rootfs: { type: 'layers', diff_ids: image.RootFS.Layers },
    history: history.toReversed().map(({ Created, CreatedBy, Comment }) => ({
      created: new Date(Created * 1000).toISOString(),
      created_by: CreatedBy,
      ...(Comment === '' ? {} : { comment: Comment }),
    })),
  };
  return describe(config, { FromImage: name, FromImageID: image.Id.replace(/^sha256:/, ''), Container: '', ContainerID: '' });
}
