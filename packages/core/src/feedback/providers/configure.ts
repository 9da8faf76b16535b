import { check, either, group, list, milliseconds, type Rule, type Rules, refuse, rule, text } from '../../rules.ts';
import { brevoWebhooks } from './brevo.ts';
import type { GateOptions } from './gate.ts';
import { mailgunWebhooks } from './mailgun.ts';
import { mailjetWebhooks } from './mailjet.ts';
import type {
  MailgunWebhookOptions,
  ReplayWindowOptions,
  ResendWebhookOptions,
  SecretPathOptions,
  SendgridWebhookOptions,
  SesWebhookOptions,
  SharedSecretOptions,
  WebhookOptions,
} from './options.ts';
import { postmarkWebhooks } from './postmark.ts';
import { providerProblem, secretProblem, type WebhookProvider } from './provider.ts';
import { resendWebhooks } from './resend.ts';
import { sarbacaneWebhooks } from './sarbacane.ts';
import { sendgridKey, sendgridWebhooks } from './sendgrid.ts';
import { sesWebhooks } from './ses.ts';
import { sparkpostWebhooks } from './sparkpost.ts';
import { STANDARD_WINDOW_MS, standardKey } from './standard-webhooks.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const texts: Rule = either(Array.isArray, list(text), text);
const PATH: Rules<SecretPathOptions> = { secret: texts };
const SIGNED: Rules<SecretPathOptions & ReplayWindowOptions> = { ...PATH, replayWindowMs: milliseconds };
const SHARED: Rule = group<SharedSecretOptions>({ ...PATH, user: text, pass: text, token: texts });
const WEBHOOKS: Rule = group<WebhookOptions>({
  ses: group<SesWebhookOptions>({ ...SIGNED, topics: texts }),
  sendgrid: group<SendgridWebhookOptions>({ ...SIGNED, publicKey: texts }),
  mailgun: group<MailgunWebhookOptions>({ ...SIGNED, signingKey: texts }),
  brevo: SHARED,
  sarbacane: group<SecretPathOptions>(PATH),
  postmark: SHARED,
  mailjet: SHARED,
  resend: group<ResendWebhookOptions>({ ...SIGNED, signingSecret: texts }),
  sparkpost: SHARED,
  others: list(rule((value) => providerProblem(value) === undefined, 'must be made by defineProvider()')),
});

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/**
 * The providers whose webhooks are received, by name: those of the options, and those that the environment has secrets of.
 *
 * @throws MailRelayError `OPTIONS_INVALID`, `OPTION_UNSUPPORTED`; never with a secret.
 */
export function configureWebhooks(options: WebhookOptions, env: Environment): ReadonlyMap<string, WebhookProvider> {
  check(WEBHOOKS, options, 'webhooks');
  const providers = [...known(options, env), ...(options.others ?? [])];
  const byName = new Map(providers.map((provider) => [provider.name, provider]));
  if (byName.size !== providers.length) refuse('webhooks.others', 'must have names that no other provider has');
  return byName;
}

function known(options: WebhookOptions, env: Environment): readonly WebhookProvider[] {
  const { sarbacane } = options;
  const secret = secretOf('sarbacane', sarbacane, env);
  if (secret === undefined && sarbacane !== undefined) needed('sarbacane', 'secret', 'SARBACANE_WEBHOOK_SECRET');
  return [
    ...sesOf(options.ses, env),
    ...sendgridOf(options.sendgrid, env),
    ...mailgunOf(options.mailgun, env),
    ...resendOf(options.resend, env),
    ...(secret === undefined ? [] : [sarbacaneWebhooks('sarbacane', secret), sarbacaneWebhooks('tipimail', secret)]),
    ...sharedOf('brevo', options.brevo, env, brevoWebhooks),
    ...sharedOf('postmark', options.postmark, env, postmarkWebhooks),
    ...sharedOf('mailjet', options.mailjet, env, mailjetWebhooks),
    ...sharedOf('sparkpost', options.sparkpost, env, sparkpostWebhooks),
  ];
}

function sesOf(options: SesWebhookOptions | undefined, env: Environment): readonly WebhookProvider[] {
  const topics = several(options?.topics, env.SES_WEBHOOK_TOPICS);
  if (topics.length === 0) return options === undefined ? [] : needed('ses', 'topics', 'SES_WEBHOOK_TOPICS');
  if (!topics.every((topic) => /^arn:aws[\w-]*:sns:[\w-]+:\d+:[\w.-]+$/.test(topic)))
    refuse('webhooks.ses.topics', 'must be ARNs of SNS topics, such as arn:aws:sns:eu-west-3:123456789012:mail');
  const replayWindowMs = options?.replayWindowMs ?? 24 * HOUR_MS;
  return [sesWebhooks({ topics, replayWindowMs, secret: secretOf('ses', options, env) })];
}

function sendgridOf(options: SendgridWebhookOptions | undefined, env: Environment): readonly WebhookProvider[] {
  const keys = several(options?.publicKey, env.SENDGRID_WEBHOOK_PUBLIC_KEY);
  if (keys.length === 0)
    return options === undefined ? [] : needed('sendgrid', 'publicKey', 'SENDGRID_WEBHOOK_PUBLIC_KEY');
  const publicKeys = keys.map((key) => {
    try {
      return sendgridKey(key);
    } catch {
      return refuse('webhooks.sendgrid.publicKey', 'must be the verification key of the Signed Event Webhook');
    }
  });
  const replayWindowMs = options?.replayWindowMs ?? 10 * MINUTE_MS;
  return [sendgridWebhooks({ publicKeys, replayWindowMs, secret: secretOf('sendgrid', options, env) })];
}

function mailgunOf(options: MailgunWebhookOptions | undefined, env: Environment): readonly WebhookProvider[] {
  const signingKeys = several(options?.signingKey, env.MAILGUN_WEBHOOK_SIGNING_KEY);
  if (signingKeys.length === 0)
    return options === undefined ? [] : needed('mailgun', 'signingKey', 'MAILGUN_WEBHOOK_SIGNING_KEY');
  const replayWindowMs = options?.replayWindowMs ?? 12 * HOUR_MS;
  // A token is remembered for 30 days.
  if (replayWindowMs > 14 * 24 * HOUR_MS) refuse('webhooks.mailgun.replayWindowMs', 'must be at most 14 days');
  return [mailgunWebhooks({ signingKeys, replayWindowMs, secret: secretOf('mailgun', options, env) })];
}

function resendOf(options: ResendWebhookOptions | undefined, env: Environment): readonly WebhookProvider[] {
  const secrets = several(options?.signingSecret, env.RESEND_WEBHOOK_SIGNING_SECRET);
  if (secrets.length === 0)
    return options === undefined ? [] : needed('resend', 'signingSecret', 'RESEND_WEBHOOK_SIGNING_SECRET');
  const keys = secrets.map(
    (one) => standardKey(one) ?? refuse('webhooks.resend.signingSecret', 'must be a signing secret, whsec_…'),
  );
  const replayWindowMs = options?.replayWindowMs ?? STANDARD_WINDOW_MS;
  return [resendWebhooks({ keys, replayWindowMs, secret: secretOf('resend', options, env) })];
}

type Shared = GateOptions & { readonly secret: WebhookProvider['secret'] };

function sharedOf(
  name: 'brevo' | 'postmark' | 'mailjet' | 'sparkpost',
  options: SharedSecretOptions | undefined,
  env: Environment,
  make: (settings: Shared) => WebhookProvider,
): readonly WebhookProvider[] {
  const prefix = `${name.toUpperCase()}_WEBHOOK_`;
  const secret = secretOf(name, options, env);
  const given = (value: string | undefined, variable: string): string | undefined =>
    value ?? (env[prefix + variable] || undefined);
  const user = given(options?.user, 'USER');
  const pass = given(options?.pass, 'PASSWORD');
  const tokens = several(options?.token, env[`${prefix}TOKEN`]);
  const token = tokens.length === 0 ? undefined : tokens;
  if ((user === undefined) !== (pass === undefined)) refuse(`webhooks.${name}`, 'needs `user` and `pass` together');
  if (secret === undefined && user === undefined && token === undefined)
    return options === undefined ? [] : needed(name, 'secret', `${prefix}SECRET`, ', or `user` and `pass`, or `token`');
  return [make({ secret, user, pass, token })];
}

function needed(provider: string, option: string, variable: string, others = ''): never {
  return refuse(`webhooks.${provider}.${option}`, `is missing: give it, or set ${variable}${others}`);
}

function several(given: string | readonly string[] | undefined, variable: string | undefined): readonly string[] {
  const all = given === undefined ? (variable?.split(',') ?? []) : [given].flat();
  return all.map((one) => one.trim()).filter((one) => one !== '');
}

/** Undefined for none. */
function secretOf(
  name: string,
  options: SecretPathOptions | undefined,
  env: Environment,
): readonly string[] | undefined {
  const secrets = several(options?.secret, env[`${name.toUpperCase()}_WEBHOOK_SECRET`]);
  for (const secret of secrets) {
    const problem = secretProblem(secret);
    if (problem !== undefined) refuse(`webhooks.${name}.secret`, problem);
  }
  return secrets.length === 0 ? undefined : secrets;
}
