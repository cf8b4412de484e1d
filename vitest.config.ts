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
        },
      },
      {
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
