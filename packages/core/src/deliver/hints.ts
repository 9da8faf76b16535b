import type { RouteSpec, VerificationFailure } from './port.ts';
import { providerOf } from './providers/table.ts';
import { isLoopback } from './smtp/encryption.ts';

/** What to look at where a route does not work. */
export function hintOf(route: RouteSpec, { step, reply, reason }: VerificationFailure): string {
  if (step === 'BIND') return 'this machine does not have the address: look at `localAddresses`';
  if (step === 'DNS')
    return 'look at `hostname`, which needs an address that leads back to it, and at `dns.servers` where nobody answers';
  if (step === 'MX')
    return 'the mail servers of the domain are not found, or take no mail from here: try another domain, and look at `dns.servers` where nobody answers';
  if (route.kind === 'mx' && step === 'CONN' && (reason === 'timeout' || reason === 'network'))
    return 'port 25 of the mail servers is not reached: try another domain, and where none is reached, ask the hoster to open port 25 to the outside, or send through a provider';
  if (reason === 'tls') return tlsHintOf(route, reply);
  if (step === 'AUTH')
    return (
      providerOf(route)?.loginHint ?? 'look at `auth.user`, `auth.pass`, and whether the server lets this account send'
    );
  if (/ENOTFOUND|EAI_AGAIN|EDNS|getaddrinfo/.test(reply))
    return 'the host name is not found: look at `host`, and at the DNS of this machine';
  if (/ECONNREFUSED/.test(reply)) return 'nothing listens there: look at `host` and `port`';
  if (reason === 'timeout')
    return 'nobody answers: a firewall may be in between, and many hosters block port 25; try 587, 465 or 2525';
  if (reason === 'network')
    return 'the connection ended: look at `host` and `port`, and whether the server takes connections from here';
  if (step === 'CONN')
    return 'the server refuses this machine: look at its reply, and at what addresses the account allows';
  if (step === 'EHLO')
    return `the server does not like the name in EHLO: ${route.kind === 'mx' ? 'look at `hostname`' : 'give `name`'}, the full host name of this machine`;
  return 'look at the reply of the server';
}

function tlsHintOf(route: RouteSpec, reply: string): string {
  const broken = /certificate|self.signed|altnames|unable to verify/i.test(reply);
  const local = route.kind === 'smtp' && isLoopback(route.smtp.host);
  const test = (setting: string) => (local ? `; a test server on this machine does with \`${setting}\`` : '');
  return broken
    ? `the certificate does not hold: look at the host name, at \`tls.ca\` for an authority of your own, and at the clock${test('ignoreTls: true')}`
    : `TLS did not come about: \`secure\` is for port 465, STARTTLS for 587 and 25${test('requireTls: false')}`;
}
