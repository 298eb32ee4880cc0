import type { Scenario } from './scenarios.js'

/** What can be planted into every counted scenario, to see the counters find it. */
export const plants: Readonly<Record<string, (scenario: Scenario) => Scenario>> = {
  /** An array that is taken and dropped. (A buffer of the backend that is given back at once would be none: the next one is the same.) */
  allocation: beside(() => () => void new Float32Array(1000)),
  /** Memory of an array without one. */
  buffer: beside(() => () => void new ArrayBuffer(4000)),
  /** A plain array that is large enough to be counted. */
  list: beside(() => () => void Array.from({ length: 1000 }, (_, i) => i)),
  /** A copy of some values from array to array. */
  copy: beside(() => {
    const values = new Float32Array(1000)
    return () => void values.slice()
  }),
  /** A call into the addon that computes nothing. */
  crossing: beside((backend) => () => void backend.supports('gemm')),
}

type Backend = Parameters<Scenario['make']>[1]

function beside(prepare: (backend: Backend) => () => void) {
  return (scenario: Scenario): Scenario => ({
    ...scenario,
    async make(core, backend, folder) {
      const running = await scenario.make(core, backend, folder)
      const extra = prepare(backend)
      return {
        ...running,
        async run() {
          await running.run()
          extra()
        },
      }
    },
  })
}
