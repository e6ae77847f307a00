import { flatEnvironment } from '../../registry/compare.js';
import type { ManifestItem } from '../../registry/manifest.js';
import type { ComponentDetail, VersionDetail } from '../../registry/version-detail.js';
import { historyLines } from './history.js';
import { quotePath } from './quote.js';
import { minuteOf, paramText, percent, plain, shortHex } from './registry.js';
import type { Style } from './style.js';
import { alignColumns } from './table.js';
import { formatBytes, formatCount } from './units.js';

/** Everything of a version for people; `events` adds what happened to it. */
export function versionLines(detail: VersionDetail, { style, events }: { style: Style; events: boolean }): string[] {
  const { state, manifest } = detail;
  const sections: [title: string, lines: string[]][] = [
    ['', [style.bold(plain(`${state.model}@${state.version}`)), ...warnings(detail, style)]],
    ['', headLines(detail)],
    ['Stages', standingLines(detail)],
    ['Artifacts', itemLines(manifest.artifacts)],
    ['Data', itemLines(manifest.data)],
    ['Metrics', metricLines(detail)],
    ['Params', pairs(Object.entries(manifest.params).map(([name, value]) => [name, paramText(value)]))],
    ['Components', componentLines(detail.components, '')],
    ['Environment', environmentLines(detail)],
    ['Approvals', approvalLines(detail)],
    ['History', events ? historyLines(detail.events, style) : []],
  ];
  return sections.flatMap(([title, lines]) => {
    if (lines.length === 0) return [];
    return title === '' ? lines : ['', style.bold(title), ...lines.map((line) => `  ${line}`)];
  });
}

function warnings({ state: { deprecated } }: VersionDetail, style: Style): string[] {
  if (!deprecated) return [];
  const { reason, successor } = deprecated;
  const instead = successor === undefined ? '' : `; use ${plain(successor)}`;
  return [style.red(`deprecated${reason === undefined ? '' : `: ${plain(reason)}`}${instead}`)];
}

function headLines({ state, manifest, model }: VersionDetail): string[] {
  const { commit, branch, author, created, parent, run, licence, owners, retain_until, difference, bump } = manifest;
  const { origin } = manifest;
  return pairs([
    ['description', manifest.description ?? model.meta.description],
    ['registered', `${minuteOf(created)} by ${plain(author)}`],
    ['imported', origin && `${origin.id} of ${origin.source}`],
    ['manifest', state.manifest],
    ['commit', commit + (branch === undefined ? '' : ` on ${branch}`)],
    ['beyond it', difference && `${difference} (what the workspace had more)`],
    ['parent', parent && `${state.model}@${parent}`],
    ['number', bump && `${bump.part}: ${bump.reasons.join('; ')}`],
    ['run', run],
    ['reproduced', reproducedText(state)],
    ['licence', licence ?? model.meta.licence],
    ['owners', (owners ?? model.meta.owners)?.join(', ')],
    ['keep until', retain_until],
  ]);
}

function reproducedText({ reproduced }: VersionDetail['state']): string | undefined {
  return reproduced && `${reproduced.verdict}, ${minuteOf(reproduced.at)} by ${reproduced.by}`;
}

/** Names and values in two columns; what has no value is left out. */
function pairs(rows: readonly (readonly [string, string | undefined])[]): string[] {
  const known = rows.filter((row): row is [string, string] => row[1] !== undefined);
  return alignColumns(known.map(([name, value]) => [plain(name), plain(value)]));
}

function standingLines({ standing }: VersionDetail): string[] {
  return alignColumns(
    standing.map(({ stage, traffic, since, by }) => [
      plain(stage) + (traffic > 0 && traffic < 100 ? ` ${percent(traffic)}` : ''),
      `since ${minuteOf(since)} by ${plain(by)}`,
    ]),
  );
}

function itemLines(items: readonly ManifestItem[]): string[] {
  const rows = items.map(({ path, size, files, oid, source }) => [
    quotePath(path),
    formatBytes(size),
    files === undefined ? '' : formatCount(files, 'file'),
    shortHex(oid),
    source === undefined ? '' : plain(source),
  ]);
  return alignColumns(rows, ['left', 'right', 'right']);
}

function metricLines({ manifest, state }: VersionDetail): string[] {
  const registered = Object.entries(manifest.metrics).map(([name, { value, on }]) => [
    plain(name),
    String(value),
    on === undefined ? '' : `on ${plain(on)}`,
  ]);
  const later = Object.entries(state.evaluations).flatMap(([on, metrics]) =>
    Object.entries(metrics).map(([name, { value }]) => [
      plain(name),
      String(value),
      `evaluated later${on === '' ? '' : ` on ${plain(on)}`}`,
    ]),
  );
  return alignColumns([...registered, ...later]);
}

const PROBLEMS = { unknown: 'not in this registry', other: 'not the version that was registered under this name' };

function componentLines(components: readonly ComponentDetail[], indent: string): string[] {
  return components.flatMap((each) => {
    const stages = each.stages.length > 0 ? ` on ${each.stages.map(plain).join(', ')}` : '';
    const figures = Object.entries(each.metrics).map(([name, value]) => `${plain(name)} ${value}`);
    const state = each.problem === undefined ? figures.join(', ') : PROBLEMS[each.problem];
    const line = `${indent}${plain(`${each.model}@${each.version}`)}${stages}${state === '' ? '' : `  ${state}`}`;
    return [line, ...componentLines(each.components, `${indent}  `)];
  });
}

/** Packages, locks and variables are many: their number is told, --json has them. */
function environmentLines({ manifest: { environment } }: VersionDetail): string[] {
  const facts = Object.entries(flatEnvironment(environment));
  const single = facts
    .filter(([name]) => !/^(?:package|lock|variable) /.test(name))
    .map(([name, value]): [string, string] => [name, name === 'memory' ? formatBytes(Number(value)) : value]);
  const packages = facts.filter(([name]) => name.startsWith('package ')).length;
  return pairs([...single, ['packages', packages === 0 ? undefined : String(packages)]]);
}

function approvalLines({ state: { approvals } }: VersionDetail): string[] {
  return alignColumns(
    approvals.map(({ stage, by, approved, reason, ticket }) => [
      `${approved ? 'approved' : 'rejected'} for ${plain(stage)}`,
      `by ${plain(by)}`,
      [reason, ticket && `ticket ${ticket}`]
        .filter((each) => each !== undefined)
        .map(plain)
        .join(', '),
    ]),
  );
}
