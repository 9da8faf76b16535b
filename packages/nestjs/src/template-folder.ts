import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { type Logger, MailRelayError } from '@mailrelay/core';

/** Where the application runs. */
export interface Place {
  /** Folder that the process was started in. */
  readonly cwd: string;
  /** File that Node was started with. */
  readonly program: string | undefined;
}

/** What a template ends in, and what is none: parts of templates, and what is hidden. */
const TEMPLATE = /\.(?:mjml|html|hbs)$/;
const NO_TEMPLATE = /^(?:partials|layouts)\/|(?:^|\/)(?:_[^/]*$|\.)/;

/**
 * Finds a template folder where Nest projects have it: beside the compiled program (`dist`), in the working directory, or
 * in the sources. A folder without a template is none: the compiler makes one where code lies beside the templates.
 *
 * @throws MailRelayError `TEMPLATE_FOLDER_MISSING`, with every path that was tried and the lines of `nest-cli.json` that copy it.
 */
export function findTemplateFolder(folder: string, logger: Pick<Logger, 'warn'>, place: Place = here()): string {
  const tried = candidates(folder, place);
  const found = tried.find((path) => templatesIn(path).length > 0);
  if (found === undefined) {
    const paths = tried.map((path) => (isFolder(path) ? `${path} (no template in it)` : path));
    const reason = `${folder}; tried ${paths.join(', ')}. ${advice(folder, place)}`;
    throw new MailRelayError('TEMPLATE_FOLDER_MISSING', { path: folder, tried, reason });
  }
  const [compiled = found] = tried;
  if (compiled !== found && isCompiled(compiled, place) && !isCompiled(found, place) && isSource(found, place))
    logger.warn({ folder: found, missing: compiled }, `templates come from the sources. ${advice(folder, place)}`);
  const behind = isCompiled(found, place) ? leftBehind(found, place) : [];
  if (behind.length > 0)
    logger.warn(
      { folder: found, missing: behind.join(', ') },
      `templates of the sources are not beside the program. ${advice(folder, place)}`,
    );
  return found;
}

/** What the sources have, and the compiled folder lacks: a pattern that copies some of the files only. */
function leftBehind(compiled: string, place: Place): string[] {
  const copied = new Set(templatesIn(compiled));
  return sourcesOf(compiled, place)
    .flatMap(templatesIn)
    .filter((file) => !copied.has(file));
}

function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}

/** Templates of a folder, by their paths in it; none where it is not there. */
function templatesIn(path: string): string[] {
  if (!isFolder(path)) return [];
  const files = readdirSync(path, { recursive: true, encoding: 'utf8' }).map((file) => file.split(sep).join('/'));
  return files.filter((file) => TEMPLATE.test(file) && !NO_TEMPLATE.test(file));
}

function here(): Place {
  return { cwd: process.cwd(), program: process.argv[1] };
}

function candidates(folder: string, place: Place): string[] {
  if (isAbsolute(folder)) return [folder, ...sourcesOf(folder, place)];
  const program = programFolder(place);
  const beside = program === undefined ? [] : [join(program, folder)];
  const paths = [...beside, resolve(place.cwd, folder), ...beside.flatMap((path) => sourcesOf(path, place))];
  return [...new Set([...paths, join(place.cwd, 'src', folder)])];
}

/** Folder of the program, unless it is a tool such as a test runner that runs the application. */
function programFolder({ program }: Place): string | undefined {
  if (program === undefined || program.split(sep).includes('node_modules')) return undefined;
  return dirname(program);
}

/** What a folder below `dist` was compiled from: `dist/x` from `src/x`, and in a monorepo `dist/apps/a/x` from `apps/a/src/x`. */
function sourcesOf(path: string, { cwd }: Place): string[] {
  const [first, ...rest] = relative(cwd, path).split(sep);
  if (first !== 'dist') return [];
  const [kind = '', app = '', ...below] = rest;
  const monorepo = kind === 'apps' || kind === 'libs' ? [join(cwd, kind, app, 'src', ...below)] : [];
  const plain = rest[0] === 'src' ? join(cwd, ...rest) : join(cwd, 'src', ...rest);
  return [plain, ...monorepo];
}

function isCompiled(path: string, { cwd }: Place): boolean {
  return relative(cwd, path).split(sep)[0] === 'dist';
}

function isSource(path: string, { cwd }: Place): boolean {
  return relative(cwd, path).split(sep).includes('src');
}

/** The lines that let `nest build` copy the folder. Includes are relative to the source root. */
function advice(folder: string, place: Place): string {
  const program = programFolder(place);
  const compiled = program !== undefined && isCompiled(program, place) ? relative(place.cwd, program) : 'dist';
  const outDir = compiled.split(sep).join('/');
  const include = isAbsolute(folder)
    ? relative(resolve(place.cwd, outDir), folder)
        .split(sep)
        .join('/')
        .replace(/^(?:\.\.\/)*(?:src\/)?/, '')
    : folder.replace(/^\.\//, '');
  const options = { assets: [{ include: `${include}/**/*`, outDir }], watchAssets: true };
  return `Let nest-cli.json copy it: "compilerOptions": ${JSON.stringify(options)}`;
}
