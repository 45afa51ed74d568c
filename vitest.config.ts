import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: ['test/data/**', 'test/e2e/**', 'test/browser/**'], testTimeout: 30_000 } },
    ],
  },
})
