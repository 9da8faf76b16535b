import { dirname, join } from 'node:path';
import {
  createMailRelay,
  type Logger,
  type MailRelay,
  type MailRelayOptions,
  type TemplateOptions,
} from '@mailrelay/core';
import type { DiscoveryService } from '@nestjs/core';
import { FEATURE, type MailRelayFeatureOptions } from './feature.ts';
import { nestLogger } from './logger.ts';
import { checkObject, checkStop, type MailRelayModuleOptions, pathOf, refuse } from './options.ts';
import { NAMED, type Named, type RelayMaker } from './relay-maker.ts';
import { findTemplateFolder } from './template-folder.ts';

/** Makes the relay of a module: Nest's logger, templates of all modules, and for a name a path and a store of its own. */
export function createRelay(
  moduleOptions: MailRelayModuleOptions,
  named: Named,
  discovery: DiscoveryService,
  maker?: RelayMaker,
): MailRelay | Promise<MailRelay> {
  checkObject(moduleOptions, 'options');
  const { autoMount, stop, ...given } = moduleOptions;
  const { name } = named;
  const options = { ...given, ...maker?.optionsFor(name) };
  if (autoMount !== undefined && typeof autoMount !== 'boolean') refuse('autoMount', 'must be true or false');
  if (stop !== undefined) checkStop(stop);
  if (maker === undefined) checkAlone(name, discovery);
  const logger = options.logger ?? nestLogger(name);
  const own = name === undefined ? {} : { path: pathOf(options, name), store: storeOf(name) };
  const templates = collected(
    options.templates ?? (process.env.MAIL_RELAY_TEMPLATES?.trim() || undefined),
    featuresOf(discovery, name),
    logger,
  );
  const whole = { logger, ...own, ...options, ...(templates === undefined ? {} : { templates }) };
  return maker === undefined ? createMailRelay(whole) : maker.make(whole, named);
}

/** Two of one name would share a store, and nobody could say which is injected. */
function checkAlone(name: string | undefined, discovery: DiscoveryService): void {
  const all = discovery.getProviders().filter(({ token }) => token === NAMED);
  if (all.filter(({ instance }) => (instance as Named).name === name).length > 1)
    refuse('name', `is ${name ?? 'missing'} for two relays: give one of them another`);
}

/** Beside the store of the relay without a name, so that both lie on the disk that is kept. */
function storeOf(name: string): string {
  const shared = process.env.MAIL_RELAY_STORE ?? '.mail-relay/relay.db';
  // What is no path is refused by the relay itself.
  return shared === ':memory:' || shared.includes('://') ? shared : join(dirname(shared), `${name}.db`);
}

type Templates = MailRelayOptions['templates'];

function featuresOf(discovery: DiscoveryService, name: string | undefined): Templates[] {
  const features = discovery.getProviders().filter((wrapper) => wrapper.token === FEATURE);
  return features
    .map((wrapper) => wrapper.instance as MailRelayFeatureOptions)
    .flatMap(({ relay, templates }) => (relay === name ? [templates] : []));
}

/** Templates of the application and of its features as one; a folder that two modules name counts once. */
function collected(own: Templates, features: readonly Templates[], logger: Logger): Templates {
  // What no option can be is refused by the relay itself, with the name of the option.
  if (own !== undefined && typeof own !== 'string' && Object(own) !== own) return own;
  const all = [own, ...features].flatMap((given) => (given === undefined ? [] : [asOptions(given)]));
  if (all.length === 0) return undefined;
  const folders = all.flatMap(({ folder }) => folder ?? []).map((folder) => find(folder, logger));
  const templates = all.flatMap((options) => options.templates ?? []);
  // What else they say is left to the relay's own check; the application's word goes first.
  return {
    ...Object.assign({}, ...all.toReversed()),
    folder: [...new Set(folders)],
    templates: [...new Set(templates)],
  };
}

function asOptions(given: NonNullable<Templates>): TemplateOptions {
  if (typeof given === 'string') return { folder: given };
  return Array.isArray(given) ? { templates: given } : (given as TemplateOptions);
}

function find(folder: string, logger: Logger): string {
  return typeof folder === 'string' && folder !== '' ? findTemplateFolder(folder, logger) : folder;
}
