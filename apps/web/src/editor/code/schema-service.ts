/**
 * What the schema knows about a text: faults with their places, and what could be written at an offset.
 *
 * Knows: vscode-json-languageservice, and how its words become ours. Does not know: the editor's view, nor rules between fields
 * (the machine's own validator has those).
 */
import { type CompletionItem, getLanguageService, InsertTextFormat, type JSONSchema, TextDocument } from 'vscode-json-languageservice';
import type { FieldSchema } from '../text/field-docs.ts';
import { fieldSchema, unknownFields } from '../text/field-docs.ts';
import { nearestRange, pointerAt, readValue, syntaxFaults, type TextRange } from '../text/json-text.ts';

export interface Fault {
  /** JSON pointer of the field it is about. */
  readonly pointer: string;
  readonly message: string;
  readonly severity: 'error' | 'note';
  readonly range: TextRange;
}

export interface Proposal {
  readonly label: string;
  /** What typed text is compared with: a key with its quotes. */
  readonly match: string;
  readonly description: string;
  /** With `${1}` where the cursor goes next. */
  readonly snippet: string;
  readonly range: TextRange;
}

export interface SchemaService {
  readonly schema: FieldSchema;
  /** None of a text that has not been begun. */
  faults(text: string): Promise<readonly Fault[]>;
  propose(text: string, offset: number): Promise<readonly Proposal[]>;
  /** Description of the field at an offset, with its place; undefined where the specification names none. */
  describe(text: string, offset: number): { readonly pointer: string; readonly field: FieldSchema; readonly range: TextRange } | undefined;
}

const NAME = 'file:///config.json';

export function openSchemaService(schema: FieldSchema): SchemaService {
  const service = getLanguageService({});
  service.configure({ allowComments: true, schemas: [{ uri: 'schema:config', fileMatch: [NAME], schema: schema as JSONSchema }] });
  const read = (text: string) => {
    const document = TextDocument.create(NAME, 'jsonc', 1, text);
    return { document, json: service.parseJSONDocument(document) };
  };
  return {
    schema,
    faults: async (text) => {
      if (text.trim() === '') return [];
      const broken = syntaxFaults(text);
      if (broken.length > 0) {
        return broken.map(({ range, message }) => ({ pointer: pointerAt(text, range.from), message, severity: 'error', range }));
      }
      const { document, json } = read(text);
      const found = await service.doValidation(document, json, { comments: 'ignore', schemaValidation: 'error' });
      const faults = found.map(({ range, message }): Fault => {
        const from = document.offsetAt(range.start);
        const to = Math.max(document.offsetAt(range.end), from + 1);
        return {
          pointer: pointerAt(text, from === 0 ? 0 : from + 1),
          message: plainMessage(typeof message === 'string' ? message : message.value),
          severity: 'error',
          range: { from, to },
        };
      });
      return [...faults, ...notes(schema, text)];
    },
    propose: async (text, offset) => {
      const { document, json } = read(text);
      const list = await service.doComplete(document, document.positionAt(offset), json);
      return (list?.items ?? []).filter(({ label }) => label !== 'null').flatMap((item) => proposal(item, document));
    },
    describe: (text, offset) => {
      const pointer = pointerAt(text, offset);
      const field = pointer === '' ? undefined : fieldSchema(schema, pointer);
      const range = nearestRange(text, pointer);
      return field && range ? { pointer, field, range } : undefined;
    },
  };
}

/** Allowed, and without effect: almost always a misspelt name. */
function notes(schema: FieldSchema, text: string): Fault[] {
  return unknownFields(schema, readValue(text)).flatMap((pointer) => {
    const range = nearestRange(text, pointer);
    const message = 'the specification names no such field; runtimes pass over it';
    return range ? [{ pointer, message, severity: 'note', range }] : [];
  });
}

/** In the words of the other issues: lower case, and without the null that only programs write. */
function plainMessage(message: string): string {
  const plain = message
    .replace(/,? ?"?null"?(?=[,.]|$)/g, '')
    .replace('Expected one of "string".', 'Expected "string".')
    .replace(
      /^Incorrect type\. Expected (?:one of )?(.*?)\.$/,
      (_all, types: string) => `has the wrong type, needs to be ${types.replaceAll('"', '')}`,
    )
    .replace(/^Missing property "(.*?)"\.$/, 'lacks "$1"')
    .replace(/^Value is not accepted\. Valid values: (.*?)\.$/, 'is not known; known are $1')
    .replace(/^String is longer than the maximum length of (.*?)\.$/, 'is longer than $1 characters')
    .replace(/^String is shorter than the minimum length of 1\.$/, 'is empty')
    .replace(/^Value is above the maximum of (.*?)\.$/, 'needs to be $1 or less')
    .replace(/^Value is below the minimum of (.*?)\.$/, 'needs to be $1 or more');
  return plain.replace(/\.$/, '');
}

function proposal(item: CompletionItem, document: TextDocument): Proposal[] {
  const edit = item.textEdit;
  if (!edit || !('range' in edit)) return [];
  const snippet = item.insertTextFormat === InsertTextFormat.Snippet ? edit.newText : edit.newText.replaceAll('$', '\\$');
  const { documentation } = item;
  return [
    {
      label: item.label,
      match: item.filterText ?? item.label,
      description: typeof documentation === 'string' ? documentation : (documentation?.value ?? ''),
      snippet: snippet.replace(/\$(\d)/g, (_all, number: string) => `\${${number}}`),
      range: { from: document.offsetAt(edit.range.start), to: document.offsetAt(edit.range.end) },
    },
  ];
}
