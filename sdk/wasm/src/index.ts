export { cryptography, softwareSigner } from './cryptography.js';
export { compilePurse, purseModuleUrl } from './module.js';
export type { Cryptography, HashKind, Platform, PurseAnchor, PurseSigner, PurseStorage, StorageArea, Suite } from './platform.js';
export { Purse, type IssuerKey, type Offer, type PurseInfo, type PurseState, type Received, type TrustInfo } from './purse.js';
export { PurseError, type Status, statusNumbers } from './status.js';
export { HandleAnchor, HandleStorage, MemoryAnchor, MemoryStorage, type SyncHandle } from './storage.js';
