import { refuse } from '../../rules.ts';
import type { AuthOptions, ProviderName } from '../port.ts';

/** A credential of another kind than the provider's SMTP server takes. */
interface WrongLogin {
  readonly part: 'user' | 'pass';
  /** How the preset calls it. */
  readonly option: string;
  readonly looks: RegExp;
  /** What it is, and what to give instead. */
  readonly says: string;
}

/**
 * What is known never to be let in. Of SES: https://docs.aws.amazon.com/ses/latest/dg/smtp-credentials.html, keys of IAM:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html; of the others, the pages of their presets.
 */
const WRONG_LOGINS: Readonly<Record<ProviderName, readonly WrongLogin[]>> = {
  ses: [
    {
      part: 'user',
      option: 'user',
      looks: /^ASIA/,
      says: 'is an access key that is temporary, and SES takes none: make SMTP credentials in its console',
    },
    {
      part: 'user',
      option: 'user',
      looks: /^ses-smtp-user\./,
      says: 'is the name of the IAM user: the SMTP user name stands beside it, and begins with AKIA',
    },
    {
      part: 'pass',
      option: 'pass',
      // An SMTP password has 44: a version and an HMAC-SHA256 made with such a key, in base64.
      looks: /^[A-Za-z0-9/+]{40}$/,
      says: 'has the form of a secret access key of IAM, which is no SMTP password: make SMTP credentials in the console of SES, for this region',
    },
  ],
  sendgrid: [
    {
      part: 'pass',
      option: 'apiKey',
      looks: /^(?!SG\.)/,
      says: 'is no API key: one has 69 characters and begins with SG. (its id and the password of the account do not work)',
    },
  ],
  mailgun: [
    {
      part: 'user',
      option: 'user',
      looks: /^[^@]*$/,
      says: 'must be the whole login, with @ and the sending domain, such as postmaster@mg.example.com',
    },
  ],
  brevo: [
    {
      part: 'pass',
      option: 'key',
      looks: /^xkeysib-/,
      says: 'is an API key, and SMTP takes an SMTP key, which begins with xsmtpsib-',
    },
  ],
  sarbacane: [],
};

/** Looks at the kind of a login for the provider's own server. @throws MailRelayError `OPTIONS_INVALID`, without the login */
export function checkLogin(provider: ProviderName, auth: AuthOptions): void {
  const wrong = WRONG_LOGINS[provider].find(({ part, looks }) => looks.test(auth[part]));
  if (wrong !== undefined) refuse(`${provider}().${wrong.option}`, wrong.says);
}
