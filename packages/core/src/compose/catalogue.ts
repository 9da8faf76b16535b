import { MailRelayError, messageOf } from '../errors.ts';
import type { BlobStore } from '../store/port.ts';
import type { HostApi } from '../thread/port.ts';
import type { Tokens } from '../token.ts';
import { type Bundle, type CompiledLocale, compileTemplates, keepCompiled, readBundle } from './bundle.ts';
import type { DeclaredTemplate } from './port.ts';
import { createProgram, type Program, type ProgramTracking } from './program.ts';
import { declaredSource, readFolder, type TemplateSource } from './sources.ts';
import { watchFolder } from './watch.ts';

/** Where templates come from. */
export interface CatalogueOptions {
  readonly folders: readonly string[];
  readonly declared: readonly DeclaredTemplate[];
  readonly watch: boolean;
  readonly tokens: Tokens;
  readonly linkBase: string;
  readonly blobs: Pick<BlobStore, 'get' | 'put'>;
  readonly log: HostApi['log'];
}

/** One version of a template in one language and with one kind of tracking. */
export interface Wanted {
  readonly name: string;
  readonly version: string;
  readonly locale: string | undefined;
  readonly tracking: ProgramTracking;
}

/** The templates that are there, in every version that was accepted. */
export interface Catalogue {
  start(): Promise<void>;
  names(): readonly { readonly name: string; readonly version: string; readonly locales: readonly string[] }[];
  /** Current version. Throws `TEMPLATE_NOT_FOUND`, with the known names. */
  version(name: string): string;
  program(wanted: Wanted): Promise<Program>;
  preheader(wanted: Omit<Wanted, 'tracking'>): Promise<string | undefined>;
  /** As it stands in the template. */
  subject(wanted: Omit<Wanted, 'tracking'>): Promise<string>;
  close(): void;
}

/** Nothing is tracked. */
export const UNTRACKED: ProgramTracking = { opens: false, clicks: false, utm: undefined };

const CACHED_PROGRAMS = 500;

/** Loads and compiles templates, and keeps the programs made of them. Nothing happens before `start()`. */
export function createCatalogue(options: CatalogueOptions): Catalogue {
  const { blobs } = options;
  const versions = new Map<string, string>();
  const bundles = new Map<string, Bundle>();
  const programs = new Map<string, Program>();
  let watchers: readonly { close(): void }[] = [];

  async function load(): Promise<void> {
    const sources = [
      ...options.folders.flatMap(readFolder),
      ...options.declared.flatMap((one) => (one.format === 'compiled' ? [] : [declaredSource(one)])),
    ];
    checkNames(sources);
    const compiled = await compileTemplates(sources, blobs);
    const made = options.declared.filter((one) => one.format === 'compiled');
    for (const one of made) compiled.set(one.compiled.version, await keepCompiled(one, blobs));
    for (const [hash, bundle] of compiled) {
      for (const locale of Object.values(bundle.locales)) createProgram(locale, hash, UNTRACKED, options);
      bundles.set(hash, bundle);
    }
    versions.clear();
    for (const { name, hash } of sources) versions.set(name, hash);
    for (const { name, compiled: given } of made) versions.set(name, given.version);
  }

  function reload(): void {
    load().catch((error: unknown) =>
      options.log('error', { error: messageOf(error) }, 'a template does not compile; the one before stays'),
    );
  }

  async function bundleOf({ name, version }: Pick<Wanted, 'name' | 'version'>): Promise<Bundle> {
    const bundle = bundles.get(version) ?? (await readBundle(version, blobs));
    if (bundle === undefined) {
      const reason = `the version of ${name} that was accepted is gone`;
      throw new MailRelayError('TEMPLATE_NOT_FOUND', { template: name, reason });
    }
    bundles.set(version, bundle);
    return bundle;
  }

  return {
    async start() {
      await load();
      if (options.watch) watchers = options.folders.map((folder) => watchFolder(folder, reload));
    },
    names: () =>
      [...versions].map(([name, hash]) => ({
        name,
        version: hash,
        locales: Object.keys(bundles.get(hash)?.locales ?? {}),
      })),
    version(name) {
      const found = versions.get(name);
      if (found !== undefined) return found;
      const known = [...versions.keys()];
      const reason = `${name}; known are ${known.join(', ') || 'none'}`;
      throw new MailRelayError('TEMPLATE_NOT_FOUND', { template: name, known, reason });
    },
    async program(wanted) {
      const { tracking, version } = wanted;
      const key = `${version} ${wanted.locale ?? ''} ${tracking.opens} ${tracking.clicks} ${tracking.utm === undefined ? '' : JSON.stringify(tracking.utm)} ${tracking.mark ?? ''}`;
      let program = programs.get(key);
      if (program === undefined) {
        const bundle = await bundleOf(wanted);
        program = createProgram(localeOf(bundle, wanted.locale), `t:${version}`, tracking, options);
        if (programs.size >= CACHED_PROGRAMS) programs.clear();
        programs.set(key, program);
      }
      return program;
    },
    preheader: async (wanted) => localeOf(await bundleOf(wanted), wanted.locale).preheader,
    subject: async (wanted) => localeOf(await bundleOf(wanted), wanted.locale).subject,
    close() {
      for (const watcher of watchers) watcher.close();
    },
  };
}

/** Which of two a mail would be made of is nobody's guess. */
function checkNames(sources: readonly TemplateSource[]): void {
  const places = new Map<string, string>();
  for (const { name, locales } of sources) {
    const place = Object.values(locales)[0]?.path ?? name;
    const other = places.get(name);
    if (other !== undefined) {
      const reason = `two templates have the name ${name}: ${other} and ${place}`;
      throw new MailRelayError('TEMPLATE_INVALID', { template: name, path: place, reason });
    }
    places.set(name, place);
  }
}

/** The language that was asked for, the same without its region, the one without a name, English, or any. */
function localeOf({ locales }: Bundle, wanted = ''): CompiledLocale {
  const tried = [wanted, wanted.split('-')[0] ?? '', '', 'en', ...Object.keys(locales)];
  // A language comes from outside, and may be a word that every object has, such as `valueOf`.
  const chosen = tried.find((one) => Object.hasOwn(locales, one)) ?? '';
  return locales[chosen] as CompiledLocale;
}
