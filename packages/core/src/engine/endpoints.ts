import type { Clock } from '../clock.ts';
import { MailRelayError } from '../errors.ts';
import type { EndpointView, ResolvedEndpoint } from '../notify/port.ts';
import type { Seal } from '../seal.ts';
import type { EndpointStore, StoredEndpoint } from '../store/port.ts';
import type { EngineApi, HostApi } from '../thread/port.ts';

/** Endpoints of the options, and those that were added while the relay ran. */
export interface Endpoints {
  readonly api: Pick<EngineApi, 'listEndpoints' | 'addEndpoint' | 'removeEndpoint' | 'rotateEndpoint'>;
  /** All that can be posted to, with the keys that sign at the moment. */
  all(): readonly ResolvedEndpoint[];
  /** Seals anew what an older secret has sealed, so that the older one can go. */
  renew(): Promise<void>;
}

/** What is sealed. An older key signs beside the newest until its time is over. */
interface Kept extends Omit<ResolvedEndpoint, 'name' | 'keys'> {
  readonly keys: readonly { readonly key: string; readonly until?: number }[];
}

/** Keys of one endpoint, as in the options. */
const MOST_KEYS = 5;

/** @param context.changed - called after a change of this process; others look for it. */
export function createEndpoints(context: {
  readonly store: EndpointStore;
  readonly declared: readonly ResolvedEndpoint[];
  readonly seal: Seal;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: HostApi['log'];
  changed(): void;
}): Endpoints {
  const { store, declared, seal, clock, log, changed } = context;
  /** What was opened last, by name; undefined where it could not be. */
  let opened = new Map<string, { readonly sealed: string; readonly kept: Kept | undefined }>();

  function open(name: string, sealed: string): Kept | undefined {
    const found = seal.open(sealed, name);
    return found && (JSON.parse(found.text) as Kept);
  }

  function keptOf({ name, sealed }: StoredEndpoint): Kept | undefined {
    const known = opened.get(name);
    if (known?.sealed === sealed) return known.kept;
    const kept = open(name, sealed);
    if (kept === undefined)
      log(
        'error',
        { subscription: name },
        'an endpoint was added under a secret that is gone: remove it, and add it anew',
      );
    return kept;
  }

  /** Those that were added, but for names that the options have. */
  function added(): { readonly endpoint: StoredEndpoint; readonly kept: Kept | undefined }[] {
    const found = store.all().map((endpoint) => ({ endpoint, kept: keptOf(endpoint) }));
    opened = new Map(found.map(({ endpoint: { name, sealed }, kept }) => [name, { sealed, kept }]));
    return found.filter(({ endpoint }) => declared.every(({ name }) => name !== endpoint.name));
  }

  function keysOf({ keys }: Kept): Kept['keys'] {
    return keys.filter(({ until }) => until === undefined || until > clock.now());
  }

  function refuseDeclared(name: string): void {
    if (declared.some((one) => one.name === name)) {
      const reason = `the endpoint ${name} stands in the options: change it there`;
      throw new MailRelayError('OPTIONS_INVALID', { option: 'name', reason });
    }
  }

  function view(name: string, { url, types, concurrency, timeoutMs }: Omit<ResolvedEndpoint, 'name' | 'keys'>) {
    const { origin, pathname } = new URL(url);
    // Without the query, which may carry a token.
    return { name, url: origin + pathname, types, concurrency, timeoutMs };
  }

  return {
    all: () => [
      ...declared,
      ...added().flatMap(({ endpoint: { name }, kept }) =>
        kept === undefined ? [] : [{ ...kept, name, keys: keysOf(kept).map(({ key }) => key) }],
      ),
    ],
    async renew() {
      for (const { name, sealed } of store.all())
        if (seal.open(sealed, name)?.stale)
          await store.change(name, (now) => {
            const found = seal.open(now, name);
            return found === undefined ? now : seal.close(found.text, name);
          });
    },
    api: {
      listEndpoints: async () => {
        const ofOptions = declared.map(
          (one): EndpointView => ({
            ...view(one.name, one),
            from: 'options',
            secrets: one.keys.length,
            createdAt: undefined,
          }),
        );
        const ofStore = added().map(({ endpoint: { name, createdAt }, kept }): EndpointView => {
          const said = kept && view(name, kept);
          const unknown = { name, url: undefined, types: [], concurrency: 0, timeoutMs: 0 };
          const secrets = kept === undefined ? 0 : keysOf(kept).length;
          return { ...(said ?? unknown), from: 'store', secrets, createdAt: new Date(createdAt) };
        });
        return [...ofOptions, ...ofStore].sort((one, other) => (one.name < other.name ? -1 : 1));
      },
      async addEndpoint({ name, keys, ...rest }) {
        refuseDeclared(name);
        const kept: Kept = { ...rest, keys: keys.map((key) => ({ key })) };
        const sealed = seal.close(JSON.stringify(kept), name);
        await store.add({ name, sealed, types: rest.types, createdAt: clock.now() });
        changed();
      },
      async removeEndpoint(name) {
        refuseDeclared(name);
        await store.remove(name);
        changed();
      },
      async rotateEndpoint(name, key, keepMs) {
        refuseDeclared(name);
        const end = clock.now() + keepMs;
        await store.change(name, (sealed) => {
          const kept = open(name, sealed);
          if (kept === undefined) {
            const reason = `the endpoint ${name} was added under a secret that is gone: remove it, and add it anew`;
            throw new MailRelayError('OPTIONS_INVALID', { option: 'name', reason });
          }
          const older = keysOf(kept).filter((one) => one.key !== key && keepMs > 0);
          const ended = older.map((one) => ({ key: one.key, until: Math.min(end, one.until ?? end) }));
          return seal.close(JSON.stringify({ ...kept, keys: [{ key }, ...ended].slice(0, MOST_KEYS) }), name);
        });
        changed();
      },
    },
  };
}
