import { HandlebarsAdapter, MjmlAdapter } from './adapters.ts';
import type { MailerOptions } from './options.ts';
import { unsupported } from './unsupported.ts';

/** What is read here, by the option that it stands in. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  '': ['transport', 'transports', 'defaults', 'template', 'relay'],
  template: ['dir', 'dirs', 'adapter', 'options'],
  'template.options': ['strict'],
};

/** Options of the incumbent that are not, and what to do instead. */
const INSTEAD: Readonly<Record<string, string>> = {
  options:
    'partials lie in `partials` below the template folder, layouts in `layouts`; a template names its layout in its front matter',
  i18n: 'name the file `welcome.fr.hbs`, and send with `locale`',
  preview: 'captured mail is shown in the development inbox, /mail/',
  plugins: 'the relay composes the mail',
  sendTimeout: 'a mail is stored when `sendMail()` answers',
  rateLimit: 'give `rateLimit` and `rateDelta` of the transport',
  verifyTransporters: 'call `verifyAllTransporters()` once the application has started',
  'template.resolver': 'templates come from the folders in `dir` and `dirs`, and are compiled at the start',
};

/** @throws MailRelayError `OPTION_UNSUPPORTED` for what nothing here reads, with what to do instead */
export function checkOptions(options: MailerOptions): void {
  const { template } = options;
  checkKeys('', options);
  checkKeys('template', template ?? {});
  checkKeys('template.options', template?.options ?? {});
  if (template?.options?.strict === false)
    unsupported(
      'template.options.strict',
      'a variable that is missing is always an error; hand in null for what may be',
    );
  const adapter: unknown = template?.adapter;
  if (adapter !== undefined && !(adapter instanceof HandlebarsAdapter) && !(adapter instanceof MjmlAdapter))
    unsupported('template.adapter', 'import HandlebarsAdapter or MjmlAdapter from @mailrelay/nestjs/compat');
}

/** What is switched off asks for nothing. */
function checkKeys(place: string, given: object): void {
  for (const [key, value] of Object.entries(given)) {
    const option = place === '' ? key : `${place}.${key}`;
    if (KNOWN[place]?.includes(key) || value === undefined || value === false) continue;
    unsupported(option, INSTEAD[option] ?? `known are ${KNOWN[place]?.join(', ')}`);
  }
}
