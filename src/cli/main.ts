import { toMlvError } from './errors.js';
import { Output } from './output.js';
import { presentErrors } from './present.js';

/**
 * Runs the command line (without `node` and the script) and gives the exit code. Prints on standard output and standard
 * error; never raises an error.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const out = new Output(process.stdout);
  const err = new Output(process.stderr);
  // The SDK's notice about its own future Node versions is nothing that a user of mlv can act on.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  try {
    const { parseCommandLine } = await import('./program.js');
    const parsed = await parseCommandLine(argv);
    if ('text' in parsed) {
      await out.write(parsed.text);
      return 0;
    }
    const { execute } = await import('./execute.js');
    return await execute(parsed, { out, err });
  } catch (error) {
    // The command line was not understood, so its options have to be looked for by hand.
    const options = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
    const globals = { json: options.includes('--json'), debug: options.includes('--debug') };
    return presentErrors([toMlvError(error)], { out, err, ...globals });
  }
}
