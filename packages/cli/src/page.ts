/** The page of the preview. */
import type { Shown } from './workbench.ts';

/** Which template, and how wide. */
export interface View {
  readonly name: string;
  readonly locale: string;
  readonly width: 'desktop' | 'phone';
}

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { margin: 0; display: grid; grid-template-columns: 16rem 1fr; min-height: 100vh; }
nav { padding: 1rem; border-right: 1px solid #8886; }
nav h1 { font-size: 1rem; margin: 0 0 .5rem; }
nav ul { list-style: none; margin: 0; padding: 0; }
nav a, header a { display: inline-block; padding: .15rem .5rem; border-radius: .3rem; color: inherit; text-decoration: none; }
a[aria-current] { background: #3b82f6; color: #fff; }
main { display: flex; flex-direction: column; min-width: 0; }
header { display: flex; gap: 1rem; align-items: center; padding: .75rem 1rem; border-bottom: 1px solid #8886; }
header strong { flex: 1; overflow-wrap: anywhere; }
[role=alert] { margin: 1rem; padding: .75rem 1rem; border-radius: .3rem; background: #b91c1c; color: #fff; white-space: pre-wrap; }
iframe { flex: 1; border: 0; background: #fff; width: 100%; }
iframe.phone { width: 375px; align-self: center; border-inline: 1px solid #8886; }
p { padding: 0 1rem; }
@media (max-width: 40rem) { body { grid-template-columns: 1fr; } nav { border-right: 0; border-bottom: 1px solid #8886; } }`;

/** What changes while the page loads is told as soon as it listens. */
const script = (version: number): string => `
const changes = new EventSource('/changes?since=${version}');
changes.addEventListener('changed', () => location.reload());`;

/** The page around a template. */
export function previewPage(shown: Shown, view: View | undefined, mail: { subject?: string; fault?: string }): string {
  const fault = shown.fault ?? mail.fault;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escaped(view?.name ?? 'Templates')}</title><style>${STYLE}</style></head>
<body><nav aria-label="Templates"><h1>Templates</h1><ul>${links(shown, view)}</ul></nav>
<main>${view === undefined ? '<p>There is no template in this folder yet.</p>' : toolbar(view, mail.subject ?? '')}
${fault === undefined ? '' : `<div role="alert">${escaped(fault)}</div>`}
${view === undefined ? '' : `<iframe class="${view.width}" sandbox title="The mail" src="/html?${query(view)}"></iframe>`}
</main><script>${script(shown.version)}</script></body></html>`;
}

function links({ templates }: Shown, view: View | undefined): string {
  const all = templates.flatMap(({ name, compiled }) =>
    Object.keys(compiled.locales)
      .sort()
      .map((locale) => ({ name, locale })),
  );
  return all
    .map(({ name, locale }) => {
      const current = name === view?.name && locale === view.locale;
      const to = query({ name, locale, width: view?.width ?? 'desktop' });
      return `<li><a href="/?${to}"${mark(current)}>${escaped([name, locale].filter(Boolean).join('.'))}</a></li>`;
    })
    .join('');
}

function toolbar(view: View, subject: string): string {
  const widths = (['desktop', 'phone'] as const).map(
    (width) =>
      `<a href="/?${query({ ...view, width })}"${mark(width === view.width)}>${width === 'phone' ? 'Phone' : 'Desktop'}</a>`,
  );
  return `<header><strong>${escaped(subject)}</strong>${widths.join('')}<a href="/text?${query(view)}">Text</a></header>`;
}

function mark(current: boolean): string {
  return current ? ' aria-current="page"' : '';
}

function query({ name, locale, width }: View): string {
  return escaped(new URLSearchParams({ name, locale, width }).toString());
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
