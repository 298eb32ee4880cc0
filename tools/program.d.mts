export function missing(program: string, env?: NodeJS.ProcessEnv): string | null
