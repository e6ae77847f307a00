import type { ParamValue } from '../provenance/params.js';
import type { Manifest, ManifestItem } from './manifest.js';
import type { VersionPart } from './version-number.js';

/** What decides the part of the number that is raised. */
export type BumpFacts = Pick<Manifest, 'artifacts' | 'data' | 'params' | 'components' | 'difference'>;

/** What became of the code between two commits; `unknown` says why nobody can tell. */
export type CodeChange = { paths: readonly string[] } | { unknown: string };

/** Which part of the number is raised, and why. */
export interface BumpChoice {
  part: VersionPart | 'first';
  /** For people, the gravest first: `data: data/train has other content`. Never empty. */
  reasons: string[];
}

interface Reason {
  kind: 'interface' | 'code' | 'data' | 'params' | 'retrained';
  text: string;
}

/**
 * The part that each kind of change raises, the gravest first. A version of three parts has no place for data and
 * experiments: there new code and new data raise the minor, what was only trained anew the patch.
 */
const PARTS: Readonly<Record<Reason['kind'], readonly [five: VersionPart, three: VersionPart]>> = {
  interface: ['major', 'major'],
  code: ['patch', 'minor'],
  data: ['data', 'minor'],
  params: ['experiment', 'patch'],
  retrained: ['experiment', 'patch'],
};
const ORDER = Object.keys(PARTS) as Reason['kind'][];
const SHOWN = 3;

/**
 * Derives from what changed since another version which part of the number to raise: the interface (which artifacts there
 * are, their formats, which models it consists of), the code, the data, the parameters, or nothing but the artifacts'
 * bytes. Undefined where nothing changed at all. docs/registering.md has the table.
 */
export function chooseBump(
  before: BumpFacts,
  after: BumpFacts,
  { code, fivePart }: { code: CodeChange; fivePart: boolean },
): (BumpChoice & { part: VersionPart }) | undefined {
  const reasons = [
    ...interfaceReasons(before, after),
    ...codeReasons(code, before, after),
    ...dataReasons(before.data, after.data),
    ...paramReasons(before.params, after.params),
    ...contentReasons(before.artifacts, after.artifacts),
  ];
  const gravest = ORDER.find((kind) => reasons.some((reason) => reason.kind === kind));
  if (gravest === undefined) return undefined;
  const part = PARTS[gravest][fivePart ? 0 : 1];
  return { part, reasons: reasons.map(({ kind, text }) => `${kind}: ${text}`) };
}

function interfaceReasons(before: BumpFacts, after: BumpFacts): Reason[] {
  const reason = (text: string): Reason => ({ kind: 'interface', text });
  const artifacts = sides(before.artifacts, after.artifacts, ({ path }) => path);
  const models = sides(before.components ?? [], after.components ?? [], ({ model }) => model);
  return [
    ...artifacts.added.map(({ path }) => reason(`the artifact ${path} is new`)),
    ...artifacts.removed.map(({ path }) => reason(`the artifact ${path} is gone`)),
    ...artifacts.both
      .filter(([old, now]) => (old.files === undefined) !== (now.files === undefined))
      .map(([, now]) => reason(`the artifact ${now.path} is now a ${now.files === undefined ? 'file' : 'directory'}`)),
    ...models.added.map(({ model }) => reason(`it now consists of ${model}, too`)),
    ...models.removed.map(({ model }) => reason(`it no longer consists of ${model}`)),
  ];
}

function codeReasons(code: CodeChange, before: BumpFacts, after: BumpFacts): Reason[] {
  const reasons: string[] = [];
  if ('unknown' in code) reasons.push(code.unknown);
  else if (code.paths.length > 0) reasons.push(`${some(code.paths)} changed`);
  if (before.difference !== after.difference) reasons.push('what was not committed is another');
  const { both } = sides(before.components ?? [], after.components ?? [], ({ model }) => model);
  for (const [old, now] of both) {
    if (old.manifest !== now.manifest) reasons.push(`${now.model} ${old.version} → ${now.version}`);
  }
  return reasons.map((text) => ({ kind: 'code', text }));
}

function dataReasons(before: readonly ManifestItem[], after: readonly ManifestItem[]): Reason[] {
  const { added, removed, both } = sides(before, after, ({ path }) => path);
  const other = both.filter(([old, now]) => old.oid !== now.oid).map(([, now]) => now.path);
  return [
    ...added.map(({ path }) => `${path} is new`),
    ...removed.map(({ path }) => `${path} is not named any more`),
    ...other.map((path) => `${path} has other content`),
  ].map((text) => ({ kind: 'data', text }));
}

function paramReasons(before: Manifest['params'], after: Manifest['params']): Reason[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  const changed = names.filter((name) => text(before, name) !== text(after, name));
  if (changed.length === 0) return [];
  const shown = changed.slice(0, SHOWN).map((name) => `${name} ${text(before, name)} → ${text(after, name)}`);
  const more = changed.length > SHOWN ? ` and ${changed.length - SHOWN} more` : '';
  return [{ kind: 'params', text: `${shown.join(', ')}${more}` }];
}

function text(params: Readonly<Record<string, ParamValue>>, name: string): string {
  return Object.hasOwn(params, name) ? JSON.stringify(params[name]) : '(none)';
}

function contentReasons(before: readonly ManifestItem[], after: readonly ManifestItem[]): Reason[] {
  const { both } = sides(before, after, ({ path }) => path);
  const other = both.filter(([old, now]) => old.oid !== now.oid).map(([, now]) => now.path);
  return other.length === 0 ? [] : [{ kind: 'retrained', text: `${some(other)} has other content` }];
}

function some(paths: readonly string[]): string {
  const shown = paths.slice(0, SHOWN).join(', ');
  return paths.length > SHOWN ? `${shown} and ${paths.length - SHOWN} more` : shown;
}

function sides<T>(
  before: readonly T[],
  after: readonly T[],
  key: (item: T) => string,
): { added: T[]; removed: T[]; both: [T, T][] } {
  const old = new Map(before.map((item) => [key(item), item]));
  const now = new Map(after.map((item) => [key(item), item]));
  return {
    added: after.filter((item) => !old.has(key(item))),
    removed: before.filter((item) => !now.has(key(item))),
    both: after.flatMap((item): [T, T][] => {
      const there = old.get(key(item));
      return there === undefined ? [] : [[there, item]];
    }),
  };
}

/** Endings of files that are read by people or by Git, and change no model. */
const NO_CODE = /(?:\.mlv|\.md|\.rst|(?:^|\/)\.gitignore|(?:^|\/)\.gitattributes|(?:^|\/)LICEN[CS]E)$/i;

/**
 * Of the paths that differ between two commits, those that are code: not pointers, not documents, and not the files that
 * parameters and metrics were read from, which are compared by what they say.
 */
export function codePaths(paths: readonly string[], read: readonly string[]): string[] {
  const apart = new Set(read);
  return paths.filter((path) => !NO_CODE.test(path) && !apart.has(path));
}
