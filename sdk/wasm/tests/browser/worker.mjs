// Two purses in the browser's own file system, each with three synchronous handles. Every visit says what it found; the
// first pays and loses the receipt, the next has only what was written down.
import { compilePurse, cryptography, HandleAnchor, HandleStorage, Purse, PurseError, softwareSigner } from '../../dist/index.js';
import { freshList, Issuer, today } from '../issuer.mjs';

const issuer = new Issuer(1);
const module = await compilePurse();

async function openPurse(number) {
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle(`purse-${number}`, { create: true });
  const handle = async (name) => (await folder.getFileHandle(name, { create: true })).createSyncAccessHandle();
  const signer = softwareSigner(1, new Uint8Array(32).fill(number));
  const platform = {
    cryptography,
    signer,
    storage: new HandleStorage(await handle('journal'), await handle('slots')),
    anchor: new HandleAnchor(await handle('anchor'), crypto.getRandomValues(new Uint8Array(16))),
    now: () => today,
  };
  try {
    const purse = await Purse.open(module, platform);
    purse.trust([issuer.key]);
    return purse;
  } catch (error) {
    if (!(error instanceof PurseError) || error.status !== 'nothing_here') throw error;
  }
  const purse = await Purse.create(module, platform, { purse: number });
  purse.trust([issuer.key]);
  purse.load(issuer.certificate(number, signer.publicKey));
  purse.installList(...freshList(issuer));
  return purse;
}

async function visit() {
  const ann = await openPurse(1);
  const bob = await openPurse(2);
  const found = { state: ann.info().state, unknown: ann.info().unknown };
  if (found.unknown === 0n) {
    bob.receive(ann.pay(bob.request(700n).message)); // and the receipt is lost
  } else {
    ann.receive(bob.receive(ann.resume()).answer);
  }
  return { found, ann: ann.info().spendable, bob: bob.info().spendable, unknown: ann.info().unknown };
}

const shown = (key, value) => (typeof value === 'bigint' ? String(value) : value);
postMessage(await visit().then((done) => JSON.stringify(done, shown), (error) => JSON.stringify({ error: String(error.stack) })));
