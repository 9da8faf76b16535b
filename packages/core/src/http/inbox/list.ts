import { text } from '../answers.ts';
import type { HttpContext } from '../context.ts';
import { html } from '../html.ts';
import type { Answer, Incoming } from '../port.ts';
import { inboxPage, kilobytes } from './layout.ts';
import { readSummary } from './mail.ts';

const SHOWN = 100;
const REFRESH_SECONDS = 5;

/** `/mail` lacks the slash that the relative links of the list need. */
export function redirectToList({ pathname }: Incoming): Answer {
  return text(302, '', { Location: `.${pathname.slice(pathname.lastIndexOf('/'))}/` });
}

/** The list of captured mail. */
export async function listPage(context: HttpContext): Promise<Answer> {
  const captured = await context.engine.captured(SHOWN);
  const rows = await Promise.all(
    captured.map(async ({ id, at, bytes }) => {
      const { from, to, subject } = await readSummary(context, id);
      const time = new Date(at).toISOString();
      return html`<tr><td><a href="inbox/${id}">${subject}</a></td><td>${from}</td><td>${to}</td>
<td><time datetime="${time}">${time.slice(0, 19).replace('T', ' ')}</time></td><td class="number">${kilobytes(bytes)}</td></tr>`;
    }),
  );
  const table = html`<table><thead><tr><th>Subject</th><th>From</th><th>To</th><th>Time (UTC)</th><th>Size</th></tr></thead><tbody>${rows}</tbody></table>`;
  return inboxPage({
    title: 'Captured mail',
    lead: html`<h1>Captured mail</h1><p>Development: nothing here has left this machine.</p>`,
    content:
      rows.length === 0
        ? html`<p class="empty">No mail yet. This page looks again every ${REFRESH_SECONDS} seconds.</p>`
        : table,
    refreshSeconds: REFRESH_SECONDS,
  });
}
