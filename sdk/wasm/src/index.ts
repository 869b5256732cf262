export { cryptography, softwareSigner } from './cryptography.js';
export { type Journal, type JournalPayment, readJournal, type SyncState } from './evidence.js';
export { compilePurse, purseModuleUrl } from './module.js';
export {
  type Certificate, certificateOf, type ForkProof, hexOf, type ListHead, listHeadOf, type Note, noteOf, ObjectError, readForkProof, readObject, readObjects, readRoot,
  type RootDocument, type SignedObject, type Source,
} from './objects.js';
export type { Cryptography, HashKind, Platform, PurseAnchor, PurseSigner, PurseStorage, StorageArea, Suite } from './platform.js';
export { type IssuerKey, type Offer, Purse, type PurseInfo, type PurseState, type Received, type TrustInfo } from './purse.js';
export { QrCollector, type QrReading, splitForQr } from './qr.js';
export { PurseError, type Status, statusNumbers } from './status.js';
export { HandleAnchor, HandleStorage, MemoryAnchor, MemoryStorage, type SyncHandle } from './storage.js';
