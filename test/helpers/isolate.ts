// Runs before every test file: what the developer, or a Git hook that started the tests, has in the environment must
// not decide how they end, and no test may read or write the developer's own configuration and credentials.
const FOREIGN = /^(?:GIT_|AWS_|MLV_(?!TEST_)|(?:HTTPS?|ALL)_PROXY$|XDG_)/i;

for (const name of Object.keys(process.env)) {
  if (FOREIGN.test(name)) delete process.env[name];
}

Object.assign(process.env, {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  GIT_AUTHOR_NAME: 'Test Author',
  GIT_AUTHOR_EMAIL: 'author@example.com',
  GIT_COMMITTER_NAME: 'Test Author',
  GIT_COMMITTER_EMAIL: 'author@example.com',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
});

// Modes that tests name are those of the usual one.
process.umask(0o022);
