/** What the user can mend: the check could not be made. Exit code 2, the message alone. */
export class CheckError extends Error {
  override readonly name = 'CheckError'
}
