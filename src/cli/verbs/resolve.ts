import { MlvError } from '../../core/errors.js';
import { type FoundVersion, resolveReference, versionName, viewsInTime } from '../../registry/reference-resolve.js';
import { stagesOf } from '../../registry/version-list.js';
import { openRegistryHere } from '../open-registry.js';
import { terminalColumns } from '../registry-options.js';
import { formatFields } from '../render/fields.js';
import { escapeControls } from '../render/quote.js';
import { percent, plain } from '../render/registry.js';
import type { Session } from '../session.js';
import { type OptionValue, type Result, textOption, type VerbInput } from '../verb.js';

/** `mlv resolve`: see its declaration. Errors: `USAGE`, those of resolveReference. */
export async function run(session: Session, { args: [reference = ''], options }: VerbInput): Promise<Result> {
  const { registry } = await openRegistryHere(session);
  const key = keyOption(options.key);
  const format = textOption(options.format);
  const found = await resolveReference(await registry.viewOrFetch(), reference, {
    viewAtTime: viewsInTime(registry),
    ...(key !== undefined && { key }),
  });
  if (key !== undefined && !found.assignment) {
    throw new MlvError('USAGE', `--key chooses between the versions of a stage, and '${reference}' names none`, {
      hint: `such as: mlv resolve ${found.model.name}@production --key user-123`,
    });
  }
  const document = session.globals.json || format !== undefined ? await describe(found, reference) : undefined;
  return {
    text: [format === undefined || !document ? versionName(found.version) : filled(format, document)],
    ...(document && { json: document }),
    notes: [...(key === undefined ? sharingNotes(found) : []), ...deprecationNotes(found)],
  };
}

/** An empty key is a variable that nobody set: all callers would get the same version. */
function keyOption(value: OptionValue): string | undefined {
  const key = textOption(value);
  if (key !== '') return key;
  throw new MlvError('USAGE', 'the key is empty', {
    hint: 'give what tells one caller from another, such as a user id',
  });
}

async function describe(found: FoundVersion, reference: string): Promise<Record<string, unknown>> {
  const { model, version, view, assignment } = found;
  const manifest = await view.manifest(version.model, version.version);
  const { artifacts, data, params, metrics, components = [] } = manifest;
  return {
    reference,
    name: versionName(version),
    model: version.model,
    version: version.version,
    manifest: version.manifest,
    commit: manifest.commit,
    created: manifest.created,
    author: manifest.author,
    stages: stagesOf(model, version),
    ...(assignment && { since: assignment.since, by: assignment.by, traffic: assignment.traffic }),
    deprecated: version.deprecated !== undefined,
    artifacts,
    data,
    params,
    metrics: Object.fromEntries(Object.entries(metrics).map(([name, { value }]) => [name, value])),
    components,
    registry: view.tip,
  };
}

/** Scripts get the fields as they are; on a terminal nothing in them acts. */
function filled(format: string, document: Readonly<Record<string, unknown>>): string {
  const text = formatFields(format, document);
  return terminalColumns() === undefined ? text : escapeControls(text, { keepNewlines: true });
}

function sharingNotes({ sharing = [] }: FoundVersion): string[] {
  if (sharing.length < 2) return [];
  const shares = sharing.map(({ version, traffic }) => `${version} (${percent(traffic)})`).join(', ');
  return [`several versions share the stage: ${shares}; --key gives each caller one of them`];
}

function deprecationNotes({ version }: FoundVersion): string[] {
  if (!version.deprecated) return [];
  const { reason, successor } = version.deprecated;
  const why = reason === undefined ? '' : `: ${plain(reason)}`;
  return [
    `${versionName(version)} is deprecated${why}${successor === undefined ? '' : `; ${plain(successor)} follows`}`,
  ];
}
