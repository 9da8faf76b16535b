import type { Email } from 'postal-mime';
import { notFound } from '../answers.ts';
import type { HttpContext } from '../context.ts';
import { html, type Markup } from '../html.ts';
import type { Answer, Incoming } from '../port.ts';
import { inboxPage, kilobytes } from './layout.ts';
import { addresses, linksOf, readMail } from './mail.ts';
import { readSummary } from './summary.ts';

interface Tab {
  readonly name: string;
  readonly title: string;
  readonly exists: (mail: Email) => boolean;
  readonly show: (mail: Email, id: string) => Markup;
}

const TABS: readonly Tab[] = [
  {
    name: 'html',
    title: 'HTML',
    exists: (mail) => mail.html !== undefined,
    show: (_mail, id) =>
      html`<iframe sandbox="allow-popups allow-popups-to-escape-sandbox" src="${id}/html" title="HTML of the mail"></iframe>`,
  },
  {
    name: 'text',
    title: 'Text',
    exists: (mail) => mail.text !== undefined,
    show: (mail) => html`<pre>${mail.text}</pre>`,
  },
  {
    name: 'headers',
    title: 'Headers',
    exists: () => true,
    show: (mail) =>
      html`<table class="fields"><tbody>${mail.headers.map(({ originalKey, value }) => html`<tr><th>${originalKey}</th><td>${value}</td></tr>`)}</tbody></table>`,
  },
  {
    name: 'links',
    title: 'Links',
    exists: (mail) => linksOf(mail).length > 0,
    show: (mail) =>
      html`<table><tbody>${linksOf(mail).map((url) => html`<tr><td>${linkTo(url)}</td></tr>`)}</tbody></table>`,
  },
  {
    name: 'attachments',
    title: 'Attachments',
    exists: (mail) => mail.attachments.length > 0,
    show: (mail, id) =>
      html`<table><tbody>${mail.attachments.map((attachment, index) => {
        const { filename, mimeType, content } = attachment;
        const size = typeof content === 'string' ? content.length : content.byteLength;
        return html`<tr><td><a href="${id}/attachments/${index}" download>${filename ?? `part ${index + 1}`}</a></td><td>${mimeType}</td><td class="number">${kilobytes(size)}</td></tr>`;
      })}</tbody></table>`,
  },
];

/** Other schemes than http(s) and mailto are shown, not linked. */
function linkTo(url: string): Markup {
  return /^(?:https?|mailto):/i.test(url)
    ? html`<a href="${url}" target="_blank" rel="noreferrer">${url}</a>`
    : html`${url}`;
}

/** One captured mail; `?tab=` chooses what of it is shown. */
export async function messagePage(context: HttpContext, incoming: Incoming, id: string): Promise<Answer> {
  const mail = await readMail(context, id);
  const summary = await readSummary(context, id);
  if (mail === undefined || summary === undefined) return notFound;
  const tabs = TABS.filter((tab) => tab.exists(mail));
  const wanted = new URLSearchParams(incoming.search).get('tab');
  const current = tabs.find((tab) => tab.name === wanted) ?? (tabs[0] as Tab);
  const mark = (tab: Tab): Markup | undefined => (tab === current ? html` aria-current="page"` : undefined);
  return inboxPage({
    title: summary.subject,
    lead: html`<a href="../">Captured mail</a><h1>${summary.subject}</h1>`,
    content: html`<table class="fields"><tbody>
<tr><th>Delivered to</th><td>${summary.recipient} ${summary.kind === 'To' ? undefined : html`<span class="label">${summary.kind}</span>`}</td></tr>
<tr><th>From</th><td>${addresses(mail.from)}</td></tr>
<tr><th>To</th><td>${addresses(...(mail.to ?? []))}</td></tr>
${mail.cc === undefined ? undefined : html`<tr><th>Cc</th><td>${addresses(...mail.cc)}</td></tr>`}
<tr><th>Date</th><td>${mail.date}</td></tr></tbody></table>
<nav class="tabs" aria-label="Parts of the mail">${tabs.map((tab) => html`<a href="?tab=${tab.name}"${mark(tab)}>${tab.title}</a>`)}<a href="${id}/source">Source</a></nav>
${current.show(mail, id)}`,
  });
}
