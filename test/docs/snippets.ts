import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');

/** A page of the documentation, with what stands in its code blocks. */
export interface Page {
  readonly path: string;
  readonly snippets: readonly Snippet[];
  /** Files that the page shows: blocks whose first line names the file, such as ```html emails/welcome.mjml */
  readonly files: readonly { readonly path: string; readonly text: string }[];
}

/** A complete program in the documentation. */
export interface Snippet {
  readonly line: number;
  readonly code: string;
  /** What its `console.log(…); // like this` promise to print, in order. */
  readonly prints: readonly string[];
  /** It serves HTTP, and so does not end by itself. */
  readonly serves: boolean;
}

/** README and all pages of docs/, also in folders. */
export function pages(): Page[] {
  const docs = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .sort();
  return ['README.md', ...docs.map((name) => `docs/${name}`)].map((path) => readPage(path));
}

function readPage(path: string): Page {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const snippets: Snippet[] = [];
  const files: { path: string; text: string }[] = [];
  for (const match of text.matchAll(/^```(\w+)(?: (\S+))?\n(.*?)^```$/gms)) {
    const [, language, file, code = ''] = match;
    if (file !== undefined) files.push({ path: file, text: code });
    else if (language === 'ts') snippets.push(readSnippet(code, text.slice(0, match.index).split('\n').length));
  }
  return { path, snippets, files };
}

function readSnippet(code: string, line: number): Snippet {
  const prints = [...code.matchAll(/console\.log\(.*\);? \/\/ (.+)$/gm)].map(([, printed]) => (printed ?? '').trim());
  return { line, code, prints, serves: /\.listen\(/.test(code) };
}
