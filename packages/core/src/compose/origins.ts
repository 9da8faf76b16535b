/** Keeps track of which file and line each part of a template came from, through front matter, layouts and partials. */

/** A piece of a file: its text, and the line that it begins in. */
export interface Piece {
  readonly text: string;
  readonly path: string;
  readonly line: number;
}

/** From this place in a text on, it came from this line of this file. */
interface Origin {
  readonly at: number;
  readonly path: string;
  readonly line: number;
}

/** One part of what the author wrote, put together. */
export interface Passage {
  readonly part: 'subject' | 'preheader' | 'html' | 'text';
  readonly text: string;
  readonly origins: readonly Origin[];
}

/** A place in an author's file. */
export interface Place {
  readonly path: string;
  readonly line: number;
}

/** Puts pieces together. */
export function passageOf(part: Passage['part'], pieces: readonly Piece[]): Passage {
  let text = '';
  const origins: Origin[] = [];
  for (const piece of pieces) {
    origins.push({ at: text.length, path: piece.path, line: piece.line });
    text += piece.text;
  }
  return { part, text, origins };
}

/** Replaces what a pattern finds in a piece by other pieces. */
export function replaceIn(
  piece: Piece,
  pattern: RegExp,
  replacement: (match: RegExpExecArray) => readonly Piece[],
): Piece[] {
  const pieces: Piece[] = [];
  let last = 0;
  for (const match of piece.text.matchAll(pattern)) {
    pieces.push(cut(piece, last, match.index), ...replacement(match));
    last = match.index + match[0].length;
  }
  return [...pieces, cut(piece, last, piece.text.length)];
}

function cut(piece: Piece, from: number, to: number): Piece {
  return { ...piece, text: piece.text.slice(from, to), line: piece.line + lineBreaks(piece.text.slice(0, from)) };
}

/** Where a character of a passage stands in its file. */
export function placeOf({ text, origins }: Passage, at: number): Place {
  const { at: start, path, line } = origins.findLast((origin) => origin.at <= at) ?? (origins[0] as Origin);
  return { path, line: line + lineBreaks(text.slice(start, at)) };
}

/** Where a line of a passage, counted from 1, begins in its text. */
export function startOfLine({ text }: Pick<Passage, 'text'>, line: number): number {
  let at = 0;
  for (let current = 1; current < line; current++) {
    const end = text.indexOf('\n', at);
    if (end < 0) break;
    at = end + 1;
  }
  return at;
}

function lineBreaks(text: string): number {
  return text.split('\n').length - 1;
}
