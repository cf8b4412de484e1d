import { type ConveyorError, ERROR_CATALOGUE, type ErrorCode } from './errors.ts';

/** An error as it leaves over HTTP (RFC 9457): what was found, what was expected, and what to do. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  code: ErrorCode;
  detail: string;
  advice: string;
  request_id?: string;
  errors?: { field: string; reason: string }[];
}

export const MAX_FAULTS = 20;

export function problemOf(error: ConveyorError, requestId?: string): Problem {
  const { status, title, advice } = ERROR_CATALOGUE[error.code];
  return {
    type: `urn:conveyor:error:${error.code}`,
    title,
    status,
    code: error.code,
    detail: error.message,
    advice,
    ...(requestId === undefined ? {} : { request_id: requestId }),
    ...(error.faults.length > 0 ? { errors: error.faults.slice(0, MAX_FAULTS).map(({ field, reason }) => ({ field, reason })) } : {}),
  };
}
