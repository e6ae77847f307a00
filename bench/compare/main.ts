import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Context, makeContext, makeRepository, must, removeTree } from '../context.js';
import { RandomBytes, writeRandomFile, writeSmallFiles } from '../data.js';
import { describeMachine, firstLine } from '../machine.js';
import { type Command, run, type Sample, settle, touchMemory } from '../measure.js';
import { BUILT_PROGRAM, type Options } from '../options.js';
import { median } from '../report.js';
import { type CompareServer, startCompareServer } from './server.js';
import type { Cell, Comparison, JobResult } from './table.js';
import { TOOLS, type Tool, type Way } from './tools.js';

const KIB = 1024;
const MIB = 1024 * KIB;
/** Share of a data set that its second version changes. */
const CHANGED = 0.01;

/** Files that are sent and brought back. */
interface DataSet {
  name: string;
  files: number;
  /** Bytes of each. */
  size: number;
}

const FULL: readonly DataSet[] = [
  { name: '1 × 1 GiB', files: 1, size: 1024 * MIB },
  { name: '2,000 × 100 KiB', files: 2000, size: 100 * KIB },
  { name: '20,000 × 4 KiB', files: 20_000, size: 4 * KIB },
];
const SMOKE: readonly DataSet[] = [
  { name: '1 × 24 MiB', files: 1, size: 24 * MIB },
  { name: '200 × 4 KiB', files: 200, size: 4 * KIB },
];

/**
 * Measures mlv against other tools on one S3 server: every tool sends and receives the same files, in turns, and then a
 * second version of which 1 % is new. What came is compared with what was sent. Gives what was measured.
 */
export async function compare(options: Options): Promise<Comparison> {
  const root = realpathSync(mkdtempSync(join(options.directory, 'mlv-compare-')));
  process.once('exit', () => options.keep || removeTree(root));
  const server = await startCompareServer(join(root, 'server'));
  try {
    return await measureAll({ options, root, server });
  } finally {
    await server.stop();
  }
}

interface Run {
  options: Options;
  root: string;
  server: CompareServer;
}

async function measureAll({ options, root, server }: Run): Promise<Comparison> {
  const say = (text: string): void => console.error(text);
  const skipped: Comparison['skipped'] = [];
  const base = (): Context => ({
    ...makeContext(options, root, options.program ?? BUILT_PROGRAM),
    say,
    skip: () => {},
  });
  const tools = TOOLS.filter((tool) => {
    const there = base().find(tool.program) !== undefined;
    if (!there) skipped.push({ tool: tool.name, reason: `${tool.program} is not on the PATH` });
    return there;
  });
  const jobs: JobResult[] = [];
  for (const set of (options.smoke ? SMOKE : FULL).filter(({ name }) => wanted(name, options.only))) {
    const rounds: Map<string, Sample[][]>[] = [];
    for (let round = 0; round < (options.runs ?? 1); round++) {
      const context = base();
      rounds.push(await sequence(context, { set, server, tools, skipped, say, round }));
      // Where many files were removed, ext4 takes minutes until it creates new ones as fast as before: those stay to the end.
      if (set.files === 1) removeTree(context.directory);
    }
    jobs.push(...summarise(set, rounds));
  }
  return {
    date: new Date().toISOString(),
    smoke: options.smoke,
    machine: describeMachine(root),
    server: server.name,
    tools: tools.map((tool) => ({
      name: tool.name,
      version: versionOf(tool),
      objectPerFile: tool.objectPerFile,
      variant: tool.variantOf !== undefined,
    })),
    skipped,
    jobs,
  };
}

function wanted(name: string, only: readonly string[]): boolean {
  return only.length === 0 || only.some((each) => name.startsWith(each));
}

interface Sequence {
  set: DataSet;
  server: CompareServer;
  tools: readonly Tool[];
  skipped: Comparison['skipped'];
  say(text: string): void;
  /** Counts the rounds from 0: each lets another tool begin. */
  round: number;
}

/** All jobs with one data set, by all tools in turns: job name to tool name to the samples of its commands. */
async function sequence(
  context: Context,
  { set, server, tools, skipped, say, round }: Sequence,
): Promise<Map<string, Sample[][]>> {
  const repository = makeRepository(context, 'repository');
  const data = join(repository, 'data');
  mkdirSync(data);
  if (set.files === 1) writeRandomFile(join(data, 'model.bin'), [{ seed: 'compare', bytes: set.size }]);
  else writeSmallFiles(data, set.files, set.size);
  const began = Date.now();
  const racers = tools.map((tool, index) => {
    const received = join(context.directory, `received-${index}`);
    if (!tool.handOver) mkdirSync(received);
    const sender = tool.variantOf ? tools.findIndex(({ name }) => name === tool.variantOf) : index;
    return { tool, scene: { context, server, repository, received, prefix: `${set.files}-${began}-${sender}` } };
  });
  for (const { tool, scene } of racers) tool.prepare?.(scene);
  const results = new Map<string, Sample[][]>();
  let turn = round;
  for (const second of [false, true]) {
    if (second) changePart(data, set);
    for (const way of ['up', 'down'] as const) {
      for (const { tool, scene } of fromTurn(racers, turn++)) {
        if (way === 'down') tool.handOver?.(scene, second);
        const job = { way, second };
        const commands = tool.commands(scene, job);
        if (commands.length === 0) continue;
        try {
          const samples = await timed(commands, context.smoke);
          if (way === 'down') must(context.program(data, ['diff', '-rq', data, join(scene.received, 'data')]));
          results.set(`${nameOf(set, job)}\n${tool.name}`, [samples]);
          say(`  ${nameOf(set, job)}, ${tool.name}: ${total(samples).toFixed(2)} s`);
        } catch (error) {
          const reason =
            error instanceof Error ? (error.message.split('\n').slice(0, 2).join(' ') ?? '') : String(error);
          say(`  ${nameOf(set, job)}, ${tool.name}: failed: ${reason}`);
          skipped.push({ tool: tool.name, job: nameOf(set, job), reason: 'failed' });
        }
      }
    }
  }
  return results;
}

/** The same in another order: nobody always comes first, or always after the same one. */
function fromTurn<T>(racers: readonly T[], turn: number): T[] {
  const first = turn % Math.max(racers.length, 1);
  return [...racers.slice(first), ...racers.slice(0, first)];
}

async function timed(commands: readonly Command[], smoke: boolean): Promise<Sample[]> {
  settle();
  if (!smoke) touchMemory();
  const samples: Sample[] = [];
  for (const command of commands) samples.push(await run(command));
  return samples;
}

/** Makes the second version: a hundredth of one file is inserted in its middle, or a hundredth of many is new. */
function changePart(data: string, set: DataSet): void {
  const random = new RandomBytes('the second version');
  if (set.files === 1) {
    const path = join(data, 'model.bin');
    const half = set.size / 2;
    rmSync(path);
    writeRandomFile(path, [
      { seed: 'compare', bytes: half },
      { seed: 'inserted', bytes: Math.round(set.size * CHANGED) },
      { seed: 'compare', bytes: half, skip: half },
    ]);
    return;
  }
  const files = readdirSync(data, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.bin'));
  const every = Math.round(1 / CHANGED);
  for (const name of files.filter((_, index) => index % every === 0)) {
    writeFileSync(join(data, name), random.next(set.size));
  }
}

function nameOf(set: DataSet, { way, second }: { way: Way; second: boolean }): string {
  return `${set.name}, ${way}${second ? ', 1 % changed' : ''}`;
}

function total(samples: readonly Sample[]): number {
  return samples.reduce((sum, { seconds }) => sum + seconds, 0);
}

function summarise(set: DataSet, rounds: readonly Map<string, Sample[][]>[]): JobResult[] {
  const jobs = new Map<string, JobResult>();
  for (const key of rounds[0]?.keys() ?? []) {
    const [job = '', tool = ''] = key.split('\n');
    const runs = rounds.flatMap((round) => round.get(key) ?? []);
    const result = jobs.get(job) ?? { job, bytes: set.files * set.size, cells: [] };
    result.cells.push(cellOf(tool, runs));
    jobs.set(job, result);
  }
  return [...jobs.values()];
}

function cellOf(tool: string, runs: readonly Sample[][]): Cell {
  const cpu = runs.map((samples) => samples.reduce((sum, { cpuSeconds }) => sum + (cpuSeconds ?? Number.NaN), 0));
  const parts = (runs[0] ?? []).map((_, index) => median(runs.map((samples) => samples[index]?.seconds ?? 0)));
  return {
    tool,
    seconds: median(runs.map(total)),
    parts,
    ...(cpu.some(Number.isNaN) ? {} : { cpuSeconds: median(cpu) }),
  };
}

function versionOf({ program, version }: Tool): string {
  if (version.length === 0) return '';
  return /v?\d+\.\d+(?:\.\d+)?/.exec(firstLine(program, version))?.[0] ?? 'unknown';
}
