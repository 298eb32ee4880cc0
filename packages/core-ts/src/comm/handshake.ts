import { createHmac, timingSafeEqual } from 'node:crypto'

/** Of the frames and their order; ranks of other versions are refused. */
const protocol = 1

/** Who joins, and the proof that it knows the run's secret. */
export interface Proof {
  readonly rank: number
  readonly size: number
  /** Random, as hexadecimal digits: rank 0 answers for it. */
  readonly nonce: string
  readonly mac: string
}

/** `challenge` is of rank 0, as hexadecimal digits. Nothing that was seen of one connection opens another. */
export function proofOf(secret: string, challenge: string, { rank, size, nonce }: Omit<Proof, 'mac'>): Proof {
  return { rank, size, nonce, mac: mac(secret, ['join', protocol, challenge, nonce, rank, size]) }
}

/** Null unless the body is a proof made with the secret. */
export function checkProof(secret: string, challenge: string, body: Uint8Array): Proof | null {
  let given: Partial<Proof>
  try {
    given = JSON.parse(Buffer.from(body).toString()) as Partial<Proof>
  } catch {
    return null
  }
  if (typeof given !== 'object' || given === null) return null
  const { rank, size, nonce } = given
  if (!Number.isInteger(rank) || !Number.isInteger(size) || typeof nonce !== 'string') return null
  const wanted = proofOf(secret, challenge, { rank: rank!, size: size!, nonce })
  return sameMac(given.mac, wanted.mac) ? wanted : null
}

/** What rank 0 answers, so that the joiner knows it is not a stranger. */
export function welcomeOf(secret: string, challenge: string, nonce: string): string {
  return mac(secret, ['welcome', protocol, challenge, nonce])
}

export function sameMac(given: unknown, wanted: string): boolean {
  const [a, b] = [Buffer.from(String(given)), Buffer.from(wanted)]
  return a.length === b.length && timingSafeEqual(a, b)
}

function mac(secret: string, parts: readonly (string | number)[]): string {
  return createHmac('sha256', secret).update(JSON.stringify(parts)).digest('hex')
}
