import { isAscii } from 'node:buffer';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';
import { CodeCache } from './code-cache.js';

export { leave } from './leave.js';

/** Compiling less takes no longer than to look for what was compiled. */
const SMALL = 16 * 1024;

/** A file of the build as a module of CommonJS, the way its code sees it. */
interface Module {
  exports: Record<string, unknown>;
}

type Code = (exports: object, require: (name: string) => unknown, module: Module, ...place: [string, string]) => void;

/**
 * Gives what a file of the build exports, for a command line (without `node` and the script). What V8 made of large
 * files at an earlier start is taken from the cache (see CodeCache), which saves a quarter of what a short command takes.
 * Errors: those of the file.
 */
export function load(name: string, argv: readonly string[]): Record<string, unknown> {
  const directory = dirname(fileURLToPath(import.meta.url));
  return new ProgramLoader(directory, argv).load(name);
}

/** Loads the files of the build, each once; what is not of the build, Node does. */
class ProgramLoader {
  private readonly modules = new Map<string, Module>();
  private readonly require = createRequire(import.meta.url);
  private readonly cache = CodeCache.open({
    env: process.env,
    runtime: [process.version, process.platform, process.arch, ...process.execArgv],
    user: process.geteuid?.(),
  });
  private readonly verb: string;

  constructor(
    private readonly directory: string,
    argv: readonly string[],
  ) {
    const word = argv.find((each) => !each.startsWith('-')) ?? '';
    // The file of a verb has its name; any other word must not make entries of its own.
    this.verb = /^[a-z-]+$/.test(word) && existsSync(join(directory, `${word}.js`)) ? word : '';
    if (this.cache) process.once('exit', () => this.cache?.write());
  }

  load(name: string): Module['exports'] {
    const known = this.modules.get(name);
    if (known) return known.exports;
    const module: Module = { exports: {} };
    this.modules.set(name, module);
    const path = join(this.directory, name);
    const require = (wanted: string): unknown =>
      wanted.startsWith('./') ? this.load(wanted.slice(2)) : this.require(wanted);
    this.compile(path)(module.exports, require, module, path, this.directory);
    return module.exports;
  }

  private compile(path: string): Code {
    const bytes = readFileSync(path);
    const text = isAscii(bytes) ? bytes.toString('latin1') : bytes.toString('utf8');
    const source = `(function (exports, require, module, __filename, __dirname) {${text}\n})`;
    const cache = bytes.length < SMALL ? undefined : this.cache;
    const name = cache?.nameOf(bytes, this.verb) ?? '';
    const cachedData = cache?.find(name);
    const script = new Script(source, { filename: path, ...(cachedData && { cachedData }) });
    if (!cachedData || script.cachedDataRejected) cache?.keep(name, script);
    return script.runInThisContext() as Code;
  }
}
