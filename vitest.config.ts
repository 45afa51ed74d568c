import { defineConfig } from 'vitest/config'

// Networks in child processes, whole audits and copies: with the long end-to-end tests.
const long = [
  'cli/audit',
  'cli/classes',
  'engine/remote/same-answer',
  'engine/sensitivity/sensitivity',
  'engine/trigger-response',
  'features/models',
  'inject/inject',
  'provenance/signatures/sigstore',
  'review/clean',
].map((name) => `test/${name}.test.ts`)

/** They replace modules, or need what another file switched off for its process. */
const alone = ['engine/clean-sample', 'engine/pixels'].map((name) => `test/${name}.test.ts`)

export default defineConfig({
  test: {
    // Every core: vitest would leave one idle, of two.
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/data/**', 'test/e2e/**', 'test/browser/**', 'test/postgres/**', ...long, ...alone],
          testTimeout: 30_000,
          // Modules are loaded once a process: half of the time would go to loading them for each file.
          isolate: false,
        },
      },
      { test: { name: 'alone', include: alone, testTimeout: 30_000 } },
      // The built program as a user runs it.
      { test: { name: 'e2e', include: ['test/e2e/newcomer.test.ts'], testTimeout: 300_000, hookTimeout: 120_000 } },
      // The same at length: deliveries, nights, kills, damage, other people's pipelines.
      {
        test: {
          name: 'system',
          include: ['test/e2e/**/*.test.ts', ...long],
          exclude: ['test/e2e/newcomer.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 120_000,
        },
      },
      // Needs the folder of real data in ASSAY_DATA.
      { test: { name: 'data', include: ['test/data/**/*.test.ts'], testTimeout: 600_000, hookTimeout: 300_000 } },
      // Needs the server binaries of PostgreSQL.
      {
        test: { name: 'stores', include: ['test/postgres/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 120_000 },
      },
      // Needs Chromium.
      { test: { name: 'browser', include: ['test/browser/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 120_000 } },
    ],
  },
})
