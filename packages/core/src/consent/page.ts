import type { UnsubscribeOptions, UnsubscribeTexts, UnsubscribeView } from '../unsubscribe.ts';
import type { UnsubscribePage } from './port.ts';
import { chooseLanguage, scopeName, unsubscribeTexts } from './texts.ts';

/** The unsubscribe page, from the built-in texts and look or the host's. */
export function createUnsubscribePage(options: UnsubscribeOptions): UnsubscribePage {
  const texts = unsubscribeTexts(options.texts);
  const languages = new Set(texts.keys());
  const render = options.page ?? unsubscribePageHtml;
  return {
    custom: options.page !== undefined,
    async render({ step, address, scope, locale, acceptLanguage, action }) {
      const language = chooseLanguage(languages, locale, acceptLanguage);
      const plain = texts.get(language) as UnsubscribeTexts;
      const html = await render({ step, address, scope, locale: language, texts: fill(plain, address, scope), action });
      return { html, locale: language };
    },
  };
}

function fill(texts: UnsubscribeTexts, address: string, scope: string): UnsubscribeTexts {
  const values: Readonly<Record<string, string>> = { address, scope: scopeName(texts, scope) };
  const put = (text: string): string =>
    text.replace(/\{(address|scope)\}/g, (whole, name: string) => values[name] ?? whole);
  return {
    ...texts,
    title: put(texts.title),
    question: put(texts.question),
    button: put(texts.button),
    doneTitle: put(texts.doneTitle),
    done: put(texts.done),
  };
}

const STYLE = `:root{color-scheme:light dark}
body{margin:0;min-height:100vh;display:grid;place-items:center;font:16px/1.5 system-ui,sans-serif;background:#f4f5f7;color:#1d2330}
main{max-width:26rem;margin:1rem;padding:2rem;background:#fff;border-radius:12px;box-shadow:0 1px 8px #0002;overflow-wrap:anywhere}
h1{margin:0 0 .75rem;font-size:1.4rem}
p{margin:0 0 1.25rem}
button{width:100%;padding:.75rem 1rem;border:0;border-radius:8px;font:inherit;font-weight:600;color:#fff;background:#1f4fd8;cursor:pointer}
button:focus-visible{outline:3px solid #8fb0ff;outline-offset:2px}
@media(prefers-color-scheme:dark){body{background:#14171f;color:#e8eaf0}main{background:#1e2330}}`;

/** The built-in look. */
function unsubscribePageHtml({ step, texts, locale, action }: UnsubscribeView): string {
  const title = step === 'confirm' ? texts.title : texts.doneTitle;
  const content =
    step === 'confirm'
      ? `<p>${escapeHtml(texts.question)}</p>
<form method="post" action="${escapeHtml(action)}"><input type="hidden" name="confirm" value="yes"><button type="submit">${escapeHtml(texts.button)}</button></form>`
      : `<p role="status">${escapeHtml(texts.done)}</p>`;
  return `<!doctype html>
<html lang="${escapeHtml(locale)}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">
<title>${escapeHtml(title)}</title><style>${STYLE}</style></head>
<body><main><h1>${escapeHtml(title)}</h1>
${content}
</main></body></html>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] as string);
}
