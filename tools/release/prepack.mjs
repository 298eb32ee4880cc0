// `npm pack` in a folder of packages/ stops here: the files are there only after a build, and the versions, the CommonJS twin and
// the platform packages are written when a release is staged.
process.stderr.write(
  'A package is packed from its staged folder, not from here: run `npm run release:pack` in the folder of the repository\n' +
    '(after `npm run setup`); the tarballs are in build/release then.\n',
)
process.exitCode = 1
