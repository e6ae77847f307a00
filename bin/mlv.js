#!/usr/bin/env node
// Written so that Node 13 can still parse it (no optional chaining, no `node:` imports): an old Node must get as far as
// the message below. `--version` and `--help` are answered here because loading the program costs more than Node. It is
// a script (see package.json beside it) because Node starts one sooner than an ES module.
const { existsSync, readFileSync } = require('fs');
const { join } = require('path');

const OLDEST = [20, 19];

function fail(message) {
  process.stderr.write(`mlv: ${message}\n`);
  process.exitCode = 1;
}

function nodeIsTooOld() {
  const parts = process.versions.node.split('.').map(Number);
  return parts[0] < OLDEST[0] || (parts[0] === OLDEST[0] && parts[1] < OLDEST[1]);
}

function asksForHelp(args) {
  return args.length === 0 || (args.length === 1 && ['--help', '-h', 'help'].indexOf(args[0]) >= 0);
}

// The build wrote the text at 100 columns; a narrower terminal gets its own from the program.
function printHelp() {
  const columns = process.stdout.columns;
  if (columns && columns < 100) return false;
  const help = join(__dirname, '..', 'dist', 'help.txt');
  if (!existsSync(help)) return false;
  process.stdout.write(readFileSync(help, 'utf8'));
  return true;
}

function start(args) {
  if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
    const manifest = JSON.parse(readFileSync(join(__dirname, '..', 'package.json'), 'utf8'));
    process.stdout.write(`${manifest.version}\n`);
    return;
  }
  if (asksForHelp(args) && printHelp()) return;
  // What Git calls often loads as little as it can.
  const entry = args[0] === 'hook' || args[0] === 'textconv' ? args[0] : undefined;
  const file = entry ? `${entry}-entry.js` : 'main.js';
  const directory = join(__dirname, '..', 'dist', 'cli');
  if (!existsSync(join(directory, file))) {
    fail('this checkout is not built (dist/cli/main.js is missing); run: npm run build');
    return;
  }
  Promise.resolve()
    .then(() => require(join(directory, 'start.js')).load(file, args))
    .then((module) => module[entry || 'main'](args))
    .then((exitCode) => {
      if (typeof exitCode === 'number') process.exitCode = exitCode;
      require(join(directory, 'start.js')).leave();
    })
    .catch((error) => {
      const debug = args.indexOf('--debug') >= 0;
      fail(debug ? String(error.stack) : `cannot start: ${error.message}\nRun it again with --debug for the stack.`);
    });
}

if (nodeIsTooOld()) {
  fail(`Node ${OLDEST.join('.')} or newer is needed, this is ${process.versions.node} (https://nodejs.org)`);
} else {
  start(process.argv.slice(2));
}
