import { resolve } from 'node:path';
import { EXIT, MlvError } from '../../core/errors.js';
import { parseMetrics } from '../../provenance/parse-metrics.js';
import type { Observed } from '../../registry/guard.js';
import { type Guarded, type GuardRequest, guardStage } from '../../registry/guard-stage.js';
import { rollBack } from '../../registry/rollback.js';
import { givenMetrics, readSmallFile, texts } from '../given-metrics.js';
import { gateLines, type OpenProposer, openProposer, proposed } from '../propose.js';
import type { Session } from '../session.js';
import { type Result, textOption, type VerbInput } from '../verb.js';
import { versionReady } from '../version-ready.js';

const DEFAULT_TOLERANCE = 0.05;

/** `mlv guard`: see its declaration. Errors: `USAGE`, those of guardStage and rollBack. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const { args, options } = input;
  const [model = '', stage = ''] = args;
  const request: GuardRequest = {
    model,
    stage,
    version: textOption(options.of),
    observed: await observedBy(session, input),
    window: textOption(options.on),
    tolerance: readTolerance(texts(options.tolerance)),
  };
  const opened = await openProposer(session, input);
  const guarded = await guardStage(opened.proposer, request);
  const rolledBack = await rollbackAfter(session, opened, { guarded, request, wanted: options.rollback === true });
  return { ...guardResult(session, guarded, rolledBack), ...(rolledBack?.errors && { errors: rolledBack.errors }) };
}

function guardResult(
  session: Session,
  { report, version, commit, pushed }: Guarded,
  rolledBack: Result | undefined,
): Result {
  const { verdict, because, signals } = report;
  const healthy = verdict === 'healthy';
  const name = `${version.model}@${version.version}`;
  const colour = healthy ? session.style.green : session.style.red;
  return {
    text: [...gateLines(session, signals), `${colour(verdict)}: ${because}`],
    done: rolledBack?.done ?? [],
    json: {
      name,
      verdict,
      because,
      signals,
      commit: commit ?? null,
      pushed,
      rollback: rolledBack?.json ?? null,
    },
    exitCode: healthy ? EXIT.done : EXIT.differences,
  };
}

/** Goes back where the version is at fault; where the data is, another version would do no better. */
async function rollbackAfter(
  session: Session,
  opened: OpenProposer,
  { guarded, request, wanted }: { guarded: Guarded; request: GuardRequest; wanted: boolean },
): Promise<Result | undefined> {
  const { report } = guarded;
  if (!wanted || report.verdict !== 'version-fault') return undefined;
  const { model, stage } = request;
  const ready = versionReady(session);
  return proposed(session, opened, () =>
    rollBack(opened.proposer, { model, stage, reason: `guard: ${report.because}`, ready }),
  );
}

/**
 * What was observed: `-m` of the guarded version; a file either of figures, or with figures by version below the key
 * `versions`.
 */
async function observedBy(session: Session, { options }: VerbInput): Promise<Record<string, Observed>> {
  const own = await givenMetrics(session, { assignments: options.metric, files: undefined });
  const observed: Record<string, Observed> = { '': figures(own) };
  const file = textOption(options.observed);
  if (file === undefined) return observed;
  const text = readSmallFile(resolve(session.cwd, file));
  const versions = versionsIn(text, file);
  if (versions === undefined) return { '': { ...figures(await parseMetrics(text, file)), ...observed[''] } };
  for (const [version, each] of Object.entries(versions)) {
    observed[version] = figures(await parseMetrics(JSON.stringify(each), `${file} (${version}).json`));
  }
  return observed;
}

function versionsIn(text: string, file: string): Record<string, unknown> | undefined {
  if (!file.endsWith('.json')) return undefined;
  try {
    const { versions } = JSON.parse(text) as { versions?: unknown };
    const isMap = typeof versions === 'object' && versions !== null && !Array.isArray(versions);
    return isMap ? (versions as Record<string, unknown>) : undefined;
  } catch {
    // parseMetrics says what is wrong with it.
    return undefined;
  }
}

function figures(metrics: Readonly<Record<string, { value: number }>>): Record<string, number> {
  return Object.fromEntries(Object.entries(metrics).map(([name, { value }]) => [name, value]));
}

function readTolerance(given: readonly string[]): GuardRequest['tolerance'] {
  const of: Record<string, number> = {};
  let all = DEFAULT_TOLERANCE;
  for (const text of given) {
    const at = text.lastIndexOf('=');
    const share = shareOf(text.slice(at + 1));
    if (at < 0) all = share;
    else of[text.slice(0, at)] = share;
  }
  return { all, of };
}

function shareOf(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(text);
  const share = match ? Number(match[1]) / (match[2] ? 100 : 1) : Number.NaN;
  if (Number.isFinite(share)) return share;
  throw new MlvError('USAGE', `'${text}' is no tolerance`, {
    hint: 'such as: --tolerance 5%, --tolerance latency_ms=20%',
  });
}
