import { mkdirSync, mkdtempSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setup as build } from '../test/helpers/build.js';
import { installB3sum, makeContext, type Row, removeTree } from './context.js';
import { describeMachine } from './machine.js';
import { BUILT_PROGRAM, type Options, readOptions, USAGE } from './options.js';
import { markdown, type Report, replaceTable, textTable } from './report.js';
import { ROWS } from './rows/index.js';

// Measures mlv against cp, b3sum, Git and what else is installed, in turns, and prints the ratios. See docs/benchmarks.md.
const ROOT = fileURLToPath(new URL('../', import.meta.url));
const DOCS = join(ROOT, 'docs', 'benchmarks.md');

async function main(): Promise<number> {
  const options = parse();
  if (options === undefined) return 2;
  if (options.compare) return runComparison(options);
  const rows = ROWS.filter(({ id, large }) => chosen(id, options.only) && (!large || options.large || options.smoke));
  if (options.list || rows.length === 0) {
    for (const { id, job, large } of ROWS) console.log(`${id.padEnd(16)} ${job}${large ? ' (--large)' : ''}`);
    return options.list ? 0 : 2;
  }
  if (options.program === undefined) build();
  const root = realpathSync(mkdtempSync(join(options.directory, 'mlv-bench-')));
  const leave = (): never => process.exit(130);
  process.once('SIGINT', leave).once('SIGTERM', leave);
  if (!options.keep) process.once('exit', () => removeTree(root));
  if (!options.smoke && rows.some(({ id }) => id === 'add-large')) installB3sum(root, (text) => console.error(text));
  const report = await measure(rows, options, root);
  console.log(`\n${textTable(report)}`);
  save(report, options);
  return report.skipped.some(({ reason }) => reason.startsWith('failed')) ? 1 : 0;
}

async function runComparison(options: Options): Promise<number> {
  if (options.program === undefined) build();
  const { compare } = await import('./compare/main.js');
  const { comparisonMarkdown, replaceComparison } = await import('./compare/table.js');
  const report = await compare(options);
  console.log(`\n${comparisonMarkdown(report)}`);
  saveJson(report, options);
  if (options.writeDocs) writeFileSync(DOCS, replaceComparison(readFileSync(DOCS, 'utf8'), report));
  return report.skipped.some(({ reason }) => reason.startsWith('failed')) ? 1 : 0;
}

function parse(): Options | undefined {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return undefined;
  }
}

function chosen(id: string, only: readonly string[]): boolean {
  return only.length === 0 || only.some((wanted) => id.startsWith(wanted));
}

async function measure(rows: readonly Row[], options: Options, root: string): Promise<Report> {
  const report: Report = {
    date: new Date().toISOString(),
    smoke: options.smoke,
    machine: describeMachine(root),
    lines: [],
    skipped: [],
  };
  for (const row of rows) {
    console.error(`${row.id}: ${row.job}`);
    const context = {
      ...makeContext(options, root, options.program ?? BUILT_PROGRAM),
      say: (text: string): void => console.error(`  ${text}`),
      skip: (skipped: Report['skipped'][number]): void => void report.skipped.push(skipped),
    };
    try {
      report.lines.push(...(await row.run(context)));
    } catch (error) {
      const reason = `failed: ${error instanceof Error ? error.message : String(error)}`;
      console.error(`  ${reason}`);
      // The reader of the table must see that a figure is missing, but not the machine's paths.
      context.skip({
        row: row.id,
        job: row.job,
        reason: firstLineOf(reason).replaceAll(root, '…').replaceAll(ROOT, ''),
      });
    }
    if (!options.keep) removeTree(context.directory);
  }
  return report;
}

function save(report: Report, options: Options): void {
  saveJson(report, options);
  if (options.writeDocs) writeFileSync(DOCS, replaceTable(readFileSync(DOCS, 'utf8'), markdown(report)));
}

function saveJson(report: { date: string }, options: Options): void {
  const file = options.json ?? join(ROOT, 'bench', 'results', `${report.date.replaceAll(':', '-')}.json`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
}

function firstLineOf(text: string): string {
  return text.split('\n')[0] ?? '';
}

process.exitCode = await main();
