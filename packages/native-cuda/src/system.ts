/** The system a library must be compiled for, such as `darwin-arm64`; on Linux with the C library: `linux-x64-gnu`, `linux-x64-musl`. */
export function systemName(libc = process.platform === 'linux' ? cLibrary() : null): string {
  return [process.platform, process.arch, ...(libc === null ? [] : [libc])].join('-')
}

/** The C library of this Node: its report names the version of glibc where it runs on that. */
export function cLibrary(report = briefReport()): 'gnu' | 'musl' {
  return report.header.glibcVersionRuntime === undefined ? 'musl' : 'gnu'
}

/** The version of glibc that runs here, such as '2.36'; undefined where there is none. */
export function glibcVersion(report = briefReport()): string | undefined {
  return report.header.glibcVersionRuntime
}

interface Report {
  readonly header: { readonly glibcVersionRuntime?: string }
}

/** Without the network interfaces, whose names may take seconds to find. */
function briefReport(): Report {
  const report = process.report as NodeJS.ProcessReport & { excludeNetwork: boolean }
  const { excludeNetwork } = report
  report.excludeNetwork = true
  try {
    return report.getReport() as Report
  } finally {
    report.excludeNetwork = excludeNetwork
  }
}
