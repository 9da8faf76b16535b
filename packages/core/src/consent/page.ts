import type { UnsubscribeOptions, UnsubscribeTexts, UnsubscribeView } from '../unsubscribe.ts';
import type { UnsubscribePage } from './port.ts';
import { chooseLanguage, fillTexts, unsubscribeTexts } from './texts.ts';

/** The unsubscribe page, from the built-in texts and look or the host's. */
export function createUnsubscribePage(options: UnsubscribeOptions): UnsubscribePage {
  const texts = unsubscribeTexts(options.texts);
  const languages = new Set(texts.keys());
  const render = options.page ?? unsubscribePageHtml;
  return {
    custom: options.page !== undefined,
    async render({ host, locale, acceptLanguage, ...view }) {
      const language = chooseLanguage(languages, locale, acceptLanguage);
      const plain = texts.get(language) as UnsubscribeTexts;
      const sender = view.sender?.name ?? view.sender?.address ?? host;
      const html = await render({ ...view, locale: language, texts: fillTexts(plain, { ...view, sender }) });
      return { html, locale: language };
    },
  };
}

const STYLE = `:root{color-scheme:light dark}
body{margin:0;min-height:100vh;display:grid;place-items:center;font:16px/1.5 system-ui,sans-serif;background:#f4f5f7;color:#1d2330}
main{max-width:26rem;margin:1rem;padding:2rem;background:#fff;border-radius:12px;box-shadow:0 1px 8px #0002;overflow-wrap:anywhere}
h1{margin:0 0 .75rem;font-size:1.4rem}
p{margin:0 0 1.25rem}
.sender{margin:0 0 .5rem;font-size:.9rem;opacity:.8}
button{width:100%;padding:.75rem 1rem;border:0;border-radius:8px;font:inherit;font-weight:600;color:#fff;background:#1f4fd8;cursor:pointer}
.subscribe button{color:inherit;background:none;border:1px solid #8886}
button:focus-visible{outline:3px solid #8fb0ff;outline-offset:2px}
@media(prefers-color-scheme:dark){body{background:#14171f;color:#e8eaf0}main{background:#1e2330}}`;

/** The built-in look. */
function unsubscribePageHtml(view: UnsubscribeView): string {
  const { texts, locale } = view;
  const [title, content] = {
    confirm: () => [texts.title, `<p>${escapeHtml(texts.question)}</p>${form(view, 'confirm', texts.button)}`] as const,
    done: () => [texts.doneTitle, told(texts.done) + back(view)] as const,
    already: () => [texts.alreadyTitle, told(texts.already) + back(view)] as const,
    again: () => [texts.againTitle, told(texts.again)] as const,
  }[view.step]();
  return `<!doctype html>
<html lang="${escapeHtml(locale)}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">
<title>${escapeHtml(title)}</title><style>${STYLE}</style></head>
<body><main>${from(view)}<h1>${escapeHtml(title)}</h1>
${content}
</main></body></html>`;
}

function from({ sender }: UnsubscribeView): string {
  if (sender === undefined) return '';
  const address = `<bdi>${escapeHtml(sender.address)}</bdi>`;
  return `<p class="sender">${sender.name === undefined ? address : `<strong><bdi>${escapeHtml(sender.name)}</bdi></strong> ${address}`}</p>`;
}

function told(text: string): string {
  return `<p role="status">${escapeHtml(text)}</p>`;
}

function back(view: UnsubscribeView): string {
  return view.maySubscribe ? form(view, 'subscribe', view.texts.againButton) : '';
}

function form({ action }: UnsubscribeView, field: 'confirm' | 'subscribe', button: string): string {
  return `
<form method="post" class="${field}" action="${escapeHtml(action)}"><input type="hidden" name="${field}" value="yes"><button type="submit">${escapeHtml(button)}</button></form>`;
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
