// The committee's signature, made in the browser: the sealed key is opened with a passphrase that never leaves this
// page (PBKDF2-HMAC-SHA-256, AES-256-GCM, PKCS #8, Ed25519), and signs the document's kind and text. The hub gets
// the signature only.
import type { SealedKey, Signed } from '../../api/types';

/** Why no signature was made; each has its text in the catalogue. */
export class SigningError extends Error {
  constructor(readonly reason: 'wrong_passphrase' | 'no_key' | 'unsupported') {
    super(reason);
  }
}

/** Signs the text of a document of this kind, such as `arno/permit/1`. */
export async function sign(
  kind: string,
  document: string,
  sealed: SealedKey | undefined,
  passphrase: string,
): Promise<Signed> {
  if (!sealed) throw new SigningError('no_key');
  const pkcs8 = await open(sealed, passphrase);
  const bytes = new TextEncoder().encode(`${kind}\n${document}`);
  const signature = await signBytes(pkcs8, bytes);
  return { document, signer: sealed.public_key, signature: toBase64url(signature) };
}

async function open(sealed: SealedKey, passphrase: string): Promise<ArrayBuffer> {
  const { subtle } = crypto;
  const secret = await subtle.importKey('raw', new TextEncoder().encode(passphrase), 'PBKDF2', false, ['deriveKey']);
  const { salt, nonce, ciphertext, iterations } = sealed;
  const derivation = { name: 'PBKDF2', hash: 'SHA-256', salt: fromBase64url(salt), iterations };
  const key = await subtle.deriveKey(derivation, secret, { name: 'AES-GCM', length: 256 }, false, ['decrypt']);
  try {
    return await subtle.decrypt({ name: 'AES-GCM', iv: fromBase64url(nonce) }, key, fromBase64url(ciphertext));
  } catch {
    throw new SigningError('wrong_passphrase');
  }
}

async function signBytes(pkcs8: ArrayBuffer, bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  try {
    const key = await crypto.subtle.importKey('pkcs8', pkcs8, 'Ed25519', false, ['sign']);
    return new Uint8Array(await crypto.subtle.sign('Ed25519', key, bytes));
  } catch {
    throw new SigningError('unsupported');
  }
}

function fromBase64url(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function toBase64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
