import { check, group, refuse, text } from '../../rules.ts';
import type { RouteSpec } from '../port.ts';
import { BREVO_HOST } from './brevo.ts';
import { MAILGUN_HOSTS } from './mailgun.ts';
import type { BrevoOptions, MailgunOptions, SarbacaneOptions, SendgridOptions, SesOptions } from './options.ts';
import { credential, credentialOf, hostOf, PRESET, presetRoute } from './route.ts';
import { SARBACANE_HOST } from './sarbacane.ts';
import { SENDGRID_HOSTS } from './sendgrid.ts';
import { SES_REGIONS, sesHost } from './ses.ts';

const SES = group<SesOptions>({ ...PRESET, region: text, user: credential, pass: credential, configurationSet: text });
const SENDGRID = group<SendgridOptions>({ ...PRESET, region: text, apiKey: credential });
const MAILGUN = group<MailgunOptions>({ ...PRESET, region: text, user: credential, pass: credential });
const BREVO = group<BrevoOptions>({ ...PRESET, user: credential, key: credential });
const SARBACANE = group<SarbacaneOptions>({ ...PRESET, user: credential, apiKey: credential });

/**
 * A route over Amazon SES.
 *
 * @throws MailRelayError `OPTIONS_INVALID`, `OPTION_UNSUPPORTED`; never with a credential.
 * @example
 * routes: [ses({ region: 'eu-west-3', rate: ['14/s', '50000/day'] })] // SES_SMTP_USER and SES_SMTP_PASSWORD are set
 */
export function ses(options: SesOptions = {}): RouteSpec {
  check(SES, options, 'ses()');
  const region = options.region ?? process.env.AWS_REGION;
  if (region === undefined || region === '') refuse('ses().region', 'is missing: give it, or set AWS_REGION');
  if (!SES_REGIONS.includes(region) && options.server?.host === undefined)
    refuse(
      'ses().region',
      'is none with an SMTP server of SES, such as eu-west-3; for a new one, give `server.host` as well',
    );
  const configurationSet = options.configurationSet ?? (process.env.SES_CONFIGURATION_SET || undefined);
  const auth = {
    user: credentialOf('ses().user', options.user, 'SES_SMTP_USER'),
    pass: credentialOf('ses().pass', options.pass, 'SES_SMTP_PASSWORD'),
  };
  const provider = { name: 'ses', ...(configurationSet === undefined ? {} : { configurationSet }) } as const;
  return presetRoute({ provider, host: sesHost(region), auth }, options);
}

/**
 * A route over Twilio SendGrid.
 *
 * @throws MailRelayError `OPTIONS_INVALID`, `OPTION_UNSUPPORTED`; never with a credential.
 */
export function sendgrid(options: SendgridOptions = {}): RouteSpec {
  check(SENDGRID, options, 'sendgrid()');
  const pass = credentialOf('sendgrid().apiKey', options.apiKey, 'SENDGRID_API_KEY');
  const host = hostOf('sendgrid().region', options.region ?? 'global', SENDGRID_HOSTS);
  return presetRoute({ provider: { name: 'sendgrid' }, host, auth: { user: 'apikey', pass } }, options);
}

/**
 * A route over Mailgun.
 *
 * @throws MailRelayError `OPTIONS_INVALID`, `OPTION_UNSUPPORTED`; never with a credential.
 */
export function mailgun(options: MailgunOptions = {}): RouteSpec {
  check(MAILGUN, options, 'mailgun()');
  const auth = {
    user: credentialOf('mailgun().user', options.user, 'MAILGUN_SMTP_LOGIN'),
    pass: credentialOf('mailgun().pass', options.pass, 'MAILGUN_SMTP_PASSWORD'),
  };
  const host = hostOf('mailgun().region', options.region ?? 'us', MAILGUN_HOSTS);
  return presetRoute({ provider: { name: 'mailgun' }, host, auth }, options);
}

/**
 * A route over Brevo.
 *
 * @throws MailRelayError `OPTIONS_INVALID`, `OPTION_UNSUPPORTED`; never with a credential.
 */
export function brevo(options: BrevoOptions = {}): RouteSpec {
  check(BREVO, options, 'brevo()');
  const auth = {
    user: credentialOf('brevo().user', options.user, 'BREVO_SMTP_LOGIN'),
    pass: credentialOf('brevo().key', options.key, 'BREVO_SMTP_KEY'),
  };
  return presetRoute({ provider: { name: 'brevo' }, host: BREVO_HOST, auth }, options);
}

/**
 * A route over Sarbacane (Sendkit, formerly Tipimail).
 *
 * @throws MailRelayError `OPTIONS_INVALID`, `OPTION_UNSUPPORTED`; never with a credential.
 */
export function sarbacane(options: SarbacaneOptions = {}): RouteSpec {
  check(SARBACANE, options, 'sarbacane()');
  const auth = {
    user: credentialOf('sarbacane().user', options.user, 'SARBACANE_SMTP_USER'),
    pass: credentialOf('sarbacane().apiKey', options.apiKey, 'SARBACANE_API_KEY'),
  };
  return presetRoute({ provider: { name: 'sarbacane' }, host: SARBACANE_HOST, auth }, options);
}
