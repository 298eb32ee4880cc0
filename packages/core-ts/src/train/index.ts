export * from './early-stopping.js'
export { jsonlLogger, type Logger, type LogRecord, tensorBoardLogger } from './loggers.js'
export * from './safetensors.js'
export * from './schedules.js'
