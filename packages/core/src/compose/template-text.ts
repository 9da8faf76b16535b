import { convert } from 'html-to-text';

const HEADINGS = ['h1', 'h2', 'h3', 'h4', 'h5', 'h6'];

/** The text of an HTML template, made once: Handlebars tags stay where they are. */
export function textOf(html: string): string {
  const unwrapped = html.replace(/<!--[\s\S]*?-->/g, '').replace(/<(style|title)[^>]*>[\s\S]*?<\/\1>/gi, '');
  return convert(unwrapped, {
    wordwrap: false,
    selectors: [
      ...HEADINGS.map((selector) => ({ selector, options: { uppercase: false } })),
      { selector: 'img', format: 'skip' },
      { selector: '.mail-relay-preheader', format: 'skip' },
      {
        selector: 'a',
        options: { ignoreHref: false, hideLinkHrefIfSameAsText: true, linkBrackets: ['(', ')'] as [string, string] },
      },
    ],
  });
}
