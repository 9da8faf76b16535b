import { text } from '../answers.ts';
import type { HttpContext } from '../context.ts';
import { html, type Markup } from '../html.ts';
import type { Answer, Incoming } from '../port.ts';
import { type Copy, type GroupPage, pageOf, readGroups } from './groups.ts';
import { inboxPage, kilobytes } from './layout.ts';

const REFRESH_SECONDS = 5;

/** `/mail` lacks the slash that the relative links of the list need. */
export function redirectToList({ pathname }: Incoming): Answer {
  return text(302, '', { Location: `.${pathname.slice(pathname.lastIndexOf('/'))}/` });
}

/**
 * The list of captured mail. `?q=` searches recipients and subjects, `?before=` and `?after=` turn pages. Only the newest
 * mail looks again by itself: a page that did would empty the search field under the writer's hands.
 */
export async function listPage(context: HttpContext, incoming: Incoming): Promise<Answer> {
  const query = new URLSearchParams(incoming.search);
  const search = query.get('q')?.trim();
  const [before, after] = [query.get('before'), query.get('after')];
  const shown = pageOf(await readGroups(context, search ?? ''), { before, after });
  const live = search === undefined && before === null && after === null;
  const pages = pagesBeside(shown, search);
  return inboxPage({
    title: 'Captured mail',
    lead: html`<h1>Captured mail</h1><p>Development: nothing here has left this machine.</p>`,
    content: html`${toolbar(search, shown.groups.length > 0)}${shown.groups.length === 0 ? empty(search) : table(shown)}${pages}`,
    ...(live ? { refreshSeconds: REFRESH_SECONDS } : {}),
  });
}

function toolbar(search: string | undefined, some: boolean): Markup | undefined {
  if (search !== undefined)
    return html`<div class="tools"><form role="search" action="./"><input type="search" name="q" value="${search}" placeholder="Recipient or subject" aria-label="Recipient or subject" autofocus><button>Search</button></form><a class="button" href="./">Show all</a></div>`;
  if (!some) return undefined;
  return html`<div class="tools"><a class="button" href="./?q=">Search</a><form method="post" action="inbox/clear"><button>Clear all</button></form></div>`;
}

function empty(search: string | undefined): Markup {
  if (search !== undefined)
    return html`<div class="empty"><h2>Nothing found</h2><p>No recipient and no subject of a captured mail has “${search}” in it.</p></div>`;
  return html`<div class="empty"><h2>No mail yet</h2><p>Send one from your application, and it is shown here:</p>
<pre>await relay.send({ to: 'ada@example.com', subject: 'Hello', text: 'Hello Ada' });</pre>
<p>This page looks again every ${REFRESH_SECONDS} seconds. Only mail of a <code>capture()</code> route comes here, which is what development has unless it is given another route.</p></div>`;
}

function table({ groups }: GroupPage): Markup {
  return html`<table class="mails"><thead><tr><th>Subject</th><th>Delivered to</th><th>From</th><th>Time (UTC)</th><th>Size</th></tr></thead><tbody>${groups.map(row)}</tbody></table>`;
}

function row(copies: readonly Copy[]): Markup {
  const { id, subject, from, at, bytes } = copies[0] as Copy;
  const time = new Date(at).toISOString();
  const several = copies.length > 1 ? html` <span class="label">${copies.length} copies</span>` : undefined;
  return html`<tr><td class="subject"><a href="inbox/${id}">${subject}</a>${several}</td><td>${asAddressed(copies).map((copy) => recipient(copy, copies.length > 1))}</td><td>${from}</td>
<td class="time"><time datetime="${time}">${time.slice(0, 19).replace('T', ' ')}</time></td><td class="number">${kilobytes(bytes)}</td></tr>`;
}

/** To before Cc before Bcc, each in the order in which they were handed in. */
function asAddressed(copies: readonly Copy[]): Copy[] {
  const place = ({ kind }: Copy): number => ['To', 'Cc', 'Bcc'].indexOf(kind);
  return copies.toReversed().sort((one, other) => place(one) - place(other));
}

function recipient({ id, kind, recipient: to }: Copy, linked: boolean): Markup {
  const label = kind === 'To' ? undefined : html`<span class="label">${kind}</span> `;
  return html`<div>${label}${linked ? html`<a href="inbox/${id}">${to}</a>` : to}</div>`;
}

function pagesBeside({ newer, older }: GroupPage, search: string | undefined): Markup | undefined {
  if (newer === undefined && older === undefined) return undefined;
  const link = (to: Readonly<Record<string, string>> | undefined, name: string, rel: string): Markup | undefined =>
    to &&
    html`<a class="button" rel="${rel}" href="./?${String(new URLSearchParams({ ...(search === undefined ? {} : { q: search }), ...to }))}">${name}</a>`;
  return html`<nav class="pages" aria-label="Pages">${link(newer, 'Newer', 'prev')}${link(older, 'Older', 'next')}</nav>`;
}
