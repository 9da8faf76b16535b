import type { HookRequest, HookVerdict } from './provider.ts';
import { isSame } from './secrets.ts';

/** What a provider that signs nothing shows: each that is given has to be right. The secret of the path is looked at by the route. */
export interface GateOptions {
  readonly user?: string | undefined;
  readonly pass?: string | undefined;
  /** Any of these. */
  readonly token?: readonly string[] | undefined;
}

/** Looks at the Authorization header (RFC 7617, RFC 6750), or at a header of the provider's own for the token. */
export function passes(request: Pick<HookRequest, 'header'>, gate: GateOptions, tokenHeader?: string): HookVerdict {
  const authorization = request.header('authorization') ?? '';
  if (gate.user !== undefined) {
    const given = /^basic\s+([A-Za-z0-9+/=_-]{1,2000})\s*$/i.exec(authorization)?.[1];
    const own = `${gate.user}:${gate.pass ?? ''}`;
    if (!isSame(given && Buffer.from(given, 'base64').toString('utf8'), own))
      return { ok: false, because: 'its user name and password are not those of the options' };
  }
  if (gate.token !== undefined) {
    const bearer = /^bearer\s+(\S{1,2000})\s*$/i.exec(authorization)?.[1];
    const own = tokenHeader === undefined ? undefined : request.header(tokenHeader);
    const right = gate.token.map((token) => isSame(own ?? bearer, token));
    if (!right.includes(true)) return { ok: false, because: 'its token is not that of the options' };
  }
  return { ok: true };
}
