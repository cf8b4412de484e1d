import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { ConveyorError, WarehouseAway } from '#domain/errors.ts';
import { isDeadlock, isUniqueViolation, toConnectFault, toStoreFault } from './faults.ts';

function answered(sqlState: string): pg.DatabaseError {
  const error = new pg.DatabaseError('refused', 7, 'error');
  error.code = sqlState;
  return error;
}

function broken(code: string): Error {
  return Object.assign(new Error(`write ${code}`), { code, errno: -32, syscall: 'write' });
}

describe('toStoreFault', () => {
  // EPIPE has the form of an SQLSTATE.
  it.each(['EPIPE', 'ECONNRESET', 'ECONNREFUSED', 'ETIMEDOUT', 'EHOSTUNREACH'])(
    'a connection that breaks with %s leaves the outcome open',
    (code) => {
      const fault = toStoreFault(broken(code), 'HN');
      expect(fault).toMatchObject({ code: 'warehouse-unavailable', message: expect.stringContaining(`HN does not answer (${code})`) });
    },
  );

  it.each(['08006', '25006', '40001', '40P01', '53300', '55P03', '57014', '57P01', '57P03', '58030'])(
    'SQLSTATE %s passes by itself',
    (state) => {
      const error = answered(state);
      expect(toStoreFault(error, 'HN')).toMatchObject({ code: 'warehouse-unavailable', cause: error });
    },
  );

  it.each(['22P02', '23505', '26000', '42P01', 'P0001', 'XX000'])('SQLSTATE %s stays what it is', (state) => {
    const error = answered(state);
    expect(toStoreFault(error, 'HN')).toBe(error);
  });

  it('what is said in our words already stays', () => {
    const error = new ConveyorError('shutting-down', 'the connection was closed');
    expect(toStoreFault(error, 'HN')).toBe(error);
  });
});

describe('toConnectFault', () => {
  it.each([broken('EPIPE'), answered('57P03')])('nothing was sent: the warehouse is away (%s)', (error) => {
    expect(toConnectFault(error, 'HN')).toBeInstanceOf(WarehouseAway);
  });
});

describe('what the server answered', () => {
  it('is known by its SQLSTATE, also inside an error of ours', () => {
    expect(isUniqueViolation(answered('23505'))).toBe(true);
    expect(isUniqueViolation(answered('23503'))).toBe(false);
    expect(isDeadlock(toStoreFault(answered('40P01'), 'HN'))).toBe(true);
    expect(isDeadlock(toStoreFault(broken('EPIPE'), 'HN'))).toBe(false);
  });
});
