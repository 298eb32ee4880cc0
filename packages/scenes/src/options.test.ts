import { expect, it } from 'vitest'
import { captionScene, folderBank, proceduralBank, synthesize } from './index.js'

const scene = { background: 'rain', groups: [], relations: [] }

const functions: Record<string, (options: never) => unknown> = {
  captionScene: (options) => captionScene(scene, options),
  folderBank: (options) => folderBank('x', options),
  proceduralBank,
  synthesize: (options) => synthesize('rain', options),
}

it.each(Object.entries(functions))('%s refuses what is no object of options', async (name, call) => {
  for (const wrong of ['rain', 3, null, ['x'], () => 1]) {
    const outcome = (async () => call(wrong as never))()
    await expect(outcome).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(`Expected an object of options for ${name}, got `) as string,
    })
  }
})
