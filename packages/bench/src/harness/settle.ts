import { setTimeout as pause } from 'node:timers/promises'

/**
 * Before a side has its turn: threads of the one that has just run may still be waiting for work in a loop, which OpenMP and ONNX Runtime let
 * them do for up to 200 ms. On few cores that halves what the next side gets.
 */
export const settle = (): Promise<void> => pause(250)
