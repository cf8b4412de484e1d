import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['src/**/*.test.ts', 'bin/**/*.test.ts', 'console/src/**/*.test.ts'] } },
      { test: { name: 'tidy', include: ['test/tidy.test.ts', 'test/docs/**/*.test.ts'] } },
      {
        test: {
          name: 'integration',
          include: ['test/conformance/**/*.test.ts', 'test/integration/**/*.test.ts', 'test/workflows/**/*.test.ts'],
          globalSetup: ['test/support/postgres-server.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
          // Most of the time they wait: for a database's disk, for a lease to run out.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'process',
          include: ['test/process/**/*.test.ts'],
          globalSetup: ['test/support/postgres-server.ts'],
          testTimeout: 180_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
