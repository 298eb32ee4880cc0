export function findProgram(name: string, env?: NodeJS.ProcessEnv): string | undefined
export function missing(program: string, env?: NodeJS.ProcessEnv): string | null
