import { MlvError } from '../core/errors.js';
import type { Metric } from '../provenance/metrics.js';
import type { Params } from '../provenance/params.js';
import { type Metrics, parseMetricAssignment } from '../provenance/parse-metrics.js';
import { parseParamAssignment, splitParamsSource } from '../provenance/parse-params.js';
import { readMetrics, readParams } from '../provenance/read-files.js';
import type { NumberWish } from '../registry/next-version.js';
import type { RegisterRequest } from '../registry/register-request.js';
import type { VersionPart } from '../registry/version-number.js';
import type { OpenRepository } from './context.js';
import { toPaths } from './operands.js';
import type { Session } from './session.js';
import { type OptionValue, textOption, type VerbInput } from './verb.js';

/**
 * What `mlv register` was asked for, with the files of parameters and metrics read. Errors: `USAGE`, `PARAMS_INVALID`,
 * `METRICS_INVALID`, `PATH_NOT_FOUND`, `PATH_OUTSIDE_REPOSITORY`.
 */
export async function registerRequest(
  session: Session,
  repository: OpenRepository,
  { args, options }: VerbInput,
): Promise<RegisterRequest> {
  const [model = '', ...artifacts] = args;
  const paramFiles = many(options.params);
  const metricFiles = many(options.metrics);
  const filePaths = [...paramFiles.map((each) => splitParamsSource(each).path), ...metricFiles];
  return {
    model,
    artifacts: toPaths(repository, artifacts),
    data: toPaths(repository, many(options.data)),
    params: await paramsOf(session, paramFiles, many(options.param)),
    metrics: await metricsOf(session, metricFiles, options),
    read: insidePaths(repository, filePaths),
    fromRuns: options.run !== false,
    number: numberWish(options),
    components: many(options.component),
    ...texts(options),
    owners: many(options.owner),
    allowDirty: options.allowDirty === true,
    pushObjects: options.push === true || options.pushObjects === true,
  };
}

/** The values of an option that may be repeated. */
export function many(value: OptionValue): readonly string[] {
  return Array.isArray(value) ? value : [];
}

function texts(options: VerbInput['options']): Partial<RegisterRequest> {
  const { parent, licence, description, retainUntil } = options;
  const day = textOption(retainUntil);
  if (day !== undefined && !isDay(day)) {
    throw new MlvError('USAGE', `'${day}' is not a day`, { hint: 'write it as --retain-until 2028-12-31' });
  }
  const said = { parent, licence, description, retainUntil, condition: options.if };
  return Object.fromEntries(Object.entries(said).filter(([, value]) => typeof value === 'string'));
}

function isDay(text: string): boolean {
  const date = /^\d{4}-\d{2}-\d{2}$/.test(text) ? new Date(`${text}T00:00:00Z`) : undefined;
  return date !== undefined && !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

function numberWish({ version, bump }: VerbInput['options']): NumberWish {
  const [number, part] = [textOption(version), textOption(bump)];
  if (number !== undefined && part !== undefined) {
    throw new MlvError('USAGE', '--version and --bump exclude each other', { hint: 'give one of them' });
  }
  return number === undefined ? { bump: (part ?? 'auto') as VersionPart | 'auto' } : { version: number };
}

async function paramsOf({ cwd }: Session, files: readonly string[], given: readonly string[]): Promise<Params> {
  const params = await readParams(files, { cwd });
  for (const text of given) Object.assign(params, await parseParamAssignment(text));
  return params;
}

async function metricsOf({ cwd }: Session, files: readonly string[], options: VerbInput['options']): Promise<Metrics> {
  const metrics = await readMetrics(files, { cwd });
  for (const text of many(options.metric)) Object.assign(metrics, parseMetricAssignment(text));
  const on = textOption(options.on);
  if (on === undefined) return metrics;
  const measured = (metric: Metric): Metric => ({ ...metric, on });
  return Object.fromEntries(Object.entries(metrics).map(([name, metric]) => [name, measured(metric)]));
}

/** Files outside the repository are none that Git could know. */
function insidePaths(repository: OpenRepository, files: readonly string[]): string[] {
  return files.flatMap((file) => {
    try {
      return toPaths(repository, [file]);
    } catch {
      return [];
    }
  });
}
