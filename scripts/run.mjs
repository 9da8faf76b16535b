// npm run <task>: makes the repository ready (pinned pnpm, dependencies, build), then runs the task under the pinned Node.
// Plain JavaScript without dependencies: it has to start on a fresh machine with Node 20 and npm alone.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { become } from './become.mjs';
import { TASKS } from './tasks.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const MANIFEST = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const PNPM_VERSION = MANIFEST.packageManager.split('@')[1];
const NODE_VERSION = MANIFEST.devDependencies.node;
const PNPM_HOME = join(ROOT, '.tools', `pnpm-${PNPM_VERSION}`);
const WINDOWS = process.platform === 'win32';

/** Where the tasks find `pnpm`, `node` and every tool: the pinned ones first. */
const ENV = {
  ...process.env,
  PATH: [join(ROOT, 'node_modules', '.bin'), join(PNPM_HOME, 'node_modules', '.bin'), process.env.PATH].join(delimiter),
};

main(process.argv[2] ?? '', process.argv.slice(3));

function main(name, args) {
  const task = TASKS[name];
  if (!task) fail(`There is no task "${name}". Tasks: ${Object.keys(TASKS).join(', ')}.`);
  if (Number(process.versions.node.split('.')[0]) < 20) fail(`Node 20 or newer is needed, this is ${process.version}.`);
  installPnpm();
  installDependencies();
  if (task.build) build();
  const { longestMs, advice } = task;
  const options = { cwd: ROOT, env: { ...ENV, ...task.env }, longestMs, advice };
  if (task.node) become(pinnedNode(), [...task.node, ...args], options);
  const files = args.every((argument) => argument.startsWith('-')) ? (task.files ?? []) : [];
  if (task.tool) become(task.tool[0], [...task.tool.slice(1), ...files, ...args], options);
}

function installPnpm() {
  if (pnpmWorks()) return;
  say(`installing pnpm ${PNPM_VERSION} into .tools (once)`);
  rmSync(PNPM_HOME, { recursive: true, force: true });
  const args = ['install', '--prefix', PNPM_HOME, '--no-save', '--no-audit', '--no-fund', `pnpm@${PNPM_VERSION}`];
  const code = run('npm', args, { quiet: true });
  if (code !== 0 || !pnpmWorks()) fail(`npm could not install pnpm ${PNPM_VERSION}. Is the npm registry reachable?`);
}

function pnpmWorks() {
  if (!existsSync(join(PNPM_HOME, 'node_modules', '.bin'))) return false;
  return (
    spawnSync('pnpm', ['--version'], { env: ENV, cwd: ROOT, encoding: 'utf8', shell: WINDOWS }).stdout?.trim() ===
    PNPM_VERSION
  );
}

function installDependencies() {
  say(`installing the dependencies with pnpm ${PNPM_VERSION}`);
  const install = ['install', '--frozen-lockfile', '--prefer-offline', '--reporter=append-only'];
  // CI: never ask, also not whether node_modules may be laid out anew.
  const code = run('pnpm', install, { quiet: true, env: { ...ENV, CI: 'true' } });
  if (code !== 0) fail('pnpm could not install the dependencies; what it said stands above.');
  const found = spawnSync(pinnedNode(), ['--version'], { encoding: 'utf8' }).stdout?.trim();
  if (found !== `v${NODE_VERSION}`) {
    fail(
      `The pinned Node ${NODE_VERSION} does not start (found ${found ?? 'nothing'}). Delete node_modules and try again.`,
    );
  }
}

function build() {
  say('building the packages');
  for (const name of readdirSync(join(ROOT, 'packages'))) removeOrphans(join(ROOT, 'packages', name));
  if (run('tsc', ['-b']) !== 0) fail('The packages do not compile; the errors stand above.');
  if (run(pinnedNode(), ['scripts/bundle.ts']) !== 0) fail('The core could not be packed; the errors stand above.');
}

/** Removes what the compiler made from sources that are gone, so that it is not published; chunks go with each packing. */
function removeOrphans(folder) {
  const dist = join(folder, 'dist');
  if (!existsSync(dist)) return;
  for (const file of readdirSync(dist, { recursive: true })) {
    const [, source, kind] = /^(.*?)\.(js|d\.ts)(?:\.map)?$/.exec(file) ?? [];
    const packed = kind === 'js' && folder === join(ROOT, 'packages/core');
    if (source && !packed && !existsSync(join(folder, 'src', `${source}.ts`))) rmSync(join(dist, file));
  }
}

function pinnedNode() {
  return join(ROOT, 'node_modules', 'node', 'bin', WINDOWS ? 'node.exe' : 'node');
}

/** Runs a command in the repository and returns its exit code; `quiet` shows its output only when it fails. */
function run(command, args, { quiet = false, env = ENV } = {}) {
  const stdio = quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit';
  const result = spawnSync(command, args, { cwd: ROOT, env, stdio, shell: WINDOWS, maxBuffer: 64 * 1024 * 1024 });
  if (result.error) say(`${command} did not start: ${result.error.message}`);
  const code = result.status ?? 1;
  if (quiet && code !== 0) process.stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}`);
  return code;
}

/** What a task prints is its own. */
function say(text) {
  console.error(`mail-relay: ${text}`);
}

function fail(text) {
  console.error(`mail-relay: ${text}`);
  process.exit(1);
}
