import { topicOf } from '../scope.ts';
import type { UnsubscribeOptions, UnsubscribeTexts } from '../unsubscribe.ts';

/** The language where nothing better is known. */
const FALLBACK = 'en';

const TEXTS: Readonly<Record<string, UnsubscribeTexts>> = {
  en: {
    title: 'Unsubscribe',
    question: 'Do you want to stop receiving {scope} at {address}?',
    button: 'Unsubscribe',
    doneTitle: 'You are unsubscribed',
    done: '{address} will receive no more mail of this kind ({scope}).',
    scopes: { broadcast: 'our newsletters', transactional: 'our service messages' },
  },
  fr: {
    title: 'Se désabonner',
    question: 'Souhaitez-vous ne plus recevoir {scope} à l’adresse {address} ?',
    button: 'Me désabonner',
    doneTitle: 'Vous êtes désabonné',
    done: '{address} ne recevra plus d’e-mails de ce type ({scope}).',
    scopes: { broadcast: 'nos lettres d’information', transactional: 'nos messages de service' },
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

/** What a scope is called in a language: its name in the texts, else the name of the topic. */
export function scopeName(texts: UnsubscribeTexts, scope: string): string {
  const topic = topicOf(scope) ?? scope;
  return texts.scopes?.[scope] ?? texts.scopes?.[topic] ?? topic;
}
