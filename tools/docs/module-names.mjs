// A plugin of typedoc: modules are called what a program imports them by, not by the folder of their source.
import { Converter, ReflectionKind } from 'typedoc'

export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (_, reflection) => {
    if (reflection.kindOf(ReflectionKind.Module)) reflection.name = importNameOf(reflection.name)
  })
}

/** The name to import a folder of sources by: `core-ts/src/align` is `@sonotext/core/align`. */
export function importNameOf(folder) {
  const [, name, subpath] = /^([^/]+)\/src(\/.+)?$/.exec(folder)
  return `@sonotext/${name.replace(/-ts$/, '')}${subpath ?? ''}`
}
