#!/usr/bin/env node
// Old JavaScript, as it must be read by the versions of Node.js that it turns away.
var needed = '22.13'
var wanted = needed.split('.').map(Number)
var found = process.versions.node.split('.').map(Number)

if (found[0] < wanted[0] || (found[0] === wanted[0] && found[1] < wanted[1])) {
  console.error(
    'sonotext: expected Node.js ' +
      needed +
      ' or newer, found ' +
      process.version +
      ' (' +
      process.execPath +
      ').',
  )
  console.error(
    'Install a newer one (https://nodejs.org, or: npx -p node@22 sonotext ...) and run the same command again.',
  )
  process.exitCode = 1
} else {
  import('../dist/main.js').catch(function (error) {
    var isOwn =
      error.code === 'ERR_MODULE_NOT_FOUND' && /main\.js'/.test(error.message.split(' imported from')[0])
    console.error(isOwn ? 'sonotext: this package is not built. In its repository: npm run setup' : error)
    process.exitCode = 1
  })
}
