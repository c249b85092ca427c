import { isKafkaUnavailable } from '@branchline/drivers/kafka/client.ts';
import { failureOf } from './postgres/errors.ts';

/** What a person needs to know when Kafka or PostgreSQL cannot be used: one line that names the setting. */
export type ServerFault = {
  message: string;
  reason: string;
  /** The server may start later. */
  mayPass: boolean;
};

/** Invalid authorisation (class 28), and a database that does not exist. */
const refusedStates = /^(28...|3D000)$/;

/** An error for several addresses has a code and no message. */
const reasonOf = ({ message = '', code = '' }: { message?: string; code?: string }): string =>
  message === '' ? code : message;

/** Undefined if the error is neither server's. */
export const serverFaultOf = (error: unknown): ServerFault | undefined => {
  const reason = reasonOf(error as Error);
  if (isKafkaUnavailable(error))
    return { message: 'Kafka does not answer (setting kafka, BRANCHLINE_KAFKA)', reason, mayPass: true };
  const postgres = '(setting postgres, BRANCHLINE_POSTGRES)';
  if (failureOf(error) === 'connection')
    return { message: `PostgreSQL does not answer ${postgres}`, reason, mayPass: true };
  return refusedStates.test(String((error as { code?: unknown }).code))
    ? { message: `PostgreSQL refuses the connection ${postgres}`, reason, mayPass: false }
    : undefined;
};
