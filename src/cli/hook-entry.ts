import { readFileSync } from 'node:fs';
import { hookFacts } from '../git/hook-gate.js';
import { HOOK_NAMES } from '../git/hook-script.js';

/**
 * `mlv hook <name> …` as the scripts of `mlv hooks install` call it: where there is nothing to do, it ends before the
 * program is loaded. Otherwise the verb gets what was found as operands. Gives the exit code.
 */
export async function hook(argv: readonly string[]): Promise<number> {
  const [, name = '', ...args] = argv;
  // What no hook of Git is called like (an option, a slip of the pen) must not pass for one with nothing to do.
  if (!HOOK_NAMES.some((each) => each === name) || args.some((arg) => arg.startsWith('-'))) {
    return (await import('./main.js')).main(argv);
  }
  if (process.env.MLV_HOOKS === '0') return 0;
  const input = (): string => readFileSync(0, 'utf8');
  try {
    const facts = hookFacts({ name, args, cwd: process.cwd(), env: process.env, input });
    if (facts.length === 0) return 0;
    const { main } = await import('./main.js');
    const code = await main(['hook', name, '--facts', '--', ...facts.map((fact) => JSON.stringify(fact))]);
    // Git has done its work before the `post-` hooks; their exit code would only pass for its own failure.
    return name.startsWith('pre-') ? code : 0;
  } catch (error) {
    process.stderr.write(`mlv: the ${name} hook failed: ${(error as Error).message}\n`);
    process.stderr.write('hint: MLV_HOOKS=0 before the command skips the hooks of mlv once\n');
    return name.startsWith('pre-') ? 1 : 0;
  }
}
