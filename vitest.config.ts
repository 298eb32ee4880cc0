import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (path: string) => fileURLToPath(new URL(`packages/${path}`, import.meta.url))

export default defineConfig({
  // Tests run on the sources, not on what the last build left in dist.
  resolve: {
    alias: [
      { find: /^@sonotext\/native-cuda$/, replacement: source('native-cuda/src/index.ts') },
      { find: /^@sonotext\/core$/, replacement: source('core-ts/src/index.ts') },
      { find: /^@sonotext\/core\/([\w-]+)$/, replacement: `${source('core-ts/src')}/$1/index.ts` },
      { find: /^@sonotext\/scenes$/, replacement: source('scenes/src/index.ts') },
      { find: /^@sonotext\/bench$/, replacement: source('bench/src/index.ts') },
    ],
  },
  test: {
    include: [
      'packages/*/src/**/*.test.ts',
      'packages/*/compile/*.test.mjs',
      'tools/**/*.test.mjs',
      'examples/*.test.ts',
    ],
    // Many tests wait for processes of their own: every core has a file to go on with.
    maxWorkers: '100%',
    // What hangs is ended; a busy machine is not what a test may fail on.
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
})
