import { createHash } from 'node:crypto';
import { type Dirent, existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { extname, join, relative, resolve, sep } from 'node:path';
import { MailRelayError } from '../errors.ts';
import { unreadable } from './faults.ts';
import { type Passage, type Piece, passageOf, replaceIn } from './origins.ts';
import type { SourceTemplate } from './port.ts';

/** One language of a template, before compiling. */
export interface Source {
  readonly path: string;
  readonly format: 'mjml' | 'html';
  readonly subject: string;
  readonly preheader: string | undefined;
  readonly text: string | undefined;
  /** All of it, as the author wrote it; the body is the one of part `html`. */
  readonly passages: readonly Passage[];
}

/** A template before compiling: its languages, `''` for the one without a tag. */
export interface TemplateSource {
  readonly name: string;
  readonly locales: Readonly<Record<string, Source>>;
  readonly hash: string;
}

/** Part of every hash: changed when the way of compiling changes. */
const COMPILER = 'compose 3';
/** Partials, layouts, files whose names start with `_`, and everything hidden (mounted volumes keep their versions there). */
const NO_TEMPLATE = /^(?:partials|layouts)\/|(?:^|\/)(?:_[^/]*$|\.)/;
const FORMATS: Readonly<Record<string, 'mjml' | 'html'>> = { '.mjml': 'mjml', '.html': 'html', '.hbs': 'html' };

/**
 * Reads a template folder.
 *
 * @throws MailRelayError `TEMPLATE_FOLDER_MISSING`, `TEMPLATE_INVALID`
 */
export function readFolder(folder: string): TemplateSource[] {
  const root = resolve(folder);
  if (!existsSync(root) || !statSync(root).isDirectory())
    throw new MailRelayError('TEMPLATE_FOLDER_MISSING', { path: root, reason: root });
  const found = new Map<string, Record<string, Source>>();
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    const name = relative(root, file).split(sep).join('/');
    const format = FORMATS[extname(name)];
    if (format === undefined || NO_TEMPLATE.test(name) || !isFileInside(root, file, entry)) continue;
    const [, base = '', locale = ''] = /^(.*?)(?:\.([a-z]{2,3}(?:-[A-Za-z0-9]+)?))?\.[a-z]+$/.exec(name) ?? [];
    found.set(base, {
      ...found.get(base),
      [locale]: readSource(root, file, format, [base, locale].filter(Boolean).join('.')),
    });
  }
  return [...found].map(([name, locales]) => ({ name, locales, hash: hashOf(name, locales) }));
}

/** A template that was declared in code. */
export function declaredSource({ name, format, source, subject, text }: SourceTemplate): TemplateSource {
  const matter = frontMatter(source, name);
  const partial = /\{\{~?#?>[^}]*\}\}/.exec(`${source}${text ?? ''}`)?.[0];
  if (partial !== undefined || matter.fields.layout !== undefined)
    throw invalid(name, `${partial ?? 'layout'} needs a template folder; a template in code has all of its source`);
  const inCode = (value: string | undefined): Piece | undefined =>
    value === undefined ? undefined : { text: value, path: name, line: 1 };
  const locales = {
    '': sourceOf(name, format, [matter.body], {
      subject: inCode(subject) ?? matter.fields.subject,
      preheader: matter.fields.preheader,
      text: text === undefined ? undefined : [inCode(text) as Piece],
    }),
  };
  return { name, locales, hash: hashOf(name, locales) };
}

function hashOf(name: string, locales: Readonly<Record<string, Source>>): string {
  const parts = Object.entries(locales).map(([locale, { path: _, passages, ...source }]) => [
    locale,
    source,
    passages.map(({ text, origins }) => [text, origins.map(({ at, line }) => [at, line])]),
  ]);
  return createHash('sha256')
    .update(JSON.stringify([COMPILER, name, parts]))
    .digest('base64url')
    .slice(0, 22);
}

function readSource(root: string, path: string, format: 'mjml' | 'html', base: string): Source {
  const { fields, body } = frontMatter(readFileSync(path, 'utf8'), path);
  const laidOut = fields.layout === undefined ? [body] : layOut(root, fields.layout.text, body, path);
  const beside = (ending: string): Piece | undefined => {
    const file = join(root, base + ending);
    if (!existsSync(file)) return undefined;
    checkInside(root, file, file);
    return { text: readFileSync(file, 'utf8'), path: file, line: 1 };
  };
  const subjectFile = beside('.subject.txt');
  const text = beside('.txt');
  return sourceOf(path, format, inline(root, laidOut, path, []), {
    subject: fields.subject ?? (subjectFile && { ...subjectFile, text: subjectFile.text.trim() }),
    preheader: fields.preheader,
    text: text === undefined ? undefined : inline(root, [text], path, []),
  });
}

function sourceOf(
  path: string,
  format: 'mjml' | 'html',
  body: readonly Piece[],
  {
    subject,
    preheader,
    text,
  }: { subject?: Piece | undefined; preheader?: Piece | undefined; text?: Piece[] | undefined },
): Source {
  const own = text && passageOf('text', text);
  const passages = [
    passageOf('html', body),
    ...(subject === undefined ? [] : [passageOf('subject', [subject])]),
    ...(preheader === undefined ? [] : [passageOf('preheader', [preheader])]),
    ...(own === undefined ? [] : [own]),
  ];
  return { path, format, subject: subject?.text ?? '', preheader: preheader?.text, text: own?.text, passages };
}

function invalid(path: string, reason: string): MailRelayError {
  return new MailRelayError('TEMPLATE_INVALID', { path, reason: `${path}: ${reason}` });
}

type Matter = Partial<Record<'subject' | 'preheader' | 'layout', Piece>>;

function frontMatter(text: string, path: string): { readonly fields: Matter; readonly body: Piece } {
  const match = /^---\r?\n([\s\S]*?)\r?\n---[ \t]*(?:\r?\n|$)/.exec(text);
  if (match === null) return { fields: {}, body: { text, path, line: 1 } };
  const fields: Matter = {};
  for (const [index, line] of (match[1] as string).split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const [, key = '', value = ''] = /^([A-Za-z]+)\s*:\s*(.*)$/.exec(line) ?? [];
    if (key !== 'subject' && key !== 'preheader' && key !== 'layout')
      throw unreadable({ path, line: index + 2 }, `front matter knows subject, preheader and layout, not: ${line}`);
    fields[key] = { text: value.trim().replace(/^(["'])(.*)\1$/, '$2'), path, line: index + 2 };
  }
  const lines = match[0].split('\n').length;
  return { fields, body: { text: text.slice(match[0].length), path, line: lines } };
}

function layOut(root: string, layout: string, body: Piece, path: string): Piece[] {
  const outer = readInside(root, 'layouts', layout, path);
  if (!outer.text.includes('{{{body}}}')) throw invalid(path, `the layout ${layout} has no {{{body}}}`);
  return replaceIn(outer, /\{\{\{body\}\}\}/g, ({ index }) => {
    const first = index === outer.text.indexOf('{{{body}}}');
    return first ? [body] : [{ ...outer, text: '{{{body}}}' }];
  });
}

/** Puts partials where they are named, so that MJML sees the whole. */
function inline(root: string, pieces: readonly Piece[], path: string, inside: readonly string[]): Piece[] {
  return pieces.flatMap((piece) =>
    replaceIn(piece, /\{\{~?#?>\s*([^\s}]+)\s*([^}]*)\}\}/g, ([tag, name = '', parameters]) => {
      if (parameters !== '' || !/^[\w-]+(?:\/[\w-]+)*$/.test(name))
        throw invalid(path, `${tag} is no partial: write {{> name}}, for a file below partials`);
      if (inside.includes(name)) throw invalid(path, `the partial ${name} contains itself`);
      return inline(root, [readInside(root, 'partials', name, path)], path, [...inside, name]);
    }),
  );
}

/** Links are followed as long as they lead to a file in the folder. */
function isFileInside(root: string, file: string, entry: Dirent): boolean {
  if (!entry.isSymbolicLink()) return entry.isFile();
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return false;
  checkInside(root, file, file);
  return true;
}

/** @throws MailRelayError `TEMPLATE_INVALID`, at the template that leads there. */
function checkInside(root: string, file: string, path: string): void {
  if (!realpathSync(file).startsWith(realpathSync(root) + sep))
    throw invalid(path, `${relative(root, file)} lies outside of the template folder`);
}

function readInside(root: string, folder: 'partials' | 'layouts', name: string, path: string): Piece {
  const place = join(root, folder);
  const file = ['.mjml', '.html', '.hbs', '.txt']
    .map((ending) => join(place, name + ending))
    .find((one) => existsSync(one));
  if (file === undefined) throw invalid(path, `there is no ${name} in ${place}`);
  checkInside(root, file, path);
  return { text: readFileSync(file, 'utf8'), path: file, line: 1 };
}
