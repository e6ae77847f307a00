import { stringify } from 'yaml';
import type { Manifest, ManifestItem } from './manifest.js';
import type { ModelMeta, VersionState } from './registry.js';

/** What a model card is made from. */
export interface CardSource {
  manifest: Manifest;
  meta: ModelMeta;
  state: VersionState;
}

/** What a card is to say where nobody said it. */
export interface CardOptions {
  /** Task of the results, where the card names no `pipeline_tag`. */
  task?: string;
  /** Tags, where the card has none. */
  tags?: readonly string[];
}

/**
 * The model card of a version: front matter as the Hugging Face Hub understands it, then Markdown. The front matter of
 * model.yaml (`card`) comes first and is never changed; licence, data sets and metrics of the manifest fill what it leaves
 * out. Text from the registry can make neither a heading nor a cell of its own, nor HTML.
 */
export function modelCard(source: CardSource, options: CardOptions = {}): string {
  const front = stringify(frontMatter(source, options), { lineWidth: 0 });
  const sections = [
    introduction(source),
    metricsSection(source),
    evaluationSection(source.state),
    itemsSection('Training data', source.manifest.data),
    itemsSection('Files', source.manifest.artifacts),
    paramsSection(source.manifest),
    componentsSection(source.manifest),
    environmentSection(source.manifest),
    provenanceSection(source),
  ];
  return `---\n${front}---\n\n${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

/** The front matter: keys of `card` in model.yaml, and what the manifest knows beyond them. */
export function frontMatter({ manifest, meta, state }: CardSource, options: CardOptions = {}): Record<string, unknown> {
  const card = meta.card ?? {};
  const licence = manifest.licence ?? meta.licence;
  const datasets = [...new Set(manifest.data.map(hubDataset).filter((name) => name !== undefined))];
  const known = {
    ...(licence !== undefined && { license: licence.toLowerCase() }),
    ...(datasets.length > 0 && { datasets }),
    ...(Object.keys(manifest.metrics).length > 0 && { metrics: Object.keys(manifest.metrics) }),
    ...(options.tags && { tags: [...options.tags] }),
    model_name: `${manifest.model}@${manifest.version}`,
  };
  const task = card.pipeline_tag ?? options.task;
  const index = typeof task === 'string' && !('model-index' in card) ? modelIndex({ manifest, meta, state }, task) : [];
  return { ...known, ...card, ...(index.length > 0 && { 'model-index': index }) };
}

/** The name of a data set on the Hub, where that is where it came from: any other name would be a dead link there. */
function hubDataset({ source = '' }: ManifestItem): string | undefined {
  return /^(?:https:\/\/huggingface\.co\/|hf:\/\/)datasets\/([\w.-]+(?:\/[\w.-]+)?)/.exec(source)?.[1];
}

/** Results as the Hub lists them; it asks for a task, which only `pipeline_tag` of the card can tell. */
function modelIndex({ manifest, state }: CardSource, task: string): unknown[] {
  const measured = new Map<string, [string, number][]>();
  const put = (on: string, name: string, value: number): void => {
    measured.set(on, [...(measured.get(on) ?? []), [name, value]]);
  };
  const [firstData] = manifest.data;
  for (const [name, { value, on }] of Object.entries(manifest.metrics))
    put(on ?? firstData?.path ?? 'unknown', name, value);
  for (const [on, metrics] of Object.entries(state.evaluations)) {
    for (const [name, { value }] of Object.entries(metrics)) put(on === '' ? 'unknown' : on, name, value);
  }
  const results = [...measured].map(([on, metrics]) => ({
    task: { type: task },
    dataset: { name: on, type: on },
    metrics: metrics.map(([name, value]) => ({ type: name, value, name })),
  }));
  return results.length === 0 ? [] : [{ name: manifest.model, results }];
}

function introduction({ manifest, meta, state }: CardSource): string {
  const { model, version } = manifest;
  const lines = [`# ${text(model)} ${text(version)}`];
  const description = manifest.description ?? meta.description;
  if (description !== undefined) lines.push('', text(description));
  if (state.deprecated) {
    const { reason, successor } = state.deprecated;
    const instead = successor === undefined ? '' : ` Use ${code(successor)} instead.`;
    lines.push('', `**Deprecated.**${reason === undefined ? '' : ` ${text(reason)}`}${instead}`);
  }
  if (state.stages.length > 0) lines.push('', `Stage: ${state.stages.map(text).join(', ')}`);
  lines.push('', '```sh', `mlv pull ${model}@${version}`, '```');
  return lines.join('\n');
}

function metricsSection({ manifest }: CardSource): string {
  const rows = Object.entries(manifest.metrics).map(([name, { value, on }]) => [
    text(name),
    String(value),
    text(on ?? ''),
  ]);
  return section('Metrics', ['metric', 'value', 'measured on'], rows);
}

function evaluationSection({ evaluations }: VersionState): string {
  const rows = Object.entries(evaluations).flatMap(([on, metrics]) =>
    Object.entries(metrics).map(([name, { value }]) => [text(name), String(value), text(on)]),
  );
  return section('Evaluated later', ['metric', 'value', 'measured on'], rows);
}

function itemsSection(title: string, items: readonly ManifestItem[]): string {
  const rows = items.map(({ path, size, files, oid, sha256, source }) => [
    code(path) + (source === undefined ? '' : ` (${text(source)})`),
    String(size),
    files === undefined ? '1' : String(files),
    code(oid),
    code(sha256),
  ]);
  return section(title, ['path', 'bytes', 'files', 'object', 'sha256'], rows);
}

function paramsSection({ params }: Manifest): string {
  const rows = Object.entries(params).map(([name, value]) => [text(name), code(JSON.stringify(value))]);
  return section('Parameters', ['name', 'value'], rows);
}

function componentsSection({ components = [] }: Manifest): string {
  const rows = components.map(({ model, version, manifest }) => [code(`${model}@${version}`), code(manifest)]);
  return section('Components', ['version', 'manifest'], rows);
}

function environmentSection({ environment }: Manifest): string {
  if (!environment) return '';
  const { os, python, node, r, cuda, gpus, cpu, packages = [] } = environment;
  const named = { os, cpu, gpus: gpus?.join(', '), cuda, python, node, R: r };
  const rows = Object.entries(named).flatMap(([name, value]) => (value === undefined ? [] : [[name, text(value)]]));
  const table = section('Environment', ['', ''], rows);
  if (packages.length === 0) return table;
  const list = [
    '<details><summary>Packages</summary>',
    '',
    ...packages.map((each) => `- ${code(each)}`),
    '',
    '</details>',
  ];
  return [table === '' ? '## Environment' : table, '', ...list].join('\n');
}

function provenanceSection({ manifest, meta, state }: CardSource): string {
  const { commit, branch, author, created, run, parent, difference } = manifest;
  const owners = manifest.owners ?? meta.owners;
  const rows: [string, string | undefined][] = [
    ['manifest', code(state.manifest)],
    ['commit', code(commit) + (branch === undefined ? '' : ` on ${text(branch)}`)],
    ['beyond the commit', difference && code(difference)],
    ['registered', `${text(created)} by ${text(author)}`],
    ['owners', owners?.map(text).join(', ')],
    ['run', run && code(run)],
    ['made from', parent && code(`${manifest.model}@${parent}`)],
    ['keep until', manifest.retain_until && text(manifest.retain_until)],
    ['reproduced', reproducedText(state)],
    ['approved', said(state, true)],
    ['rejected', said(state, false)],
  ];
  return section(
    'Provenance',
    ['', ''],
    rows.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

function reproducedText({ reproduced }: VersionState): string | undefined {
  return reproduced && `${reproduced.verdict}, ${text(reproduced.at)} by ${text(reproduced.by)}`;
}

function said({ approvals }: VersionState, approved: boolean): string | undefined {
  const words = approvals.filter((each) => each.approved === approved);
  if (words.length === 0) return undefined;
  return words
    .map(
      ({ stage, by, reason }) => `for ${text(stage)} by ${text(by)}${reason === undefined ? '' : `: ${text(reason)}`}`,
    )
    .join('<br>');
}

function section(title: string, head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [`## ${title}`, '', line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const MEANINGFUL = /[\\`*_[\]#!~<>&|]/g;
const ENTITIES: Record<string, string> = { '<': '&lt;', '>': '&gt;', '&': '&amp;' };

/** Text on one line, in which Markdown and HTML have nothing to say. */
function text(value: string): string {
  return oneLine(value).replace(MEANINGFUL, (character) => ENTITIES[character] ?? `\\${character}`);
}

/** A code span; a bar would end the cell even there. */
function code(value: string): string {
  const plain = oneLine(value);
  if (!plain.includes('`')) return `\`${plain.replaceAll('|', '\\|')}\``;
  return text(plain);
}

function oneLine(value: string): string {
  return value
    .replace(/[\s\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g, ' ')
    .trim();
}
