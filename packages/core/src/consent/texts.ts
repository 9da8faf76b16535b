import { topicOf } from '../scope.ts';
import type { UnsubscribeOptions, UnsubscribeTexts } from '../unsubscribe.ts';

/** The language where nothing better is known. */
const FALLBACK = 'en';

const TEXTS: Readonly<Record<string, UnsubscribeTexts>> = {
  en: {
    title: 'Unsubscribe',
    question: 'Do you want to stop receiving {scope} from {sender} at {address}?',
    button: 'Unsubscribe',
    doneTitle: 'You are unsubscribed',
    done: '{address} will receive no more {scope} from {sender}.',
    alreadyTitle: 'You are already unsubscribed',
    already: '{address} receives no {scope} from {sender}.',
    againButton: 'Subscribe again',
    againTitle: 'You are subscribed again',
    again: '{address} will receive {scope} from {sender} again.',
    scopes: { broadcast: 'newsletters', transactional: 'service messages' },
    topic: '“{topic}” mail',
  },
  fr: {
    title: 'Se désabonner',
    question: 'Souhaitez-vous ne plus recevoir {scope} de {sender} à l’adresse {address}\u00a0?',
    button: 'Me désabonner',
    doneTitle: 'Vous êtes désabonné',
    done: '{address} ne recevra plus {scope} de {sender}.',
    alreadyTitle: 'Vous êtes déjà désabonné',
    already: '{address} ne reçoit plus {scope} de {sender}.',
    againButton: 'Me réabonner',
    againTitle: 'Vous êtes réabonné',
    again: '{address} recevra de nouveau {scope} de {sender}.',
    scopes: { broadcast: 'les lettres d’information', transactional: 'les messages de service' },
    topic: 'les e-mails «\u00a0{topic}\u00a0»',
  },
};

/** Texts by language: the built-in ones with the host's over them. A new language fills its gaps with English. */
export function unsubscribeTexts(own: UnsubscribeOptions['texts'] = {}): ReadonlyMap<string, UnsubscribeTexts> {
  const languages = new Set([...Object.keys(TEXTS), ...Object.keys(own)]);
  return new Map(
    [...languages].map((language) => {
      const base = (TEXTS[language] ?? TEXTS[FALLBACK]) as UnsubscribeTexts;
      const given = own[language] ?? {};
      const texts = Object.fromEntries(Object.entries(given).filter(([, text]) => text !== undefined));
      return [language.toLowerCase(), { ...base, ...texts, scopes: { ...base.scopes, ...given.scopes } }];
    }),
  );
}

/** Chooses a language that there are texts for: the mail's, else the reader's (RFC 9110 section 12.5.4), else English. */
export function chooseLanguage(
  known: ReadonlySet<string>,
  locale: string | undefined,
  acceptLanguage: string | undefined,
): string {
  const wanted = [locale ?? '', ...accepted(acceptLanguage)];
  for (const tag of wanted) {
    const lower = tag.toLowerCase().replaceAll('_', '-');
    if (known.has(lower)) return lower;
    const language = lower.split('-')[0] as string;
    if (known.has(language)) return language;
  }
  return FALLBACK;
}

function accepted(header = ''): string[] {
  const ranges = header
    .slice(0, 1000)
    .split(',')
    .map((part) => {
      const [tag = '', ...parameters] = part.split(';').map((piece) => piece.trim());
      const weight = parameters.find((parameter) => parameter.startsWith('q='));
      return { tag, weight: weight === undefined ? 1 : Number(weight.slice(2)) || 0 };
    });
  return ranges
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight)
    .map(({ tag }) => tag);
}

/** Texts with their placeholders filled in. What is filled in is never looked at again. */
export function fillTexts(
  texts: UnsubscribeTexts,
  { address, scope, sender }: { readonly address: string; readonly scope: string; readonly sender: string },
): UnsubscribeTexts {
  const values: Readonly<Record<string, string>> = { address, sender, scope: scopeName(texts, scope) };
  const put = (text: string): string =>
    text.replace(/\{(address|scope|sender)\}/g, (whole, name: string) => values[name] ?? whole);
  const filled = Object.entries(texts).map(([name, text]) => [name, typeof text === 'string' ? put(text) : text]);
  return Object.fromEntries(filled) as unknown as UnsubscribeTexts;
}

/** What a scope is called in a language: its name in the texts, else, for a topic, its own, as people write it. */
function scopeName(texts: UnsubscribeTexts, scope: string): string {
  const topic = topicOf(scope);
  const named = texts.scopes?.[scope] ?? texts.scopes?.[topic ?? scope];
  if (named !== undefined || topic === undefined) return named ?? scope;
  return texts.topic.replace('{topic}', () => topic.replace(/(?<=\w)[-_]+(?=\w)/g, ' '));
}
