import { connect, type Socket } from 'node:net';
import { SmtpFailure, smtpError } from '../smtp/failure.ts';

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
    const fail = (message: string, code: string, originalCode?: string): void => {
      socket.destroy();
      const error = Object.assign(smtpError(message, code), { originalCode });
      reject(new SmtpFailure(error, { step: 'CONN', afterData: false, connected: false }));
    };
    const socket = connect({ host, port, ...(localAddress === undefined ? {} : { localAddress }) });
    const timer = setTimeout(() => fail('the connection timed out', 'ETIMEDOUT'), timeoutMs);
    const onError = (error: NodeJS.ErrnoException): void => {
      clearTimeout(timer);
      fail(error.message, 'ECONNECTION', error.code);
    };
    socket.once('error', onError);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', onError);
      resolve(socket);
    });
  });
}
