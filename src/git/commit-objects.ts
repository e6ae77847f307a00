import { isMlvError, MlvError } from '../core/errors.js';
import type { GitContext } from './context.js';
import type { CommitFacts, CommitRequest, TagRequest } from './plumbing.js';

/** Makes a commit as the user and gives its name. Errors: `SIGNING_FAILED`, `GIT_FAILED`. */
export async function commitTree(context: GitContext, request: CommitRequest): Promise<string> {
  const { tree, parents, message, sign, author: other } = request;
  const env = other && {
    ...{ GIT_AUTHOR_NAME: other.name, GIT_AUTHOR_EMAIL: other.mail, GIT_AUTHOR_DATE: other.date },
  };
  const args = ['commit-tree', ...(sign ? ['-S'] : ['--no-gpg-sign']), ...parents.flatMap((parent) => ['-p', parent])];
  try {
    const { stdout } = await context.run([...args, '-F', '-', tree], { input: message, ...(env && { env }) });
    return stdout.toString('latin1').trim();
  } catch (error) {
    if (!sign || !isMlvError(error, 'GIT_FAILED')) throw await withIdentityHint(context, error);
    throw new MlvError('SIGNING_FAILED', `Git could not sign: ${String(error.data.stderr)}`, {
      cause: error,
      hint: 'set your key up: git config gpg.format ssh && git config user.signingKey ~/.ssh/id_ed25519.pub',
    });
  }
}

/** Reads a commit. Error: `GIT_FAILED`. */
export async function readCommit(context: GitContext, commit: string): Promise<CommitFacts> {
  const { stdout } = await context.run(['--no-replace-objects', 'cat-file', 'commit', commit]);
  const text = stdout.toString('utf8');
  const end = text.indexOf('\n\n');
  const head = text.slice(0, end);
  const [, name = '', mail = '', seconds = '0', zone = '+0000'] =
    /^author (.*?) ?<([^<>]*)> (\d+) ([+-]\d{4})$/m.exec(head) ?? [];
  return {
    message: text.slice(end + 2),
    author: { name, mail, date: `@${seconds} ${zone}` },
    signed: /^gpgsig(?:-sha256)? /m.test(head),
  };
}

/** Makes an annotated tag as the user and gives the name of its object. Error: `GIT_FAILED`. */
export async function makeTag(context: GitContext, { name, commit, message }: TagRequest): Promise<string> {
  const tagger = await ident(context, 'GIT_COMMITTER_IDENT');
  const input = `object ${commit}\ntype commit\ntag ${name}\ntagger ${tagger}\n\n${message}`;
  return (await context.run(['mktag'], { input })).stdout.toString('latin1').trim();
}

/** `Name <mail>` of the user as Git's author. Error: `GIT_FAILED`, with what to set. */
export async function author(context: GitContext): Promise<string> {
  return (await ident(context, 'GIT_AUTHOR_IDENT')).replace(/ -?\d+ [+-]\d{4}$/, '');
}

async function ident(context: GitContext, variable: string): Promise<string> {
  try {
    return (await context.run(['var', variable])).stdout.toString('utf8').trim();
  } catch (error) {
    throw identityError(error);
  }
}

async function withIdentityHint(context: GitContext, error: unknown): Promise<unknown> {
  try {
    await context.run(['var', 'GIT_COMMITTER_IDENT']);
    return error;
  } catch (cause) {
    return identityError(cause);
  }
}

function identityError(error: unknown): unknown {
  if (!isMlvError(error, 'GIT_FAILED')) return error;
  return new MlvError('GIT_FAILED', 'Git does not know who you are', {
    cause: error,
    hint: "tell it: git config --global user.name 'Ada' && git config --global user.email ada@example.com",
    data: error.data,
  });
}
