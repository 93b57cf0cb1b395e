// A wallet of another make: it follows a credential offer (OpenID4VCI 1.0, pre-authorized code) and a
// presentation request (OpenID4VP 1.0, direct_post.jwt) by published libraries alone. Addresses, metadata,
// request objects, queries and answers are read, checked and built by them; what stands here is what every
// wallet must bring itself: a key, and the decision what to show.
//
//   node wallet.mjs --anchor CA.crt --offer URI --tx-code CODE [--request URI [--enc A128GCM] [--least | --decline]]
//
// The anchor (DER) is what its maker would have been given out of band: the CA whose agencies it trusts. Prints one JSON object, with `error` when a library or the other side refused; exit 1 then.

import { createHash, randomBytes, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

import { clientAuthenticationAnonymous, setGlobalConfig } from '@openid4vc/oauth2'
import { Openid4vciClient } from '@openid4vc/openid4vci'
import { Openid4vpClient } from '@openid4vc/openid4vp'
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc'
import { DcqlQuery } from 'dcql'
import * as jose from 'jose'

const DEFERRED_LIMIT = 30_000

class Refused extends Error {}

const { values: given } = parseArgs({
  options: {
    anchor: { type: 'string' },
    offer: { type: 'string' },
    'tx-code': { type: 'string' },
    request: { type: 'string' },
    enc: { type: 'string', default: 'A256GCM' },
    decline: { type: 'boolean', default: false },
    least: { type: 'boolean', default: false },
  },
})

const anchor = new X509Certificate(readFileSync(given.anchor))
const key = await jose.generateKeyPair('ES256', { extractable: true })
const publicJwk = await jose.exportJWK(key.publicKey)
const holder = { method: 'jwk', publicJwk, alg: 'ES256' }
const hash = (data, name) => new Uint8Array(createHash(name.replace('sha-', 'sha')).update(data).digest())

// What the protocol libraries ask of the wallet's own cryptography.
const callbacks = {
  fetch,
  hash,
  generateRandom: (length) => new Uint8Array(randomBytes(length)),
  clientAuthentication: clientAuthenticationAnonymous(),
  getX509CertificateMetadata: () => ({ sanDnsNames: [], sanUriNames: [] }),
  signJwt: async (_signer, { header, payload }) => ({
    jwt: await new jose.SignJWT(payload).setProtectedHeader(header).sign(key.privateKey),
    signerJwk: publicJwk,
  }),
  verifyJwt: async (signer, { compact }) => {
    if (signer.method !== 'x5c') return { verified: false }
    const leaf = leafOf(signer.x5c)
    await jose.compactVerify(compact, leaf.publicKey, { algorithms: ['ES256'] })
    return { verified: true, signerJwk: await jose.exportJWK(leaf.publicKey) }
  },
  encryptJwe: async ({ publicJwk: to, alg, enc, apu, apv }, data) => {
    const encrypter = new jose.CompactEncrypt(new TextEncoder().encode(data)).setProtectedHeader({
      alg,
      enc,
      kid: to.kid,
      ...(apu && { apu }),
      ...(apv && { apv }),
    })
    return { jwe: await encrypter.encrypt(await jose.importJWK(to, alg)), encryptionJwk: to }
  },
  decryptJwe: () => ({ decrypted: false }),
}

// HAIP 1.0: a chain to the anchor, which itself does not travel with it; so no certificate in it signed itself.
function leafOf(x5c) {
  const chain = x5c.map((der) => new X509Certificate(Buffer.from(der, 'base64')))
  const now = new Date()
  chain.forEach((certificate, place) => {
    const above = chain[place + 1] ?? anchor
    if (certificate.checkIssued(certificate)) throw new Refused('the anchor is in x5c')
    if (!certificate.checkIssued(above) || !certificate.verify(above.publicKey)) throw new Refused('x5c is no chain')
    if (new Date(certificate.validFrom) > now || new Date(certificate.validTo) < now) throw new Refused('x5c expired')
  })
  return chain[0]
}

const credentials = new SDJwtVcInstance({
  hasher: (data, name) => hash(data, name),
  hashAlg: 'sha-256',
  saltGenerator: (length) => randomBytes(length).toString('base64url'),
  kbSignAlg: 'ES256',
  kbSigner: async (input) => {
    const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, key.privateKey, Buffer.from(input))
    return Buffer.from(signature).toString('base64url')
  },
})

async function claim(offerUri, txCode) {
  const client = new Openid4vciClient({ callbacks })
  const credentialOffer = await client.resolveCredentialOffer(offerUri)
  const issuerMetadata = await client.resolveIssuerMetadata(credentialOffer.credential_issuer)
  const [configuration] = credentialOffer.credential_configuration_ids
  const { accessTokenResponse } = await client.retrievePreAuthorizedCodeAccessTokenFromOffer({
    credentialOffer,
    issuerMetadata,
    txCode,
  })
  const accessToken = accessTokenResponse.access_token
  const { c_nonce: nonce } = await client.requestNonce({ issuerMetadata })
  const { jwt } = await client.createCredentialRequestJwtProof({
    issuerMetadata,
    signer: holder,
    nonce,
    issuedAt: new Date(),
    credentialConfigurationId: configuration,
  })
  const { credentialResponse } = await client.retrieveCredentials({
    issuerMetadata,
    accessToken,
    credentialConfigurationId: configuration,
    proofs: { jwt: [jwt] },
  })
  const issued = await whenReady(client, issuerMetadata, accessToken, credentialResponse)
  const credential = issued.credentials[0].credential
  const { payload, issuer } = await checkCredential(credential)
  if (issued.notification_id) {
    await client.sendNotification({
      issuerMetadata,
      accessToken,
      notification: { notificationId: issued.notification_id, event: 'credential_accepted' },
    })
  }
  return {
    credential,
    payload,
    told: {
      protocol: issuerMetadata.originalDraftVersion,
      issuer,
      configuration,
      format: issuerMetadata.credentialIssuer.credential_configurations_supported[configuration].format,
      vct: payload.vct,
      claims: payload,
      notified: Boolean(issued.notification_id),
    },
  }
}

async function whenReady(client, issuerMetadata, accessToken, answer) {
  const until = Date.now() + DEFERRED_LIMIT
  while (answer.transaction_id) {
    if (Date.now() > until) throw new Refused('the issuer did not sign in time')
    await new Promise((resolve) => setTimeout(resolve, (answer.interval ?? 1) * 1000))
    const later = await client.retrieveDeferredCredentials({
      issuerMetadata,
      accessToken,
      transactionId: answer.transaction_id,
    })
    answer = later.deferredCredentialResponse
  }
  return answer
}

// The SD-JWT VC library checks disclosures, digests and times; the key is looked up in both ways a wallet may:
// the certificate in the header, and the issuer's published metadata. They must agree.
async function checkCredential(credential) {
  const { x5c, kid } = jose.decodeProtectedHeader(credential.split('~')[0])
  const { iss } = jose.decodeJwt(credential.split('~')[0])
  const url = new URL(iss)
  const metadata = await (await fetch(`${url.origin}/.well-known/jwt-vc-issuer${url.pathname}`)).json()
  const published = metadata.jwks.keys.find((jwk) => jwk.kid === kid)
  if (metadata.issuer !== iss || !published) throw new Refused('the issuer does not publish this key')
  const leaf = leafOf(x5c)
  const certified = await jose.calculateJwkThumbprint(await jose.exportJWK(leaf.publicKey))
  if (certified !== (await jose.calculateJwkThumbprint(published))) throw new Refused('two keys for one issuer')
  credentials.config({
    verifier: async (input, signature) => {
      await jose.compactVerify(`${input}.${signature}`, leaf.publicKey, { algorithms: ['ES256'] })
      return true
    },
  })
  const { payload, header } = await credentials.verify(credential)
  if (header.typ !== 'dc+sd-jwt') throw new Refused(`typ ${header.typ}`)
  const bound = await jose.calculateJwkThumbprint(payload.cnf.jwk)
  if (bound !== (await jose.calculateJwkThumbprint(publicJwk))) throw new Refused('bound to another key')
  return { payload, issuer: iss }
}

async function present(uri, held, { enc, decline, least }) {
  const client = new Openid4vpClient({ callbacks })
  const { params } = client.parseOpenid4vpAuthorizationRequest({ authorizationRequest: uri })
  const request = await client.resolveOpenId4vpAuthorizationRequest({
    authorizationRequestPayload: params,
    origin: undefined,
  })
  if (request.transactionData) throw new Refused('transaction data of a type this wallet does not know')
  const payload = request.authorizationRequestPayload
  const chosen = decline ? null : await choose(request, held, least ? -1 : 0)
  const response = await client.createOpenid4vpAuthorizationResponse({
    authorizationRequestPayload: payload,
    authorizationResponsePayload: decline ? { error: 'access_denied' } : { vp_token: chosen.vpToken },
    jarm: {
      encryption: { nonce: randomBytes(16).toString('base64url') },
      serverMetadata: {
        authorization_signing_alg_values_supported: [],
        authorization_encryption_alg_values_supported: ['ECDH-ES'],
        authorization_encryption_enc_values_supported: [enc],
      },
    },
  })
  const sent = await client.submitOpenid4vpAuthorizationResponse({
    authorizationRequestPayload: payload,
    authorizationResponsePayload: response.authorizationResponsePayload,
    jarm: response.jarm,
  })
  const answer = await sent.response.text()
  if (!sent.response.ok) throw new Refused(`${sent.response.status} ${answer}`)
  return {
    protocol: request.version,
    client: request.client.prefix,
    response_mode: sent.responseMode,
    content_type: sent.response.headers.get('content-type'),
    answer: JSON.parse(answer),
    enc: jose.decodeProtectedHeader(response.jarm.responseJwt).enc,
    shown: chosen?.names ?? [],
  }
}

// The query library says which credentials and claims answer the verifier. Their sets of claims stand
// in the verifier's order of preference; which of those that can be met is shown is the holder's choice.
async function choose(request, held, place) {
  const query = DcqlQuery.parse(request.dcql.query)
  DcqlQuery.validate(query)
  const { vct, ...claims } = held.payload
  const result = DcqlQuery.query(query, [
    { credential_format: 'dc+sd-jwt', vct, claims, cryptographic_holder_binding: true },
  ])
  if (!result.can_be_satisfied) throw new Refused('no certificate answers this query')
  const vpToken = {}
  const names = []
  for (const [id, match] of Object.entries(result.credential_matches)) {
    const shown = Object.keys(match.valid_credentials[0].claims.valid_claim_sets.at(place).output)
    names.push(...shown)
    vpToken[id] = [
      await credentials.present(held.credential, Object.fromEntries(shown.map((name) => [name, true])), {
        kb: {
          payload: {
            iat: Math.floor(Date.now() / 1000),
            aud: request.client.effective,
            nonce: request.authorizationRequestPayload.nonce,
          },
        },
      }),
    ]
  }
  return { vpToken, names }
}

// Plain http is what a node on loopback speaks in development; the libraries refuse it unless told.
setGlobalConfig({ allowInsecureUrls: true })

const told = {}
try {
  const held = await claim(given.offer, given['tx-code'])
  told.issuance = held.told
  if (given.request) told.presentation = await present(given.request, held, given)
} catch (error) {
  told.error = { name: error.name, message: error.message, answer: error.errorResponse ?? error.response ?? null }
  process.exitCode = 1
}
process.stdout.write(`${JSON.stringify(told)}\n`)
