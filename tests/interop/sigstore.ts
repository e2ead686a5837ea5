// A second opinion on receipts: @sigstore/verify's Merkle inclusion and checkpoint verifiers, which are not ours. They are not among what
// the package exports, so its version is fixed.
import { Fields, Receipt } from "../src/cpis";
import { sha256, Verifier } from "../src/log";

const { verifyMerkleInclusion } = require("@sigstore/verify/dist/timestamp/merkle.js") as { verifyMerkleInclusion(entry: Fields): void };
const { verifyCheckpoint } = require("@sigstore/verify/dist/timestamp/checkpoint.js") as {
  verifyCheckpoint(entry: Fields, logs: Fields[]): void };

/** Whether the record is in the tree that the log's key signed. The log's entry is the commitment, of which sigstore makes the leaf. */
export function sigstoreSays(log: Verifier, receipt: Receipt): boolean {
  const [, size, root] = receipt.checkpoint.split("\n");
  const entry = {
    canonicalizedBody: sha256(receipt.salt, receipt.record),
    integratedTime: "0",
    inclusionProof: {
      logIndex: receipt.index.toString(), treeSize: size, rootHash: Buffer.from(root!, "base64"), hashes: receipt.path,
      checkpoint: { envelope: receipt.checkpoint },
    },
  };
  const authority = { logID: log.id, publicKey: log.publicKey, validFor: { start: new Date(0), end: new Date(8.64e15) } };
  try {
    verifyMerkleInclusion(entry);
    verifyCheckpoint(entry, [authority]);
    return true;
  } catch {
    return false;
  }
}
