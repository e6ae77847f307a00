import { type Document, isMap } from 'yaml';
import { isMapping } from '../core/mapping.js';
import { parseYamlDocument } from '../core/read-yaml.js';
import { parentOf, type RepositoryPath } from '../workspace/paths.js';
import { workingDirectory } from './dvc-file.js';
import type { LockedStage } from './dvc-lock.js';
import { type MappedStage, mapStage } from './dvc-stage.js';
import { entriesOf } from './dvc-stage-outputs.js';
import { foreignInvalid } from './foreign-id.js';

const MAX_PIPELINE = 16 * 1024 * 1024;
/** Anchors are used in pipelines; more aliases than this are an attack. */
const MAX_ALIASES = 100;

/** What a `dvc.yaml` says. */
export interface DvcPipeline {
  /** Stages that mean the same in our `mlv.yaml`, by the name that they have there. */
  stages: Map<string, MappedStage>;
  /** What has no place there, in words: whole stages with the reason, keys of others. */
  left: string[];
  /** The text without the stages that were mapped; undefined where nothing is left. */
  rest: string | undefined;
  /** What `dvc.lock` has to know of a stage. */
  stageOf(name: string): LockedStage;
}

/** Reads a `dvc.yaml`. Error: `FOREIGN_INVALID`. */
export function parseDvcPipeline(text: string, file: RepositoryPath): DvcPipeline {
  const document = parse(text, file);
  const value: unknown = toValue(document, file);
  if (value !== null && value !== undefined && !isMapping(value)) throw foreignInvalid(file, 'is not a YAML mapping');
  const { stages: found, ...others } = value ?? {};
  const definitions = isMapping(found) ? found : {};
  if (found !== undefined && found !== null && !isMapping(found))
    throw foreignInvalid(file, "has 'stages' that are no mapping");
  const left = Object.keys(others).map((key) => `${file}: ${key}`);
  const stages = new Map<string, MappedStage>();
  const mapped: string[] = [];
  for (const [name, definition] of Object.entries(definitions)) {
    const result = mapStage(definition, { name, file });
    left.push(...result.left.map((what) => `${file}: stage ${name}: ${what}`));
    if (!result.stage) continue;
    stages.set(result.name, result.stage);
    mapped.push(name);
  }
  const all = mapped.length === Object.keys(definitions).length && Object.keys(others).length === 0;
  return {
    stages,
    left,
    rest: all ? undefined : withoutStages(document, { text, mapped }),
    stageOf: (name) => lockedStage(definitions, name, file),
  };
}

function parse(text: string, file: RepositoryPath): Document.Parsed {
  if (text.length > MAX_PIPELINE) throw foreignInvalid(file, `is longer than ${MAX_PIPELINE} characters`);
  try {
    const document = parseYamlDocument(text, { schema: 'core', merge: true, logLevel: 'error' });
    const [error] = document.errors;
    if (!error) return document;
    const line = `line ${error.linePos?.[0].line ?? 1}`;
    if (error.code === 'RESOURCE_EXHAUSTION') throw foreignInvalid(file, `is nested too deeply: ${line}`);
    throw foreignInvalid(file, `is not valid YAML: ${line} (${error.code})`);
  } catch (cause) {
    if (cause instanceof RangeError) throw foreignInvalid(file, 'is nested too deeply', { cause });
    throw cause;
  }
}

function toValue(document: Document.Parsed, file: RepositoryPath): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (cause) {
    throw foreignInvalid(file, 'holds too many YAML aliases, or is nested too deeply', { cause });
  }
}

function withoutStages(
  document: Document.Parsed,
  { text, mapped }: { text: string; mapped: readonly string[] },
): string {
  if (mapped.length === 0) return text;
  for (const name of mapped) document.deleteIn(['stages', name]);
  const stages = document.get('stages', true);
  if (isMap(stages) && stages.items.length === 0) document.delete('stages');
  try {
    return document.toString({ lineWidth: 0 });
  } catch {
    // What is left has an alias of something that went.
    return text;
  }
}

/** Names in `dvc.lock` of stages that were made of one by foreach or matrix are `stage@item`. */
function lockedStage(definitions: Record<string, unknown>, name: string, file: RepositoryPath): LockedStage {
  const found = definitions[name] ?? definitions[name.split('@', 1)[0] ?? ''];
  const outer = isMapping(found) ? found : {};
  const definition = isMapping(outer.do) ? outer.do : outer;
  const { wdir } = definition;
  const outs = ['outs', 'metrics', 'plots'].flatMap((key) => entriesOf(definition[key]));
  const isTemplate = (text: string): boolean => text.includes('${');
  return {
    directory: workingDirectory(typeof wdir === 'string' && isTemplate(wdir) ? undefined : wdir, {
      file,
      directory: parentOf(file),
    }),
    keeps: (path) => {
      const entry =
        outs.find((each) => each.path === path) ?? outs.find((each) => isTemplate(each.path) && fits(each.path, path));
      return entry?.cache ?? true;
    },
  };
}

/** Whether a path may have come of a template; the parts between `${…}` must stand in it in order. */
function fits(template: string, path: string): boolean {
  const parts = template.replace(/^\.\//, '').split(/\$\{[^}]*\}/);
  const [first = '', ...rest] = parts;
  if (!path.startsWith(first)) return false;
  let at = first.length;
  for (const [index, part] of rest.entries()) {
    const found = index === rest.length - 1 ? path.length - part.length : path.indexOf(part, at);
    if (found < at || !path.startsWith(part, found)) return false;
    at = found + part.length;
  }
  return true;
}
