/** What the compiled HTML of a template says of itself: its title and its language, where the author gave none. */

/** MJML writes an empty one where there is no `mj-title`. */
const TITLE = /<title\b[^>]*>([\s\S]*?)<\/title>/i;
/** Filled in as the mail is rendered, and escaped there: a message may replace the subject of its template. */
const SUBJECT = '<title>{{@subject}}</title>';

/** @param locale - that of the file; empty where its name has none */
export function withHead(html: string, locale: string): string {
  return withTitle(withLanguage(html, locale));
}

function withTitle(html: string): string {
  const found = TITLE.exec(headOf(html));
  if (found === null) return html.replace(/<head(?:\s[^>]*)?>/i, (head) => head + SUBJECT);
  return found[1]?.trim() === '' ? html.replace(TITLE, () => SUBJECT) : html;
}

/** An inline picture may have a title of its own. */
function headOf(html: string): string {
  const end = html.search(/<\/head>|<body\b/i);
  return end < 0 ? html : html.slice(0, end);
}

/** `und`, of unknown language, is what MJML says of itself. */
function withLanguage(html: string, locale: string): string {
  if (locale === '') return html;
  return html
    .replaceAll(/\blang="und"/g, () => `lang="${locale}"`)
    .replace(/<html\b(?![^>]*\blang\s*=)/i, (tag) => `${tag} lang="${locale}"`);
}
