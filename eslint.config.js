/**
 * The size and seam rules of this code base. Formatting and general lint are Biome's; this file holds only
 * what Biome cannot say. Every rule carries its reason, because the message is what a contributor sees.
 */
import tseslint from 'typescript-eslint';

/** Words with one meaning here; the left side is what people type, the right side what we call it. */
const BANNED_IMPORTS = [
  { name: 'lodash', message: 'The platform has it.' },
  { name: 'moment', message: 'Times here are monotonic milliseconds; formatting is Intl.' },
];

export default [
  {
    ignores: [
      '**/node_modules/**',
      '**/.next/**',
      '**/out/**',
      'build/**',
      '.slipway/**',
      '**/*.gen.ts',
      '**/fixtures/**',
      'scripts/**',
      'tooling/**',
      '*.config.*',
      'apps/web/*.config.*',
      'apps/web/*.mjs',
      'apps/web/next-env.d.ts',
    ],
  },
  {
    files: ['**/*.{ts,tsx}'],
    languageOptions: { parser: tseslint.parser, parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { '@typescript-eslint': tseslint.plugin },
    rules: {
      'max-lines': ['error', { max: 400, skipBlankLines: true }],
      'max-lines-per-function': ['error', { max: 80, skipBlankLines: true, skipComments: true }],
      'max-params': ['error', 4],
      'no-restricted-imports': ['error', { paths: BANNED_IMPORTS }],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },
  {
    files: ['packages/**/*.ts'],
    ignores: ['**/*.test.ts', 'packages/testing/**'],
    rules: {
      'no-console': 'error',
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Configuration is read once, in apps/*/src/config.ts, and passed down.' },
      ],
    },
  },
  {
    files: [
      '**/*.test.{ts,tsx}',
      'e2e/**',
      'packages/testing/**',
      'packages/*/src/testing/**',
      'packages/ui/**/*.tsx',
      'apps/web/**/*.tsx',
    ],
    rules: {
      'max-lines': ['error', { max: 500, skipBlankLines: true }],
      'max-lines-per-function': 'off',
      'no-restricted-properties': [
        'error',
        { object: 'vi', property: 'mock', message: 'A fake that passes the contract suite tells more than a mock of our own module.' },
      ],
    },
  },
];
