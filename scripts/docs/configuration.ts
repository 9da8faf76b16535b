import { type DocumentedProperty, propertiesOf } from './tsdoc.ts';

/** A table of options: where they are declared, and what they are for. */
interface Section {
  readonly title: string;
  readonly intro: string;
  readonly file: string;
  readonly interface: string;
  readonly prefix: string;
}

const SECTIONS: readonly Section[] = [
  {
    title: 'Options',
    intro: 'Of `createMailRelay()` and `mailRelay()`.',
    file: 'options.ts',
    interface: 'MailRelayOptions',
    prefix: '',
  },
  {
    title: 'Templates',
    intro: 'Where `templates` is an object. More on [templates](templates.md).',
    file: 'options.ts',
    interface: 'TemplateOptions',
    prefix: 'templates.',
  },
  {
    title: 'Signatures',
    intro: 'In `dkim`. More on [deliverability](deliverability.md).',
    file: 'dkim-options.ts',
    interface: 'DkimOptions',
    prefix: 'dkim.',
  },
  {
    title: 'Keys of signatures',
    intro: 'In `dkim: { keys: [{ … }] }`.',
    file: 'dkim-options.ts',
    interface: 'DkimKeyOptions',
    prefix: '',
  },
  {
    title: 'Shaping',
    intro: 'In `shaping`. More on [shaping](shaping.md).',
    file: 'shaping-options.ts',
    interface: 'ShapingOptions',
    prefix: 'shaping.',
  },
  {
    title: 'Limits of receivers',
    intro: 'In `shaping: { sites: { name: { … } } }` and `shaping: { domains: { domain: { … } } }`.',
    file: 'shaping-options.ts',
    interface: 'SiteLimits',
    prefix: '',
  },
  {
    title: 'Receivers',
    intro: 'In `shaping: { sites: { name: { … } } }`, beside their limits.',
    file: 'shaping-options.ts',
    interface: 'SiteOptions',
    prefix: '',
  },
  {
    title: 'Rules of shaping',
    intro: 'In `shaping: { rules: [{ … }] }`.',
    file: 'shaping-options.ts',
    interface: 'ShapingRule',
    prefix: '',
  },
  {
    title: 'Tracking',
    intro: 'In `tracking` and `tracking.streams.broadcast`, and of one message. More on [tracking](tracking.md).',
    file: 'message.ts',
    interface: 'TrackingOptions',
    prefix: 'tracking.',
  },
  { title: 'Limits', intro: 'What is accepted.', file: 'options.ts', interface: 'LimitOptions', prefix: 'limits.' },
  {
    title: 'Queue',
    intro: 'How waiting mail is worked on. More on the [queue](queue.md).',
    file: 'options.ts',
    interface: 'QueueOptions',
    prefix: 'queue.',
  },
  {
    title: 'Suppression',
    intro: 'What follows from bounces and complaints. More on [suppression](suppression.md).',
    file: 'suppression-policy.ts',
    interface: 'SuppressionOptions',
    prefix: 'suppression.',
  },
  {
    title: 'Soft bounces',
    intro: 'In `suppression: { softBounces: { … } }`.',
    file: 'suppression-policy.ts',
    interface: 'SoftBounceOptions',
    prefix: 'suppression.softBounces.',
  },
  {
    title: 'Webhooks',
    intro: 'Whose webhooks are received, at `/mail/hooks/<provider>`. More on [webhooks](webhooks.md).',
    file: 'feedback/providers/options.ts',
    interface: 'WebhookOptions',
    prefix: 'webhooks.',
  },
  {
    title: 'Webhooks of Amazon SES',
    intro: 'More on [SES](webhooks/ses.md).',
    file: 'feedback/providers/options.ts',
    interface: 'SesWebhookOptions',
    prefix: 'webhooks.ses.',
  },
  {
    title: 'Webhooks of SendGrid',
    intro: 'More on [SendGrid](webhooks/sendgrid.md).',
    file: 'feedback/providers/options.ts',
    interface: 'SendgridWebhookOptions',
    prefix: 'webhooks.sendgrid.',
  },
  {
    title: 'Webhooks of Mailgun',
    intro: 'More on [Mailgun](webhooks/mailgun.md).',
    file: 'feedback/providers/options.ts',
    interface: 'MailgunWebhookOptions',
    prefix: 'webhooks.mailgun.',
  },
  {
    title: 'Webhooks of Resend',
    intro: 'More on [Resend](webhooks/resend.md).',
    file: 'feedback/providers/options.ts',
    interface: 'ResendWebhookOptions',
    prefix: 'webhooks.resend.',
  },
  {
    title: 'Webhooks that are not signed',
    intro: 'Of Brevo, Postmark, Mailjet and SparkPost.',
    file: 'feedback/providers/options.ts',
    interface: 'SharedSecretOptions',
    prefix: 'webhooks.<provider>.',
  },
  {
    title: 'Secrets in the path',
    intro: 'Of Sarbacane, and of each of the others.',
    file: 'feedback/providers/options.ts',
    interface: 'SecretPathOptions',
    prefix: 'webhooks.<provider>.',
  },
  {
    title: 'Replay window',
    intro: 'Of Amazon SES, SendGrid, Mailgun and Resend.',
    file: 'feedback/providers/options.ts',
    interface: 'ReplayWindowOptions',
    prefix: 'webhooks.<provider>.',
  },
  {
    title: 'Unsubscribe page',
    intro: 'English and French are built in.',
    file: 'unsubscribe.ts',
    interface: 'UnsubscribeOptions',
    prefix: 'unsubscribe.',
  },
  {
    title: 'Routes',
    intro: 'Second argument of `smtp(url, { … })`, and of `capture({ … })` and `directMx({ … })`.',
    file: 'deliver/port.ts',
    interface: 'RouteOptions',
    prefix: '',
  },
  {
    title: 'Which mail a route takes',
    intro: 'In `takes` of a route, or in a list of such rules.',
    file: 'route/port.ts',
    interface: 'RouteRules',
    prefix: 'takes.',
  },
  {
    title: 'Warm-up of a route',
    intro: 'In `warmUp` of a route. More on [shaping](shaping.md#warm-up).',
    file: 'warm-up.ts',
    interface: 'WarmUpOptions',
    prefix: 'warmUp.',
  },
  {
    title: 'All presets',
    intro: 'Of `ses({ … })`, beside those of routes. More on [routes](routes.md).',
    file: 'deliver/providers/options.ts',
    interface: 'ProviderRouteOptions',
    prefix: '',
  },
  {
    title: 'Amazon SES',
    intro: 'Of `ses({ … })`, beside those of routes. More on [routes](routes.md).',
    file: 'deliver/providers/options.ts',
    interface: 'SesOptions',
    prefix: '',
  },
  {
    title: 'SendGrid',
    intro: 'Of `sendgrid({ … })`, beside those of routes. More on [routes](routes.md).',
    file: 'deliver/providers/options.ts',
    interface: 'SendgridOptions',
    prefix: '',
  },
  {
    title: 'Mailgun',
    intro: 'Of `mailgun({ … })`, beside those of routes. More on [routes](routes.md).',
    file: 'deliver/providers/options.ts',
    interface: 'MailgunOptions',
    prefix: '',
  },
  {
    title: 'Brevo',
    intro: 'Of `brevo({ … })`, beside those of routes. More on [routes](routes.md).',
    file: 'deliver/providers/options.ts',
    interface: 'BrevoOptions',
    prefix: '',
  },
  {
    title: 'Sarbacane',
    intro: 'Of `sarbacane({ … })`, beside those of routes. More on [routes](routes.md).',
    file: 'deliver/providers/options.ts',
    interface: 'SarbacaneOptions',
    prefix: '',
  },
  {
    title: 'Capture',
    intro: 'Of `capture({ … })` alone.',
    file: 'deliver/port.ts',
    interface: 'CaptureOptions',
    prefix: '',
  },
  {
    title: 'Direct MX',
    intro: 'Of `directMx({ … })`, beside those of all routes. More on [direct MX](direct-mx.md).',
    file: 'deliver/port.ts',
    interface: 'DirectMxSettings',
    prefix: '',
  },
  {
    title: 'Ports of direct MX',
    intro: 'In `directMx({ ports: { … } })`.',
    file: 'deliver/port.ts',
    interface: 'DirectMxPorts',
    prefix: 'ports.',
  },
  {
    title: 'DNS of direct MX',
    intro: 'In `directMx({ dns: { … } })`.',
    file: 'deliver/port.ts',
    interface: 'DnsOptions',
    prefix: 'dns.',
  },
  {
    title: 'SMTP',
    intro: 'First argument of `smtp({ … })`, where it is no URL.',
    file: 'deliver/port.ts',
    interface: 'SmtpOptions',
    prefix: '',
  },
  {
    title: 'TLS of SMTP',
    intro: 'In `smtp({ tls: { … } })`.',
    file: 'deliver/port.ts',
    interface: 'TlsOptions',
    prefix: 'tls.',
  },
  {
    title: 'Login at SMTP',
    intro: 'In `smtp({ auth: { … } })`. More, such as OAuth2, is not supported.',
    file: 'deliver/port.ts',
    interface: 'AuthOptions',
    prefix: 'auth.',
  },
];

/** The page of all options. */
export function configurationPage(source: (path: string) => string): string {
  const sections = SECTIONS.map((section) => {
    const properties = propertiesOf(source(section.file), section.interface);
    return `## ${section.title}\n\n${section.intro}\n\n${table(properties, section.prefix)}\n`;
  });
  return `<!-- Generated from the TSDoc of the options by scripts/docs.ts: change it there. -->

# Configuration

Every option has a default. In development none is needed: mail is captured, and shown under \`/mail/\`. In production the
relay does not start without a secret, a public URL and a route; the error says which is missing.

An option that is given in code goes before its environment variable. A variable that is empty counts as absent, and blanks
around its value do not belong to it. An option that does not exist, or a value that it cannot have, is an error that names it.

\`\`\`ts
import { createMailRelay, smtp, sqlite } from '@mailrelay/core';

const relay = createMailRelay({
  publicUrl: 'https://app.example.com',
  secret: 'at least sixteen characters',
  from: 'Acme <hello@acme.example>',
  store: sqlite('data/mail.db'),
  routes: [smtp('smtp://localhost:1025', { name: 'provider', rate: '14/s' })],
  queue: { retryFirstMs: 30_000 },
});

await relay.start();
console.log(relay.publicUrl); // https://app.example.com
await relay.stop();
\`\`\`

${sections.join('\n')}`;
}

function table(properties: readonly DocumentedProperty[], prefix: string): string {
  const rows = properties.map(({ name, text, default: standard, env }) => {
    const cells = [`\`${prefix}${name}\``, text, standard ?? '', variables(env)];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return ['| Option | What it does | Default | Variable |', '|---|---|---|---|', ...rows].join('\n');
}

function variables(env: string | undefined): string {
  return env?.replace(/\b(?:[A-Z]+_[A-Z_]+)\b/g, '`$&`') ?? '';
}
