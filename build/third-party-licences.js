import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const LICENCE_FILE = /^(?:licen[cs]e|copying|notice)(?:[.-].*)?$/i;

/**
 * A plugin that writes the licences of all packages of which a part is in `dist/` into the file `fileName` there, as
 * these licences ask. A package that names no licence, and has no text of one, ends the build.
 */
export function thirdPartyLicences(fileName) {
  return {
    name: 'third-party-licences',
    generateBundle(_options, bundle) {
      const directories = new Set();
      for (const chunk of Object.values(bundle)) {
        for (const id of chunk.moduleIds ?? []) {
          const directory = packageDirectory(id);
          if (directory !== undefined) directories.add(directory);
        }
      }
      const source = document([...directories].map(licenceOf));
      this.emitFile({ type: 'asset', fileName, source });
    },
  };
}

/** Each text once, after the packages that it is for. */
function document(licences) {
  const titles = new Map();
  for (const { title, text } of licences) titles.set(text, [...(titles.get(text) ?? []), title].sort());
  const rule = '='.repeat(80);
  const parts = [...titles].map(([text, names]) => `${rule}\n${names.join('\n')}\n${rule}\n\n${text}\n`).sort();
  return [
    'This program contains parts of the packages below, under the licence that follows their names.\n',
    ...parts,
  ].join('\n');
}

/** The folder of the package that holds a module, undefined for one of our own. */
function packageDirectory(id) {
  const path = id.replace(/^\0/, '').replace(/\?.*$/, '').replaceAll('\\', '/');
  return /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0];
}

function licenceOf(directory) {
  const { name, version, license, author } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
  const files = readdirSync(directory).filter((file) => LICENCE_FILE.test(file));
  if (typeof license !== 'string' && files.length === 0) throw new Error(`${directory} names no licence`);
  const texts = files.sort().map((file) => readFileSync(join(directory, file), 'utf8').trim());
  if (texts.length === 0) texts.push(`(no text in the package) ${authorOf(author)}`.trim());
  return { title: `${name} ${version}: ${license}`, text: texts.join('\n\n') };
}

function authorOf(author) {
  return typeof author === 'string' ? author : (author?.name ?? '');
}
