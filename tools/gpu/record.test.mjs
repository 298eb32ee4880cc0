import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { agreed } from './record.mjs'

const ops = ['gru', 'gru_backward', 'add', 'adam', 'scale', 'top_k']

it('an op has run on a GPU when every one of its cases agreed, and there was one', () => {
  const table = [
    'add drawn 1                                          out                     1.2e-08         ok',
    'adam drawn 1                                         param                      0.01    DIFFERS',
    '                                                     m                             0         ok',
    'gru and backward 1×1×1 to 1, directions 1            out                           0         ok',
    'top_k drawn 3                                                               FAILED on cuda:0: no memory',
    'top_k drawn 4                                        outScores                     0         ok',
  ].join('\n')
  expect(agreed(table, ops)).toEqual(['add', 'gru', 'gru_backward'])
})

it('what is said of the runs on a GPU fits the sources', () => {
  execFileSync(process.execPath, [fileURLToPath(new URL('record.mjs', import.meta.url)), '--check'])
})
