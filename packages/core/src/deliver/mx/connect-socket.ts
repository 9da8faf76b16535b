import { connect, type Socket } from 'node:net';
import { SmtpFailure, smtpError } from '../smtp/failure.ts';
import type { Unbegun } from './own-fault.ts';

/**
 * Connects to one address.
 *
 * @throws SmtpFailure
 */
export function connectSocket(
  to: { readonly host: string; readonly port: number; readonly localAddress: string | undefined },
  timeoutMs: number,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const { host, port, localAddress } = to;
    const fail = (message: string, code: string, unbegun?: Unbegun): void => {
      socket.destroy();
      const error = Object.assign(smtpError(message, code), { unbegun });
      reject(new SmtpFailure(error, { step: 'CONN', afterData: false, connected: false }));
    };
    const socket = connect({ host, port, ...(localAddress === undefined ? {} : { localAddress }) });
    let begun = true;
    // Node asks the system in this tick. What that refuses at once, without a word from the network, is this machine's affair.
    process.nextTick(() => {
      begun = !socket.destroyed;
    });
    const timer = setTimeout(() => fail('the connection timed out', 'ETIMEDOUT'), timeoutMs);
    const onError = (error: NodeJS.ErrnoException): void => {
      clearTimeout(timer);
      fail(error.message, 'ECONNECTION', begun ? undefined : { code: error.code, syscall: error.syscall });
    };
    socket.once('error', onError);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', onError);
      resolve(socket);
    });
  });
}
