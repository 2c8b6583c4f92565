/**
 * Which package may know which. The picture is in docs/ARCHITECTURE.md; this file is the law.
 * Every rule says why, because the comment is what a contributor sees when the check stops them.
 */

/** Layers from the bottom up; a package may import from its own layer only where `PEERS` says so. */
const LAYERS = [
  ['errors'],
  ['oci', 'journal', 'contracts'],
  ['kernel', 'testing', 'dockerfile'],
  ['launcher', 'cgroups', 'runtime', 'content', 'layers', 'snapshots', 'registry-client', 'lazy', 'images', 'terminal', 'lessons'],
  ['observe', 'engine', 'machine'],
  ['builder'],
  ['docker-api', 'registry'],
];

/** Inside a layer: importer → what it may use. */
const PEERS = {
  contracts: ['journal'],
  runtime: ['launcher', 'cgroups'],
  // A lazy layer is a layer that is read out of a registry.
  lazy: ['layers', 'registry-client'],
  images: ['content', 'layers', 'lazy', 'snapshots', 'registry-client'],
  machine: ['engine'],
};

function layerRules() {
  return LAYERS.flatMap((names, level) =>
    names.map((name) => {
      const above = LAYERS.slice(level + 1).flat();
      const beside = names.filter((other) => other !== name && !(PEERS[name] ?? []).includes(other));
      const banned = [...above, ...beside];
      return {
        name: `${name}-looks-down`,
        comment: `Arrows point one way, so that ${name} can be read and tested without what is built on it.`,
        severity: 'error',
        from: { path: `^packages/${name}/`, pathNot: '\\.test\\.tsx?$|/testing/' },
        to: { path: `^packages/(${banned.join('|')})/` },
      };
    }),
  ).filter((rule) => !rule.to.path.includes('()'));
}

module.exports = {
  forbidden: [
    ...layerRules(),
    {
      name: 'only-kernel-touches-the-host',
      comment: 'A reader must be able to find every host side effect in packages/kernel, and a test must be able to fake it.',
      severity: 'error',
      from: { path: '^packages/(?!kernel/|testing/|launcher/|terminal/)', pathNot: '\\.test\\.tsx?$|/testing/' },
      to: { path: '^(node:)?(fs|fs/promises|child_process|net)$', dependencyTypes: ['core'] },
    },
    {
      name: 'the-browser-knows-only-vocabulary',
      comment:
        'apps/web talks to the privileged process over HTTP; importing it would put root code in a bundle. Its tests are in no bundle, and may compare with the truth.',
      severity: 'error',
      from: { path: '^(apps/web/src|packages/ui)/', pathNot: '\\.test\\.tsx?$' },
      to: { path: '^packages/', pathNot: '^packages/(contracts|ui|journal|terminal/src/protocol|lessons/src/(types|component))' },
    },
    {
      name: 'the-lab-daemon-does-not-parse-images',
      comment: 'labd makes, enters and destroys machines and relays bytes; image bytes are parsed inside the machine only.',
      severity: 'error',
      from: { path: '^(apps/labd|packages/machine)/' },
      to: { path: '^packages/(images|layers|content|docker-api)/' },
    },
    { name: 'no-cycles', comment: 'A cycle has no first file to read.', severity: 'error', from: {}, to: { circular: true } },
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(node_modules|\\.next|/out/|/build/)' },
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
      extensions: ['.ts', '.tsx', '.js', '.mjs'],
    },
  },
};
