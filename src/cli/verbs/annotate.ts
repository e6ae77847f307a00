import { createHash } from 'node:crypto';
import { MlvError } from '../../core/errors.js';
import type { DataProfile } from '../../provenance/data-profile.js';
import { isSpdxLicence } from '../../provenance/licence.js';
import { profileFile } from '../../provenance/profile-file.js';
import { notSpdx } from '../../provenance/stage-source.js';
import { annotateTargets, annotationOf } from '../../workspace/annotate.js';
import {
  ANNOTATION_KEYS,
  type AnnotatedSchema,
  type Annotation,
  annotationProblem,
  isFactName,
} from '../../workspace/annotation.js';
import { toRepositoryPath } from '../../workspace/paths.js';
import { isDirectoryTarget, loadTargets, pointerPathOf, type Target, wholeTarget } from '../../workspace/pointers.js';
import { type OpenRepository, openRepository } from '../context.js';
import { withFileAt } from '../data-file.js';
import { gitAddCommand } from '../git-hint.js';
import { displayer } from '../operands.js';
import { profileOptions } from '../profile-options.js';
import { annotationLines } from '../render/annotation.js';
import type { Session } from '../session.js';
import { type Result, textOption, textsOption, type VerbInput } from '../verb.js';

/** Names and types of more columns than this would make a pointer that nobody can read. */
const MAX_COLUMNS = 200;
const MAX_COLUMN_TEXT = 16 * 1024;

/** `mlv annotate`: see its declaration. Errors: `USAGE`, those of wholeTarget, annotateTargets and withFileAt. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const repository = await openRepository(session);
  const path = toRepositoryPath(repository.layout, input.args[0] ?? '');
  const target = await targetAt(repository, path);
  const set = asked(input);
  const unset = namesToUnset(input);
  if (input.options.schema === true) set.schema = await schemaOf(session, repository, { target, input });
  const isChange = Object.keys(set).length > 0 || unset.length > 0;
  if (isChange && input.options.show === true) {
    throw new MlvError('USAGE', '--show changes nothing; other options do', { hint: 'leave --show or the others out' });
  }
  const files = isChange ? await change(repository, target, { set, unset, stage: stageOption(input) }) : [];
  const annotation = annotationOf(isChange ? await targetAt(repository, target.path) : target) ?? {};
  const lines = annotationLines(annotation, target.pointer.oid);
  const name = displayer(repository)(target.path);
  const staged = files.length > 0 && (stageOption(input) ?? repository.settings.stage);
  const command = files.length > 0 && !staged ? await gitAddCommand(repository, files) : undefined;
  return {
    ...(isChange
      ? { done: [`${name}: ${files.length > 0 ? 'annotated' : 'nothing changed'}`, ...lines] }
      : { text: lines }),
    json: { path: target.path, oid: target.pointer.oid, annotation, files, staged },
    notes: [
      ...(!isChange && lines.length === 0 ? [`nothing is said of where '${target.path}' came from`] : []),
      ...(command === undefined ? [] : ['To record it in Git:', `  ${command}`]),
    ],
  };
}

async function targetAt(repository: OpenRepository, path: string): Promise<Target> {
  const { targets, problems } = await loadTargets(repository);
  return wholeTarget(targets, path, problems);
}

function stageOption({ options }: VerbInput): boolean | undefined {
  return typeof options.stage === 'boolean' ? options.stage : undefined;
}

async function change(
  repository: OpenRepository,
  target: Target,
  { set, unset, stage }: { set: Annotation; unset: readonly string[]; stage: boolean | undefined },
): Promise<string[]> {
  // What stays counts, too: --to alone may lie before a --from that is there.
  const before = annotationOf(target) ?? {};
  const kept = Object.fromEntries(Object.entries(before).filter(([key]) => !unset.includes(key)));
  const problem = annotationProblem(set) ?? annotationProblem({ ...kept, ...set });
  if (problem !== undefined) {
    throw new MlvError('USAGE', `'${target.path}' cannot be annotated: ${problem}`, { data: { path: target.path } });
  }
  return annotateTargets(repository, [target], { set, unset, ...(stage !== undefined && { stage }) });
}

function asked({ options }: VerbInput): Annotation {
  const urls = textsOption(options.url);
  const filters = textsOption(options.filter);
  const licence = textOption(options.licence);
  if (licence !== undefined && !isSpdxLicence(licence)) throw new MlvError('USAGE', notSpdx(licence));
  const [from, to, procedure] = [options.from, options.to, options.procedure].map(textOption);
  const facts = textsOption(options.set).map(factOf);
  return {
    ...(urls.length > 0 && { urls: [...urls] }),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(filters.length > 0 && { filters: [...filters] }),
    ...(licence !== undefined && { licence }),
    ...(procedure !== undefined && { procedure }),
    ...(facts.length > 0 && { facts: Object.fromEntries(facts) }),
  };
}

function factOf(text: string): [name: string, value: string] {
  const [, name = '', value = ''] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
  if (name === '')
    throw new MlvError('USAGE', `'${text}' is not a name with a value`, { hint: 'such as: --set team=vision' });
  if ((ANNOTATION_KEYS as readonly string[]).includes(name)) {
    throw new MlvError('USAGE', `'${name}' is not a fact of its own`, {
      hint: `set it with: --${OPTION_OF[name] ?? name}`,
    });
  }
  return [name, value];
}

const OPTION_OF: Record<string, string> = { urls: 'url', filters: 'filter' };
const KEY_OF: Record<string, string> = { url: 'urls', filter: 'filters', license: 'licence' };

function namesToUnset({ options }: VerbInput): string[] {
  return textsOption(options.unset).map((name) => {
    const key = KEY_OF[name] ?? name;
    if ((ANNOTATION_KEYS as readonly string[]).includes(key) || isFactName(key)) return key;
    throw new MlvError('USAGE', `'${name}' is nothing that an annotation has`, {
      hint: `${ANNOTATION_KEYS.join(', ')}, or the name of a fact`,
    });
  });
}

async function schemaOf(
  session: Session,
  repository: OpenRepository,
  { target, input }: { target: Target; input: VerbInput },
): Promise<AnnotatedSchema> {
  const { path, pointer } = target;
  if (isDirectoryTarget(target)) {
    throw new MlvError('USAGE', `'${path}' is a directory, which has no columns`, {
      hint: `a file of it is profiled by: mlv schema '${path}/<file>'`,
      data: { path },
    });
  }
  const options = { ...profileOptions(session, input), categories: 0 };
  const profile = await withFileAt(session, repository, {
    name: path,
    state: { kind: 'pointers' },
    use: (file) => profileFile(file, options),
  });
  if (profile) return { oid: pointer.oid, ...digestOf(profile) };
  throw new MlvError('PATH_NOT_FOUND', `'${pointerPathOf(path)}' is gone`, { data: { path } });
}

function digestOf({ rows, columns: all }: DataProfile): Omit<AnnotatedSchema, 'oid'> {
  const columns = all.map(({ name, type }) => ({ name, type: String(type) }));
  const text = JSON.stringify(columns.map(({ name, type }) => [name, type]));
  const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`;
  const isSmall = columns.length <= MAX_COLUMNS && text.length <= MAX_COLUMN_TEXT;
  return { digest, rows, ...(isSmall && { columns }) };
}
