import { encodeCanonicalYaml, type YamlValue } from '../core/canonical-yaml.js';
import { entryNameProblem } from '../objects/entry-name.js';
import type { Environment } from '../provenance/environment.js';
import type { Metric } from '../provenance/metrics.js';
import type { ParamValue } from '../provenance/params.js';
import { sha256Of } from './digest.js';
import type { Manifest, ManifestComponent, ManifestItem, ManifestOrigin } from './manifest.js';
import { modelNameProblem } from './model-name.js';
import { type RegistryFile, readShape, type Shape } from './shape.js';
import { tryVersion } from './version-number.js';

/** Characters of a manifest's text: thousands of params and packages fit. */
export const MANIFEST_LIMIT = 4 * 1024 * 1024;
const NAME_LIMIT = 256;
/** Lists in a parameter's value may nest this deep. */
const PARAM_DEPTH = 8;

/** The bytes of a manifest's file: the same content always gives the same bytes. Params and metrics are sorted. */
export function encodeManifest(manifest: Manifest): string {
  const { environment } = manifest;
  return encodeCanonicalYaml({
    mlv: 1,
    model: manifest.model,
    version: manifest.version,
    artifacts: manifest.artifacts.map(item),
    data: manifest.data.map(item),
    params: sorted(manifest.params),
    metrics: sorted(manifest.metrics, ({ value, better, on, on_oid }) => ({ value, better, on, on_oid })),
    environment: environment && encodeEnvironment(environment),
    commit: manifest.commit,
    branch: manifest.branch,
    difference: manifest.difference,
    author: manifest.author,
    created: manifest.created,
    run: manifest.run,
    parent: manifest.parent,
    components: manifest.components?.map(({ model, version, manifest }) => ({ model, version, manifest })),
    licence: manifest.licence,
    description: manifest.description,
    owners: manifest.owners,
    retain_until: manifest.retain_until,
    origin: manifest.origin && encodeOrigin(manifest.origin),
    bump: manifest.bump && { part: manifest.bump.part, reasons: manifest.bump.reasons },
  });
}

/** `sha256:<hex>` of the bytes that a manifest's file has: what events, tags and components hold it by. */
export function manifestDigest(manifest: Manifest): string {
  return sha256Of(encodeManifest(manifest));
}

function item({ path, oid, sha256, size, files, executable, source }: ManifestItem): Record<string, YamlValue> {
  return { path, oid, sha256, size, files, executable, source };
}

function sorted<T>(map: Record<string, T>, write: (value: T) => YamlValue = (value) => value as YamlValue) {
  const names = Object.keys(map).sort((left, right) => (left < right ? -1 : 1));
  return Object.fromEntries(names.map((name) => [name, write(map[name] as T)]));
}

function encodeOrigin({ tool, id, source, created, facts, tags }: ManifestOrigin): Record<string, YamlValue> {
  return { tool, id, source, created, facts: sorted(facts), tags: sorted(tags) };
}

function encodeEnvironment(environment: Environment): Record<string, YamlValue> {
  const { locks, variables, ...rest } = environment;
  return { ...rest, locks: locks && sorted(locks), variables: variables && sorted(variables) };
}

/**
 * Reads a manifest's text. Keys that this mlv does not know are passed over: a manifest's file is never rewritten, so
 * they survive. Errors: `REGISTRY_INVALID`, `FORMAT_TOO_NEW`.
 */
export function parseManifest(text: string, file: Omit<RegistryFile, 'kind'>): Manifest {
  const shape = readShape(text, { kind: 'a manifest', ...file }, MANIFEST_LIMIT);
  return {
    mlv: 1,
    model: modelOf(shape),
    version: versionOf(shape, 'version'),
    artifacts: shape.maps('artifacts').map(readItem),
    data: shape.maps('data').map(readItem),
    params: shape.has('params') ? readParams(shape.map('params')) : {},
    metrics: shape.has('metrics') ? readMetrics(shape.map('metrics')) : {},
    ...shape.optional('environment', () => readEnvironment(shape.map('environment'))),
    commit: shape.commit('commit'),
    ...shape.optional('branch', (key) => shape.text(key)),
    ...shape.optional('difference', (key) => shape.oid(key)),
    author: shape.text('author'),
    created: shape.time('created'),
    ...shape.optional('run', (key) => shape.oid(key)),
    ...shape.optional('parent', (key) => versionOf(shape, key)),
    ...shape.optional('components', (key) => shape.maps(key).map(readComponent)),
    ...shape.optional('licence', (key) => shape.text(key)),
    ...shape.optional('description', (key) => shape.prose(key)),
    ...shape.optional('owners', (key) => shape.texts(key)),
    ...shape.optional('retain_until', (key) => shape.date(key)),
    ...shape.optional('origin', (key) => readOrigin(shape.map(key))),
    ...shape.optional('bump', (key) => readBump(shape.map(key))),
  };
}

function readOrigin(shape: Shape): ManifestOrigin {
  const texts = (key: string): Record<string, string> => {
    const map = shape.map(key);
    return Object.fromEntries(namesOf(map).map((name) => [name, map.prose(name)]));
  };
  return {
    tool: shape.text('tool'),
    id: shape.text('id'),
    source: shape.text('source'),
    ...shape.optional('created', (key) => shape.time(key)),
    facts: texts('facts'),
    tags: texts('tags'),
  };
}

function readBump(shape: Shape): { part: string; reasons: string[] } {
  return { part: shape.text('part'), reasons: shape.texts('reasons') };
}

/** The name of a model below `model`. Error: `REGISTRY_INVALID`. */
export function modelOf(shape: Shape): string {
  const name = shape.text('model');
  const problem = modelNameProblem(name);
  return problem === undefined ? name : shape.fail(`'${name}' cannot be the name of a model: ${problem}`);
}

/** The number of a version below a key. Error: `REGISTRY_INVALID`. */
export function versionOf(shape: Shape, key: string): string {
  const version = shape.text(key);
  return tryVersion(version) ? version : shape.fail(`'${version}' is not a version`);
}

function readItem(shape: Shape): ManifestItem {
  return {
    path: pathOf(shape),
    oid: shape.oid('oid'),
    sha256: shape.digest('sha256'),
    size: shape.count('size'),
    ...shape.optional('files', (key) => shape.count(key)),
    ...(shape.has('executable') && shape.flag('executable') && { executable: true as const }),
    ...shape.optional('source', (key) => shape.prose(key)),
  };
}

// A path from someone else's file decides where bytes are written.
function pathOf(shape: Shape): string {
  const path = shape.text('path');
  for (const name of path.split('/')) {
    const problem = name.includes('\\') ? 'holds a backslash' : entryNameProblem(Buffer.from(name, 'utf8'));
    if (problem !== undefined) shape.fail(`the path '${path}' is refused: it would not stay in the repository`);
  }
  return path;
}

function readComponent(shape: Shape): ManifestComponent {
  return { model: modelOf(shape), version: versionOf(shape, 'version'), manifest: shape.digest('manifest') };
}

/** Names of params and metrics: one line, not empty, 256 characters at most. */
function namesOf(shape: Shape): string[] {
  const names = shape.keys();
  const bad = names.find((name) => name === '' || name.length > NAME_LIMIT || /[\u0000-\u001f\u007f]/.test(name));
  if (bad !== undefined) shape.fail(`'${bad.slice(0, 40)}' cannot be the name of a figure or a parameter`);
  return names;
}

function readParams(shape: Shape): Record<string, ParamValue> {
  const entries = namesOf(shape).map((name) => {
    const value = shape.any(name);
    return [
      name,
      isParam(value, 0) ? value : shape.wrong(name, 'a text, number, true, false, null or a list'),
    ] as const;
  });
  return Object.fromEntries(entries);
}

function isParam(value: unknown, depth: number): value is ParamValue {
  if (Array.isArray(value)) return depth < PARAM_DEPTH && value.every((item) => isParam(item, depth + 1));
  if (typeof value === 'number') return Number.isFinite(value);
  return value === null || typeof value === 'string' || typeof value === 'boolean';
}

function readMetrics(shape: Shape): Record<string, Metric> {
  return Object.fromEntries(namesOf(shape).map((name) => [name, readMetric(shape.map(name))]));
}

function readMetric(shape: Shape): Metric {
  return {
    value: shape.number('value'),
    ...shape.optional('better', (key) => shape.choice(key, ['higher', 'lower'])),
    ...shape.optional('on', (key) => shape.text(key)),
    ...shape.optional('on_oid', (key) => shape.oid(key)),
  };
}

/** Metrics of an event: a figure and which direction is better. */
export function readFigures(shape: Shape): Record<string, { value: number; better?: 'higher' | 'lower' }> {
  const read = (each: Shape): { value: number; better?: 'higher' | 'lower' } => ({
    value: each.number('value'),
    ...each.optional('better', (key) => each.choice(key, ['higher', 'lower'])),
  });
  return Object.fromEntries(namesOf(shape).map((name) => [name, read(shape.map(name))]));
}

const ENVIRONMENT_TEXTS = ['os', 'kernel', 'cpu', 'driver', 'cuda', 'container', 'python', 'node', 'r'] as const;

function readEnvironment(shape: Shape): Environment {
  const environment: Environment = {};
  for (const key of ENVIRONMENT_TEXTS) if (shape.has(key)) environment[key] = shape.text(key);
  for (const key of ['cores', 'memory'] as const) if (shape.has(key)) environment[key] = shape.count(key);
  for (const key of ['gpus', 'packages', 'absent'] as const) if (shape.has(key)) environment[key] = shape.texts(key);
  for (const key of ['locks', 'variables'] as const) {
    if (!shape.has(key)) continue;
    const map = shape.map(key);
    environment[key] = Object.fromEntries(map.keys().map((name) => [name, map.prose(name)]));
  }
  return environment;
}
