import { page } from '../answers.ts';
import { html, Markup } from '../html.ts';
import type { Answer } from '../port.ts';

const STYLE = new Markup(`<style>:root{color-scheme:light dark}
body{margin:0;font:15px/1.5 system-ui,sans-serif;background:#f4f5f7;color:#1d2330}
header{display:flex;gap:1rem;align-items:baseline;padding:.75rem 1.25rem;background:#1d2330;color:#fff}
header h1{margin:0;font-size:1.1rem}header p{margin:0;opacity:.75}header a{color:inherit}
main{padding:1.25rem;max-width:75rem;margin:0 auto}
table{width:100%;border-collapse:collapse;background:#fff}
th,td{padding:.5rem .75rem;text-align:left;border-bottom:1px solid #8883;vertical-align:top;overflow-wrap:anywhere}
th{font-weight:600;white-space:nowrap}td.number{text-align:right;white-space:nowrap}
a{color:#1f4fd8}nav{display:flex;gap:.25rem;margin:1rem 0 0}
nav a{padding:.4rem .9rem;border-radius:8px 8px 0 0;text-decoration:none}nav a[aria-current]{background:#fff;font-weight:600}
iframe{width:100%;height:70vh;border:0;background:#fff}pre{margin:0;padding:1rem;background:#fff;white-space:pre-wrap;overflow-wrap:anywhere}
.empty{padding:3rem;text-align:center;opacity:.75}
@media(prefers-color-scheme:dark){body{background:#14171f;color:#e8eaf0}table,pre,nav a[aria-current]{background:#1e2330}a{color:#9db7ff}}</style>`);

const POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'";

/** A page of the inbox. */
export function inboxPage(options: {
  readonly title: string;
  readonly lead: Markup;
  readonly content: Markup;
  readonly refreshSeconds?: number;
}): Answer {
  const { title, lead, content, refreshSeconds } = options;
  const refresh =
    refreshSeconds === undefined ? undefined : html`<meta http-equiv="refresh" content="${refreshSeconds}">`;
  const { text } = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">${refresh}
<title>${title}</title>${STYLE}</head>
<body><header>${lead}</header><main>${content}</main></body></html>`;
  return page(200, text, { policy: POLICY });
}

/** A size for people. */
export function kilobytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KB`;
}
