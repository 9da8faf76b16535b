import { page } from '../answers.ts';
import { html, Markup } from '../html.ts';
import type { Answer } from '../port.ts';

const STYLE =
  new Markup(`<style>:root{color-scheme:light dark;--page:#f4f5f7;--text:#1d2330;--card:#fff;--link:#1f4fd8;--line:#8883}
@media(prefers-color-scheme:dark){:root{--page:#14171f;--text:#e8eaf0;--card:#1e2330;--link:#9db7ff}}
*{box-sizing:border-box}
body{margin:0;font:15px/1.5 system-ui,sans-serif;background:var(--page);color:var(--text)}
header{display:flex;flex-wrap:wrap;gap:.25rem 1rem;align-items:baseline;padding:.75rem 1.25rem;background:#1d2330;color:#fff}
header h1{margin:0;font-size:1.1rem;overflow-wrap:anywhere}header p{margin:0;opacity:.75}header a{color:inherit}
main{padding:1.25rem;max-width:75rem;margin:0 auto}
table{width:100%;border-collapse:collapse;background:var(--card)}
th,td{padding:.5rem .75rem;text-align:left;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}
th{font-weight:600;white-space:nowrap}td.number{text-align:right;white-space:nowrap}td.time{white-space:nowrap}
a{color:var(--link)}
.label{padding:0 .4em;border:1px solid currentColor;border-radius:1em;font-size:.75rem;opacity:.75;white-space:nowrap}
.tools,.pages{display:flex;flex-wrap:wrap;gap:.5rem;margin:0 0 1rem}.pages{margin:1rem 0 0}
.tools form{display:flex;gap:.5rem}.tools form[role=search]{flex:1 1 14rem}
input{flex:1;min-width:0;padding:.4rem .75rem;border:1px solid #8886;border-radius:8px;font:inherit;color:inherit;background:var(--card)}
button,.button{padding:.4rem .9rem;border:1px solid #8886;border-radius:8px;font:inherit;color:inherit;background:var(--card);text-decoration:none;cursor:pointer}
.tabs{display:flex;flex-wrap:wrap;gap:.25rem;margin:1rem 0 0}
.tabs a{padding:.4rem .9rem;border-radius:8px 8px 0 0;text-decoration:none}.tabs a[aria-current]{background:var(--card);font-weight:600}
iframe{width:100%;height:70vh;border:0;background:#fff}pre{margin:0;padding:1rem;background:var(--card);white-space:pre-wrap;overflow-wrap:anywhere}
.empty{max-width:40rem;margin:2rem auto;text-align:center}.empty pre{text-align:left}
.mails,.fields{table-layout:fixed}.mails th:nth-child(2){width:28%}.mails th:nth-child(3){width:22%}.mails th:nth-child(4){width:11.5rem}.mails th:nth-child(5){width:6rem}.fields th{width:13rem;white-space:normal}
@media(max-width:45rem){main{padding:.75rem}.mails thead{display:none}
.mails tr,.fields tr{display:block;padding:.5rem 0;border-bottom:1px solid var(--line)}
.mails td,.fields td,.fields th{display:block;width:auto;padding:.1rem .75rem;border:0;text-align:left}.mails .subject{font-size:1.05rem;font-weight:600}
.mails .time,.mails .number{display:inline-block;font-size:.85rem;opacity:.75}}</style>`);

const POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; form-action 'self'";

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
  // Other sites learn nothing; the button of the inbox says where it stands.
  return page(200, text, { policy: POLICY, headers: { 'Referrer-Policy': 'same-origin' } });
}

/** A size for people. */
export function kilobytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KB`;
}
