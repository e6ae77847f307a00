import { lstatSync } from 'node:fs';
import { MlvError } from '../../core/errors.js';
import { shellQuote } from '../../core/shell-quote.js';
import { probeEnvironment } from '../../provenance/probe-environment.js';
import { type RegisterReport, type RegisterServices, register } from '../../registry/register.js';
import { previewRegistration, type RegisterPreview } from '../../registry/register-preview.js';
import { absolutePath, toRepositoryPath } from '../../workspace/paths.js';
import { POINTER_SUFFIX } from '../../workspace/pointer-format.js';
import { type OpenRepository, openRepository } from '../context.js';
import { errorDocument } from '../errors.js';
import { objectStorage } from '../object-storage.js';
import { registryOf } from '../open-registry.js';
import { registerRequest } from '../register-input.js';
import { formatBytes, formatCount } from '../render/units.js';
import { versionLines } from '../render/version.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/** `mlv register`: see its declaration. Errors: those of register, previewRegistration, readParams and readMetrics. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const repository = await openRepository(session);
  refuseModelLast(repository, input);
  const request = await registerRequest(session, repository, input);
  const { cwd, env, signal, reporter } = session;
  const services: RegisterServices = {
    repository,
    registry: registryOf(session, repository.config.registry.remote, repository.git),
    storage: objectStorage(session, repository),
    probe: () => probeEnvironment({ cwd, env, top: repository.layout.worktree, signal }),
    now: () => new Date(),
    reporter,
    signal,
    push: input.options.push !== false,
  };
  if (input.options.dryRun === true) return previewed(session, await previewRegistration(services, request));
  const report = await register(services, request);
  return { done: lines(report), notes: report.notes, json: { dryRun: false, ...documentOf(report), refusals: [] } };
}

/** `mlv register model.pkl fraud`: the only operand that is there stands where the model's name does. Error: `USAGE`. */
function refuseModelLast(repository: OpenRepository, { args }: VerbInput): void {
  const [first = '', second] = args;
  if (second === undefined || args.length > 2 || !isThere(repository, first) || isThere(repository, second)) return;
  throw new MlvError('USAGE', `'${second}' is not there, and '${first}' stands where the name of the model does`, {
    hint: `the model comes first: mlv register ${second} ${shellQuote(first)}`,
  });
}

function isThere({ layout }: OpenRepository, word: string): boolean {
  const path = absolutePath(layout, toRepositoryPath(layout, word));
  return [path, `${path}${POINTER_SUFFIX}`].some((each) => lstatSync(each, { throwIfNoEntry: false }) !== undefined);
}

function previewed({ style }: Session, preview: RegisterPreview): Result {
  const { state, manifest, refusals, detail, notes } = preview;
  const name = `${manifest.model}@${manifest.version}`;
  const json = { dryRun: true, ...documentOf(preview), refusals: refusals.map(errorDocument) };
  if (state === 'present') return { done: lines(preview), notes, json, errors: refusals };
  const done = refusals.length > 0 ? [] : ['', `${name} would be registered; nothing was written`];
  return { text: versionLines(detail, { style, events: false }), done, notes, json, errors: refusals };
}

function lines({ state, manifest, pushed, digest }: RegisterReport): string[] {
  const { model, version, parent, bump, artifacts, data, params, metrics, commit, components = [] } = manifest;
  const name = `${model}@${version}`;
  if (state === 'present') return [`${name} is there already, with the same content`];
  const bytes = [...artifacts, ...data].reduce((sum, { size }) => sum + size, 0);
  const parts = [
    formatCount(artifacts.length, 'artifact'),
    formatCount(data.length, 'data set'),
    ...(components.length > 0 ? [formatCount(components.length, 'component')] : []),
    formatBytes(bytes),
    formatCount(Object.keys(params).length, 'parameter'),
    formatCount(Object.keys(metrics).length, 'metric'),
  ];
  return [
    `registered ${name}${parent === undefined ? '' : ` (after ${parent})`}`,
    ...(bump ? bump.reasons.map((reason) => `  ${bump.part}: ${reason}`) : []),
    `  ${parts.join(', ')}`,
    `  commit ${commit.slice(0, 12)}, manifest ${digest.slice(0, 19)}${pushed ? ', sent to the Git remote' : ''}`,
  ];
}

function documentOf({ state, manifest, digest, commit, pushed, notes }: RegisterReport): Record<string, unknown> {
  const { model, version } = manifest;
  return {
    state,
    model,
    version,
    reference: `${model}@${version}`,
    tag: `${model}@${version}`,
    digest,
    registryCommit: commit ?? null,
    pushed,
    notes,
    manifest,
  };
}
